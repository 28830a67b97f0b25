/* See assets.h. */
#include "page/assets.h"

#include <string.h>

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
