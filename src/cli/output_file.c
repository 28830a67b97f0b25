/* See output_file.h. */
#include "cli/output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "marey.h"
#include "output/display.h"

enum { BUFFER_BYTES = 1 << 20 };

/* Of the file being written; "": there is none. Stopping the command takes it away. */
static char temporary[4096];

static const int stopping[] = {SIGHUP, SIGINT, SIGTERM};

static void stop(int signal_number) {
    if (*temporary)
        unlink(temporary);
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

static void handle_stops(void (*from)(int), void (*to)(int)) {
    for (size_t i = 0; i < sizeof stopping / sizeof *stopping; i++) {
        void (*before)(int) = signal(stopping[i], to);
        if (before != from)
            signal(stopping[i], before);
    }
}

static void say(const struct output_file *output, const char *what) {
    struct text shown = {0};
    display_add(&shown, strcmp(output->shown, "-") ? output->shown : "standard output", 0);
    fprintf(stderr, "marey %s: %s: %s\n", output->command, text_of(&shown), what);
    text_free(&shown);
}

/* Nothing where nobody reads what a pipe would have carried. */
static void say_errno(const struct output_file *output, int error) {
    if (error != EPIPE)
        say(output, strerror(error));
}

static int is_same(const struct stat *a, const struct stat *b) {
    return S_ISREG(a->st_mode) && a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

int output_is_input(const char *output, const char *input) {
    struct stat to, from;
    int no_output = strcmp(output, "-") ? stat(output, &to) : fstat(STDOUT_FILENO, &to);
    int no_input = strcmp(input, "-") ? stat(input, &from) : fstat(STDIN_FILENO, &from);
    return !no_output && !no_input && is_same(&to, &from);
}

/* ------------------------------------------------------------------ opening */

/* Where a new file of that name would lie: what links lead to, if there is such a file. NULL: memory is short. */
static char *place_of(const char *path) {
    char *place = realpath(path, NULL);
    return place ? place : strdup(path);
}

/* A new file in the same folder. Returns its descriptor or -1. */
static int open_beside(const char *place) {
    const char *slash = strrchr(place, '/');
    int folder = slash ? (int)(slash - place) + 1 : 0;
    int length = snprintf(temporary, sizeof temporary, "%.*s.marey-XXXXXX", folder, place);
    if (length >= (int)sizeof temporary) {
        *temporary = 0;
        errno = ENAMETOOLONG;
        return -1;
    }
    int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0)
        *temporary = 0;
    return fd;
}

static int open_descriptor(struct output_file *output) {
    struct stat there;
    if (!strcmp(output->shown, "-"))
        return fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
    int exists = stat(output->shown, &there) == 0;
    if (exists && !S_ISREG(there.st_mode))
        return open(output->shown, O_WRONLY | O_CLOEXEC);
    output->path = place_of(output->shown);
    return output->path ? open_beside(output->path) : -1;
}

/* For fopencookie: returns how many bytes were written; fewer are an error, which is noted. */
static ssize_t put(void *cookie, const char *bytes, size_t size) {
    struct output_file *output = cookie;
    size_t done = 0;
    while (done < size) {
        ssize_t got = write(output->fd, bytes + done, size - done);
        if (got >= 0)
            done += (size_t)got;
        else if (errno != EINTR)
            break;
    }
    if (done < size && !output->error)
        output->error = errno;
    return (ssize_t)done;
}

/* Of a file alone: what it is moved over reads as zeros, and takes no space. */
static int move(void *cookie, off64_t *offset, int whence) {
    const struct output_file *output = cookie;
    if (!output->path) {
        errno = ESPIPE;
        return -1;
    }
    *offset = lseek(output->fd, *offset, whence);
    return *offset < 0 ? -1 : 0;
}

static int close_descriptor(void *cookie) {
    const struct output_file *output = cookie;
    return close(output->fd);
}

int output_open(struct output_file *output, const char *command, const char *path) {
    static char buffer[BUFFER_BYTES];
    *output = (struct output_file){.command = command, .shown = path};
    output->fd = open_descriptor(output);
    if (output->fd >= 0)
        output->to = fopencookie(
            output, "w",
            (cookie_io_functions_t){.write = put, .seek = move, .close = close_descriptor});
    if (!output->to) {
        say_errno(output, errno);
        if (output->fd >= 0)
            close(output->fd);
        output_abandon(output);
        return -1;
    }
    handle_stops(SIG_DFL, stop);
    setvbuf(output->to, buffer, _IOFBF, sizeof buffer);
    return 0;
}

/* ------------------------------------------------------------------- ending */

/* Returns 0, or what was wrong. */
static int close_file(struct output_file *output) {
    int failed = fflush(output->to) || ferror(output->to);
    if (fclose(output->to) && !failed && !output->error)
        output->error = errno;
    output->to = NULL;
    return failed && !output->error ? EIO : output->error;
}

int output_finish(struct output_file *output) {
    int error = close_file(output);
    if (!error && output->path && rename(temporary, output->path))
        error = errno;
    if (!error)
        *temporary = 0;
    else
        say_errno(output, error);
    output_abandon(output);
    return error ? -1 : 0;
}

void output_fail(struct output_file *output, int error) {
    say(output, marey_strerror(error));
    output_abandon(output);
}

void output_abandon(struct output_file *output) {
    if (output->to)
        fclose(output->to);
    if (*temporary)
        unlink(temporary);
    *temporary = 0;
    handle_stops(stop, SIG_DFL);
    free(output->path);
    *output = (struct output_file){0};
}
