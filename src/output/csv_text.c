/* See csv_text.h. */
#include "output/csv_text.h"

#include <string.h>

#include "output/display.h"

/* Whether a text may stand as it is. */
static int is_plain(const char *text) {
    if (*text == '=' || *text == '+' || *text == '-' || *text == '@')
        return 0;
    while (*text >= ' ' && *text < 0x7f && *text != '"' && *text != ',')
        text++;
    return !*text;
}

void csv_put_quoted(FILE *to, const char *text) {
    fputc('"', to);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', to);
        fputc(*text, to);
    }
    fputc('"', to);
}

void csv_put_text(FILE *to, const char *text) {
    if (is_plain(text)) {
        fputs(text, to);
        return;
    }
    struct text cell = {0};
    if (strchr("=+-@", *text))
        text_add(&cell, "'");
    display_add(&cell, text, 0);
    csv_put_quoted(to, text_of(&cell));
    text_free(&cell);
}
