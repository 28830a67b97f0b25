/* The tracks of a trace: what is known of each, its events in the order of the file, and its spans. */
#ifndef MAREY_MODEL_TRACKS_H
#define MAREY_MODEL_TRACKS_H

#include "format/perfetto.h"
#include "model/map.h"

enum { TRACKS_MAX = 1 << 24 };

enum event_flag {
    EVENT_FAILED = 1, /* it says that an error ended the span */
    /* Of begins and ends that fit nothing, and so are kept until the trace is settled: */
    EVENT_DEEP = 2,      /* a begin beyond the depth limit */
    EVENT_OTHER_END = 4, /* an end by another name than any open span's */
    EVENT_STRAY = 8,     /* an end where nothing is open */
};

struct event {
    int64_t time_ns; /* as written, until the trace is settled; then in the trace's clock */
    union {
        struct {
            uint32_t name;     /* strings; 0: none */
            uint32_t category; /* strings; several are joined by commas */
        };
        double value; /* EVENT_COUNTER */
    };
    uint8_t kind;    /* enum event_type; 0: dropped */
    uint8_t clock;   /* of timebase */
    uint8_t flags;   /* enum event_flag */
    uint32_t detail; /* of the reader's arguments; 0: none, or they are not kept */
};

/* A begin or an end. */
static inline int event_is_paired(const struct event *event) {
    return event->kind == EVENT_BEGIN || event->kind == EVENT_END;
}

enum track_kind {
    TRACK_UNKNOWN, /* events without a descriptor */
    TRACK_CUSTOM,
    TRACK_PROCESS,
    TRACK_THREAD,
    TRACK_COUNTER,
};

struct track {
    uint64_t uuid;
    uint64_t parent_uuid;
    int64_t pid, tid;      /* of a process or thread track */
    uint32_t kind;         /* enum track_kind */
    uint32_t machine;      /* whose ids these are */
    uint32_t name;         /* strings; of a thread: its name, of a process: its name */
    uint32_t command_line; /* of a process: strings, arguments joined by spaces */
    uint32_t unit;         /* of a counter: strings */
    int64_t multiplier;    /* of a counter: what its values are multiplied with; 0: 1 */
    double sum;            /* of an incremental counter */
    uint64_t sum_of;       /* sequence and generation that `sum` belongs to */
    uint8_t incremental;
    uint8_t disordered; /* begins and ends go back in time in the order of the file, and are kept */
    uint8_t clock;      /* of the events so far; when one has another, it is disordered */
    struct matching *matching; /* spans, until the trace is settled; NULL: none */
    /* when the trace is settled: in order of time, and without begins and ends */
    struct event *events;
    uint32_t count, capacity;
    int64_t first_ns, last_ns; /* until the trace is settled: of the oldest event and the newest */
    int64_t paired_ns;         /* of the last begin or end */
    uint32_t total; /* events, begins and ends included; those dropped when settled not */
    uint32_t instants, values, states;
    /* Known when the trace is settled: */
    uint32_t spans, open_spans;
    uint32_t process; /* place in the trace's processes, MAP_NONE: of none */
};

/* All zero is empty. */
struct tracks {
    struct track *all;
    uint32_t count, capacity;
    struct map by_uuid;
};

/* The place of a track, new (TRACK_UNKNOWN) or known; MAP_NONE where there are too many or memory is short. */
uint32_t tracks_find(struct tracks *tracks, uint64_t uuid);
/* NULL where the uuid is not known. */
struct track *tracks_known(const struct tracks *tracks, uint64_t uuid);
/* Counts an event in. Returns 0 where it is of another clock than those before, or a begin or end that is older than one:
 * the track is disordered then. */
int track_note(struct track *track, const struct event *event);
/* Keeps an event. Returns 0, or -1 where memory is short. */
int track_add(struct track *track, const struct event *event);
/* Keeps, of a track's values, the first, the last, the least and the most alone, and of its instants and states the
 * first and the last. */
void track_thin(struct track *track);
void tracks_free(struct tracks *tracks);

#endif
