/* See format.h: which formats there are, in the order of the help. */
#include "output/format.h"

extern const struct format format_chrome, format_speedscope, format_firefox, format_pprof,
    format_callgrind, format_folded, format_svg, format_csv;

const struct format *const formats[] = {
    &format_perfetto,  &format_chrome, &format_speedscope, &format_firefox, &format_pprof,
    &format_callgrind, &format_folded, &format_svg,        &format_csv,     NULL};
