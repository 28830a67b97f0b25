/* Process and thread ids for formats whose readers take 32 bits, and one id for one thread: an id that is too large, taken
 * already (ids serve again, and each machine has its own) or 0 becomes another one. */
#ifndef MAREY_OUTPUT_SMALL_IDS_H
#define MAREY_OUTPUT_SMALL_IDS_H

#include "model/trace.h"

struct small_ids {
    uint32_t *processes, *threads; /* by place in the trace's */
    uint32_t *tracks;              /* of thread tracks, by place in the reader's tracks */
    uint32_t nobody;               /* a process id for what belongs to no process */
};

/* Returns 0 or MAREY_ENOMEM. small_ids_free in every case. */
int small_ids_make(struct small_ids *ids, const struct trace *trace);
void small_ids_free(struct small_ids *ids);

#endif
