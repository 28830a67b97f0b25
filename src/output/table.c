/* See table.h. */
#include "output/table.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const char gap[] = "  ";
enum { GAP = 2 };

void table_init(struct table *table, const struct table_column *columns, unsigned count) {
    *table = (struct table){.columns = columns, .column_count = count};
}

void table_free(struct table *table) {
    for (size_t i = 0; i < table->cell_count; i++)
        text_free(&table->cells[i]);
    free(table->cells);
    *table = (struct table){0};
}

struct text *table_cell(struct table *table) {
    static struct text nowhere; /* takes nothing: it has failed from the start */
    if (table->cell_count == table->cell_capacity) {
        size_t capacity = table->cell_capacity ? table->cell_capacity * 2 : 64;
        struct text *larger = realloc(table->cells, capacity * sizeof *larger);
        if (!larger) {
            table->failed = 1;
            nowhere = (struct text){.failed = 1};
            return &nowhere;
        }
        table->cells = larger;
        table->cell_capacity = capacity;
    }
    struct text *cell = &table->cells[table->cell_count++];
    *cell = (struct text){0};
    return cell;
}

void table_text(struct table *table, const char *text) {
    display_add(table_cell(table), text, 0);
}

void table_duration(struct table *table, int64_t ns) {
    char shown[DISPLAY_ROOM];
    display_duration(shown, sizeof shown, ns);
    text_add(table_cell(table), shown);
}

void table_count(struct table *table, uint64_t count, int blank) {
    char shown[DISPLAY_ROOM] = "";
    if (count || !blank)
        display_count(shown, sizeof shown, count);
    text_add(table_cell(table), shown);
}

static size_t sum_widths(const struct table *table, const size_t *widths, const char *indent) {
    size_t sum = strlen(indent);
    for (unsigned i = 0; i < table->column_count; i++)
        sum += widths[i] + (i ? GAP : 0);
    return sum;
}

/* How wide each column is: as its widest cell, less where the terminal is narrower and the column may be cut. */
static void find_widths(const struct table *table, const struct table_style *style,
                        size_t *widths) {
    for (unsigned i = 0; i < table->column_count; i++)
        widths[i] = style->untitled ? 0 : strlen(table->columns[i].title);
    for (size_t i = 0, column = 0; i < table->cell_count; i++) {
        size_t columns = display_columns(text_of(&table->cells[i]));
        widths[column] = columns > widths[column] ? columns : widths[column];
        column = column + 1 < table->column_count ? column + 1 : 0;
    }
    if (!style->width)
        return;
    for (unsigned i = 0; i < table->column_count; i++) {
        size_t sum = sum_widths(table, widths, style->indent);
        size_t over = sum > style->width ? sum - style->width : 0;
        size_t least = table->columns[i].min_columns;
        if (!over || !least || widths[i] <= least)
            continue;
        widths[i] = widths[i] - least > over ? widths[i] - over : least;
    }
}

static void pad(struct text *line, size_t columns) {
    while (columns--)
        text_add(line, " ");
}

static void add_cell(struct text *line, const char *cell, size_t width, enum table_align align) {
    struct text shown = {0};
    size_t used = display_add(&shown, cell, width);
    size_t blanks = width > used ? width - used : 0;
    if (align == ALIGN_RIGHT)
        pad(line, blanks);
    text_add(line, text_of(&shown));
    if (align == ALIGN_LEFT)
        pad(line, blanks);
    text_free(&shown);
}

/* Without the blanks at its end. */
static void print_line(struct text *line, FILE *to, const struct table_style *style) {
    while (line->size && line->bytes[line->size - 1] == ' ')
        line->bytes[--line->size] = 0;
    fprintf(to, style->colour ? "%s\033[1m%s\033[0m\n" : "%s%s\n", style->indent, text_of(line));
    text_free(line);
}

static void print_titles(const struct table *table, FILE *to, const struct table_style *style,
                         const size_t *widths) {
    struct text line = {0};
    for (unsigned i = 0; i < table->column_count; i++) {
        text_add(&line, i ? gap : "");
        add_cell(&line, table->columns[i].title, widths[i], table->columns[i].align);
    }
    print_line(&line, to, style);
}

static void print_row(const struct table *table, const struct text *cells, FILE *to,
                      const struct table_style *style, const size_t *widths) {
    struct table_style plain = {0, 0, style->indent, 0};
    struct text line = {0};
    for (unsigned i = 0; i < table->column_count; i++) {
        text_add(&line, i ? gap : "");
        add_cell(&line, text_of(&cells[i]), widths[i], table->columns[i].align);
    }
    print_line(&line, to, &plain);
}

void table_print(struct table *table, FILE *to, const struct table_style *given) {
    size_t widths[TABLE_COLUMNS_MAX] = {0};
    struct table_style style = *given;
    style.indent = style.indent ? style.indent : "";
    find_widths(table, &style, widths);
    if (!style.untitled)
        print_titles(table, to, &style, widths);
    for (size_t i = 0; i + table->column_count <= table->cell_count; i += table->column_count)
        print_row(table, table->cells + i, to, &style, widths);
    if (table->failed)
        fprintf(to, "%s(memory was short: rows are missing)\n", style.indent);
}

void table_print_more(uint64_t count, FILE *to, const struct table_style *style) {
    char more[DISPLAY_ROOM];
    if (!count)
        return;
    display_count(more, sizeof more, count);
    fprintf(to, "%s... and %s more\n", style->indent ? style->indent : "", more);
}

size_t table_terminal_width(FILE *to) {
    struct winsize size;
    const char *columns = getenv("COLUMNS");
    if (columns && atoi(columns) > 0)
        return (size_t)atoi(columns);
    if (!isatty(fileno(to)))
        return 0;
    return ioctl(fileno(to), TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : 80;
}

int table_terminal_colour(FILE *to) {
    const char *plain = getenv("NO_COLOR"), *terminal = getenv("TERM");
    return isatty(fileno(to)) && !(plain && *plain) && terminal && strcmp(terminal, "dumb") != 0;
}
