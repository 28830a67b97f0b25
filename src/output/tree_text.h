/* Inside the tree: the texts of a row. */
#ifndef MAREY_OUTPUT_TREE_TEXT_H
#define MAREY_OUTPUT_TREE_TEXT_H

#include "output/display.h"
#include "output/tree.h"

/* Made harmless, not yet cut or coloured; used again for the next row. */
struct row_text {
    const struct tree_rows *rows;
    const struct calls *calls;
    const struct tree_options *options;
    struct text name; /* app.models.User.save */
    /* uid=42, name='Alice'; of calls that were folded, "..." where they differ */
    struct text arguments;
    struct text result; /* " -> True", " !! ValueError: no" */
    struct text times;  /* "  [49us, self 38us]" */
    struct text tail;   /* "  [37 calls inside]  Task-3  (app.py:12)" */
};

void row_text_make(struct row_text *text, const struct tree_row *row);
/* Makes the times short and the tail empty. */
void row_text_shorten(struct row_text *text, const struct tree_row *row);
/* Leaves out `self` or `cls` where more arguments follow: the name says the class. */
void row_text_drop_self(struct row_text *text, const struct tree_row *row);
void row_text_free(struct row_text *text);

static inline void text_clear(struct text *text) {
    text->size = 0;
    if (text->bytes)
        *text->bytes = 0;
}

/* "1 call", "1,234 calls". */
void text_add_counted(struct text *text, uint64_t count, const char *one, const char *many);

#endif
