/* Inside the web server: how an answer is sent. */
#ifndef MAREY_CLI_HTTP_ANSWER_H
#define MAREY_CLI_HTTP_ANSWER_H

#include <event2/http.h>

#include "cli/http.h"

/* Packs what is worth it, and unpacks what the other side does not take. By any thread. */
void http_answer_pack(struct http_answer *answer, int takes_gzip);
/* By the thread of the sockets. The bytes are handed over. */
void http_answer_send(struct evhttp_request *request, struct http_answer *answer);
/* An answer that says nothing but its status. */
void http_answer_nothing(struct evhttp_request *request, int status);
void http_answer_free(struct http_answer *answer);

#endif
