/* Start a program and stay out of its way: it has our standard streams and our terminal, gets the signals that we get,
 * and ends as it ends. One program at a time; not for processes with other threads that take signals. */
#ifndef MAREY_CLI_LAUNCH_H
#define MAREY_CLI_LAUNCH_H

#include <stddef.h>
#include <sys/types.h>

/* Finds a program as a shell does: a name with a slash is a path, another is looked for in $PATH. Returns 0, ENOENT,
 * or EACCES where it is there but cannot be executed. */
int launch_find(const char *program, char *path, size_t room);

/* The Python for scripts: beside this command, else in $VIRTUAL_ENV, else python3 of $PATH. Returns as launch_find. */
int launch_find_python(char *path, size_t room);

/* Who wants to know the program's number as soon as it runs. */
struct launch_watch {
    void *context;
    void (*started)(void *context, pid_t pid);
};

/* Runs path with argv until it ends. *status is what waitpid says. watch may be NULL. Returns 0, or the errno of a program
 * that could not be started. */
int launch_run(const char *path, char *const *argv, const struct launch_watch *watch, int *status);

/* The exit status that a shell would show: 128 + signal for one that was killed. */
int launch_exit_status(int status);

/* Where a signal killed the program, die by the same one, without a core file of our own. Else returns. */
void launch_die_alike(int status);

#endif
