/* A recording that lost events makes every figure taken from it a lie: then the bench ends. */
#ifndef MAREY_BENCH_LOSSES_H
#define MAREY_BENCH_LOSSES_H

#include <marey.h>

#include "series.h"

/* To be called while the recording is open. */
static inline void must_have_lost_nothing(void) {
    marey_status_info info;
    if (marey_status(&info))
        fail("marey_status", "nothing is being recorded");
    const marey_losses *l = &info.losses;
    if (l->disk || l->limit || l->depth || l->reentry || l->arguments)
        fail(info.path, "events were lost");
}

#endif
