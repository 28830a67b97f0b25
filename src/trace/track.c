/* See track.h. */
#include "track.h"

#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "session.h"

static void init_parent(struct marey_track *track, struct marey_track *parent) {
    if (parent == MAREY_OF_PROCESS) {
        track->parent = PARENT_PROCESS;
    } else if (parent == MAREY_OF_NOBODY) {
        track->parent = PARENT_NOBODY;
    } else if (parent == MAREY_OF_THREAD) {
        track->parent = PARENT_THREAD;
        track->parent_tid = (int32_t)syscall(SYS_gettid);
    } else if (parent->level + 1 < TRACK_DEPTH_MAX) {
        track->parent = PARENT_TRACK;
        track->above = parent;
        track->level = parent->level + 1;
        __atomic_fetch_add(&parent->references, 1, __ATOMIC_RELAXED);
    }
}

static void init(struct marey_track *track, const char *name, struct marey_track *parent) {
    track->references = 1;
    track->name = marey_name_id(name);
    track->nesting.cap = MAREY_DEPTH_MAX;
    init_parent(track, parent);
}

static void drop(struct marey_track *track) {
    while (track && __atomic_sub_fetch(&track->references, 1, __ATOMIC_ACQ_REL) == 0) {
        struct marey_track *above = track->above;
        free(track);
        track = above;
    }
}

marey_track *marey_track_open(const char *name, marey_track *parent) {
    struct marey_track *track = calloc(1, sizeof *track);
    if (track)
        init(track, name, parent);
    return track;
}

void marey_track_close(marey_track *track) {
    drop(track);
}

marey_counter *marey_counter_open(const char *name, const char *unit, marey_track *parent) {
    struct marey_counter *counter = calloc(1, sizeof *counter);
    if (counter) {
        init(&counter->track, name, parent);
        counter->track.is_counter = 1;
        counter->track.unit = unit && *unit ? marey_name_id(unit) : 0;
    }
    return counter;
}

void marey_counter_close(marey_counter *counter) {
    if (counter)
        drop(&counter->track);
}

/* ------------------------------------------------------------- descriptors */

/* Several threads may come here with the same track. */
static void give_uuid(struct marey_track *track, const struct writer *writer) {
    uint32_t number = session_number(writer);
    uint64_t parent = 0;
    if (track->parent == PARENT_PROCESS)
        parent = writer->process->uuid;
    else if (track->parent == PARENT_THREAD)
        parent = session_thread_uuid(writer, track->parent_tid);
    session_lock();
    if (track->session != number) {
        track->nesting = (struct nesting){0, MAREY_DEPTH_MAX, 0};
        track->uuid = store_new_uuid(writer->store);
        track->parent_uuid = parent;
        __atomic_store_n(&track->session, number, __ATOMIC_RELEASE);
    }
    session_unlock();
}

static void describe(struct marey_track *track, struct writer *writer) {
    uint8_t buffer[2 * MAREY_NAME_MAX + 128];
    const struct name *name = names_get(track->name), *unit = names_get(track->unit);
    uint64_t parent = track->above ? track->above->uuid : track->parent_uuid;
    struct pack pack = pack_into(buffer, sizeof buffer);
    uint8_t *packet = writer_packet_open(writer, &pack);
    uint8_t *descriptor = pack_open(&pack, PACKET__track_descriptor);
    pack_varint(&pack, TRACK_DESCRIPTOR__uuid, track->uuid);
    pack_bytes(&pack, TRACK_DESCRIPTOR__name, name->text, name->bytes);
    if (parent)
        pack_varint(&pack, TRACK_DESCRIPTOR__parent_uuid, parent);
    if (track->is_counter) {
        uint8_t *counter = pack_open(&pack, TRACK_DESCRIPTOR__counter);
        if (track->unit)
            pack_bytes(&pack, COUNTER__unit_name, unit->text, unit->bytes);
        pack_close(&pack, counter);
    } else {
        pack_varint(&pack, TRACK_DESCRIPTOR__sibling_merge_behavior, SIBLING_MERGE_NONE);
    }
    pack_close(&pack, descriptor);
    pack_close(&pack, packet);
    writer_commit(writer, buffer, (size_t)(pack.at - buffer));
}

int track_is_ready(const struct marey_track *track, const struct writer *writer) {
    if (__atomic_load_n(&track->session, __ATOMIC_ACQUIRE) != session_number(writer))
        return 0;
    return writer->tracks_seen[track->uuid % TRACKS_SEEN] ==
           (track->uuid << 16 | writer->generation >> 16);
}

/* From the top: who is above has its uuid before it is named as a parent. */
static unsigned line_of(struct marey_track *track, struct marey_track **line) {
    unsigned n = 0;
    for (struct marey_track *at = track; at; at = at->above)
        line[n++] = at;
    return n;
}

void track_enter(struct marey_track *track, const struct writer *writer) {
    struct marey_track *line[TRACK_DEPTH_MAX];
    uint32_t number = session_number(writer);
    for (unsigned n = line_of(track, line); n--;)
        if (__atomic_load_n(&line[n]->session, __ATOMIC_ACQUIRE) != number)
            give_uuid(line[n], writer);
}

void track_describe(struct marey_track *track, struct writer *writer) {
    struct marey_track *line[TRACK_DEPTH_MAX];
    for (unsigned n = line_of(track, line); n--;)
        if (writer_track_is_new(writer, line[n]->uuid))
            describe(line[n], writer);
}
