/* Inside the web server: a question on its way to a worker and back. */
#ifndef MAREY_CLI_HTTP_JOB_H
#define MAREY_CLI_HTTP_JOB_H

#include <event2/http.h>

#include "cli/http.h"

struct site;

struct job {
    struct job *next;
    struct evhttp_request *request;
    struct site *site;
    char *path, *query, *if_none; /* its own */
    int takes_gzip;
    struct http_answer answer;
};

/* First in, first out. */
struct queue {
    struct job *first, **last;
    int count;
};

/* What a request asks, with an answer that says 404. NULL where memory is short. */
struct job *job_new(struct evhttp_request *request, struct site *site);
void job_free(struct job *job);

void job_push(struct queue *queue, struct job *job);
/* NULL where there is none. */
struct job *job_pop(struct queue *queue);

#endif
