/* What a recording leaves: bytes in the file, memory in the process, calls of malloc, time to stop.
 *
 *   footprint FILE EVENTS plain|int|spaced
 *
 * A fresh process records EVENTS events (a begin and an end are two) from one busy thread and stops. "int": each begin
 * carries one integer. "spaced": spans last about a microsecond, so that times need two bytes and not one.
 * Prints one line of JSON; sizes in bytes, times in nanoseconds. Memory is what /proc/self/status says, its peak over
 * the whole recording, stopping included, against the moment before it opened. */
#include "losses.h"
#include "series.h"

#include <malloc.h>
#include <marey.h>
#include <string.h>
#include <sys/stat.h>

/* ---- every malloc of the process, the library's included, is counted here: the executable's symbols come first */

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);

static unsigned long allocations;

void *malloc(size_t size) {
    __atomic_fetch_add(&allocations, 1, __ATOMIC_RELAXED);
    return __libc_malloc(size);
}

void *calloc(size_t n, size_t size) {
    __atomic_fetch_add(&allocations, 1, __ATOMIC_RELAXED);
    return __libc_calloc(n, size);
}

void *realloc(void *old, size_t size) {
    __atomic_fetch_add(&allocations, 1, __ATOMIC_RELAXED);
    return __libc_realloc(old, size);
}

/* ---- memory */

typedef struct {
    long rss, anon, file, shmem, peak;
} memory;

static long status_field(const char *text, const char *name) {
    const char *line = strstr(text, name);
    return line ? atol(line + strlen(name)) * 1024 : -1;
}

/* Into a static buffer: reading must not change what is read. */
static memory memory_now(void) {
    static char text[8192];
    FILE *f = fopen("/proc/self/status", "r");
    if (!f)
        fail("/proc/self/status", "cannot be read");
    text[fread(text, 1, sizeof text - 1, f)] = 0;
    fclose(f);
    return (memory){status_field(text, "VmRSS:"), status_field(text, "RssAnon:"),
                    status_field(text, "RssFile:"), status_field(text, "RssShmem:"),
                    status_field(text, "VmHWM:")};
}

static void forget_peak(void) {
    FILE *f = fopen("/proc/self/clear_refs", "w");
    if (!f || fputs("5", f) < 0 || fclose(f))
        fail("/proc/self/clear_refs", "the peak of memory cannot be reset");
}

/* ---- the work */

#define PLAIN(name)                                                                                \
    marey_begin(name);                                                                             \
    marey_end();
#define WITH_INT(name)                                                                             \
    marey_begin(name, MAREY_I64("rows", 1234567));                                                 \
    marey_end();
#define SPACED(name)                                                                               \
    marey_begin(name);                                                                             \
    wait_ns(900);                                                                                  \
    marey_end();

static void wait_ns(uint64_t ns) {
    uint64_t until = clock_ns(CLOCK_MONOTONIC) + ns;
    while (clock_ns(CLOCK_MONOTONIC) < until)
        ;
}

static void plain(void) {
    EACH_256(PLAIN)
}
static void with_int(void) {
    EACH_256(WITH_INT)
}
static void spaced(void) {
    EACH_256(SPACED)
}

static void (*work_named(const char *name))(void) {
    if (!strcmp(name, "int"))
        return with_int;
    return !strcmp(name, "spaced") ? spaced : plain;
}

/* ---- measuring */

typedef struct {
    unsigned long allocations_off, allocations;
    moment recording, stop;
    memory before, after;
} footprint;

/* Returns how often the process asked for memory meanwhile. */
static unsigned long repeat(void (*work)(void), unsigned long times) {
    unsigned long before = allocations;
    while (times--)
        work();
    return allocations - before;
}

static void record(footprint *f, const char *path, void (*work)(void), unsigned long passes) {
    f->allocations_off = repeat(work, 1);
    memory_now(); /* so that the stream's own buffer is there already */
    forget_peak();
    f->before = memory_now();
    int error = marey_open(path, NULL);
    if (error)
        fail(path, marey_strerror(error));
    work(); /* from now on the thread is warm, every name known */
    moment start = moment_now();
    f->allocations = repeat(work, passes - 1);
    f->recording = moment_since(start);
    f->after = memory_now();
    must_have_lost_nothing();
}

static void stop(footprint *f) {
    moment start = moment_now();
    marey_close();
    f->stop = moment_since(start);
    f->after.peak = memory_now().peak;
}

static void print_footprint(const footprint *f) {
    const memory *b = &f->before, *a = &f->after;
    printf("\"rss_growth_at_peak\": %ld, \"anon_growth\": %ld, ", a->peak - b->rss,
           a->anon - b->anon);
    printf("\"file_growth\": %ld, \"shmem_growth\": %ld, ", a->file - b->file, a->shmem - b->shmem);
    printf("\"allocations_off\": %lu, \"allocations\": %lu, ", f->allocations_off, f->allocations);
    printf("\"record_ns\": %lu, ", (unsigned long)f->recording.process_ns);
    printf("\"stop_wall_ns\": %lu, ", (unsigned long)f->stop.wall_ns);
    printf("\"stop_cpu_ns\": %lu}\n", (unsigned long)f->stop.process_ns);
}

int main(int argc, char **argv) {
    if (argc != 4)
        fail("usage", "footprint FILE EVENTS plain|int|spaced");
    unsigned long passes = strtoul(argv[2], NULL, 10) / (2 * SITES);
    footprint f;
    record(&f, argv[1], work_named(argv[3]), passes);
    stop(&f);
    struct stat file;
    if (stat(argv[1], &file))
        fail(argv[1], "the trace is not there");
    printf("{\"group\": \"footprint\", \"events\": %lu, ", passes * 2 * SITES);
    printf("\"mode\": \"%s\", \"file_bytes\": %lld, ", argv[3], (long long)file.st_size);
    print_footprint(&f);
    return 0;
}
