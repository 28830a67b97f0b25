/* See stack_profile.h. */
#include "output/stack_profile.h"

#include "model/sample_profile.h"
#include "model/span_profile.h"

int stack_profile_make(struct stack_profile *made, struct trace *trace,
                       const struct format_request *request, int by_owner) {
    const struct samples *samples = &trace->reader.samples;
    struct stack_owners *owners = by_owner ? &made->owners : NULL;
    *made = (struct stack_profile){.of_spans =
                                       request->of == STACKS_OF_SPANS ||
                                       (request->of == STACKS_OF_WHAT_THERE_IS && !samples->count)};
    if (made->of_spans) {
        made->weight = SAMPLE_WALL;
        return span_profile(&made->profile, trace, &request->filter, owners);
    }
    made->weight = samples->weighted ? (unsigned)request->weight : (unsigned)PROFILE_COUNT;
    return sample_profile(&made->profile, trace, &request->filter,
                          request->lines ? GROUP_FUNCTIONS : GROUP_WHOLE, owners);
}

void stack_profile_free(struct stack_profile *made) {
    profile_close(made->profile);
    stack_owners_free(&made->owners);
    *made = (struct stack_profile){0};
}

const char *stack_profile_counted(const struct stack_profile *made) {
    return made->of_spans ? "calls" : "samples";
}

const char *stack_profile_weight(const struct stack_profile *made) {
    static const char *const words[] = {[SAMPLE_WALL] = "wall time",
                                        [SAMPLE_CPU] = "CPU time",
                                        [SAMPLE_GIL] = "time that the GIL was held",
                                        [SAMPLE_GIL_WAIT] = "time that the GIL was waited for",
                                        [PROFILE_COUNT] = "samples"};
    return made->of_spans ? "time of spans and calls" : words[made->weight];
}
