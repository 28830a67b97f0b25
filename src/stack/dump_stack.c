#define _GNU_SOURCE
#include "stack/dump_stack.h"

#include <stdlib.h>
#include <string.h>

#include "marey.h"

enum { VARIABLES_TRIES = 3 };

static int keep_variable(struct dumped_variable *to, const struct variable *variable) {
    to->name = strdup(variable->name);
    to->value = strdup(variable->value);
    to->kind = variable->kind;
    return to->name && to->value ? 0 : MAREY_ENOMEM;
}

static int keep_variables(struct dumped_frame *to, struct dump_reader *reader,
                          const struct frame *frame) {
    struct variables *variables = reader->variables;
    int error = MAREY_ETORN;
    for (int tries = 0; error == MAREY_ETORN && tries < VARIABLES_TRIES; tries++)
        error = values_read(reader->values, frame, variables);
    to->variables_torn = error != 0;
    to->variables_cut = variables->cut;
    if (error || !variables->count)
        return 0;
    to->variables = calloc((size_t)variables->count, sizeof *to->variables);
    if (!to->variables)
        return MAREY_ENOMEM;
    to->variables_count = variables->count;
    for (int i = 0; i < variables->count; i++)
        if (keep_variable(&to->variables[i], &variables->list[i]))
            return MAREY_ENOMEM;
    return 0;
}

static int keep_frame(struct dumped_frame *to, struct dump_reader *reader,
                      const struct frame *frame) {
    to->name = strdup(frame->code->name);
    to->file = strdup(frame->code->file);
    to->line = code_line(&reader->process->layout, frame->code, frame->index);
    to->first_line = frame->code->identity.first_line;
    if (!to->name || !to->file)
        return MAREY_ENOMEM;
    return reader->values ? keep_variables(to, reader, frame) : 0;
}

int dump_stack_keep(struct dumped_stack *to, struct dump_reader *reader,
                    const struct stack *stack) {
    to->cut = stack->cut;
    if (!stack->depth)
        return 0;
    to->frames = calloc((size_t)stack->depth, sizeof *to->frames);
    if (!to->frames)
        return MAREY_ENOMEM;
    to->depth = stack->depth;
    for (int i = 0; i < stack->depth; i++)
        if (keep_frame(&to->frames[i], reader, &stack->frames[i]))
            return MAREY_ENOMEM;
    return 0;
}

void dump_stack_free(struct dumped_stack *stack) {
    for (int i = 0; i < stack->depth; i++) {
        struct dumped_frame *frame = &stack->frames[i];
        for (int j = 0; j < frame->variables_count; j++) {
            free(frame->variables[j].name);
            free(frame->variables[j].value);
        }
        free(frame->variables);
        free(frame->name);
        free(frame->file);
    }
    free(stack->frames);
}
