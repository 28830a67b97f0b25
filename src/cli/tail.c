/* marey tail: what a program records, as it records it. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/command.h"
#include "cli/reading.h"
#include "cli/tail_lines.h"
#include "cli/tail_session.h"
#include "model/follow.h"
#include "model/json.h"
#include "output/table.h"

enum {
    LINES_USUAL = 10,
    POLL_MS = 40,
    POLL_SHARE = 10, /* so many times as long as a look takes of the processor it rests */
    /* Nothing new in so many, and the processes are gone: that was all; */
    GONE_POLLS = 5,
    UNKNOWN_POLLS = 50, /* or it is not known which they were, and nobody can write to the file */
};
enum { OPTION_FROM_START = 256, OPTION_MIN, OPTION_COLOR, OPTION_ONCE };

static const char help_text[] =
    "usage: marey tail [OPTIONS] FILE\n"
    "\n"
    "Shows what a running program records, as it records it: a line for each span when it ends, "
    "each "
    "instant, each value of\n"
    "a counter, each loss. Ends when the session does, when its processes are gone, or by Ctrl-C. "
    "A "
    "ring is written over\n"
    "and cannot be followed.\n"
    "\n"
    "  -n, --lines N       lines of what was before (otherwise 10)\n"
    "      --from-start    all of it\n"
    "      --once          what is there, and no more\n"
    "\n"
    "      --name PATTERN  only what is named like this: 'load*'; may be given again\n"
    "  -t, --thread WHICH  only threads of this id or name; may be given again\n"
    "      --min TIME      only spans of at least that long: 50us, 1.5ms, 2s\n"
    "\n"
    "  -j, --json          for a program: an object a line\n"
    "      --color         colours, although the output is no terminal\n"
    "  -h, --help          this page\n"
    "\n"
    "A line: the time of day (of a span: when it ended), process, thread, name, duration or value, "
    "arguments.\n"
    "In JSON time_ns is on the trace's clock and wall_ns since 1970; of a span both say when it "
    "began.\n"
    "\n"
    "exit status: 0 the end was reached, 1 the file cannot be read or followed, 2 wrong usage\n"
    "\n"
    "examples:\n"
    "  marey tail app.perfetto-trace\n"
    "  marey tail --name 'GET *' --min 100ms app.perfetto-trace\n"
    "  marey tail --json --from-start app.perfetto-trace | jq .name\n";

static volatile sig_atomic_t stopped;

static void stop(int signal_number) {
    (void)signal_number;
    stopped = 1;
}

struct tail {
    const char *path;
    int fd;
    int once;
    struct follower follower;
    struct tail_lines lines;
    uint64_t pid_namespace;          /* our own */
    uint8_t losses[TAIL_LOSSES_MAX]; /* as they were looked at last */
};

static int say(const struct tail *tail, const char *what) {
    return say_of_file("tail", tail->path, "%s", what);
}

/* Of a file without a packet that can be followed: what it is instead. */
static int say_other(const struct tail *tail) {
    struct source source;
    struct reader reader;
    int error = source_open(&source, tail->path);
    if (error)
        return read_error("tail", tail->path, error);
    reader_init(&reader);
    reader_look(&reader, &source);
    if (json_is_next(&source))
        say(tail, "JSON cannot be followed; marey info shows what is in it");
    else if (source.compressed && source_have(&source, 1))
        say(tail, "what is packed by gzip cannot be followed; marey info shows what is in it");
    else
        say_unreadable("tail", tail->path, &reader, MAREY_ENOTRACE);
    reader_free(&reader);
    source_close(&source);
    return EXIT_FOUND;
}

/* What is known of the processes that the trace speaks of. */
enum life { LIFE_UNKNOWN, LIFE_GOES_ON, LIFE_ENDED };

/* Of other hosts and containers nothing is known, nor where damage has taken what the file says of them. */
static enum life life_of_processes(const struct tail *tail, const struct tail_session *session) {
    const struct reader *reader = &tail->lines.trace.reader;
    enum life life = LIFE_UNKNOWN;
    if (session->pid_namespace != tail->pid_namespace)
        return LIFE_UNKNOWN;
    for (uint32_t i = 0; i < reader->tracks.count; i++) {
        const struct track *track = &reader->tracks.all[i];
        if (track->kind != TRACK_PROCESS || track->pid <= 0)
            continue;
        if (kill((pid_t)track->pid, 0) == 0 || errno != ESRCH)
            return LIFE_GOES_ON;
        life = LIFE_ENDED;
    }
    return life;
}

/* Whether nobody will record any more. quiet: so many looks have found nothing new. */
static int is_abandoned(const struct tail *tail, const struct tail_session *session, int quiet) {
    if (quiet < GONE_POLLS)
        return 0;
    enum life life = life_of_processes(tail, session);
    if (life == LIFE_UNKNOWN) /* later: a program that begins anew by exec(3) joins again */
        return quiet >= UNKNOWN_POLLS && tail_session_has_writer(tail->fd) == 0;
    return life == LIFE_ENDED;
}

static void take(void *context, struct bytes packet, uint64_t offset) {
    struct tail *tail = context;
    tail_lines_take(&tail->lines, packet, offset);
}

/* Losses stand in the head of the file, once, and change there. */
static void look_at_losses(struct tail *tail, const struct tail_session *session) {
    uint8_t now[TAIL_LOSSES_MAX];
    const uint8_t *at = now, *end = now + session->losses_bytes;
    struct field field;
    if (pread(tail->fd, now, session->losses_bytes, (off_t)session->losses_at) !=
            (ssize_t)session->losses_bytes ||
        !memcmp(now, tail->losses, session->losses_bytes))
        return;
    memcpy(tail->losses, now, session->losses_bytes);
    while (wire_next(&at, end, &field) > 0)
        if (field.number == TRACE__packet && field.wire == WIRE_BYTES)
            tail_lines_take(&tail->lines, field.bytes, session->losses_at);
}

/* Looks once, and writes what is new. Returns 0 or an enum marey_error. */
static int look(struct tail *tail, const struct tail_session *session) {
    struct stat info;
    if (fstat(tail->fd, &info))
        return error_from_errno(errno);
    uint64_t limit = (uint64_t)info.st_size;
    if (session && session->claimed < limit)
        limit = session->claimed;
    int error = follower_poll(&tail->follower, limit, take, tail);
    if (session)
        look_at_losses(tail, session);
    tail_lines_write(&tail->lines, stdout);
    tail->lines.all = 1;
    return error ? error : tail->lines.failed ? MAREY_ENOMEM : 0;
}

static int64_t processor_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return now.tv_sec * 1000000000ll + now.tv_nsec;
}

static void rest(int64_t took_ns) {
    int64_t ns = POLL_MS * 1000000ll;
    if (took_ns * POLL_SHARE > ns)
        ns = took_ns * POLL_SHARE;
    nanosleep(&(struct timespec){ns / 1000000000, ns % 1000000000}, NULL);
}

/* Returns an exit status. */
static int follow(struct tail *tail) {
    struct tail_session session;
    int is_ours = tail_session_read(&session, tail->fd), quiet = 0;
    if (is_ours && session.is_ring)
        return say(tail,
                   "a ring is written over and cannot be followed; marey info shows what it holds");
    for (;;) {
        int64_t from_ns = processor_ns();
        /* Before looking: what is said to have ended is all there then. */
        is_ours = tail_session_read(&session, tail->fd);
        uint64_t packets = tail->follower.packets;
        int error = look(tail, is_ours ? &session : NULL);
        if (fflush(stdout) || ferror(stdout))
            return EXIT_FOUND;
        if (error)
            return say(tail, marey_strerror(error));
        int is_damaged = tail->follower.damaged_at != UINT64_MAX;
        if (!tail->follower.packets && (is_damaged || tail->once))
            return say_other(tail);
        if (is_damaged)
            return say_of_file("tail", tail->path, "%s (at byte %" PRIu64 ")",
                               damage_text(DAMAGE_BYTES), tail->follower.damaged_at);
        quiet = tail->follower.packets == packets ? quiet + 1 : 0;
        if (stopped || tail->once || (is_ours && session.has_ended))
            return EXIT_OK;
        if (is_ours && is_abandoned(tail, &session, quiet)) {
            fputs("marey tail: the program is gone, without an end to its session\n", stderr);
            return EXIT_OK;
        }
        rest(processor_ns() - from_ns);
    }
}

static int open_file(struct tail *tail) {
    struct stat info;
    tail->fd = open(tail->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (tail->fd < 0)
        return say(tail, marey_strerror(error_from_errno(errno)));
    if (fstat(tail->fd, &info) || !S_ISREG(info.st_mode))
        return say(tail, marey_strerror(MAREY_ENOTFILE));
    tail->pid_namespace = stat("/proc/self/ns/pid", &info) ? 0 : info.st_ino;
    return -1;
}

static int watch(struct tail *tail) {
    const struct sigaction action = {.sa_handler = stop}, ignore = {.sa_handler = SIG_IGN};
    int status = open_file(tail);
    if (status < 0) {
        sigaction(SIGINT, &action, NULL);
        sigaction(SIGTERM, &action, NULL);
        sigaction(SIGIO, &ignore, NULL); /* a lease that somebody waits for */
        follower_open(&tail->follower, tail->fd);
        status = follow(tail);
        follower_close(&tail->follower);
    }
    if (tail->fd >= 0)
        close(tail->fd);
    return status;
}

static int add_pattern(const char *option, const char **patterns, uint32_t *count) {
    if (*count == TAIL_PATTERNS_MAX)
        return usage_error("tail", "more than %d times --%s", TAIL_PATTERNS_MAX, option);
    patterns[(*count)++] = optarg;
    return -1;
}

/* Returns -1, or an exit status. */
static int take_option(struct tail *tail, int option, uint32_t *lines) {
    struct tail_filter *filter = &tail->lines.filter;
    switch (option) {
    case 'n':
        return parse_count(optarg, lines)
                   ? usage_error("tail", "--lines: '%s' is no number", optarg)
                   : -1;
    case OPTION_FROM_START: tail->lines.all = 1; return -1;
    case OPTION_ONCE: tail->once = 1; return -1;
    case 'm': return add_pattern("name", filter->names, &filter->name_count);
    case 't': return add_pattern("thread", filter->threads, &filter->thread_count);
    case OPTION_MIN:
        return parse_duration(optarg, &filter->min_ns)
                   ? usage_error("tail", "--min: '%s' is no time; write 50us, 1.5ms or 2s", optarg)
                   : -1;
    case 'j': tail->lines.json = 1; return -1;
    case OPTION_COLOR: tail->lines.colour = 1; return -1;
    default: fputs(help_text, stdout); return EXIT_OK;
    }
}

static int run(int argc, char **argv) {
    static const struct option options[] = {{"lines", required_argument, NULL, 'n'},
                                            {"from-start", no_argument, NULL, OPTION_FROM_START},
                                            {"once", no_argument, NULL, OPTION_ONCE},
                                            {"name", required_argument, NULL, 'm'},
                                            {"thread", required_argument, NULL, 't'},
                                            {"min", required_argument, NULL, OPTION_MIN},
                                            {"json", no_argument, NULL, 'j'},
                                            {"color", no_argument, NULL, OPTION_COLOR},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    struct tail tail = {.fd = -1};
    uint32_t lines = LINES_USUAL;
    int option, status = -1;
    tail_lines_init(&tail.lines, table_terminal_colour(stdout));
    opterr = 0;
    while (status < 0 && (option = getopt_long(argc, argv, ":n:t:jh", options, NULL)) != -1)
        status = option == '?' || option == ':' ? option_error("tail", option, argv, options)
                                                : take_option(&tail, option, &lines);
    if (status < 0 && optind == argc)
        status = usage_error("tail", "which file?");
    if (status < 0 && argc - optind > 1)
        status = usage_error("tail", "one file at a time");
    if (status < 0 && !strcmp(argv[optind], "-"))
        status = usage_error("tail", "'-' cannot be followed: a file can");
    if (status < 0) {
        tail.path = argv[optind];
        tail.lines.keep = lines;
        status = watch(&tail);
    }
    tail_lines_free(&tail.lines);
    return status;
}

const struct command command_tail = {"tail", "show what a running program records, line by line",
                                     help_text, run};
