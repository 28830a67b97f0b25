/* See command.h. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "marey.h"
#include "output/display.h"

enum { WORD_MAX = 63 };

int usage_error(const char *command, const char *format, ...) {
    struct text shown = {0};
    char line[4096];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    display_add(&shown, line, 0);
    fprintf(stderr, "marey%s%s: %s\n", *command ? " " : "", command, text_of(&shown));
    fprintf(stderr, "Try 'marey %s%s--help'.\n", command, *command ? " " : "");
    text_free(&shown);
    return EXIT_USAGE;
}

static size_t smallest(size_t a, size_t b, size_t c) {
    size_t least = a < b ? a : b;
    return least < c ? least : c;
}

/* How many letters have to be changed, put in or taken out (Levenshtein). */
static size_t distance(const char *a, const char *b) {
    size_t row[WORD_MAX + 1], length = strlen(b);
    if (length > WORD_MAX || strlen(a) > WORD_MAX)
        return SIZE_MAX;
    for (size_t j = 0; j <= length; j++)
        row[j] = j;
    for (size_t i = 0; a[i]; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < length; j++) {
            size_t above = row[j + 1];
            row[j + 1] = smallest(above + 1, row[j] + 1, diagonal + (a[i] != b[j]));
            diagonal = above;
        }
    }
    return row[length];
}

const char *nearest_word(const char *word, const char *const *words, size_t count) {
    const char *best = NULL;
    size_t least = strlen(word) / 3 + 1;
    for (size_t i = 0; i < count; i++) {
        size_t far = distance(word, words[i]);
        if (far < least + (best == NULL) && far < strlen(words[i])) {
            least = far;
            best = words[i];
        }
    }
    return best;
}

int option_error(const char *command, int code, char **argv, const struct option *options) {
    const char *words[32];
    size_t count = 0;
    const char *given = argv[optind - 1];
    int is_long = !strncmp(given, "--", 2);
    if (code == ':' && is_long)
        return usage_error(command, "option '%s' needs a value", given);
    if (code == ':')
        return usage_error(command, "option '-%c' needs a value", optopt);
    if (!is_long)
        return usage_error(command, "unknown option '-%c'", optopt);
    char name[WORD_MAX + 1];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(given + 2, "="), given + 2);
    for (; count < 32 && options[count].name; count++)
        words[count] = options[count].name;
    const char *nearest = nearest_word(name, words, count);
    if (nearest && !strcmp(nearest, name))
        return usage_error(command, "option '--%s' takes no value", name);
    if (nearest)
        return usage_error(command, "unknown option '--%s'. Did you mean '--%s'?", name, nearest);
    return usage_error(command, "unknown option '--%s'", name);
}

int say_of_file(const char *command, const char *path, const char *format, ...) {
    struct text shown = {0};
    va_list args;
    display_add(&shown, strcmp(path, "-") ? path : "standard input", 0);
    fprintf(stderr, "marey %s: %s: ", command, text_of(&shown));
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    text_free(&shown);
    return EXIT_FOUND;
}

int read_error(const char *command, const char *path, int error) {
    return say_of_file(command, path, "%s", marey_strerror(error));
}

int record_error(const char *command, const char *path, int error) {
    say_of_file(command, path, "%s; nothing was %s\nhint: %s", marey_strerror(error),
                strcmp(command, "run") ? "recorded" : "run", marey_hint(error));
    return EXIT_USAGE;
}

/* "64M", "1G", "4096", "1.5G": bytes, in units of 1024. Returns 0, or -1. */
static int parse_size(const char *text, uint64_t *bytes) {
    static const char units[] = "KMGT";
    char *end;
    if (!isdigit((unsigned char)*text))
        return -1;
    double value = strtod(text, &end);
    const char *unit = *end ? strchr(units, toupper((unsigned char)*end)) : NULL;
    if (unit) {
        value *= (double)(1ull << (10 * (unit - units + 1)));
        end++;
        end += *end == 'i';
    }
    end += *end == 'B';
    if (*end || !(value <= 1e18))
        return -1;
    *bytes = (uint64_t)value;
    return 0;
}

int parse_count(const char *text, uint32_t *count) {
    char *end;
    if (!isdigit((unsigned char)*text))
        return -1;
    unsigned long value = strtoul(text, &end, 10);
    if (*end || value > UINT32_MAX)
        return -1;
    *count = (uint32_t)value;
    return 0;
}

int parse_duration(const char *text, int64_t *ns) {
    static const struct {
        const char *word;
        double ns;
    } units[] = {{"", 1e9}, {"s", 1e9},  {"ms", 1e6},  {"us", 1e3},
                 {"ns", 1}, {"m", 6e10}, {"h", 3.6e12}};
    char *end;
    if (!isdigit((unsigned char)*text))
        return -1;
    double value = strtod(text, &end);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (!strcmp(end, units[i].word) && value * units[i].ns <= 1e18) {
            *ns = (int64_t)(value * units[i].ns);
            return 0;
        }
    return -1;
}

static int bad_size(const char *command, const char *option, const char *given) {
    return usage_error(command, "--%s: '%s' is no size; write 4096, 64M or 1G", option, given);
}

int take_ring(const char *command, marey_options *options, const char *text) {
    if (parse_size(text, &options->ring_bytes))
        return bad_size(command, "ring", text);
    if (options->ring_bytes < MAREY_RING_MIN)
        return usage_error(command, "--ring: at least %lluK", MAREY_RING_MIN >> 10);
    return -1;
}

int take_limit(const char *command, marey_options *options, const char *text) {
    return parse_size(text, &options->limit_bytes) ? bad_size(command, "limit", text) : -1;
}

int take_rows(const char *command, uint32_t *rows, const char *text) {
    return parse_count(text, rows) ? usage_error(command, "--rows: '%s' is no number", text) : -1;
}
