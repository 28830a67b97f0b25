/* Any bytes are a trace file: reading them ends, in bounds, and what is shown of them is harmless. */
#include "trace_checks.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    check_trace(data, size);
    return 0;
}
