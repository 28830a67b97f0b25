/* See hot_table.h: functions, lines and files. */
#include "output/hot_table.h"

#include <inttypes.h>
#include <string.h>

enum {
    NAME_COLUMNS_MIN = 12,
    NAME_COLUMNS = 16, /* that a name has in any case */
    /* Of a place in a file; a longer path loses its beginning. */
    WHERE_COLUMNS_MIN = 16,
    WHERE_COLUMNS_MAX = 60,
    OTHER_COLUMNS = 37, /* what all but these two take, with what is between them */
};

static const char own_mark[] = "<====";

/* -------------------------------------------------------------------- places */

/* Behind the folder of installed modules, or of the standard library: what is before is the same for all of them. */
static const char *short_path(const char *file) {
    static const char *const folders[] = {"/site-packages/", "/dist-packages/"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        const char *at = strstr(file, folders[i]);
        if (at)
            return at + strlen(folders[i]);
    }
    const char *library = strstr(file, "/lib/python");
    const char *inside = library ? strchr(library + strlen("/lib/python"), '/') : NULL;
    return inside ? inside + 1 : file;
}

/* The end of a path, from a folder on where that can be, in so many columns. */
static void add_path_end(struct text *to, const char *path, size_t columns) {
    size_t bytes = strlen(path);
    if (display_columns(path) <= columns) {
        display_add(to, path, 0);
        return;
    }
    const char *at = bytes > columns - 3 ? path + bytes - (columns - 3) : path;
    const char *folder = strchr(at, '/');
    if (folder && folder[1])
        at = folder;
    while (((unsigned char)*at & 0xc0) == 0x80) /* not in the middle of a character */
        at++;
    text_add(to, "...");
    display_add(to, at, columns - 3);
}

/* A module inside the interpreter: "<frozen os>" is shown as "os". */
static int add_frozen(struct text *to, const char *file, size_t columns) {
    static const char prefix[] = "<frozen ";
    char name[64];
    size_t bytes = strlen(file), prefix_bytes = sizeof prefix - 1;
    if (strncmp(file, prefix, prefix_bytes) != 0 || file[bytes - 1] != '>' ||
        bytes - prefix_bytes > sizeof name)
        return 0;
    snprintf(name, sizeof name, "%.*s", (int)(bytes - prefix_bytes - 1), file + prefix_bytes);
    display_add(to, name, columns);
    return 1;
}

/* What there is for places, where the names of these rows are all short, or else at least NAME_COLUMNS wide. */
static size_t where_columns(const struct table_style *style, const struct hot *hot, uint32_t rows,
                            const struct profile_function *functions) {
    size_t names = 0;
    for (uint32_t i = 0; i < rows && names < NAME_COLUMNS; i++) {
        size_t columns = display_columns(functions[hot->rows[i].function].name);
        names = columns > names ? columns : names;
    }
    size_t taken = OTHER_COLUMNS + (names < NAME_COLUMNS ? names : (size_t)NAME_COLUMNS);
    if (!style->width || style->width > taken + WHERE_COLUMNS_MAX)
        return WHERE_COLUMNS_MAX;
    return style->width < taken + WHERE_COLUMNS_MIN ? (size_t)WHERE_COLUMNS_MIN
                                                    : style->width - taken;
}

static void add_where(struct text *to, const char *file, int32_t line, size_t columns) {
    char number[16] = "";
    if (line > 0)
        snprintf(number, sizeof number, ":%" PRId32, line);
    columns -= strlen(number);
    if (!*file)
        return;
    if (!add_frozen(to, file, columns))
        add_path_end(to, short_path(file), columns);
    text_add(to, number);
}

/* ---------------------------------------------------------------------- text */

static void add_share(struct table *table, uint64_t part, uint64_t all) {
    text_addf(table_cell(table), "%.1f%%", all ? 100.0 * (double)part / (double)all : 0);
}

static void add_shares(struct table *table, const struct hot *hot, const struct hot_row *row) {
    if (hot->wall_ns) {
        add_share(table, row->self_ns[SAMPLE_WALL], hot->wall_ns);
        add_share(table, row->total_ns[SAMPLE_WALL], hot->wall_ns);
    } else {
        add_share(table, row->self_count, hot->samples);
        add_share(table, row->total_count, hot->samples);
    }
}

static int32_t line_of(const struct hot_row *row, const struct profile_function *function) {
    return row->hot_line ? row->hot_line : function->first_line;
}

static const char *name_of(const struct profile_function *function) {
    return *function->name ? function->name : "(no name)";
}

/* "json.decoder" of ".../lib/python3.11/json/decoder.py", "loader" of a file that no folder of modules is known of. */
static void add_module(struct text *to, const char *file) {
    char name[256];
    const char *shown = short_path(file), *slash = strrchr(shown, '/');
    if (add_frozen(to, file, sizeof name))
        return;
    snprintf(name, sizeof name, "%s", *shown == '/' && slash ? slash + 1 : shown);
    size_t bytes = strlen(name);
    if (bytes > 3 && !strcmp(name + bytes - 3, ".py"))
        name[bytes - 3] = 0;
    slash = strstr(name, "/__init__");
    if (slash)
        name[slash - name] = 0;
    for (char *at = name; *at; at++)
        if (*at == '/')
            *at = '.';
    display_add(to, name, 0);
}

enum { COLUMNS_MAX = 6 };

/* The columns behind the numbers. */
static unsigned name_columns(enum sample_grouping grouping, struct table_column *columns) {
    static const struct table_column functions[] = {{"FUNCTION", ALIGN_LEFT, NAME_COLUMNS_MIN},
                                                    {"HOT LINE", ALIGN_LEFT, 0},
                                                    {"", ALIGN_LEFT, 0}},
                                     files[] = {{"FILE", ALIGN_LEFT, NAME_COLUMNS_MIN},
                                                {"", ALIGN_LEFT, 0}},
                                     modules[] = {{"MODULE", ALIGN_LEFT, NAME_COLUMNS_MIN},
                                                  {"FILE", ALIGN_LEFT, 0},
                                                  {"", ALIGN_LEFT, 0}};
    const struct table_column *from = grouping == GROUP_FILES     ? files
                                      : grouping == GROUP_MODULES ? modules
                                                                  : functions;
    unsigned count = grouping == GROUP_FILES ? 2 : 3;
    memcpy(columns, from, count * sizeof *columns);
    return count;
}

static void add_names(struct table *table, const struct hot_row *row,
                      const struct profile_function *function, enum sample_grouping grouping,
                      size_t where) {
    if (grouping == GROUP_FILES) {
        table_text(table, short_path(name_of(function)));
    } else if (grouping == GROUP_MODULES) {
        hot_table_add_name(table_cell(table), function, grouping);
        add_where(table_cell(table), function->file, 0, where);
    } else {
        table_text(table, name_of(function));
        add_where(table_cell(table), function->file, line_of(row, function), where);
    }
}

void hot_table_print(const struct hot *hot, const struct profile *profile,
                     enum sample_grouping grouping, const struct own_rules *own, FILE *to,
                     uint32_t rows, const struct table_style *style) {
    struct table_column columns[COLUMNS_MAX] = {
        {"SELF", ALIGN_RIGHT, 0}, {"TOTAL", ALIGN_RIGHT, 0}, {"SAMPLES", ALIGN_RIGHT, 0}};
    uint32_t count, shown = rows && rows < hot->count ? rows : hot->count;
    const struct profile_function *functions = profile_functions(profile, &count);
    size_t where = where_columns(style, hot, shown, functions);
    struct table table;
    table_init(&table, columns, 3 + name_columns(grouping, columns + 3));
    for (uint32_t i = 0; i < shown; i++) {
        const struct hot_row *row = &hot->rows[i];
        const struct profile_function *function = &functions[row->function];
        add_shares(&table, hot, row);
        table_count(&table, row->self_count, 0);
        add_names(&table, row, function, grouping, where);
        text_add(table_cell(&table), own_is(own, function->file) ? own_mark : "");
    }
    table_print(&table, to, style);
    table_free(&table);
    table_print_more(hot->count - shown, to, style);
}

/* ---------------------------------------------------------------------- JSON */

static void times_json(struct json *json, const char *key, uint64_t count, const uint64_t *ns) {
    struct sample_times times = {.count = count};
    memcpy(times.ns, ns, sizeof times.ns);
    sample_times_json(json, key, &times);
}

void hot_table_add_name(struct text *to, const struct profile_function *function,
                        enum sample_grouping grouping) {
    if (grouping == GROUP_MODULES)
        add_module(to, function->name);
    else
        text_add(to, function->name);
}

void hot_table_json(const struct hot *hot, const struct profile *profile,
                    enum sample_grouping grouping, const struct own_rules *own, struct json *json,
                    const char *key, uint32_t rows) {
    uint32_t count, shown = rows && rows < hot->count ? rows : hot->count;
    const struct profile_function *functions = profile_functions(profile, &count);
    json_array(json, key);
    for (uint32_t i = 0; i < shown; i++) {
        const struct hot_row *row = &hot->rows[i];
        const struct profile_function *function = &functions[row->function];
        struct text name = {0};
        hot_table_add_name(&name, function, grouping);
        json_object(json, NULL);
        json_text(json, "name", text_of(&name));
        text_free(&name);
        json_text(json, "file", function->file);
        json_integer(json, "first_line", function->first_line);
        json_integer(json, "hot_line", row->hot_line);
        json_count(json, "hot_line_samples", row->hot_line_count);
        json_bool(json, "own", own_is(own, function->file));
        times_json(json, "self", row->self_count, row->self_ns);
        times_json(json, "total", row->total_count, row->total_ns);
        json_end(json);
    }
    json_end(json);
}
