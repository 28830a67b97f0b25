/* A trace's page: answers to what a page in a browser asks about one trace, as docs/PAGE.md has it. No transport is known
 * here: a path and a query go in, a status and bytes come out.
 *
 * Both are hostile: whatever is not as it has to be is answered with status 400 and why, nothing is larger than a named
 * limit. After page_open any number of threads may ask at once. */
#ifndef MAREY_PAGE_PAGE_H
#define MAREY_PAGE_PAGE_H

#include <stddef.h>

#include "model/trace.h"

enum { PAGE_KEEP = TRACE_ARGUMENTS | TRACE_FLOWS }; /* what a page shows of a trace */

struct page; /* the trace, and what finds things in it */

struct page_answer {
    int status;               /* as in HTTP: 200, 400, 404, 500, 503 */
    const char *content_type; /* lives as long as the program */
    char *bytes;              /* NUL-terminated; page_answer_free */
    size_t size;
    char *filename; /* of "convert": to save it by, see page_filename; otherwise NULL */
};

/* Reads the trace ("-": the standard input) with all its arguments. Returns 0 or an enum marey_error; page_close(*page) in
 * every case. */
int page_open(struct page **page, const char *path);
int page_open_named(struct page **page, const char *path, const char *name);
/* The same of bytes in memory; name: of the file, for people. */
int page_open_memory(struct page **page, const void *bytes, size_t size, const char *name);
void page_close(struct page *page);
/* A page of a trace that was read already, with PAGE_KEEP; the page has it until page_close_trace gives it back, which is
 * called in every case. */
int page_open_trace(struct page **page, struct trace *trace, const char *name);
void page_close_trace(struct page *page, struct trace *trace);

/* Whoever serves the page answers "open-in-perfetto" as well; to be said before the first question. */
void page_offer_perfetto(struct page *page);

/* path: "api/trace", ...; query: what stands behind "?", NULL for nothing. Always sets *answer; page_answer_free. */
void page_answer(struct page *page, const char *path, const char *query,
                 struct page_answer *answer);
void page_answer_free(struct page_answer *answer);

/* The trace's name as that of a file, with another extension (NULL: its own), of characters that are harmless in a header
 * between quotes. The caller frees it; NULL: no memory. */
char *page_filename(const struct page *page, const char *extension);

#endif
