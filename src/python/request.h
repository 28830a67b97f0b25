/* Requests of web applications and tasks of queues: what marey/integrations does for each of them is done natively.
 *
 *   request_times.c  times by route, in bounded memory
 *   request.c        a request, from its begin to its end
 *   request_maker.c  what makes them, and asks Python for what frameworks know and users want
 *   request_ways.c   what stands between an application and its server: it passes on, and sees the status and the end */
#ifndef MAREY_REQUEST_H
#define MAREY_REQUEST_H

#include "span.h"

/* ------------------------------------------------------------------- times */

/* A new RequestTimes. NULL with an exception. */
PyObject *request_times_new(face_state *state);
/* A request begins. */
void request_times_begin(PyObject *times);
/* It is over. Without memory it is not counted; leaves no exception. */
void request_times_add(PyObject *times, PyObject *name, uint64_t ns, bool failed);

/* ------------------------------------------------------------------- maker */

enum {
    REQUEST_NAMES_MAX = 1024, /* names of requests that are remembered by method and path */
    REQUEST_KEY_MAX = 512,    /* characters of those */
};

/* What is said of requests, and the methods of marey.integrations' Requests that are asked about them. */
typedef enum request_word {
    WORD_OTHER_METHOD,
    WORD_PATH,
    WORD_STATUS,
    WORD_FAILED,
    WORD_USER,
    WORD_KEPT,
    WORD_ROUTE,
    ASK_MAKE_READY,
    ASK_FIND_ROUTE,
    ASK_ROUTE_TOLD,
    ASK_ARGUMENTS,
    ASK_SEE_ANSWER,
    ASK_JUDGE,
    ASK_KEEP,
    REQUEST_WORDS
} request_word;

/* The base of marey.integrations' Requests. */
typedef struct requests_object {
    PyObject_HEAD face_state *state;
    PyObject *words[REQUEST_WORDS];
    PyObject *times;    /* RequestTimes */
    PyObject *category; /* of the spans */
    PyObject *methods;  /* dict: a method that has a name -> that */
    PyObject *names; /* dict: method and path -> (route, name) of such requests; None: of several */
    double judged_from; /* seconds: Python judges what took longer, or failed; < 0: every request */
    char is_ready;      /* nothing has to be begun before a request is */
    char keeps;         /* there should always be a recording */
    char has_arguments; /* Python finds more of them for a span */
    char shows_path;
    char recalls_names; /* requests of the same path have the same route */
    char tells_routes;  /* the framework has, of some request */
    char sees_answer;   /* Python is told when the application has found its answer */
} requests_object;

/* self.WORD(argument), or of nothing where that is NULL. NULL, without an exception, where it fails: it is not to. */
PyObject *requests_ask(requests_object *requests, request_word word, PyObject *argument);

/* ----------------------------------------------------------------- request */

typedef struct request_object {
    PyObject_HEAD requests_object *requests;
    PyObject *method, *path;
    PyObject *given;   /* the framework's; NULL when it is over */
    PyObject *before;  /* what of that may change */
    PyObject *told;    /* the route, where the framework has told it while it answered; or NULL */
    PyObject *route;   /* NULL: not known yet */
    PyObject *name;    /* NULL: not known yet */
    PyObject *key;     /* by which the name is remembered; NULL: it is not */
    PyObject *error;   /* an exception that became an answer, or left the application; or NULL */
    PyObject *user;    /* who made it, or NULL */
    PyObject *kept;    /* why its trace is kept; NULL: it is not */
    span_object *span; /* NULL: it is not recorded */
    uint64_t began_ns, ended_ns;
    int status;     /* as of HTTP; 0: not known */
    char is_named;  /* by begin_named, and by no route */
    char is_folded; /* the key is that of other paths, too */
    char is_over;
} request_object;

/* A request that begins. `path` may be NULL. NULL with an exception. */
request_object *request_make(requests_object *requests, PyObject *method, PyObject *path,
                             PyObject *given, PyObject *before);
/* Makes it a span, with a dict of arguments, or NULL. Leaves no exception. */
void request_record(request_object *request, PyObject *given);
/* It is over; once. The exception (may be NULL) left the application; args is a dict of results, or NULL. An exception
 * that is set stays as it is. */
void request_end(request_object *request, PyObject *error, PyObject *args);

/* What stands in place of a server's start_response, of an application's answer, and of an ASGI server's send. NULL with
 * an exception. */
PyObject *request_starting(PyObject *request, PyObject *start_response);
PyObject *request_answered(PyObject *request, PyObject *body);
PyObject *request_sending(PyObject *request, PyObject *send);

#endif
