/* See stack_sample.h. */
#include "output/stack_sample.h"

#include "output/message.h"

static void put_descriptor(struct text *to, unsigned field, const char *name, unsigned unit) {
    struct text descriptor = {0};
    message_string(&descriptor, WEIGHT__name, name);
    message_number(&descriptor, WEIGHT__unit, unit);
    message_within(to, field, &descriptor);
    text_free(&descriptor);
}

void stack_sample_defaults(struct text *to) {
    message_string(to, SAMPLE_DEFAULTS__source, "marey");
    put_descriptor(to, SAMPLE_DEFAULTS__primary_descriptor, "wall", WEIGHT_IN_NS);
    put_descriptor(to, SAMPLE_DEFAULTS__follower_descriptors, "cpu", WEIGHT_IN_NS);
    put_descriptor(to, SAMPLE_DEFAULTS__follower_descriptors, "gil", WEIGHT_IN_NS);
    put_descriptor(to, SAMPLE_DEFAULTS__follower_descriptors, "samples", WEIGHT_IN_COUNT);
    put_descriptor(to, SAMPLE_DEFAULTS__follower_descriptors, "gil wait", WEIGHT_IN_NS);
}

void stack_sample_weights(struct text *to, const uint64_t weights_ns[SAMPLE_WEIGHTS],
                          uint64_t count) {
    uint8_t followers[4 * VARINT_MAX], *end = followers;
    message_number(to, STACK_SAMPLE__primary_weight, weights_ns[SAMPLE_WALL]);
    end = varint_put(end, weights_ns[SAMPLE_CPU]);
    end = varint_put(end, weights_ns[SAMPLE_GIL]);
    end = varint_put(end, count);
    end = varint_put(end, weights_ns[SAMPLE_GIL_WAIT]);
    message_bytes(to, STACK_SAMPLE__follower_weights, (char *)followers, (size_t)(end - followers));
}

unsigned stack_sample_frame_kind(unsigned kind) {
    static const uint8_t kinds[] = {[SAMPLE_PYTHON] = FRAME_INTERPRETED,
                                    [SAMPLE_NATIVE] = FRAME_NATIVE,
                                    [SAMPLE_GC] = FRAME_GC,
                                    [SAMPLE_TASK] = FRAME_RUNTIME};
    return kind < sizeof kinds ? kinds[kind] : 0;
}
