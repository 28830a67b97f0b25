/* See launch.h.
 *
 * All the signals that a user sends are blocked and taken one by one. One from the terminal (si_code > 0) has reached
 * the program as well, as it is in our process group; one that a process sent to us alone is passed on. When the program
 * stops, we stop too, so that the shell sees it; when we are continued, so is it. */
#include "cli/launch.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const int passed_on[] = {SIGINT,  SIGTERM, SIGHUP,  SIGQUIT, SIGUSR1,
                                SIGUSR2, SIGTSTP, SIGCONT, SIGALRM};
enum { PASSED_ON = sizeof passed_on / sizeof *passed_on };

/* ------------------------------------------------------------------ find */

static int is_program(const char *path) {
    struct stat info;
    if (stat(path, &info))
        return errno == ENOTDIR ? ENOENT : errno;
    if (!S_ISREG(info.st_mode) || access(path, X_OK))
        return EACCES;
    return 0;
}

static int copy(char *to, size_t room, const char *from) {
    int length = snprintf(to, room, "%s", from);
    return length >= 0 && (size_t)length < room ? 0 : ENAMETOOLONG;
}

int launch_find(const char *program, char *path, size_t room) {
    const char *folders = getenv("PATH");
    int error = ENOENT;
    if (strchr(program, '/')) {
        error = copy(path, room, program);
        return error ? error : is_program(path);
    }
    if (!*program)
        return ENOENT;
    for (const char *at = folders ? folders : "/usr/local/bin:/usr/bin:/bin"; at;) {
        size_t length = strcspn(at, ":");
        int fits = (size_t)snprintf(path, room, "%.*s%s%s", (int)length, at, length ? "/" : "./",
                                    program) < room;
        int state = fits ? is_program(path) : ENOENT;
        if (!state)
            return 0;
        if (state == EACCES)
            error = EACCES;
        at = at[length] ? at + length + 1 : NULL;
    }
    return error;
}

/* A Python of the folder. Returns 0 where there is one. */
static int python_in(const char *folder, char *path, size_t room) {
    static const char *const names[] = {"python3", "python"};
    for (int i = 0; i < 2; i++)
        if ((size_t)snprintf(path, room, "%s/%s", folder, names[i]) < room && !is_program(path))
            return 0;
    return -1;
}

int launch_find_python(char *path, size_t room) {
    char folder[4096];
    ssize_t length = readlink("/proc/self/exe", folder, sizeof folder - 1);
    const char *environment = getenv("VIRTUAL_ENV");
    if (length > 0) {
        folder[length] = 0;
        *strrchr(folder, '/') = 0;
        if (!python_in(folder, path, room))
            return 0;
    }
    if (environment && *environment) {
        snprintf(folder, sizeof folder, "%s/bin", environment);
        if (!python_in(folder, path, room))
            return 0;
    }
    return launch_find("python3", path, room);
}

/* ----------------------------------------------------------------- start */

static int set_up(posix_spawnattr_t *attributes, const sigset_t *mask) {
    sigset_t child_default;
    sigemptyset(&child_default);
    sigaddset(&child_default, SIGCHLD);
    int error = posix_spawnattr_setsigmask(attributes, mask);
    error = error ? error : posix_spawnattr_setsigdefault(attributes, &child_default);
    return error ? error
                 : posix_spawnattr_setflags(attributes,
                                            POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

/* A text file without "#!" is a script of the shell: so do execvp and every shell. */
static int spawn_script(pid_t *child, const char *path, const posix_spawnattr_t *attributes,
                        char *const *argv) {
    static char shell[] = "sh";
    size_t count = 0;
    while (argv[count])
        count++;
    char **with_shell = calloc(count + 2, sizeof *with_shell);
    if (!with_shell)
        return ENOMEM;
    with_shell[0] = shell;
    with_shell[1] = (char *)path;
    for (size_t i = 1; i < count; i++)
        with_shell[i + 1] = argv[i];
    int error = posix_spawn(child, "/bin/sh", NULL, attributes, with_shell, environ);
    free(with_shell);
    return error;
}

/* posix_spawn does not run what libraries do at a fork: the recorder would take the child for a process of its own. */
static int spawn(pid_t *child, const char *path, char *const *argv, const sigset_t *mask) {
    posix_spawnattr_t attributes;
    int error = posix_spawnattr_init(&attributes);
    if (error)
        return error;
    error = set_up(&attributes, mask);
    if (!error)
        error = posix_spawn(child, path, NULL, &attributes, argv, environ);
    if (error == ENOEXEC)
        error = spawn_script(child, path, &attributes, argv);
    posix_spawnattr_destroy(&attributes);
    return error;
}

/* ------------------------------------------------------------------ wait */

/* Looks what became of the child. Returns 1 when it has ended. */
static int look(pid_t child, int *status) {
    pid_t got;
    while ((got = waitpid(child, status, WNOHANG | WUNTRACED)) > 0) {
        if (!WIFSTOPPED(*status))
            return 1;
        raise(SIGSTOP);
        kill(child, SIGCONT);
    }
    return got < 0 && errno == ECHILD;
}

static void wait_for(pid_t child, const sigset_t *signals, int *status) {
    siginfo_t info;
    while (!look(child, status)) {
        int signal_number = sigwaitinfo(signals, &info);
        int is_ours_alone = info.si_code <= 0;
        if (signal_number > 0 && signal_number != SIGCHLD && is_ours_alone)
            kill(child, signal_number);
    }
}

int launch_run(const char *path, char *const *argv, const struct launch_watch *watch, int *status) {
    sigset_t signals, before;
    struct sigaction by_default = {.sa_handler = SIG_DFL};
    pid_t child;
    sigemptyset(&signals);
    sigaddset(&signals, SIGCHLD);
    for (int i = 0; i < PASSED_ON; i++)
        sigaddset(&signals, passed_on[i]);
    sigaction(SIGCHLD, &by_default, NULL); /* where it is ignored, nobody can be waited for */
    sigprocmask(SIG_BLOCK, &signals, &before);
    *status = 0;
    int error = spawn(&child, path, argv, &before);
    if (!error && watch)
        watch->started(watch->context, child);
    if (!error)
        wait_for(child, &signals, status);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return error;
}

/* ------------------------------------------------------------------- end */

int launch_exit_status(int status) {
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

void launch_die_alike(int status) {
    struct rlimit no_core = {0, 0};
    struct sigaction by_default = {.sa_handler = SIG_DFL};
    sigset_t only;
    if (!WIFSIGNALED(status))
        return;
    setrlimit(RLIMIT_CORE, &no_core);
    sigaction(WTERMSIG(status), &by_default, NULL);
    sigemptyset(&only);
    sigaddset(&only, WTERMSIG(status));
    sigprocmask(SIG_UNBLOCK, &only, NULL);
    raise(WTERMSIG(status));
}
