/* See top_screen.h. */
#include "cli/top_screen.h"

#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include <ncurses.h>

#include "cli/top_lines.h"
#include "cli/top_restore.h"

enum { COLUMNS_MIN = 20, ROWS_MIN = 6, HEAD_ROWS = 4, KEY_WAIT_MS = 100, ESCAPE = 27 };

/* ----------------------------------------------------------- the terminal */

static bool is_utf8;

int top_screen_open(void) {
    setlocale(LC_CTYPE, "");
    is_utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
    top_restore_begin();
    if (!newterm(NULL, stdout, stdin))
        return -1;
    set_escdelay(25);
    cbreak();
    noecho();
    keypad(stdscr, true);
    nodelay(stdscr, true);
    curs_set(0);
    top_restore_arm();
    return 0;
}

void top_screen_close(void) {
    endwin();
}

/* ---------------------------------------------------------------- drawing */

/* A line, already harmless and no wider than the screen. */
static void put_line(int row, const char *line, attr_t attributes) {
    const char *end = line + strlen(line);
    move(row, 0);
    attrset(attributes);
    while (line < end) {
        struct character one = character_at(line, end);
        if (one.bytes == 1 || is_utf8)
            addnstr(line, (int)one.bytes);
        else
            addch('?');
        line += one.bytes;
    }
    if (attributes & A_REVERSE)
        for (int column = getcurx(stdscr); getcury(stdscr) == row && column < COLS; column++)
            addch(' ');
    attrset(A_NORMAL);
}

static void put_text(int row, struct text *line, attr_t attributes) {
    put_line(row, text_of(line), attributes);
    text_free(line);
}

static void draw_head(const struct top_look *look, const struct top_view *view) {
    struct text line = {0};
    top_title_line(&line, look, view, (size_t)COLS);
    put_text(0, &line, A_BOLD);
    top_share_line(&line, look, (size_t)COLS);
    put_text(1, &line, A_NORMAL);
    top_state_line(&line, look, view, (size_t)COLS);
    put_text(2, &line, A_NORMAL);
}

static void draw_foot(const struct top_view *view) {
    struct text line = {0};
    if (view->typing) {
        text_add(&line, "filter: ");
        display_add(&line, view->filter, (size_t)COLS - 10);
        text_add(&line, "_");
        put_text(LINES - 1, &line, A_BOLD);
        return;
    }
    display_add(&line, "q quit  s sort  f filter  t threads  l lines  space pause  r reset  h help",
                (size_t)COLS);
    put_text(LINES - 1, &line, A_REVERSE);
}

static void draw_help(void) {
    for (int i = 0; i < top_help_count && i < LINES; i++) {
        struct text line = {0};
        display_add(&line, top_help[i], (size_t)COLS);
        put_text(i, &line, A_NORMAL);
    }
}

static void draw_rows(const struct top_look *look, struct top_view *view) {
    struct top_table table;
    struct text line = {0};
    uint32_t room = (uint32_t)(LINES - HEAD_ROWS - 1);
    top_table_make(&table, look, view);
    if (view->first + room > table.count)
        view->first = table.count > room ? table.count - room : 0;
    top_table_titles(&line, view, (size_t)COLS);
    put_text(HEAD_ROWS - 1, &line, A_REVERSE);
    for (uint32_t i = 0; i < room && view->first + i < table.count; i++) {
        top_table_row(&line, &table, view->first + i, (size_t)COLS);
        put_text(HEAD_ROWS + (int)i, &line, A_NORMAL);
    }
    if (!table.count)
        put_line(HEAD_ROWS, look->number ? "(nothing)" : "(sampling)", A_DIM);
    top_table_free(&table);
}

void top_screen_draw(const struct top_look *look, struct top_view *view) {
    erase();
    if (COLS < COLUMNS_MIN || LINES < ROWS_MIN) {
        put_line(0, "too small", A_NORMAL);
    } else if (view->help) {
        draw_help();
    } else {
        draw_head(look, view);
        draw_rows(look, view);
        draw_foot(view);
    }
    refresh();
}

/* ------------------------------------------------------------------- keys */

static enum top_key_result type_filter(struct top_view *view, int key) {
    size_t length = strlen(view->filter);
    if (key == '\n' || key == '\r' || key == KEY_ENTER) {
        view->typing = false;
    } else if (key == ESCAPE) {
        view->typing = false;
        view->filter[0] = 0;
    } else if (key == KEY_BACKSPACE || key == 127 || key == '\b') {
        while (length && (view->filter[--length] & 0xc0) == 0x80)
            continue;
        view->filter[length] = 0;
    } else if (key >= ' ' && key < 256 && length + 1 < sizeof view->filter) {
        view->filter[length] = (char)key;
        view->filter[length + 1] = 0;
    }
    view->first = 0;
    return KEY_DRAW;
}

static void scroll_by(struct top_view *view, int64_t rows) {
    int64_t first = (int64_t)view->first + rows;
    view->first = first < 0 ? 0 : (uint32_t)first;
}

static enum top_key_result do_key(struct top_view *view, int key) {
    int page = LINES - HEAD_ROWS - 1;
    switch (key) {
    case 'q':
    case 'Q': return KEY_QUIT;
    case 's': view->sort = (view->sort + 1) % SORTS; break;
    case 'S': view->sort = (view->sort + SORTS - 1) % SORTS; break;
    case 'f':
    case '/': view->typing = true; break;
    case 't': view->threads = !view->threads; break;
    case 'l':
        view->lines = view->threads || !view->lines;
        view->threads = false;
        break;
    case 'p':
    case ' ': view->paused = !view->paused; return KEY_DRAW;
    case 'r': view->paused = false; return KEY_RESET_ALL;
    case 'h':
    case '?': view->help = true; return KEY_DRAW;
    case ESCAPE: view->filter[0] = 0; break;
    case KEY_DOWN:
    case 'j': scroll_by(view, 1); return KEY_DRAW;
    case KEY_UP:
    case 'k': scroll_by(view, -1); return KEY_DRAW;
    case KEY_NPAGE: scroll_by(view, page); return KEY_DRAW;
    case KEY_PPAGE: scroll_by(view, -page); return KEY_DRAW;
    case KEY_END: view->first = INT32_MAX; return KEY_DRAW;
    case KEY_HOME:
    case KEY_RESIZE: break;
    default: return KEY_NOTHING;
    }
    view->first = 0;
    return KEY_DRAW;
}

enum top_key_result top_screen_key(struct top_view *view) {
    struct pollfd keys = {.fd = STDIN_FILENO, .events = POLLIN};
    int ready = poll(&keys, 1, KEY_WAIT_MS);
    int key = getch();
    if (key == ERR)
        return ready > 0 ? KEY_QUIT : KEY_NOTHING; /* the terminal is gone */
    if (view->help && key != KEY_RESIZE) {
        view->help = false;
        return KEY_DRAW;
    }
    return view->typing && key != KEY_RESIZE ? type_filter(view, key) : do_key(view, key);
}
