/* See report.h. */
#include "cli/report.h"

#include <inttypes.h>
#include <string.h>

void report_sentence(const struct trace *trace, struct text *text) {
    char size[DISPLAY_ROOM];
    const struct reader *reader = &trace->reader;
    summary_sentence(trace, text);
    display_size(size, sizeof size, reader->size_bytes ? reader->size_bytes : reader->file_bytes);
    text_addf(text, ", %s", size);
}

void report_counts_json(const struct trace *trace, struct json *json) {
    const struct reader *reader = &trace->reader;
    int64_t wall_ns = timebase_wall_ns(&reader->timebase, trace->first_ns);
    json_count(json, "size_bytes", reader->size_bytes ? reader->size_bytes : reader->file_bytes);
    json_count(json, "unused_bytes", reader->filler_bytes);
    if (reader->events && !trace->samples)
        json_double(json, "bytes_per_event",
                    (double)(reader->file_bytes - reader->filler_bytes) / (double)reader->events);
    json_text(json, "clock", timebase_name(&reader->timebase));
    json_integer(json, "start_ns", trace->first_ns);
    if (wall_ns > 0)
        json_integer(json, "start_unix_ns", wall_ns);
    json_integer(json, "duration_ns", trace->last_ns - trace->first_ns);
    json_count(json, "process_count", trace->process_count);
    json_count(json, "thread_count", trace->thread_count);
    json_count(json, "packets", reader->packets);
    json_count(json, "events", reader->events);
    json_count(json, "spans", trace->span_count);
    json_count(json, "spans_without_end", trace->open_spans);
    json_count(json, "instants", trace->instants);
    json_count(json, "counter_values", trace->values);
    json_count(json, "flows", trace->flows);
    json_count(json, "samples", trace->samples);
}

static void print_places(const struct damage *damage, enum damage_kind kind, FILE *to) {
    uint64_t count = damage->count[kind];
    if (!damage_has_place(kind))
        return;
    for (uint64_t i = 0; i < count && i < DAMAGE_PLACES; i++)
        fprintf(to, "%s%" PRIu64, i ? ", " : " (at byte ", damage->place[kind][i]);
    fputs(count > DAMAGE_PLACES ? ", ...)" : ")", to);
}

static void print_harm(const struct damage *damage, enum harm harm, const char *title, FILE *to,
                       const char *indent) {
    char count[DISPLAY_ROOM];
    if (!damage_total(damage, harm))
        return;
    for (int kind = 0; kind < DAMAGE_KINDS; kind++) {
        if (damage_harm(kind) != harm || !damage->count[kind])
            continue;
        display_count(count, sizeof count, damage->count[kind]);
        fprintf(to, "%s%s: %s x %s", indent, title, count, damage_text(kind));
        print_places(damage, kind, to);
        fputc('\n', to);
    }
}

void report_damage(const struct trace *trace, FILE *to, const char *indent) {
    const struct damage *damage = &trace->reader.damage;
    print_harm(damage, HARM_DAMAGE, "damage", to, indent);
    if (damage->skipped_bytes)
        fprintf(to, "%sdamage: %" PRIu64 " bytes skipped in all\n", indent, damage->skipped_bytes);
    print_harm(damage, HARM_LOSS, "not shown", to, indent);
    print_harm(damage, HARM_NOTE, "note", to, indent);
}

static void harm_json(const struct damage *damage, enum harm harm, const char *key,
                      struct json *json) {
    json_array(json, key);
    for (int kind = 0; kind < DAMAGE_KINDS; kind++) {
        if (damage_harm(kind) != harm || !damage->count[kind])
            continue;
        json_object(json, NULL);
        json_text(json, "kind", damage_word(kind));
        json_text(json, "text", damage_text(kind));
        json_count(json, "count", damage->count[kind]);
        json_array(json, "at_bytes");
        for (uint64_t i = 0; damage_has_place(kind) && i < damage->count[kind] && i < DAMAGE_PLACES;
             i++)
            json_count(json, NULL, damage->place[kind][i]);
        json_end(json);
        json_end(json);
    }
    json_end(json);
}

void report_damage_json(const struct trace *trace, struct json *json) {
    const struct damage *damage = &trace->reader.damage;
    harm_json(damage, HARM_DAMAGE, "damage", json);
    json_count(json, "skipped_bytes", damage->skipped_bytes);
    harm_json(damage, HARM_LOSS, "not_shown", json);
    harm_json(damage, HARM_NOTE, "notes", json);
}

/* What the recorder's words for its losses mean. */
static const struct {
    const char *word;
    const char *meaning;
} loss_words[] = {
    {"disk", "events lost: no space, no memory, or the disk failed"},
    {"limit", "events lost: the file reached its limit"},
    {"depth", "spans lost: nested too deep"},
    {"reentry", "events lost: recorded by a signal handler in the middle of another one"},
    {"ring", "bytes of older events that the ring wrote over"},
    {"arguments", "events whose arguments were cut"},
};

static void add_meaning(struct text *text, const char *word) {
    for (size_t i = 0; i < sizeof loss_words / sizeof *loss_words; i++)
        if (!strcmp(word, loss_words[i].word)) {
            text_add(text, loss_words[i].meaning);
            return;
        }
    text_add(text, "lost: ");
    display_add(text, word, 60);
}

void report_losses(const struct trace *trace, FILE *to, const char *indent) {
    for (uint32_t i = 0; i < trace->loss_count; i++) {
        struct text meaning = {0};
        double lost = trace->losses[i].count;
        char count[DISPLAY_ROOM];
        add_meaning(&meaning, trace_text(trace, trace->losses[i].what));
        display_count(count, sizeof count, lost > 0 && lost < 1e18 ? (uint64_t)lost : 0);
        fprintf(to, "%swhile recording: %s %s\n", indent, count, text_of(&meaning));
        text_free(&meaning);
    }
}

void report_losses_json(const struct trace *trace, struct json *json) {
    json_object(json, "losses");
    for (uint32_t i = 0; i < trace->loss_count; i++)
        json_double(json, trace_text(trace, trace->losses[i].what), trace->losses[i].count);
    json_end(json);
}

void report_head(const struct trace *trace, const char *path) {
    struct text line = {0};
    display_add(&line, strcmp(path, "-") ? path : "standard input", 0);
    text_add(&line, ": ");
    report_sentence(trace, &line);
    puts(text_of(&line));
    text_free(&line);
    report_damage(trace, stdout, "  ");
    report_losses(trace, stdout, "  ");
    puts("");
}
