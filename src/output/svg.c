/* See svg.h.
 *
 *   <svg>
 *     look | paper, title, details | { <g> <title> rect [text] </g> } ... | script
 *   </svg>
 *
 * Frames stand in the order of the tree, each before what it calls; the script finds out from that and from their levels
 * (their height in the picture) who calls whom, and has names and numbers from their titles. */
#include "output/svg.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "marey.h"
#include "output/display.h"
#include "output/svg_layout.h"

extern const char svg_script[], svg_look[]; /* svg.js, svg.css */

enum {
    WIDTH = 1200, /* pixels; a browser's script takes the window's */
    HEAD = 64,    /* above the frames */
    FOOT = 8,
    ROW = 17,         /* from one level to the next; a frame is one pixel less high */
    TEXT_INDENT = 3,  /* pixels */
    TEXT_COLUMNS = 3, /* less is no text */
    FRAMES_MAX = 50000,
    NAME_BYTES_MAX = 1000, /* of a name in a title; the rest is cut */
};

static const double least_px = 0.1, column_px = 7.5; /* of text, at the most */

struct drawing {
    FILE *to;
    const struct svg_style *style;
    struct svg_layout layout;
    const struct profile_node *nodes;
    const struct profile_function *functions;
    unsigned weight, before; /* in the profile; before: PROFILE_WEIGHTS where it is no difference */
};

/* -------------------------------------------------------------------- texts */

/* A character as XML may have it. Source: XML 1.0, 2.2 and 2.4. */
static void put_character(FILE *to, const char *at, unsigned bytes) {
    switch (*at) {
    case '&': fputs("&amp;", to); return;
    case '<': fputs("&lt;", to); return;
    case '>': fputs("&gt;", to); return;
    case '"': fputs("&quot;", to); return;
    default: break;
    }
    if (bytes == 3 && (!memcmp(at, "\xef\xbf\xbe", 3) || !memcmp(at, "\xef\xbf\xbf", 3)))
        fputs("\xef\xbf\xbd", to); /* U+FFFE and U+FFFF are none: U+FFFD for them */
    else
        fwrite(at, 1, bytes, to);
}

/* A text of the trace, made harmless; at most `columns` wide (0: as it is) and NAME_BYTES_MAX long. */
static void put_text(FILE *to, const char *string, size_t columns) {
    struct text shown = {0};
    display_add(&shown, string, columns);
    const char *at = text_of(&shown), *end = at + shown.size;
    for (size_t used = 0; at < end;) {
        struct character one = character_at(at, end);
        used += one.bytes;
        if (used > NAME_BYTES_MAX) {
            fputs("...", to);
            break;
        }
        put_character(to, at, one.bytes);
        at += one.bytes;
    }
    text_free(&shown);
}

static void put_amount(const struct drawing *drawing, uint64_t amount) {
    char shown[DISPLAY_ROOM];
    if (drawing->style->weight < SAMPLE_WEIGHTS)
        display_duration(shown, sizeof shown, amount < INT64_MAX ? (int64_t)amount : INT64_MAX);
    else
        display_count(shown, sizeof shown, amount);
    fputs(shown, drawing->to);
}

static double percent(uint64_t part, uint64_t whole) {
    return whole ? 100 * (double)part / (double)whole : 0;
}

static const char *word_of_counts(const struct drawing *drawing) {
    return drawing->style->counted ? drawing->style->counted : "samples";
}

/* Of that word: without its "s" where there is one. */
static int letters_of_counts(const struct drawing *drawing, uint64_t count) {
    return (int)strlen(word_of_counts(drawing)) - (count == 1);
}

/* "1.23s, 45.6%" of what weighs so, of a whole. */
static void put_share(const struct drawing *drawing, const char *before, unsigned weight,
                      uint64_t amount) {
    fputs(before, drawing->to);
    put_amount(drawing, amount);
    fprintf(drawing->to, ", %.1f%%", percent(amount, profile_total(&drawing->nodes[0], weight)));
}

/* ------------------------------------------------------------------ colours */

struct colour {
    uint8_t red, green, blue;
};

static struct colour mix(struct colour a, struct colour b, double part) {
    return (struct colour){(uint8_t)(a.red + (b.red - a.red) * part),
                           (uint8_t)(a.green + (b.green - a.green) * part),
                           (uint8_t)(a.blue + (b.blue - a.blue) * part)};
}

/* 0 to 1, the same for the same text. Source: FNV-1a. */
static double part_of_text(const char *text) {
    uint32_t hash = 2166136261u;
    for (; *text; text++)
        hash = (hash ^ (uint8_t)*text) * 16777619u;
    return (double)(hash >> 8 & 0xffff) / 0xffff;
}

/* Own code is warm, others' is cool, and each file has its own colour. */
static struct colour colour_of_function(const struct drawing *drawing,
                                        const struct profile_function *function) {
    static const struct colour own[] = {{255, 138, 92}, {255, 214, 102}},
                               other[] = {{150, 178, 214}, {178, 216, 206}},
                               native = {196, 196, 200}, collection = {214, 170, 226},
                               task = {152, 212, 152};
    const char *text = *function->file ? function->file : function->name;
    if (!*text) /* the root */
        return native;
    switch (function->kind) {
    case SAMPLE_NATIVE: return native;
    case SAMPLE_GC: return collection;
    case SAMPLE_TASK: return task;
    default: break;
    }
    int is_own = !*function->file || own_is(drawing->style->own, function->file);
    return is_own ? mix(own[0], own[1], part_of_text(text))
                  : mix(other[0], other[1], part_of_text(text));
}

/* Red has grown, blue has shrunk; the more, the stronger. */
static struct colour colour_of_change(const struct drawing *drawing,
                                      const struct svg_frame *frame) {
    static const struct colour same = {236, 236, 236}, more = {240, 72, 62}, less = {74, 134, 240};
    double change = frame->place.width - frame->before.width, most = drawing->layout.most_changed;
    double part = most > 0 ? change / most : 0;
    return part < 0 ? mix(same, less, sqrt(-part)) : mix(same, more, sqrt(part));
}

/* ------------------------------------------------------------------- frames */

static const char *name_of(const struct drawing *drawing, const struct svg_frame *frame) {
    return frame->node ? drawing->functions[drawing->nodes[frame->node].function].name : "all";
}

/* Lines of its title: the name, and, where it has one, the place. */
static void put_name(const struct drawing *drawing, const struct svg_frame *frame) {
    const struct profile_node *node = &drawing->nodes[frame->node];
    const struct profile_function *function = &drawing->functions[node->function];
    int32_t line = node->line ? node->line : function->first_line;
    put_text(drawing->to, name_of(drawing, frame), 0);
    fputc('\n', drawing->to);
    if (!*function->file)
        return;
    put_text(drawing->to, function->file, 0);
    if (line > 0)
        fprintf(drawing->to, ":%" PRId32, line);
    fputc('\n', drawing->to);
}

static void put_numbers(const struct drawing *drawing, const struct svg_frame *frame) {
    const struct profile_node *node = &drawing->nodes[frame->node];
    uint64_t self = profile_self(node, drawing->weight);
    put_share(drawing, "", drawing->weight, profile_total(node, drawing->weight));
    if (drawing->before != PROFILE_WEIGHTS) {
        put_share(drawing, "; before: ", drawing->before, profile_total(node, drawing->before));
        fprintf(drawing->to, "; %+.1f points", 100 * (frame->place.width - frame->before.width));
        return;
    }
    if (self)
        put_share(drawing, "; itself ", drawing->weight, self);
    char count[DISPLAY_ROOM];
    display_count(count, sizeof count, node->total_count);
    if (drawing->weight < SAMPLE_WEIGHTS)
        fprintf(drawing->to, "; %s %.*s", count, letters_of_counts(drawing, node->total_count),
                word_of_counts(drawing));
}

static int top_of(const struct drawing *drawing, const struct svg_frame *frame) {
    uint32_t level = drawing->nodes[frame->node].depth;
    uint32_t row = drawing->style->flame ? drawing->layout.depth - 1 - level : level;
    return HEAD + (int)row * ROW;
}

static void put_label(const struct drawing *drawing, const struct svg_frame *frame) {
    double room = frame->place.width * WIDTH - 2 * TEXT_INDENT;
    int columns = (int)(room / column_px);
    if (columns < TEXT_COLUMNS)
        return;
    fprintf(drawing->to, "<text x=\"%.1f\" y=\"%d\">", frame->place.from * WIDTH + TEXT_INDENT,
            top_of(drawing, frame) + ROW - 5);
    put_text(drawing->to, name_of(drawing, frame), (size_t)columns);
    fputs("</text>", drawing->to);
}

static void put_frame(const struct drawing *drawing, const struct svg_frame *frame) {
    int is_change = drawing->before != PROFILE_WEIGHTS;
    struct colour colour =
        is_change ? colour_of_change(drawing, frame)
                  : colour_of_function(drawing,
                                       &drawing->functions[drawing->nodes[frame->node].function]);
    fputs("<g", drawing->to);
    if (is_change)
        fprintf(drawing->to, " data-before=\"%.7f %.7f\"", frame->before.from, frame->before.width);
    fputs("><title>", drawing->to);
    put_name(drawing, frame);
    put_numbers(drawing, frame);
    fprintf(drawing->to,
            "</title><rect x=\"%.4f\" y=\"%d\" width=\"%.4f\" height=\"%d\" "
            "fill=\"#%02x%02x%02x\"/>",
            frame->place.from * WIDTH, top_of(drawing, frame), frame->place.width * WIDTH, ROW - 1,
            colour.red, colour.green, colour.blue);
    put_label(drawing, frame);
    fputs("</g>\n", drawing->to);
}

/* ------------------------------------------------------------------ picture */

static void put_title(const struct drawing *drawing) {
    const struct svg_style *style = drawing->style;
    put_text(drawing->to,
             style->title                         ? style->title
             : drawing->before != PROFILE_WEIGHTS ? "Differential flame graph"
                                                  : "Flame graph",
             120);
}

/* What it is of, how much that is in all, and what is not shown. */
static void put_subtitle(const struct drawing *drawing) {
    const struct svg_layout *layout = &drawing->layout;
    char count[DISPLAY_ROOM];
    if (drawing->style->subtitle) {
        put_text(drawing->to, drawing->style->subtitle, 120);
        fputs(": ", drawing->to);
    }
    put_amount(drawing, profile_total(&drawing->nodes[0], drawing->weight));
    if (drawing->style->weight >= SAMPLE_WEIGHTS)
        fprintf(drawing->to, " %s", word_of_counts(drawing));
    if (drawing->before != PROFILE_WEIGHTS) {
        fputs(", before ", drawing->to);
        put_amount(drawing, profile_total(&drawing->nodes[0], drawing->before));
        fputs("; red: a greater share than before, blue: a smaller one", drawing->to);
    }
    if (!layout->left_out)
        return;
    display_count(count, sizeof count, layout->left_out);
    fprintf(drawing->to, ". Left out: %s frames of less than %.2g%%", count, 100 * layout->least);
}

static void put_head(const struct drawing *drawing, int height) {
    FILE *to = drawing->to;
    fprintf(to,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"marey\" width=\"%d\" height=\"%d\" "
            "viewBox=\"0 0 %d %d\" font-family=\"monospace\" font-size=\"12\" data-head=\"%d\" "
            "data-row=\"%d\" data-levels=\"%u\" data-flame=\"%d\">\n<title>",
            WIDTH, height, WIDTH, height, HEAD, ROW, drawing->layout.depth, drawing->style->flame);
    put_title(drawing);
    fprintf(to,
            "</title>\n<style>\n%s</style>\n"
            "<rect class=\"paper\" width=\"100%%\" height=\"100%%\" fill=\"#ffffff\"/>\n"
            "<text class=\"heading\" x=\"8\" y=\"20\" font-size=\"15\" fill=\"#222222\">",
            svg_look);
    put_title(drawing);
    fputs("</text>\n<text class=\"about\" x=\"8\" y=\"38\" fill=\"#666666\">", to);
    put_subtitle(drawing);
    fputs("</text>\n<text class=\"details\" x=\"8\" y=\"56\" fill=\"#222222\"></text>\n"
          "<g class=\"frames\" fill=\"#111111\">\n",
          to);
}

static int draw(struct drawing *drawing, const struct profile *profile) {
    int error = svg_layout_make(&drawing->layout, profile, drawing->weight, drawing->before,
                                least_px / WIDTH, FRAMES_MAX);
    if (!error) {
        drawing->nodes = profile_nodes(profile, &(uint32_t){0});
        drawing->functions = profile_functions(profile, &(uint32_t){0});
        put_head(drawing, HEAD + (int)drawing->layout.depth * ROW + FOOT);
        for (uint32_t i = 0; i < drawing->layout.count; i++)
            put_frame(drawing, &drawing->layout.frames[i]);
        fprintf(drawing->to, "</g>\n<script><![CDATA[\n%s]]></script>\n</svg>\n", svg_script);
    }
    svg_layout_free(&drawing->layout);
    return error;
}

int svg_flame_graph(FILE *to, const struct profile *profile, const struct svg_style *style) {
    struct drawing drawing = {
        .to = to, .style = style, .weight = style->weight, .before = PROFILE_WEIGHTS};
    return draw(&drawing, profile);
}

/* --------------------------------------------------------------- difference */

enum { AFTER, BEFORE }; /* places among the weights of the profile that has both */

/* Adds what each node weighs itself to `to`, as that weight. Returns 0 or MAREY_ENOMEM. */
static int add_profile(struct profile *to, const struct profile *from, unsigned weight, int as) {
    uint32_t count;
    const struct profile_node *nodes = profile_nodes(from, &count);
    const struct profile_function *functions = profile_functions(from, &(uint32_t){0});
    uint32_t *places = calloc(count, sizeof *places);
    if (!places)
        return MAREY_ENOMEM;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t weights[SAMPLE_WEIGHTS] = {0};
        struct profile_function function = functions[nodes[i].function];
        function.first_line = 0;
        if (i && profile_total(&nodes[i], weight))
            places[i] =
                profile_child(to, places[nodes[i].parent], profile_function(to, &function), 0);
        weights[as] = profile_self(&nodes[i], weight);
        profile_weigh(to, places[i], 0, weights);
    }
    free(places);
    return 0;
}

int svg_difference(FILE *to, const struct profile *before, const struct profile *after,
                   const struct svg_style *style) {
    struct drawing drawing = {.to = to, .style = style, .weight = AFTER, .before = BEFORE};
    struct profile *both = profile_open(PROFILE_NODES_MAX, 0);
    int error = both ? add_profile(both, after, style->weight, AFTER) : MAREY_ENOMEM;
    if (!error)
        error = add_profile(both, before, style->weight, BEFORE);
    if (!error) {
        profile_sum(both);
        error = draw(&drawing, both);
    }
    profile_close(both);
    return error;
}
