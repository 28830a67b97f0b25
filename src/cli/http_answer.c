/* See http_answer.h. */
#include "cli/http_answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/buffer.h>

#include "model/inflate.h"
#include "output/gzip.h"

static const char data_policy[] = "default-src 'none'; frame-ancestors 'none'";

static int is_text(const char *content_type) {
    return content_type &&
           (!strncmp(content_type, "text/", 5) || !strncmp(content_type, "application/json", 16) ||
            !strncmp(content_type, "image/svg", 9));
}

/* Sets other bytes; NULL: there were none to be had, and none are sent. */
static void replace(struct http_answer *answer, char *bytes, size_t size, int is_gzip) {
    if (!answer->is_lasting)
        free(answer->bytes);
    answer->bytes = bytes;
    answer->size = size;
    answer->is_lasting = 0;
    answer->is_gzip = is_gzip;
}

void http_answer_pack(struct http_answer *answer, int takes_gzip) {
    size_t size = 0;
    if (answer->is_gzip && !takes_gzip) {
        uint8_t *plain;
        int error = inflate_bytes((struct bytes){(const uint8_t *)answer->bytes, answer->size},
                                  &plain, &size);
        answer->status = error ? 503 : answer->status;
        replace(answer, (char *)plain, size, 0);
    } else if (!answer->is_gzip && takes_gzip && answer->size >= HTTP_GZIP_MIN &&
               is_text(answer->content_type)) {
        char *packed = gzip_pack(answer->bytes, answer->size, GZIP_FAST, &size);
        if (packed)
            replace(answer, packed, size, 1);
    }
}

static void add_header(struct evhttp_request *request, const char *key, const char *value) {
    if (value)
        evhttp_add_header(evhttp_request_get_output_headers(request), key, value);
}

/* What every answer has. */
static void add_headers(struct evhttp_request *request, const struct http_answer *answer) {
    char disposition[1024];
    add_header(request, "Content-Type", answer->content_type);
    add_header(request, "Content-Security-Policy", answer->policy ? answer->policy : data_policy);
    add_header(request, "X-Content-Type-Options", "nosniff");
    add_header(request, "Referrer-Policy", "no-referrer");
    add_header(request, "Cross-Origin-Resource-Policy",
               answer->origin ? "cross-origin" : "same-origin");
    add_header(request, "Cache-Control", answer->etag ? "no-cache, private" : "no-store");
    add_header(request, "Vary", "Accept-Encoding");
    add_header(request, "ETag", answer->etag);
    add_header(request, "Location", answer->location);
    add_header(request, "Access-Control-Allow-Origin", answer->origin);
    if (answer->is_gzip && answer->bytes)
        add_header(request, "Content-Encoding", "gzip");
    if (answer->status == 405)
        add_header(request, "Allow", "GET, HEAD");
    if (!answer->filename)
        return;
    snprintf(disposition, sizeof disposition, "attachment; filename=\"%s\"", answer->filename);
    add_header(request, "Content-Disposition", disposition);
}

static void free_bytes(const void *bytes, size_t size, void *unused) {
    (void)size;
    (void)unused;
    free((void *)(uintptr_t)bytes);
}

/* The body is handed over, not copied. Returns 0, or -1 where memory is short. */
static int add_body(struct evbuffer *body, struct http_answer *answer) {
    struct stat is;
    if (answer->file) {
        int file = answer->file - 1;
        answer->file = 0;
        if (fstat(file, &is) == 0 && evbuffer_add_file(body, file, 0, is.st_size) == 0)
            return 0;
        close(file);
        return -1;
    }
    if (!answer->bytes || !answer->size)
        return 0;
    int lasts = answer->is_lasting;
    if (evbuffer_add_reference(body, answer->bytes, answer->size, lasts ? NULL : free_bytes, NULL))
        return -1;
    answer->bytes = NULL;
    return 0;
}

void http_answer_send(struct evhttp_request *request, struct http_answer *answer) {
    struct evbuffer *body = evbuffer_new();
    add_headers(request, answer);
    int status = !body || add_body(body, answer) ? 503 : answer->status;
    evhttp_send_reply(request, status, NULL, body);
    if (body)
        evbuffer_free(body);
}

void http_answer_nothing(struct evhttp_request *request, int status) {
    struct http_answer answer = {.status = status};
    http_answer_send(request, &answer);
}

void http_answer_free(struct http_answer *answer) {
    if (!answer->is_lasting)
        free(answer->bytes);
    if (answer->file)
        close(answer->file - 1);
    free(answer->filename);
}
