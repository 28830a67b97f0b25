/* Any trace can be written in every format: that ends, in bounds, and texts of the trace have no control character left where
 * a format is text. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "marey.h"
#include "output/format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition, const char *what) {
    if (!condition) {
        fprintf(stderr, "%s\n", what);
        abort();
    }
}

static void check_text(const char *text, size_t size) {
    for (size_t i = 0; i < size; i++)
        require((unsigned char)text[i] >= 0x20 || strchr("\n\t\r", text[i]),
                "a control character is written");
}

static void convert(struct trace *trace, const struct format *format,
                    const struct format_request *request) {
    char *written = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&written, &size);
    require(to != NULL, "memory is short");
    int error = format->write(to, trace, request);
    require(error == 0 || error == MAREY_ENOMEM, "a trace cannot be written");
    fclose(to);
    if (!format->binary)
        check_text(written, size);
    free(written);
}

/* Which format and what of it, its size says: so a trace that was found by one is tried by all, as it grows. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    size_t count = 0, choice = size;
    struct trace trace;
    while (formats[count])
        count++;
    const struct format *format = formats[choice % count];
    choice /= count;
    struct format_request request = {.of = choice % 3, .lines = choice / 3 % 2};
    request.weight = choice / 6 % SAMPLE_WEIGHTS;
    if (trace_read_memory(&trace, data, size, format->keep) == 0)
        convert(&trace, format, &request);
    trace_free(&trace);
    return 0;
}
