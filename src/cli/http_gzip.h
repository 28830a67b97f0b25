/* Bytes packed for the way to a browser. */
#ifndef MAREY_CLI_HTTP_GZIP_H
#define MAREY_CLI_HTTP_GZIP_H

#include <stddef.h>

/* Packs them into new memory. NULL where that makes nothing smaller, or memory is short. */
char *http_gzip(const char *bytes, size_t size, size_t *packed);
/* The same way back; NULL where memory is short. For bytes of ours. */
char *http_gunzip(const char *bytes, size_t size, size_t *unpacked);

#endif
