/* See format.h: which formats there are. */
#include "output/format.h"

extern const struct format format_csv, format_svg;

const struct format *const formats[] = {&format_csv, &format_svg, NULL};
