/* What of a profile is recent: the same tree, weighed by what was added in the last minute or the last hour.
 *
 * Time is cut into steps of five seconds, and of each is kept what was added to which node. Twelve steps and the one that
 * goes on are the last minute, so that is 60 to 65 seconds. Steps become minutes, of which sixty are kept likewise: the
 * last hour is 60 to 61 minutes. Nobody need do anything as time passes.
 *
 * Memory is bounded by a number of entries (40 bytes: a node in a step or minute); past it the oldest are forgotten, and
 * the windows reach less far back. As profiles, used by one thread at a time. */
#ifndef MAREY_MODEL_RECENT_H
#define MAREY_MODEL_RECENT_H

#include "model/profile.h"

enum recent_window { RECENT_MINUTE, RECENT_HOUR };

struct recent;

/* NULL: no memory. */
struct recent *recent_open(uint32_t entries_limit);
void recent_close(struct recent *recent);
/* Forgets all, as profile_clear does; in every case together with that, for the numbers of nodes begin anew. */
void recent_clear(struct recent *recent);

/* A sample went to that node of the profile, now or a little while ago. Never fails: what there is no memory for is missing. */
void recent_add(struct recent *recent, uint32_t node, const struct sample *sample);

/* What the window holds at that time (of the samples' clock), as a profile of its own: profile_close. NULL: no memory. */
struct profile *recent_profile(struct recent *recent, enum recent_window window,
                               const struct profile *of, uint64_t now_ns);

#endif
