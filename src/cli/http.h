/* A web server for one user on this machine: listens on 127.0.0.1 alone, answers GET and HEAD.
 *
 * One thread has the sockets (libevent). What it is asked goes to a few others, so a long answer keeps nobody waiting; they
 * hand back bytes. All limits are named here; whoever connects is hostile. */
#ifndef MAREY_CLI_HTTP_H
#define MAREY_CLI_HTTP_H

#include <stddef.h>
#include <stdint.h>

enum {
    HTTP_CONNECTIONS_MAX = 64,
    HTTP_WAITING_MAX = 64, /* questions that nobody works on yet */
    HTTP_WORKERS = 3,
    HTTP_HEADERS_MAX = 64 << 10, /* bytes of a request before its body */
    HTTP_BODY_MAX = 1 << 10,     /* nobody sends one */
    HTTP_SENDING_S = 600,        /* that the answer to one GET alone may take */
    HTTP_IDLE_S = 60,            /* then a connection that says nothing is closed */
    HTTP_GZIP_MIN = 1 << 10,     /* bytes; less is sent as it is */
};

/* What is asked; valid while it is answered. */
struct http_request {
    const char *path;    /* from "/" on, as it was sent; "%" stands in no path of ours */
    const char *query;   /* behind "?"; NULL: none */
    const char *if_none; /* If-None-Match; NULL: none */
    int takes_gzip;
};

struct http_answer {
    int status;
    const char *content_type, *policy; /* policy: Content-Security-Policy; NULL: that of data */
    const char *etag, *location;       /* NULL: none */
    const char *origin;                /* that may read it from elsewhere; NULL: none */
    char *filename;                    /* it is to be saved under; freed by the server */
    char *bytes; /* freed by the server, but not where is_lasting; NULL: no body */
    size_t size;
    int is_lasting, is_gzip; /* bytes stand as long as the program; are gzip'ed already */
    int file; /* 1 + a descriptor of what is sent instead of bytes; closed by the server */
};

/* Called by several threads at once. *answer is all zero but for its status, 404. */
typedef void http_handler(void *context, const struct http_request *request,
                          struct http_answer *answer);

struct http;

/* port: 0 for one that is free. NULL with errno set. */
struct http *http_open(uint16_t port, http_handler *handler, void *context);
uint16_t http_port(const struct http *http);
/* Until SIGINT, SIGTERM or SIGHUP; a second one kills. Returns 0, or -1 where it could not run. */
int http_run(struct http *http);
/* After the questions that are being answered. */
void http_close(struct http *http);

/* Has another server answer on a port of 127.0.0.1, by the same handler and threads, until one GET was answered in full, or
 * for so long. May be called by the handler. One at a time: another fails while there is one. Returns 0, or -1 with errno set. */
int http_open_once(struct http *http, uint16_t port, int seconds, http_handler *handler);

#endif
