/* Inside the Perfetto writer: the state of its two sequences, of events and of samples, and what each has interned.
 *
 * A text's number is its place in the trace's strings, on both; so is a frame's, a stack's and a source's in their
 * tables. A number is said when it is first used, in the packet that uses it. */
#ifndef MAREY_OUTPUT_PERFETTO_WRITER_H
#define MAREY_OUTPUT_PERFETTO_WRITER_H

#include "output/message.h"
#include "output/packets.h"
#include "output/part.h"

enum { EVENT_SEQUENCE = 1, SAMPLE_SEQUENCE = 2 };

/* What a text has been interned as: a bit each. */
enum said {
    SAID_NAME = 1,
    SAID_CATEGORY = 2,
    SAID_KEY = 4,
    SAID_VALUE = 8,
    SAID_FUNCTION = 16,
    SAID_PATH = 32,
    SAID_TASK = 64,
};

/* What a part cuts off a span, as an argument of its begin or its end (docs/FORMAT.md, Clipped spans). */
struct clipping {
    uint32_t key; /* strings; 0: nothing is cut off */
    int64_t ns;
};

struct perfetto {
    struct packet_writer packets;
    const struct part *part;
    const struct trace *trace;
    uint32_t clock; /* Perfetto's id of the trace's clock */
    /* Of the sequence that is being written: */
    uint32_t sequence, machine;
    int started;      /* something has been written on it */
    int64_t time_ns;  /* of its packet before, in the trace's clock */
    uint8_t *texts;   /* by string: enum said */
    uint8_t *sources; /* by place in the arguments' sources: said */
    uint8_t *frames, *stacks;
    struct map contexts;                    /* of samples: who, and in which task */
    uint32_t cut_before_key, cut_after_key; /* strings: of clippings */
    struct clipping clipping;               /* of the event that is being made */
    /* Scratch: the packet that is being made, and what is within it. */
    struct text packet, interned, event, entry;
    struct text levels[ARGUMENT_NESTING_MAX + 2];
    int error;
};

/* From here on packets are of that sequence and machine, and their times are counted from the trace's first event again.
 * `defaults`: the fields of TracePacketDefaults but for the clock; they are gone afterwards. */
void perfetto_start(struct perfetto *writer, uint32_t sequence, uint32_t machine,
                    struct text *defaults);
/* Writes the packet, which belongs to no sequence's state and has no time. */
void perfetto_put_alone(struct perfetto *writer);
/* Writes the packet with what was interned for it. */
void perfetto_put(struct perfetto *writer, int64_t time_ns);
/* The number of a text on the sequence, said if it has not been. field: of InternedData. */
uint32_t perfetto_text(struct perfetto *writer, uint32_t string, enum said as, unsigned field);
/* A text of the trace as a field: UTF-8, whatever it was. */
void perfetto_clean(struct text *to, unsigned field, const char *text);

/* The arguments, the source and the flows of an event, into its message; 0: it has none. And its clipping, to which an
 * earlier one is added. */
void perfetto_detail(struct perfetto *writer, struct text *event, uint32_t detail);
/* All samples that are wanted, and who was sampled. */
void perfetto_samples(struct perfetto *writer);

#endif
