/* Inside the page that is one file: its data, which are answers to the questions that it would ask, each under its question,
 * and the longest spans, from which it answers the others itself (web/src/embedded). */
#ifndef MAREY_PAGE_HTML_DATA_H
#define MAREY_PAGE_HTML_DATA_H

#include "page/parts.h"

/* Writes them as JSON, of what the filter wants. Returns 0 or an enum marey_error. */
int html_write_data(FILE *to, struct page *page, const struct trace_filter *filter);

#endif
