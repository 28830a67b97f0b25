/* Traces as JSON: the Trace Event Format of Chrome, as VizTracer, keke and many others write it.
 * Source: "Trace Event Format" (Google, 2016), and what trace_processor v58 makes of it.
 *
 * A file is a list of events, which may be cut off anywhere, or an object with such a list as "traceEvents". It is told
 * by its first bytes, not by its name. What an event means is in docs/reading.md. */
#ifndef MAREY_MODEL_JSON_H
#define MAREY_MODEL_JSON_H

#include "model/reader.h"

enum { JSON_EVENT_BYTES_MAX = 16 << 20 };

/* Whether what the source holds looks like JSON, and not like packets. */
int json_is_next(struct source *source);
/* Reads all of it. Returns 0 or an enum marey_error, as reader_read. */
int json_read(struct reader *reader, struct source *source);

#endif
