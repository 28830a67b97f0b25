/* marey convert --to html: the page as one file that needs no server. The page's template has one place for data; what is
 * large is gzip'ed and written in base64.
 *
 * Names and values in a trace are hostile: in the data no '<' stands as such, so nothing ends the element that they are in. */
#include "page/html.h"

#include <stdlib.h>
#include <string.h>

#include "marey.h"
#include "model/inflate.h"
#include "output/gzip.h"
#include "page/assets.h"
#include "page/html_data.h"

enum { PLAIN_MOST = 1 << 20 }; /* data larger than that are compressed */

static const char PLACE[] = "/*MAREY-DATA*/";

/* In JSON a '<' stands in texts only. */
static void write_plain(FILE *to, const char *bytes, size_t size) {
    fputs("{\"encoding\": \"json\", \"data\": ", to);
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] == '<')
            fputs("\\u003c", to);
        else
            putc(bytes[i], to);
    }
    fputs("}", to);
}

static void write_base64(FILE *to, const uint8_t *bytes, size_t size) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < size; i += 3) {
        uint32_t three = (uint32_t)bytes[i] << 16;
        three |= i + 1 < size ? (uint32_t)bytes[i + 1] << 8 : 0;
        three |= i + 2 < size ? bytes[i + 2] : 0;
        putc(digits[three >> 18], to);
        putc(digits[three >> 12 & 63], to);
        putc(i + 1 < size ? digits[three >> 6 & 63] : '=', to);
        putc(i + 2 < size ? digits[three & 63] : '=', to);
    }
}

static int write_packed(FILE *to, const char *bytes, size_t size) {
    size_t packed_bytes;
    if (size > UINT32_MAX / 2)
        return MAREY_ELIMIT; /* more than a browser reads */
    char *packed = gzip_pack(bytes, size, GZIP_USUAL, &packed_bytes);
    if (!packed)
        return MAREY_ENOMEM;
    fputs("{\"encoding\": \"gzip\", \"data\": \"", to);
    write_base64(to, (const uint8_t *)packed, packed_bytes);
    fputs("\"}", to);
    free(packed);
    return 0;
}

static int write_page(FILE *to, const char *bytes, size_t size) {
    const struct page_asset *asset = page_asset(PAGE_SINGLE);
    uint8_t *page = NULL;
    size_t length = 0;
    int error = MAREY_ENOENT; /* built without its page */
    if (asset)
        error = inflate_bytes((struct bytes){(const uint8_t *)asset->bytes, asset->size}, &page,
                              &length);
    const char *place = error ? NULL : memmem(page, length, PLACE, strlen(PLACE));
    if (!error && !place)
        error = MAREY_ENOENT;
    if (!error) {
        size_t before = (size_t)(place - (const char *)page);
        fwrite(page, 1, before, to);
        if (size > PLAIN_MOST)
            error = write_packed(to, bytes, size);
        else
            write_plain(to, bytes, size);
        before += strlen(PLACE);
        fwrite(page + before, 1, length - before, to);
    }
    free(page);
    return error;
}

int html_write(FILE *to, struct page *page, const struct trace_filter *filter) {
    char *bytes = NULL;
    size_t size = 0;
    FILE *data = open_memstream(&bytes, &size);
    if (!data)
        return MAREY_ENOMEM;
    int error = html_write_data(data, page, filter);
    int failed = ferror(data);
    failed |= fclose(data);
    if (!error)
        error = failed ? MAREY_ENOMEM : write_page(to, bytes, size);
    free(bytes);
    return error;
}

static int write_html(FILE *to, struct trace *trace, const struct format_request *request) {
    struct page *page;
    int error = page_open_trace(&page, trace, request->title ? request->title : "trace");
    if (!error)
        error = html_write(to, page, &request->filter);
    page_close_trace(page, trace);
    return error;
}

static const char *const extensions[] = {".html", ".htm", NULL};
const struct format format_html = {.name = "html",
                                   .extensions = extensions,
                                   .summary = "the page of marey view as one file, for a browser",
                                   .keep = PAGE_KEEP,
                                   .holds = HOLDS_SPANS | HOLDS_SAMPLES | HOLDS_POINTS,
                                   .write = write_html};
