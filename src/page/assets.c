/* See assets.h. */
#include "page/assets.h"

#include <string.h>

#define POLICY(style, img, font, connect)                                                          \
    "default-src 'none'; script-src 'self'; style-src 'self'" style "; img-src 'self' data:" img   \
    "; font-src 'self'" font "; connect-src 'self'" connect                                        \
    "; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const char page_policy[] = POLICY("", "", "", "");
/* Speedscope writes its styles as it goes, and hands itself files. */
static const char speedscope_policy[] = POLICY(" 'unsafe-inline'", " blob:", " data:", " blob:");

const char *page_asset_policy(const char *path) {
    return !strncmp(path, "speedscope/", strlen("speedscope/")) ? speedscope_policy : page_policy;
}

const struct page_asset *page_asset(const char *path) {
    size_t low = 0, high = page_asset_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(page_assets[middle].path, path);
        if (!order)
            return &page_assets[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}
