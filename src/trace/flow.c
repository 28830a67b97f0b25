/* Flows: steps of one thing, each on the thread that takes it. See marey.h. */
#include <unistd.h>

#include "clock.h"
#include "marey.h"

uint64_t marey_flow_new(void) {
    static uint64_t last;
    uint64_t process = (uint64_t)(uint32_t)getpid() << 32 ^ clock_monotonic_ns() << 44;
    return process ^ __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED);
}

static void flow_instant(const char *text, uint64_t flow, enum marey_kind kind) {
    if (!marey_recording())
        return;
    marey_arg arg = {.kind = (uint16_t)kind, .u64 = flow};
    marey__instant(NULL, NULL, marey_name_id(text), &arg, 1);
}

void marey_flow_out(uint64_t flow) {
    flow_instant("flow out", flow, MAREY_KIND_FLOW);
}

void marey_flow_in(uint64_t flow) {
    flow_instant("flow in", flow, MAREY_KIND_FLOW);
}

void marey_flow_end(uint64_t flow) {
    flow_instant("flow end", flow, MAREY_KIND_FLOW_END);
}
