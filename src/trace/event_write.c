/* An event as a packet, by its fields: the way of all that is not short (event.c, call.c). See event.h. */
#include "event.h"

#include <string.h>

#include "argument.h"
#include "fast.h"

/* The time of an event that happens now; for a begin later than all before. A thread that records seldom comes by here: its
 * clock is set anew now and then. (A busy one's is at each chunk.) */
static uint64_t time_now(struct writer *writer, const struct event *event) {
    uint64_t stamp = event->stamp ? event->stamp : clock_stamp();
    uint64_t now = clock_stamped(&writer->clock, stamp);
    if (!clock_is_fresh(&writer->clock, now)) {
        clock_correct(&writer->clock, writer->last);
        stamp = event->stamp ? event->stamp : clock_stamp();
        now = clock_stamped(&writer->clock, stamp);
    }
    uint64_t least = writer->last + (event->type == EVENT_BEGIN);
    return now > least ? now : least;
}

static void pack_time(struct pack *pack, struct writer *writer, const struct event *event) {
    if (event->time_ns == MAREY_NOW) {
        writer_packet_time(writer, pack, time_now(writer, event));
    } else { /* an absolute time does not move the sequence's clock */
        pack_varint(pack, PACKET__timestamp, event->time_ns);
        pack_varint(pack, PACKET__timestamp_clock_id, CLOCK_ID_MONOTONIC);
    }
}

static void pack_fields(struct pack *pack, struct writer *writer, const struct event *event) {
    pack_varint(pack, EVENT__type, event->type);
    if (event->has_name)
        pack_varint(pack, EVENT__name_iid, writer_iid(writer, INTERNED_NAME, event->name));
    if (event->text)
        pack_text(pack, EVENT__name, event->text, strlen(event->text), MAREY_NAME_MAX);
    if (event->category)
        pack_varint(pack, EVENT__category_iids,
                    writer_iid(writer, INTERNED_CATEGORY, event->category));
    if (event->is_call) {
        uint32_t iid = writer_function_iid(writer, event->function);
        pack_varint(pack, EVENT__name_iid, iid);
        pack_varint(pack, EVENT__source_location_iid, iid);
    }
    if (event->track)
        pack_varint(pack, EVENT__track_uuid, event->track->uuid);
    if (event->type == EVENT_COUNTER && event->is_double)
        pack_fixed64(pack, EVENT__double_counter_value, event->value);
    else if (event->type == EVENT_COUNTER)
        pack_varint(pack, EVENT__counter_value, event->value);
}

/* Sees to it that the chunk knows what the event refers to. 0 where it has not room for that. */
static int prepare(struct writer *writer, const struct event *event) {
    if (event->has_name && !writer_intern(writer, INTERNED_NAME, event->name))
        return 0;
    if (event->category && !writer_intern(writer, INTERNED_CATEGORY, event->category))
        return 0;
    if (event->is_call && !writer_intern_function(writer, event->function))
        return 0;
    if (event->track && !track_is_ready(event->track, writer)) {
        if (!writer_has_room(writer, track_room(event->track)))
            return 0;
        track_enter(event->track, writer);
        track_describe(event->track, writer);
    }
    return arguments_intern(writer, event->args, event->count);
}

int event_write_into_chunk(struct writer *writer, const struct event *event, size_t *kept) {
    if (!prepare(writer, event))
        return 0;
    uint64_t last = writer->last;
    size_t most = store_packet_max(writer->store) - EVENT_ROOM;
    struct pack pack = pack_into(writer->scratch, most);
    uint8_t *packet = writer_packet_open(writer, &pack);
    pack_time(&pack, writer, event);
    uint8_t *body = pack_open(&pack, PACKET__track_event);
    pack_fields(&pack, writer, event);
    *kept = arguments_pack(&pack, writer, event->args, event->count);
    pack.end += EVENT_ROOM; /* so that closing has room in any case */
    pack_close(&pack, body);
    pack_close(&pack, packet);
    size_t bytes = (size_t)(pack.at - writer->scratch);
    if (!writer_has_room(writer, bytes)) {
        writer->last = last;
        return 0;
    }
    writer_commit(writer, writer->scratch, bytes);
    return 1;
}

/* Ends that were lost while there was no room; without them those after would end the wrong spans. */
static void pay_owed_ends(struct writer *writer, struct marey_track *track) {
    struct nesting *nesting = event_nesting(writer, track);
    struct event end = {.type = EVENT_END, .track = track};
    size_t kept;
    while (UNLIKELY(nesting->owed) && event_write_into_chunk(writer, &end, &kept))
        nesting->owed--;
}

/* What the event refers to may not fit into what is left of the chunk, and its arguments into no chunk at all. */
enum try { THIS_CHUNK, SMALL_CHUNK, LARGE_CHUNK, WITHOUT_ARGUMENTS, TRIES };

static struct writer *writer_for(enum try number) {
    struct writer *writer = number == THIS_CHUNK ? session_writer(EVENT_ROOM) : session_attach();
    if (!writer || number == THIS_CHUNK)
        return writer;
    if (!store_is_ring(writer->store))
        return session_fresh_writer(number == LARGE_CHUNK ? store_event_room(writer->store)
                                                          : CHUNK_MIN);
    return number == LARGE_CHUNK ? writer : session_fresh_writer(store_event_room(writer->store));
}

int event_write(const struct event *event) {
    struct event trial = *event;
    size_t kept = 0;
    for (enum try number = THIS_CHUNK; number < TRIES; number++) {
        struct writer *writer = writer_for(number);
        if (!writer)
            return 0;
        if (event->session && event->session != session_number(writer))
            return 1;
        pay_owed_ends(writer, event->track);
        if (number == WITHOUT_ARGUMENTS)
            trial.count = 0;
        if (event_write_into_chunk(writer, &trial, &kept)) {
            if (kept < event->count)
                session_lost(LOSS_ARGUMENTS, 1);
            return 1;
        }
    }
    session_lost_for_room(1);
    return 0;
}
