/* Decompression by zlib, of zlib's and gzip's containers, with a limit. */
#ifndef MAREY_MODEL_INFLATE_H
#define MAREY_MODEL_INFLATE_H

#include <stddef.h>
#include <stdint.h>

#include "format/wire.h"

/* Bytes that one compressed_packets field may become; writers keep it below 512 KiB. */
enum { INFLATED_MAX = 256 << 20 };

/* Decompresses all of it into new memory (*out, to be freed by free). Returns 0, MAREY_EIO where the data is damaged,
 * MAREY_ELIMIT, MAREY_ENOMEM. On error *out is NULL. */
int inflate_bytes(struct bytes packed, uint8_t **out, size_t *size);

struct inflater;

/* A stream of gzip members read from a descriptor, which stays the caller's. NULL where memory is short.
 * head: bytes of the stream that were read already. */
struct inflater *inflater_new(int fd, struct bytes head);
void inflater_free(struct inflater *inflater);
/* Returns how many bytes were put into out, 0 at the end, MAREY_EINVAL where the data is damaged or cut off, or another
 * enum marey_error where reading failed. */
long inflater_read(struct inflater *inflater, uint8_t *out, size_t room);

#endif
