/* The files of the page itself, which are built from web/ and lie in the program, gzip'ed. */
#ifndef MAREY_PAGE_ASSETS_H
#define MAREY_PAGE_ASSETS_H

#include <stddef.h>

struct page_asset {
    const char *path; /* "index.html", "assets/index-….js", "speedscope/index.html" */
    const char *content_type;
    const char *etag;  /* with its quotes */
    const char *bytes; /* gzip'ed */
    size_t size;
};

/* Sorted by path. cmake/Web.cmake has them made. */
extern const struct page_asset page_assets[];
extern const size_t page_asset_count;

/* The template of the page as one file: it is made into something, not served. */
#define PAGE_SINGLE "single.html"

/* What the page may do, and a page of that path (Content-Security-Policy): nothing comes from elsewhere, and nothing goes
 * there. */
extern const char page_policy[];
const char *page_asset_policy(const char *path);

/* NULL where there is none of that path. */
const struct page_asset *page_asset(const char *path);

#endif
