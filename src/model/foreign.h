/* What a file is that is no trace, by its first bytes: for the message that says so. */
#ifndef MAREY_MODEL_FOREIGN_H
#define MAREY_MODEL_FOREIGN_H

#include "format/wire.h"

enum { FOREIGN_HEAD_BYTES = 512 }; /* as many are looked at */

/* "a PNG image", "text", ...; "data of another kind" where that is not known. */
const char *foreign_kind(struct bytes head);

#endif
