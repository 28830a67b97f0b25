/* See browser.h. */
#define _GNU_SOURCE
#include "cli/browser.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { COMMAND_MAX = 1024, WORDS_MAX = 32 };

static int is_set(const char *name) {
    const char *value = getenv(name);
    return value && *value;
}

static int has_screen(void) {
    return is_set("DISPLAY") || is_set("WAYLAND_DISPLAY");
}

int browser_is_remote(void) {
    return is_set("SSH_CONNECTION") && !has_screen();
}

/* The words of a command, split at blanks; "%s" becomes the address, which else comes last. */
static void split(char *command, char *url, char **words) {
    int count = 0, placed = 0;
    for (char *word = strtok(command, " \t"); word && count < WORDS_MAX - 2;
         word = strtok(NULL, " \t")) {
        int is_place = !strcmp(word, "%s");
        words[count++] = is_place ? url : word;
        placed |= is_place;
    }
    if (!placed)
        words[count++] = url;
    words[count] = NULL;
}

/* In the child of a child, which nobody waits for: a session of its own, so that Ctrl-C here ends no browser. */
static void run(char **words) {
    int nothing = open("/dev/null", O_RDWR);
    setsid();
    for (int i = 0; nothing >= 0 && i < 3; i++)
        dup2(nothing, i);
    signal(SIGPIPE, SIG_DFL);
    execvp(words[0], words);
    _exit(127);
}

static int start(const char *command, const char *url) {
    char line[COMMAND_MAX], *address = strdup(url), *words[WORDS_MAX];
    size_t length = strlen(command);
    if (!address || length >= sizeof line) {
        free(address);
        return -1;
    }
    memcpy(line, command, length + 1);
    split(line, address, words);
    pid_t child = fork();
    if (child == 0) {
        pid_t inner = fork();
        if (inner == 0)
            run(words);
        _exit(inner < 0);
    }
    free(address);
    int status;
    return child > 0 && waitpid(child, &status, 0) == child && status == 0 ? 0 : -1;
}

int browser_open(const char *url) {
    const char *chosen = getenv("BROWSER");
    if (chosen && *chosen) { /* several are divided by colons: the first counts */
        char first[COMMAND_MAX];
        size_t length = strcspn(chosen, ":");
        if (length >= sizeof first)
            return -1;
        memcpy(first, chosen, length);
        first[length] = 0;
        return start(first, url);
    }
    return has_screen() ? start("xdg-open", url) : -1;
}
