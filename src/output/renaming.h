/* A packet of one trace made one of another, in which several are: ids get numbers of their own, times are those of the
 * common clock, machines are told apart. What a packet says beside that stays as it is.
 *
 *   sequences, tracks     numbered anew; events of no track at all get one of their file's own
 *   flows                 kept apart, unless they are meant to join
 *   times                 of clocks of the whole trace: of BOOTTIME of the common trace; differences stay differences
 *   clock snapshots       those of sequences: {BOOTTIME, the sequence's clocks}; the others are left out
 *   trace uuid, service   left out: they speak of one file, or ask readers for what no longer holds
 */
#ifndef MAREY_OUTPUT_RENAMING_H
#define MAREY_OUTPUT_RENAMING_H

#include "model/packet.h"
#include "output/message.h"

/* What one file's ids become. */
struct renaming {
    struct timebase *timebase; /* settled: the file's, all of it read before */
    int64_t add_ns;            /* to the file's trace clock for the common one */
    struct map sequences;      /* (machine, id) to id */
    struct map machines;       /* to machine */
    struct map tracks;         /* (machine, uuid) to uuid */
    uint32_t *last_track;      /* shared by all files: the uuid given last */
    uint64_t flow_key;         /* 0: flows stay as they are */
    const char *label;         /* in front of names of processes; NULL: none */
    const char *attribute_label;
    uint64_t lost; /* packets whose time cannot be told */
};

enum { RENAMED_TRACKS_MAX = 1 << 28 };

/* A key of `sequences` and `tracks`. */
uint64_t renaming_key(uint32_t machine, uint64_t id);
/* Builds the packet that the reader took last, in `out`. Returns 1; 0 where nothing of it is left; -1 where memory is
 * short or there are too many tracks. */
int renaming_packet(struct renaming *renaming, const struct reader *reader,
                    const struct packet *packet, struct text *out);
void renaming_free(struct renaming *renaming);

#endif
