/* The tables of samples, as text and as JSON. */
#ifndef MAREY_OUTPUT_HOT_TABLE_H
#define MAREY_OUTPUT_HOT_TABLE_H

#include "model/hot.h"
#include "model/own.h"
#include "model/sample_profile.h"
#include "model/sampling.h"
#include "output/json.h"
#include "output/table.h"

/* "12,345 samples at 998/s of 1,000, 3 torn (0.02%), 0 missed": `count` of them are looked at. */
void sampling_sentence(struct text *to, const struct sampling *sampling, uint64_t count);
/* The time in which a thread was neither on a CPU nor waiting for the GIL. */
uint64_t sample_idle_ns(const struct sample_times *times);
/* "on CPU 71.2%, waiting for the GIL 12.0%, otherwise off CPU 16.8%; holding the GIL 65.0%" */
void sample_states(struct text *to, const struct sample_times *times);

/* The first `rows` rows (0: all), and how many more there are. The user's own code is marked. */
void hot_table_print(const struct hot *hot, const struct profile *profile,
                     enum sample_grouping grouping, const struct own_rules *own, FILE *to,
                     uint32_t rows, const struct table_style *style);
void hot_table_json(const struct hot *hot, const struct profile *profile,
                    enum sample_grouping grouping, const struct own_rules *own, struct json *json,
                    const char *key, uint32_t rows);
/* The name of a row's function, line, file or module. */
void hot_table_add_name(struct text *to, const struct profile_function *function,
                        enum sample_grouping grouping);

void sample_times_json(struct json *json, const char *key, const struct sample_times *times);

#endif
