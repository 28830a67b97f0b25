/* A copy of what was recorded in some time, for those who go on to read it. */
#ifndef MAREY_TRACE_SNAPSHOT_H
#define MAREY_TRACE_SNAPSHOT_H

#include "marey.h"

/* As marey_snapshot, into an open file that is empty, without the chunks that have nothing between two times of marey_now_ns.
 * is_whole: nothing that a thread did in that time was written over by the ring. */
MAREY_API int marey__snapshot_into(int fd, uint64_t from_ns, uint64_t to_ns, int *is_whole);

#endif
