/* Text from anywhere, made fit for a trace: valid UTF-8, without NUL (a reader stops at it), of bounded length. */
#ifndef MAREY_TRACE_TEXT_H
#define MAREY_TRACE_TEXT_H

#include <stddef.h>

/* Writes the text made fit into out, at most `room` (>= 3) bytes, and returns how many. A byte that is not UTF-8 becomes
 * U+FFFD, NUL becomes U+2400; what is too long is cut between characters and ends in "...". */
size_t text_fit(char *out, size_t room, const char *text, size_t bytes);

#endif
