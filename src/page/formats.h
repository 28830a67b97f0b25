/* What a trace can be converted to: the formats of output/, and behind them the page as one file. */
#ifndef MAREY_PAGE_FORMATS_H
#define MAREY_PAGE_FORMATS_H

#include <stddef.h>

#include "output/format.h"

/* NULL behind the last. */
const struct format *page_format(size_t place);
/* NULL where none has that name. */
const struct format *page_format_named(const char *name);

#endif
