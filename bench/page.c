/* What the answers of a page take: page TRACE. Prints milliseconds, as JSON: reading, and of many askings each the middle
 * and the longest.
 *
 *   open      the trace read, and what finds things in it made
 *   first     api/trace and the timeline of all tracks and all time: the first picture
 *   whole     the timeline of all time
 *   pan       200 steps of a tenth of a screen each, at several zooms */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "page/page.h"

enum { WIDTH = 1500, PANS = 200, TRACKS_ASKED_MAX = 64, TIMES = 20 };

static double now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int compare(const void *a, const void *b) {
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

/* One question. Returns how long it took; *size: of the answer. */
static double ask(struct page *page, const char *path, const char *query, size_t *size) {
    struct page_answer answer;
    double before = now_ms();
    page_answer(page, path, query, &answer);
    double took = now_ms() - before;
    if (answer.status != 200) {
        fprintf(stderr, "%s?%s: %d %s\n", path, query, answer.status, answer.bytes);
        exit(1);
    }
    *size = answer.size;
    page_answer_free(&answer);
    return took;
}

static void say(const char *what, double *took, int count, size_t size) {
    qsort(took, (size_t)count, sizeof *took, compare);
    printf(",\n  \"%s\": {\"middle_ms\": %.2f, \"longest_ms\": %.2f, \"bytes\": %zu}", what,
           took[count / 2], took[count - 1], size);
}

static void measure(struct page *page, const char *path, const char *query, int times) {
    double took[TIMES];
    size_t size = 0;
    for (int i = 0; i < times; i++)
        took[i] = ask(page, path, query, &size);
    say(path, took, times, size);
}

static void pan(struct page *page, const char *tracks, double duration_ns, double part) {
    double took[PANS], length = duration_ns * part;
    size_t size = 0, largest = 0;
    char query[1024], what[40];
    for (int i = 0; i < PANS; i++) {
        double from = (duration_ns - length) * ((double)i / PANS);
        snprintf(query, sizeof query, "from=%.0f&to=%.0f&width=%d&tracks=%s", from,
                 from + (length > 10 ? length : 10), WIDTH, tracks);
        took[i] = ask(page, "api/timeline", query, &size);
        largest = size > largest ? size : largest;
    }
    snprintf(what, sizeof what, "pan 1/%.0f", 1 / part);
    say(what, took, PANS, largest);
}

int main(int argc, char **argv) {
    struct page *page;
    size_t size;
    char tracks[512] = "0", query[1024];
    double duration_ns = argc > 2 ? atof(argv[2]) * 1e9 : 0, before = now_ms();
    if (argc < 3 || page_open(&page, argv[1])) {
        fprintf(stderr, "usage: page TRACE SECONDS [TRACKS]\n");
        return 2;
    }
    printf("{\"open_ms\": %.1f", now_ms() - before);
    if (argc > 3)
        snprintf(tracks, sizeof tracks, "%s", argv[3]);
    snprintf(query, sizeof query, "width=%d&tracks=%s", WIDTH, tracks);
    printf(",\n  \"first_ms\": %.2f",
           ask(page, "api/trace", "", &size) + ask(page, "api/timeline", query, &size));
    measure(page, "api/timeline", query, TIMES);
    for (double part = 0.1; part > 1e-5; part /= 10)
        pan(page, tracks, duration_ns, part);
    measure(page, "api/trace", "", TIMES);
    measure(page, "api/span-table", "", 3);
    measure(page, "api/functions", "", 3);
    measure(page, "api/flame", "", 3);
    measure(page, "api/tree", "", 3);
    measure(page, "api/search", "q=e", 3);
    measure(page, "api/slices", "name=parse", 3);
    printf("}\n");
    page_close(page);
    return 0;
}
