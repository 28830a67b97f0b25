/* Typed arguments as Perfetto's debug annotations. */
#ifndef MAREY_TRACE_ARGUMENT_H
#define MAREY_TRACE_ARGUMENT_H

#include "writer.h"

/* Gives the names of all arguments a number in this chunk. 0 where the chunk has not room for them all. */
int arguments_intern(struct writer *writer, const marey_arg *args, size_t count);

/* Packs them into a TrackEvent, flows and source locations too. Returns how many went in whole; the rest had no room. */
size_t arguments_pack(struct pack *pack, struct writer *writer, const marey_arg *args,
                      size_t count);

#endif
