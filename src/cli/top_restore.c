/* See top_restore.h. A handler of signals may call neither curses nor the allocator: what it writes is made before. */
#include "cli/top_restore.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <ncurses.h>
#include <term.h>

static char sequences[256];
static struct termios before;

static void on_crash(int signal_number) {
    ssize_t ignored = write(STDOUT_FILENO, sequences, strlen(sequences));
    (void)ignored;
    tcsetattr(STDIN_FILENO, TCSANOW, &before);
    raise(signal_number); /* by default now, once we have returned */
}

void top_restore_begin(void) {
    tcgetattr(STDIN_FILENO, &before);
}

void top_restore_arm(void) {
    static const int crashes[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
    static const char *const names[] = {"rmkx", "sgr0", "cnorm", "rmcup"};
    struct sigaction action = {.sa_handler = on_crash, .sa_flags = (int)SA_RESETHAND};
    size_t used = 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *sequence = tigetstr(names[i]);
        if (!sequence || sequence == (const char *)-1 ||
            strlen(sequence) >= sizeof sequences - used)
            continue;
        memcpy(sequences + used, sequence, strlen(sequence) + 1);
        used += strlen(sequence);
    }
    for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++)
        sigaction(crashes[i], &action, NULL);
}
