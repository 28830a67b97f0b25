/* Inside the reader: one packet, field by field. */
#ifndef MAREY_MODEL_PACKET_H
#define MAREY_MODEL_PACKET_H

#include "marey.h"
#include "model/reader.h"

/* Splits it. Returns 0, or -1 where a field is broken. */
int packet_split(struct packet *packet, struct bytes bytes, uint64_t offset);
/* Takes it in. */
void packet_read(struct reader *reader, const struct packet *packet);
/* The same of a packet that says no more than the commonest do, without the two steps. Returns 0 where it is another one,
 * and nothing has happened. */
int packet_read_short(struct reader *reader, struct bytes bytes, uint64_t offset);
/* Sets the event's time and clock, by the clock of that id. Returns -1, or what is wrong (enum damage_kind). */
int packet_time(struct reader *reader, struct sequence *sequence, uint64_t clock_id,
                uint64_t timestamp, struct event *event);

/* The messages inside; each returns 0, or -1 where a field is broken (what stood before it counts). */
int interned_read(struct reader *reader, struct sequence *sequence, const struct packet *packet);
/* An entry of it that is a text: {iid = 1, text = 2}. Returns 0, or -1 where it is broken. */
int interned_text(struct reader *reader, struct sequence *sequence, struct interned *table,
                  struct bytes bytes, uint64_t offset);
int defaults_read(struct reader *reader, struct sequence *sequence, struct bytes bytes);
int snapshot_read(struct reader *reader, struct sequence *sequence, struct bytes bytes);
int descriptor_read(struct reader *reader, const struct packet *packet);
int attributes_read(struct reader *reader, struct bytes bytes);
/* A source location: its place in the reader's sources; MAP_NONE where a field is broken. Sets *id where it has one. */
uint32_t source_read(struct reader *reader, struct bytes bytes, uint64_t *id);
/* A debug annotation; kept in the reader's arguments where that is wanted. Returns whether it says that an error ended
 * the span, or -1 where a field is broken. */
int annotation_read(struct reader *reader, const struct sequence *sequence, struct bytes bytes);
/* event: has its time and clock already. */
void event_read(struct reader *reader, struct sequence *sequence, const struct packet *packet,
                struct event *event);

/* A step of a flow, for their number. */
void flow_count(struct reader *reader, uint64_t id);
/* An event of a track, complete but for the trace's clock. */
void event_append(struct reader *reader, uint32_t track, const struct event *event);

/* The same of samples: numbers and defaults that belong to them; others are left to others. */
int sample_interned_read(struct reader *reader, struct sequence *sequence,
                         const struct field *field, uint64_t offset);
int sample_defaults_read(struct reader *reader, struct sequence *sequence,
                         const struct field *field);
void sample_defaults_clear(struct sequence *sequence);
/* A sample; event: its time and clock. */
void sample_read(struct reader *reader, struct sequence *sequence, const struct packet *packet,
                 const struct event *event);
/* The stack that an event on a thread's track stands for. callstack: or, where it is not there, its interned id. */
void sample_of_event(struct reader *reader, struct sequence *sequence, const struct track *track,
                     struct bytes callstack, uint64_t id, const struct event *event,
                     uint64_t offset);
int process_tree_read(struct reader *reader, struct bytes bytes);

/* Memory is short: reading stops. */
void reader_out_of_memory(struct reader *reader);

#endif
