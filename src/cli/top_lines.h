/* Inside `marey top`: the lines of its screen, as text. */
#ifndef MAREY_CLI_TOP_LINES_H
#define MAREY_CLI_TOP_LINES_H

#include "cli/top_screen.h"

/* Each adds one line of at most `columns` columns. */
void top_title_line(struct text *line, const struct top_look *look, const struct top_view *view,
                    size_t columns);
void top_share_line(struct text *line, const struct top_look *look, size_t columns);
void top_state_line(struct text *line, const struct top_look *look, const struct top_view *view,
                    size_t columns);

/* The rows that the view shows: filtered and sorted. */
struct top_table {
    const struct top_look *look;
    bool threads;
    uint32_t *rows; /* places in the look's functions, lines or threads */
    const struct top_function *functions;
    uint32_t count;
};
void top_table_make(struct top_table *table, const struct top_look *look,
                    const struct top_view *view);
void top_table_free(struct top_table *table);
void top_table_titles(struct text *line, const struct top_view *view, size_t columns);
void top_table_row(struct text *line, const struct top_table *table, uint32_t row, size_t columns);

extern const char *const top_help[];
extern const int top_help_count;

#endif
