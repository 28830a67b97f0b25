/* See http.h.
 *
 * A question (struct job) is made by the thread of the sockets, waits in a queue, is answered by a worker, and comes back
 * through a second queue; an eventfd wakes the first thread. Meanwhile libevent reads nothing from that connection, so it
 * stands until it is answered, whatever the other side does. */
#define _GNU_SOURCE
#include "cli/http.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>

#include "cli/http_answer.h"
#include "cli/http_job.h"

enum { SIGNALS = 3 };

/* A port that is answered on. */
struct site {
    struct http *http;
    struct evhttp *server;
    struct evhttp_bound_socket *socket;
    struct event *retry; /* accepts again, after too many had connected */
    http_handler *handler;
    int pending;    /* questions that are being answered */
    int is_sending; /* for one GET alone: it is on its way */
};

struct http {
    struct event_base *base;
    struct site main, once;
    struct event *done, *signals[SIGNALS], *once_end;
    void *context;
    uint16_t port;
    int wake; /* an eventfd */
    pthread_t workers[HTTP_WORKERS];
    int worker_count;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t is_work;
    struct queue waiting, answered;
    int ends;
    int once_socket, once_seconds; /* a socket that is to be answered on; -1: none */
    http_handler *once_handler;
};

/* Wakes the thread of the sockets. */
static void wake(struct http *http) {
    uint64_t one = 1;
    ssize_t written = write(http->wake, &one, sizeof one);
    (void)written; /* it is awake already where there is no room */
}

static void *work(void *argument) {
    struct http *http = argument;
    pthread_mutex_lock(&http->lock);
    while (!http->ends) {
        struct job *job = job_pop(&http->waiting);
        if (!job) {
            pthread_cond_wait(&http->is_work, &http->lock);
            continue;
        }
        pthread_mutex_unlock(&http->lock);
        const struct http_request request = {job->path, job->query, job->if_none, job->takes_gzip};
        job->site->handler(http->context, &request, &job->answer);
        http_answer_pack(&job->answer, job->takes_gzip);
        pthread_mutex_lock(&http->lock);
        job_push(&http->answered, job);
        wake(http);
    }
    pthread_mutex_unlock(&http->lock);
    return NULL;
}

/* ---------------------------------------------------------------- questions */

/* A page of somebody else may have its own name lead here (DNS rebinding): only what this machine is called counts. The
 * port may be another one, behind a tunnel. */
static int is_local_host(const char *host) {
    static const char *const names[] = {"127.0.0.1", "localhost", "[::1]"};
    for (size_t i = 0; host && i < sizeof names / sizeof *names; i++) {
        size_t length = strlen(names[i]);
        if (!strncasecmp(host, names[i], length) && (!host[length] || host[length] == ':') &&
            host[length + strspn(host + length, ":0123456789")] == 0)
            return 1;
    }
    return 0;
}

static void ask(struct site *site, struct evhttp_request *request) {
    struct http *http = site->http;
    struct job *job = job_new(request, site);
    pthread_mutex_lock(&http->lock);
    int has_room = job && http->waiting.count < HTTP_WAITING_MAX;
    if (has_room)
        job_push(&http->waiting, job);
    pthread_cond_signal(&http->is_work);
    pthread_mutex_unlock(&http->lock);
    site->pending += has_room;
    if (has_room)
        return;
    if (job)
        job_free(job);
    http_answer_nothing(request, 503);
}

static void on_request(struct evhttp_request *request, void *argument) {
    enum evhttp_cmd_type method = evhttp_request_get_command(request);
    const char *host = evhttp_find_header(evhttp_request_get_input_headers(request), "Host");
    if (!is_local_host(host))
        http_answer_nothing(request, 403);
    else if (method != EVHTTP_REQ_GET && method != EVHTTP_REQ_HEAD)
        http_answer_nothing(request, 405);
    else
        ask(argument, request);
}

/* ------------------------------------------------------------------ a site */

/* How many descriptors are open: a connection is one. */
static int count_descriptors(void) {
    DIR *folder = opendir("/proc/self/fd");
    int count = 0;
    while (folder && readdir(folder))
        count++;
    if (folder)
        closedir(folder);
    return count;
}

static void accept_again(evutil_socket_t unused, short events, void *argument) {
    struct site *site = argument;
    (void)unused;
    (void)events;
    if (site->socket)
        evconnlistener_enable(evhttp_bound_socket_get_listener(site->socket));
}

/* Somebody connects: libevent asks for what to read with, and makes it itself. Too many: no more for a while. */
static struct bufferevent *on_connection(struct event_base *base, void *argument) {
    const struct timeval soon = {0, 200000};
    struct site *site = argument;
    (void)base;
    if (site->socket && count_descriptors() > HTTP_CONNECTIONS_MAX) {
        evconnlistener_disable(evhttp_bound_socket_get_listener(site->socket));
        event_add(site->retry, &soon);
    }
    return NULL;
}

/* Listens on 127.0.0.1. Returns the socket, or -1 with errno set. *port: the one that it is. */
static int listen_on(uint16_t *port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(*port)};
    socklen_t size = sizeof address;
    int one = 1, to = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (to < 0)
        return -1;
    setsockopt(to, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(to, (struct sockaddr *)&address, size) || listen(to, SOMAXCONN) ||
        getsockname(to, (struct sockaddr *)&address, &size)) {
        int error = errno;
        close(to);
        errno = error;
        return -1;
    }
    *port = ntohs(address.sin_port);
    return to;
}

/* Takes the socket over. Returns 0, or -1 where memory is short. */
static int site_open(struct site *site, struct http *http, int socket, http_handler *handler) {
    *site = (struct site){.http = http, .handler = handler};
    site->server = evhttp_new(http->base);
    site->retry = evtimer_new(http->base, accept_again, site);
    if (!site->server || !site->retry)
        return -1;
    evhttp_set_allowed_methods(site->server, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD | EVHTTP_REQ_POST |
                                                 EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE |
                                                 EVHTTP_REQ_OPTIONS | EVHTTP_REQ_PATCH);
    evhttp_set_max_headers_size(site->server, HTTP_HEADERS_MAX);
    evhttp_set_max_body_size(site->server, HTTP_BODY_MAX);
    evhttp_set_timeout(site->server, HTTP_IDLE_S);
    evhttp_set_default_content_type(site->server, NULL);
    evhttp_set_gencb(site->server, on_request, site);
    evhttp_set_bevcb(site->server, on_connection, site);
    site->socket = evhttp_accept_socket_with_handle(site->server, socket);
    return site->socket ? 0 : -1;
}

static void site_close(struct site *site) {
    if (site->server)
        evhttp_free(site->server);
    if (site->retry)
        event_free(site->retry);
    *site = (struct site){0};
}

/* -------------------------------------------------------- for one GET alone */

/* It was answered, or its time is over. What is on its way is not cut off, but has its time, too. */
static void end_once(evutil_socket_t unused, short events, void *argument) {
    const struct timeval later = {HTTP_SENDING_S, 0};
    struct http *http = argument;
    (void)unused;
    (void)events;
    if (!http->once.pending && !http->once.is_sending) {
        site_close(&http->once);
        return;
    }
    http->once.is_sending = 0;
    event_add(http->once_end, &later);
}

/* The one answer went out: not here, in the middle of libevent's own work, but next. */
static void on_once_answered(struct evhttp_request *request, void *argument) {
    const struct timeval now = {0, 0};
    struct http *http = argument;
    (void)request;
    http->once.is_sending = 0;
    event_add(http->once_end, &now);
}

/* A socket that a worker has opened is answered on from now; while the one before is still at work, when that is done. */
static void begin_once(struct http *http) {
    if (http->once.pending)
        return;
    pthread_mutex_lock(&http->lock);
    int socket = http->once_socket;
    struct timeval end = {http->once_seconds, 0};
    http_handler *handler = http->once_handler;
    http->once_socket = -1;
    pthread_mutex_unlock(&http->lock);
    if (socket < 0)
        return;
    site_close(&http->once);
    if (site_open(&http->once, http, socket, handler))
        close(socket);
    event_add(http->once_end, &end);
}

int http_open_once(struct http *http, uint16_t port, int seconds, http_handler *handler) {
    int socket = listen_on(&port);
    if (socket < 0)
        return -1;
    pthread_mutex_lock(&http->lock);
    if (http->once_socket >= 0)
        close(http->once_socket);
    http->once_socket = socket;
    http->once_seconds = seconds;
    http->once_handler = handler;
    wake(http);
    pthread_mutex_unlock(&http->lock);
    return 0;
}

/* ----------------------------------------------------------------- all of it */

static void finish(struct http *http, struct job *job) {
    job->site->pending--;
    if (job->site == &http->once && job->answer.status == 200) {
        http->once.is_sending = 1;
        evhttp_request_set_on_complete_cb(job->request, on_once_answered, http);
    }
    http_answer_send(job->request, &job->answer);
    job_free(job);
}

static void on_answers(evutil_socket_t from, short events, void *argument) {
    struct http *http = argument;
    struct job *job;
    uint64_t count;
    ssize_t got = read(from, &count, sizeof count);
    (void)got;
    (void)events;
    do {
        pthread_mutex_lock(&http->lock);
        job = job_pop(&http->answered);
        pthread_mutex_unlock(&http->lock);
        if (job)
            finish(http, job);
    } while (job);
    begin_once(http);
}

static void on_signal(evutil_socket_t number, short events, void *argument) {
    struct http *http = argument;
    (void)number;
    (void)events;
    for (size_t i = 0; i < SIGNALS; i++)
        event_del(http->signals[i]); /* the next one kills */
    event_base_loopbreak(http->base);
}

static int open_events(struct http *http) {
    static const int numbers[SIGNALS] = {SIGINT, SIGTERM, SIGHUP};
    http->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (http->wake < 0)
        return -1;
    http->done = event_new(http->base, http->wake, EV_READ | EV_PERSIST, on_answers, http);
    http->once_end = evtimer_new(http->base, end_once, http);
    if (!http->done || !http->once_end || event_add(http->done, NULL))
        return -1;
    for (size_t i = 0; i < SIGNALS; i++) {
        http->signals[i] = evsignal_new(http->base, numbers[i], on_signal, http);
        if (!http->signals[i] || event_add(http->signals[i], NULL))
            return -1;
    }
    return 0;
}

static int start_workers(struct http *http) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the first thread's */
    while (http->worker_count < HTTP_WORKERS &&
           pthread_create(&http->workers[http->worker_count], NULL, work, http) == 0)
        http->worker_count++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return http->worker_count ? 0 : -1;
}

struct http *http_open(uint16_t port, http_handler *handler, void *context) {
    int socket = listen_on(&port);
    struct http *http = socket < 0 ? NULL : calloc(1, sizeof *http);
    if (!http) {
        if (socket >= 0)
            close(socket);
        return NULL;
    }
    signal(SIGPIPE, SIG_IGN);
    pthread_mutex_init(&http->lock, NULL);
    pthread_cond_init(&http->is_work, NULL);
    http->context = context;
    http->port = port;
    http->wake = http->once_socket = -1;
    http->base = event_base_new();
    if (!http->base || open_events(http) || start_workers(http) ||
        site_open(&http->main, http, socket, handler)) {
        close(socket);
        http_close(http);
        errno = ENOMEM;
        return NULL;
    }
    return http;
}

uint16_t http_port(const struct http *http) {
    return http->port;
}

int http_run(struct http *http) {
    return event_base_dispatch(http->base) < 0 ? -1 : 0;
}

static void free_jobs(struct queue *queue) {
    struct job *job;
    while ((job = job_pop(queue)))
        job_free(job);
}

void http_close(struct http *http) {
    pthread_mutex_lock(&http->lock);
    http->ends = 1;
    pthread_cond_broadcast(&http->is_work);
    pthread_mutex_unlock(&http->lock);
    for (int i = 0; i < http->worker_count; i++)
        pthread_join(http->workers[i], NULL);
    free_jobs(&http->waiting);
    free_jobs(&http->answered);
    site_close(&http->main);
    site_close(&http->once);
    for (size_t i = 0; i < SIGNALS; i++)
        if (http->signals[i])
            event_free(http->signals[i]);
    if (http->done)
        event_free(http->done);
    if (http->once_end)
        event_free(http->once_end);
    if (http->wake >= 0)
        close(http->wake);
    if (http->once_socket >= 0)
        close(http->once_socket);
    if (http->base)
        event_base_free(http->base);
    pthread_mutex_destroy(&http->lock);
    pthread_cond_destroy(&http->is_work);
    free(http);
}
