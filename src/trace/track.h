/* Tracks of one's own, and counters, which are tracks with numbers.
 *
 * A track is given its uuid anew in each session, at its first event there, and is described in each chunk that has an
 * event of it. */
#ifndef MAREY_TRACE_TRACK_H
#define MAREY_TRACE_TRACK_H

#include "writer.h"

enum parent { PARENT_PROCESS, PARENT_THREAD, PARENT_NOBODY, PARENT_TRACK };
enum { TRACK_DEPTH_MAX = 16 }; /* tracks below tracks; deeper ones hang on the process */

struct marey_track {
    uint32_t references;
    uint32_t name;
    enum parent parent;
    int32_t parent_tid;        /* PARENT_THREAD */
    struct marey_track *above; /* PARENT_TRACK, held */
    uint32_t level;            /* how many are above */
    int is_counter;
    uint32_t unit; /* a name, 0: none */
    struct nesting nesting;
    uint32_t session; /* that the next two are of */
    uint64_t uuid;
    uint64_t parent_uuid;
};

struct marey_counter {
    struct marey_track track;
    int is_double;
    union {
        int64_t i64;
        uint64_t bits; /* of a double */
    } value;
};

/* Room that describing a track and all above it takes at most. */
static inline size_t track_room(const struct marey_track *track) {
    return (track->level + 1) * (size_t)(2 * MAREY_NAME_MAX + 128);
}

/* Takes the track into the writer's session: a uuid, no open spans. */
void track_enter(struct marey_track *track, const struct writer *writer);
/* Sees to it that this chunk describes the track, which has entered. There is room: track_room. */
void track_describe(struct marey_track *track, struct writer *writer);
/* 1 where it has entered and been described. */
int track_is_ready(const struct marey_track *track, const struct writer *writer);

#endif
