/* See difference_table.h: comma-separated values. */
#include <inttypes.h>

#include "output/csv_text.h"
#include "output/difference_rows.h"

static const char heading[] =
    "table,certainty,chance,name,category,file,line,before_samples,after_samples,before_self_share,"
    "after_self_share,before_total_share,after_total_share,before_count,after_count,before_total_"
    "ns,after_total_ns,before_mean_ns,after_mean_ns,before_p50_ns,after_p50_ns,before_p99_ns,"
    "after_p99_ns,before_max_ns,after_max_ns" CSV_END;

static void put_head(FILE *to, const char *table, const char *certainty, double chance,
                     const char *name, const char *category, const char *file) {
    fprintf(to, "%s,%s,%.3g,", table, certainty, chance);
    csv_put_text(to, name);
    fputc(',', to);
    csv_put_text(to, category);
    fputc(',', to);
    csv_put_text(to, file);
    fputc(',', to);
}

static void put_share(FILE *to, const struct difference *difference,
                      const struct changed_share *row) {
    put_head(to, "samples", certainty_word(row->certainty), row->chance,
             difference_text(difference, row->name), "", difference_text(difference, row->file));
    if (row->line)
        fprintf(to, "%" PRId32, row->line);
    fprintf(to, ",%" PRIu64 ",%" PRIu64, row->side[BEFORE].samples, row->side[AFTER].samples);
    fprintf(to, ",%.6f,%.6f", difference_self(difference, row, BEFORE),
            difference_self(difference, row, AFTER));
    fprintf(to, ",%.6f,%.6f,,,,,,,,,,,," CSV_END, difference_total(difference, row, BEFORE),
            difference_total(difference, row, AFTER));
}

static void put_pair(FILE *to, int64_t before, int64_t after) {
    fprintf(to, ",%" PRId64 ",%" PRId64, before, after);
}

static void put_span(FILE *to, const struct difference *difference,
                     const struct changed_span *row) {
    const struct changed_times *before = &row->side[BEFORE], *after = &row->side[AFTER];
    put_head(to, row->is_call ? "calls" : "spans", span_certainty(row), row->chance,
             difference_text(difference, row->name), difference_text(difference, row->category),
             "");
    fputs(",,,,,,", to);
    put_pair(to, (int64_t)before->count, (int64_t)after->count);
    put_pair(to, before->total_ns, after->total_ns);
    put_pair(to, before->mean_ns, after->mean_ns);
    put_pair(to, before->p50_ns, after->p50_ns);
    put_pair(to, before->p99_ns, after->p99_ns);
    put_pair(to, before->max_ns, after->max_ns);
    fputs(CSV_END, to);
}

void difference_csv(const struct difference *difference, FILE *to,
                    const struct difference_style *style) {
    uint32_t shares = 0, spans[2] = {0, 0};
    fputs(heading, to);
    for (uint32_t i = 0; i < difference->share_count; i++)
        if (share_is_shown(&difference->shares[i], style) &&
            (!style->rows || shares++ < style->rows))
            put_share(to, difference, &difference->shares[i]);
    for (uint32_t i = 0; i < difference->span_count; i++)
        if (span_is_shown(&difference->spans[i], style) &&
            (!style->rows || spans[difference->spans[i].is_call]++ < style->rows))
            put_span(to, difference, &difference->spans[i]);
}
