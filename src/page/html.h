/* marey convert --to html: the page as one file. Not among formats[]: what it is made of is a page itself. */
#ifndef MAREY_PAGE_HTML_H
#define MAREY_PAGE_HTML_H

#include "output/format.h"

extern const struct format format_html;

struct page;
/* The same of a page that is open; nobody else need stop asking it. Returns as format_html.write does. */
int html_write(FILE *to, struct page *page, const struct trace_filter *filter);

#endif
