/* Inside the JSON reader: an event becomes events of tracks. */
#ifndef MAREY_MODEL_JSON_EVENT_H
#define MAREY_MODEL_JSON_EVENT_H

#include "model/json_scan.h"
#include "model/packet.h"

/* A span that stood in one event, begin and duration together ("X"). */
struct complete {
    int64_t begin_ns, duration_ns;
    uint32_t name, category, detail;
    uint32_t order; /* in the file */
};

/* Those of a track, until all are known. */
struct complete_list {
    struct complete *all;
    uint32_t count, capacity;
};

struct json_reader {
    struct reader *reader;
    struct json_room room;
    struct map tracks;              /* what a track is for, mixed into one number, to its place */
    struct map named_ids;           /* ids in words to numbers */
    struct map flow_ids;            /* what a flow is called to its id */
    struct complete_list *complete; /* by track */
    uint32_t complete_count, complete_capacity;
    int64_t pid, tid; /* of the last thread, */
    uint32_t thread;  /* whose track it is; MAP_NONE: none yet */
    uint64_t offset;  /* of the event, for damage */
};

/* What an event says. */
struct json_said {
    struct bytes name, category, phase, scope, bind;
    struct json_value time, duration, pid, tid, id, local_id, arguments, flow;
    uint8_t has_time, has_duration, has_pid, has_tid, has_id, has_local_id, has_arguments, has_flow;
    uint8_t flow_in, flow_out;
};

/* The track that an event is on, new or known; MAP_NONE where there are too many or memory is short. */
uint32_t json_process_track(struct json_reader *self, const struct json_said *said);
/* An event that names no thread is its process's main one's. */
uint32_t json_thread_track(struct json_reader *self, const struct json_said *said);
/* Spans of one id, one category are in one row, whichever thread they come from. name: of a new one. */
uint32_t json_async_track(struct json_reader *self, const struct json_said *said, uint32_t name);
uint32_t json_instant_track(struct json_reader *self, const struct json_said *said);
uint32_t json_counter_track(struct json_reader *self, uint32_t process, uint32_t name);

/* Takes an event: what stands between its braces. Returns 0, or -1 where that is no members: then nothing has happened. */
int json_event_read(struct json_reader *self, struct bytes event);

/* The arguments, where they are wanted. Returns whether they say that the span failed. */
int json_arguments_read(struct json_reader *self, const struct json_value *arguments);
/* The number of a text, 0 for "". */
uint32_t json_string(struct json_reader *self, struct bytes text);

/* Keeps a span of a track. */
void json_complete_add(struct json_reader *self, uint32_t track, const struct complete *complete);
/* When all are known: they become events, in order, those that only overlap on further tracks. */
void json_complete_settle(struct json_reader *self);

#endif
