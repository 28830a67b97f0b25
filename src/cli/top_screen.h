/* Inside `marey top`: the terminal. It is given back as it was however the command ends, by a signal or a crash too. */
#ifndef MAREY_CLI_TOP_SCREEN_H
#define MAREY_CLI_TOP_SCREEN_H

#include <stdbool.h>

#include "cli/top_gather.h"

enum { FILTER_MAX = 64 };

enum top_sort { SORT_SELF, SORT_TOTAL, SORT_SELF_TIME, SORT_TOTAL_TIME, SORTS };

/* What the person at the keys wants to see. */
struct top_view {
    const char *title; /* the processes */
    const char *what;  /* "wall, 1000 Hz" */
    enum top_sort sort;
    bool threads, lines, paused, help, typing; /* typing: the filter */
    char filter[FILTER_MAX];
    uint32_t first; /* row that is shown at the top */
};

enum top_key_result { KEY_DRAW, KEY_NOTHING, KEY_QUIT, KEY_RESET_ALL };

/* Takes over the terminal. Returns 0, or -1: it is none that is known. */
int top_screen_open(void);
void top_screen_close(void);
void top_screen_draw(const struct top_look *look, struct top_view *view);
/* Waits for a key up to a tenth of a second, and does what it asks for. */
enum top_key_result top_screen_key(struct top_view *view);

#endif
