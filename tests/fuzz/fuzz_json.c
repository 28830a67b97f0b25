/* Any bytes behind the beginning of a list of events, or of an object, are a trace as JSON. The first byte says which. */
#include <string.h>

#include "trace_checks.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const heads[] = {"", "[{\"ph\":\"X\",", "{\"traceEvents\":[{"};
    const char *head = size ? heads[data[0] % 3] : "";
    size_t head_size = strlen(head);
    uint8_t *bytes = malloc(head_size + size + 1);
    if (!bytes)
        return 0;
    memcpy(bytes, head, head_size);
    if (size)
        memcpy(bytes + head_size, data + 1, size - 1);
    check_trace(bytes, head_size + (size ? size - 1 : 0));
    free(bytes);
    return 0;
}
