/* marey convert --to html: the page as one file. Not among formats[]: what it is made of is a page itself. */
#ifndef MAREY_PAGE_HTML_H
#define MAREY_PAGE_HTML_H

#include "output/format.h"

extern const struct format format_html;

#endif
