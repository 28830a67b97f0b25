/* marey convert --to svg: a flame graph. */
#include "output/format.h"
#include "output/stack_profile.h"
#include "output/svg.h"

static int write_svg(FILE *to, struct trace *trace, const struct format_request *request) {
    struct stack_profile made;
    int error = stack_profile_make(&made, trace, request, 0);
    struct svg_style style = {.title = request->title,
                              .subtitle = stack_profile_weight(&made),
                              .weight = made.weight,
                              .counted = stack_profile_counted(&made)};
    if (!error)
        error = svg_flame_graph(to, made.profile, &style);
    stack_profile_free(&made);
    return error;
}

static const char *const extensions[] = {".svg", NULL};
const struct format format_svg = {.name = "svg",
                                  .extensions = extensions,
                                  .summary =
                                      "a flame graph: zooms, searches and turns over in a browser",
                                  .keep = TRACE_CALLS,
                                  .holds = HOLDS_STACKS,
                                  .write = write_svg};
