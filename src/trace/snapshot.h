/* A copy of what is recorded so far, for those who go on to read it. */
#ifndef MAREY_TRACE_SNAPSHOT_H
#define MAREY_TRACE_SNAPSHOT_H

#include "marey.h"

/* As marey_snapshot, into an open file that is empty. */
MAREY_API int marey__snapshot_into(int fd);

#endif
