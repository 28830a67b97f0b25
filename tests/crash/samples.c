/* Samples of made-up processes, written into a trace; what was written stands in a file beside it, a line a sample:
 *
 *   time pid tid task count wall cpu gil gil_wait kind|name|file|line|first_line ... (outermost first, by tabs)
 */
#include "common.h"

#include <signal.h>

#include "base/sample.h"
#include "trace/sample.h"

enum { FUNCTIONS = 300, DEPTH_MAX = 5000, INTERVAL_NS = 1000000, THREADS = 12 };

struct source {
    char name[80], file[120];
};

static struct source sources[FUNCTIONS];
static struct sample_frame frames[DEPTH_MAX];
static uint32_t seed = 1;
static FILE *expected;

static void make_sources(void) {
    for (int i = 0; i < FUNCTIONS; i++) {
        snprintf(sources[i].name, sizeof sources[i].name, "Class%d.method_%d", i / 7, i);
        snprintf(sources[i].file, sizeof sources[i].file,
                 "/usr/lib/python3.13/site-packages/p%d.py", i / 5);
    }
}

static struct sample_frame frame_of(uint32_t function, int32_t line) {
    struct source *source = &sources[function % FUNCTIONS];
    return (struct sample_frame){.function = 1000 + function,
                                 .name = source->name,
                                 .file = source->file,
                                 .line = line,
                                 .first_line = (int32_t)(1 + function % 50)};
}

static void expect(const struct sample *sample) {
    fprintf(expected, "%llu %d %d %llu %u %llu %llu %llu %llu", (unsigned long long)sample->time_ns,
            sample->pid, sample->tid, (unsigned long long)sample->task, sample->count,
            (unsigned long long)sample->weights_ns[SAMPLE_WALL],
            (unsigned long long)sample->weights_ns[SAMPLE_CPU],
            (unsigned long long)sample->weights_ns[SAMPLE_GIL],
            (unsigned long long)sample->weights_ns[SAMPLE_GIL_WAIT]);
    for (uint32_t i = 0; i < sample->depth; i++)
        fprintf(expected, "\t%d|%s|%s|%d|%d", sample->frames[i].kind, sample->frames[i].name,
                sample->frames[i].file, sample->frames[i].line, sample->frames[i].first_line);
    fputc('\n', expected);
}

static void write_sample(struct samples_log *log, const struct sample *sample) {
    expect(sample);
    if (marey__samples_write(log, sample)) /* of a sampler that counted before */
        marey__samples_counts(log, &(struct sampling_counts){100, 10, 5});
}

/* A stack like that of a program: the same at its root, changing at its top. */
static uint32_t make_stack(uint32_t thread, uint32_t deepest) {
    uint32_t depth = 1 + next_random(&seed) % deepest;
    for (uint32_t i = 0; i < depth; i++) {
        uint32_t changing = i + 4 >= depth ? next_random(&seed) % 6 : 0;
        frames[i] = frame_of(thread * 3 + i * 7 + changing, (int32_t)(10 + i + changing % 3));
    }
    if (next_random(&seed) % 16 == 0)
        frames[depth++] = (struct sample_frame){
            .function = 2, .name = "<native>", .file = "", .kind = SAMPLE_NATIVE};
    return depth;
}

static struct samples_log *open_log(unsigned flags, uint64_t ring_bytes, const char *path) {
    const char *limit = getenv("LIMIT");
    marey_options options = {.ring_bytes = ring_bytes,
                             .limit_bytes = limit ? strtoull(limit, NULL, 10) : 0};
    MUST(marey_open(path, &options) == 0);
    struct samples_log *log = marey__samples_open(INTERVAL_NS, flags);
    MUST(log);
    static const char arguments[] = "python3\0-m\0server\0--port\0"
                                    "80";
    marey__samples_process(log, 500, "server", arguments, sizeof arguments);
    marey__samples_process(log, 501, "worker", "worker", 7);
    for (int i = 0; i < THREADS; i++) {
        char name[32];
        snprintf(name, sizeof name, "thread %d", i);
        if (i != 7) /* one that nobody has said anything of */
            marey__samples_thread(log, 500 + i % 2, 600 + i, name);
    }
    marey__samples_task(log, 500, 0x7f0000001234, "handle request");
    return log;
}

/* samples many TRACE EXPECTED COUNT DEEPEST FLAGS RING; the file is no longer than $LIMIT */
static void many(char **words) {
    long count = atol(words[2]);
    uint32_t deepest = (uint32_t)atol(words[3]);
    expected = fopen(words[1], "w");
    MUST(expected);
    struct samples_log *log =
        open_log((unsigned)atoi(words[4]), strtoull(words[5], NULL, 10), words[0]);
    uint64_t time = now_ns();
    for (long i = 0; i < count; i++) {
        uint32_t thread = next_random(&seed) % THREADS, run = 1 + next_random(&seed) % 20;
        time += next_random(&seed) % INTERVAL_NS;
        struct sample sample = {.time_ns =
                                    time - run * INTERVAL_NS, /* under the time of its first */
                                .pid = 500 + (int32_t)thread % 2,
                                .tid = 600 + (int32_t)thread,
                                .task = thread == 4 ? 0x7f0000001234 : 0,
                                .count = run,
                                .depth = make_stack(thread, deepest),
                                .frames = frames};
        sample.weights_ns[SAMPLE_WALL] = run * (uint64_t)INTERVAL_NS;
        sample.weights_ns[SAMPLE_CPU] = thread % 3 ? sample.weights_ns[SAMPLE_WALL] : 0;
        sample.weights_ns[SAMPLE_GIL] = thread % 3 == 1 ? sample.weights_ns[SAMPLE_CPU] / 2 : 0;
        sample.weights_ns[SAMPLE_GIL_WAIT] = thread % 4 ? 0 : 17;
        write_sample(log, &sample);
        if (i % 100 == 0)
            marey__samples_counts(log, &(struct sampling_counts){103, 11, 1005});
    }
    say_losses();
    marey__samples_close(log);
    marey_close();
    fclose(expected);
}

/* samples odd TRACE EXPECTED: stacks that no sane program has */
static void odd(char **words) {
    static char long_name[3000];
    expected = fopen(words[1], "w");
    MUST(expected);
    struct samples_log *log = open_log(0, 0, words[0]);
    memset(long_name, 'n', sizeof long_name - 1);
    struct sample sample = {.time_ns = now_ns(), .pid = 1, .tid = 2, .count = 1, .frames = frames};
    write_sample(log, &sample); /* no frames at all */
    frames[0] = (struct sample_frame){
        .function = 9, .name = "bad \xff\xfe", .file = "caf\xe9.py", .line = -5};
    sample.depth = 1;
    marey__samples_write(log, &sample);
    frames[0] = (struct sample_frame){
        .function = 10, .name = long_name, .file = long_name, .line = 1, .kind = 77};
    marey__samples_write(log, &sample);
    sample.time_ns = 5; /* long before the recording */
    frames[0] = frame_of(1, INT32_MAX);
    write_sample(log, &sample);
    sample.time_ns = now_ns() + 3600000000000; /* an hour ahead */
    write_sample(log, &sample);
    sample.time_ns = now_ns();
    sample.pid = sample.tid = INT32_MAX;
    sample.task = UINT64_MAX;
    for (int i = 0; i < SAMPLE_WEIGHTS; i++)
        sample.weights_ns[i] = UINT64_MAX;
    sample.count = UINT32_MAX;
    write_sample(log, &sample);
    for (uint32_t i = 0; i < DEPTH_MAX; i++)
        frames[i] = frame_of(i, (int32_t)i + 1);
    sample.depth = DEPTH_MAX;
    marey__samples_write(log, &sample);
    say_losses();
    marey__samples_close(log);
    marey_close();
    fclose(expected);
}

/* samples crowd TRACE EXPECTED: more processes, threads and tasks than are remembered, each with a sample, twice */
static void crowd(char **words) {
    enum { CROWD = 6000 };
    expected = fopen(words[1], "w");
    MUST(expected);
    struct samples_log *log = open_log(0, 0, words[0]);
    uint64_t time = now_ns();
    for (int i = 0; i < 2 * CROWD; i++) {
        int32_t who = i % CROWD;
        char name[32];
        snprintf(name, sizeof name, "p %d", who);
        marey__samples_process(log, 10000 + who, name, name, strlen(name) + 1);
        marey__samples_thread(log, 10000 + who, 20000 + who, name);
        marey__samples_task(log, 10000 + who, 30000u + (unsigned)who, name);
        frames[0] = frame_of(5, 5);
        struct sample sample = {.time_ns = time + (uint64_t)i,
                                .pid = 10000 + who,
                                .tid = 20000 + who,
                                .count = 1,
                                .task = 30000u + (unsigned)who,
                                .depth = 1,
                                .frames = frames};
        write_sample(log, &sample);
    }
    say_losses();
    marey__samples_close(log);
    marey_close();
    fclose(expected);
}

/* samples names TRACE NAME ARGUMENT...: one sample of a process of that name and command line */
static void names(char **words) {
    char line[400];
    size_t bytes = 0;
    struct samples_log *log = open_log(0, 0, words[0]);
    for (char **word = words + 2; *word; word++)
        bytes += (size_t)snprintf(line + bytes, sizeof line - bytes, "%s", *word) + 1;
    marey__samples_process(log, 700, words[1], line, bytes);
    struct sample sample = {.time_ns = now_ns(), .pid = 700, .tid = 700, .count = 1};
    marey__samples_write(log, &sample);
    marey__samples_close(log);
    marey_close();
}

/* samples killed TRACE EXPECTED: killed between two instructions */
static void killed(char **words) {
    expected = fopen(words[1], "w");
    MUST(expected);
    struct samples_log *log = open_log(0, 0, words[0]);
    for (int i = 0; i < 5000; i++) {
        struct sample sample = {.time_ns = now_ns(),
                                .pid = 500,
                                .tid = 600,
                                .count = 1,
                                .depth = make_stack(0, 30),
                                .frames = frames};
        write_sample(log, &sample);
    }
    fflush(expected);
    raise(SIGKILL);
}

/* samples sessions TRACE EXPECTED SECOND SECOND_EXPECTED: one log, nothing, a recording, nothing, another one */
static void sessions(char **words) {
    struct samples_log *log = marey__samples_open(INTERVAL_NS, 0);
    MUST(log);
    marey__samples_thread(log, 500, 600, "before");
    struct sample sample = {.pid = 500, .tid = 600, .count = 1, .depth = 1, .frames = frames};
    frames[0] = frame_of(1, 1);
    marey__samples_write(log, &sample);
    for (int i = 0; i < 2; i++) {
        expected = fopen(words[2 * i + 1], "w");
        MUST(expected && marey_open(words[2 * i], NULL) == 0);
        sample.time_ns = now_ns();
        write_sample(log, &sample);
        marey_begin("between");
        marey_end();
        sample.time_ns = now_ns();
        write_sample(log, &sample);
        marey_close();
        fclose(expected);
        marey__samples_write(log, &sample);
    }
    marey__samples_close(log);
}

int main(int argc, char **argv) {
    static const struct command commands[] = {
        {"many", many},         {"odd", odd},     {"crowd", crowd}, {"killed", killed},
        {"sessions", sessions}, {"names", names}, {NULL, NULL}};
    make_sources();
    return run_command(commands, argc, argv);
}
