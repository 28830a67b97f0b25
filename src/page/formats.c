/* See formats.h. */
#include "page/formats.h"

#include <string.h>

#include "page/html.h"

const struct format *page_format(size_t place) {
    size_t count = 0;
    while (formats[count])
        count++;
    return place < count ? formats[place] : place == count ? &format_html : NULL;
}

const struct format *page_format_named(const char *name) {
    const struct format *format = NULL;
    for (size_t i = 0; (format = page_format(i)); i++)
        if (!strcmp(format->name, name))
            break;
    return format;
}
