/* See http_job.h. */
#include "cli/http_job.h"

#include <stdlib.h>
#include <string.h>

#include "cli/http_answer.h"

void job_push(struct queue *queue, struct job *job) {
    job->next = NULL;
    if (!queue->first)
        queue->last = &queue->first;
    *queue->last = job;
    queue->last = &job->next;
    queue->count++;
}

struct job *job_pop(struct queue *queue) {
    struct job *job = queue->first;
    if (job) {
        queue->first = job->next;
        queue->count--;
    }
    return job;
}

void job_free(struct job *job) {
    http_answer_free(&job->answer);
    free(job->path);
    free(job->query);
    free(job->if_none);
    free(job);
}

static char *copy(const char *text) {
    return text ? strdup(text) : NULL;
}

struct job *job_new(struct evhttp_request *request, struct site *site) {
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request);
    struct evkeyvalq *headers = evhttp_request_get_input_headers(request);
    const char *path = evhttp_uri_get_path(uri), *query = evhttp_uri_get_query(uri);
    const char *encodings = evhttp_find_header(headers, "Accept-Encoding");
    struct job *job = calloc(1, sizeof *job);
    if (!job)
        return NULL;
    job->request = request;
    job->site = site;
    job->path = copy(path ? path : "");
    job->query = copy(query);
    job->if_none = copy(evhttp_find_header(headers, "If-None-Match"));
    job->takes_gzip = encodings && strstr(encodings, "gzip");
    job->answer.status = 404;
    if (job->path && (job->query || !query))
        return job;
    job_free(job);
    return NULL;
}
