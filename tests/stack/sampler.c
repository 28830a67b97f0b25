/* sampler PID SECONDS [HZ] [children|idle|cpu|gil|native|functions|wait|blocking|tasks|inside]...
 *
 * Samples a process and writes what it gets as lines of JSON: {"process":...}, {"thread":...}, {"ended":...},
 * {"sample":...}, and {"counts":...} at the end. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "marey.h"
#include "stack/memory.h"
#include "stack/sampler.h"

static struct sampler *sampler;

static void stop(int number) {
    (void)number;
    sampler_stop(sampler);
}

static void put_text(const char *text) {
    putchar('"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            putchar('\\');
        if ((unsigned char)*text < ' ')
            printf("\\u%04x", (unsigned)*text);
        else
            putchar(*text);
    }
    putchar('"');
}

static void put_frame(const struct sample_frame *frame) {
    printf("[%llu,", (unsigned long long)frame->function);
    put_text(frame->name);
    putchar(',');
    put_text(frame->file);
    printf(",%d,%d,%d]", frame->line, frame->first_line, frame->kind);
}

static void take(void *context, const struct sample *sample) {
    (void)context;
    const uint64_t *w = sample->weights_ns;
    printf("{\"sample\":[%d,%d,%llu,%u,%llu],\"ns\":[%llu,%llu,%llu,%llu],\"frames\":[",
           sample->pid, sample->tid, (unsigned long long)sample->task, sample->count,
           (unsigned long long)sample->time_ns, (unsigned long long)w[SAMPLE_WALL],
           (unsigned long long)w[SAMPLE_CPU], (unsigned long long)w[SAMPLE_GIL],
           (unsigned long long)w[SAMPLE_GIL_WAIT]);
    for (uint32_t i = 0; i < sample->depth; i++) {
        if (i)
            putchar(',');
        put_frame(&sample->frames[i]);
    }
    printf("]}\n");
}

static void process(void *context, const struct sampled_process *p) {
    (void)context;
    printf("{\"process\":[%d,%d,%u,%d],\"name\":", (int)p->pid, (int)p->parent, p->version,
           p->error);
    put_text(p->name);
    printf(",\"command\":[");
    for (size_t at = 0; at < p->command_line_bytes; at += strlen(p->command_line + at) + 1) {
        if (at)
            putchar(',');
        put_text(p->command_line + at);
    }
    printf("]}\n");
}

static void thread(void *context, pid_t pid, pid_t tid, const char *name) {
    (void)context;
    printf("{\"thread\":[%d,%d],\"name\":", (int)pid, (int)tid);
    put_text(name);
    printf("}\n");
}

static void task(void *context, pid_t pid, uint64_t number, const char *name) {
    (void)context;
    printf("{\"task\":[%d,%llu],\"name\":", (int)pid, (unsigned long long)number);
    put_text(name);
    printf("}\n");
}

static void process_ended(void *context, pid_t pid) {
    (void)context;
    printf("{\"ended\":%d}\n", (int)pid);
}

static void put_counts(int error) {
    struct sampler_counts c;
    sampler_counts(sampler, &c);
    printf(
        "{\"counts\":{\"error\":%d,\"ticks\":%llu,\"missed\":%llu,\"samples\":%llu,\"torn\":%llu,"
        "\"late_ns\":%llu,\"late_max_ns\":%llu,\"cpu_ns\":%llu,\"wall_ns\":%llu,"
        "\"processes\":%u,\"threads\":%u,\"refused\":%u}}\n",
        error, (unsigned long long)c.ticks, (unsigned long long)c.missed,
        (unsigned long long)c.samples, (unsigned long long)c.torn, (unsigned long long)c.late_ns,
        (unsigned long long)c.late_max_ns, (unsigned long long)c.cpu_ns,
        (unsigned long long)c.wall_ns, c.processes, c.threads, c.refused);
}

static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void set_option(struct sampler_options *options, bool *wait, const char *word) {
    if (strcmp(word, "cpu") == 0)
        options->mode = SAMPLER_CPU;
    if (strcmp(word, "gil") == 0)
        options->mode = SAMPLER_GIL;
    options->children |= strcmp(word, "children") == 0;
    options->idle |= strcmp(word, "idle") == 0;
    options->native_marker |= strcmp(word, "native") == 0;
    options->functions |= strcmp(word, "functions") == 0;
    options->blocking |= strcmp(word, "blocking") == 0;
    options->tasks |= strcmp(word, "tasks") == 0;
    *wait |= strcmp(word, "wait") == 0;
}

int main(int argc, char **argv) {
    struct sampler_options options = {.interval_ns = 1000000};
    struct sampler_sink sink = {NULL, take, process, thread, task, process_ended};
    bool wait = false;
    if (argc < 4)
        return 2;
    double hz = strtod(argv[3], NULL);
    options.interval_ns = hz > 0 ? (uint64_t)(1e9 / hz) : 0;
    for (int i = 4; i < argc; i++)
        set_option(&options, &wait, argv[i]);
    if (sampler_open(&sampler, &options, &sink))
        return 2;
    signal(SIGINT, stop);
    signal(SIGTERM, stop);
    int error = sampler_add(sampler, (pid_t)strtol(argv[1], NULL, 10), wait);
    if (!error)
        error = sampler_run(sampler, now_ns() + (uint64_t)(strtod(argv[2], NULL) * 1e9));
    put_counts(error);
    sampler_close(sampler);
    return error ? 1 : 0;
}
