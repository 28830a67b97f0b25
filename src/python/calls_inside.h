/* Inside the recorder of calls: a thread's calls that are open (calls_thread.c), which begin (calls.c) and end (calls_end.c). */
#ifndef MAREY_CALLS_INSIDE_H
#define MAREY_CALLS_INSIDE_H

#include "calls.h"

/* What events say under these names. */
struct call_names {
    uint32_t call, step, suspended, skipped, memory, open, result, exception;
};
extern struct call_names call_names;

/* The thread, in this generation of the hook. NULL where nothing records, or memory is short. */
call_thread *call_thread_renew(hook_thread *thread, call_thread *self);
static inline call_thread *call_thread_of(hook_thread *thread) {
    call_thread *self = thread->recorder;
    if (LIKELY(self && self->generation == thread->generation && self->state == calls_state))
        return self;
    return call_thread_renew(thread, self);
}

/* The call is left out. Its time is its nearest recorded caller's, which will say so. Returns false. */
bool call_skip(const call_thread *self, lane *in, const char *limit);

/* A slot more. False: memory is short, and the call is left out. */
bool call_slot_push(call_thread *self, lane *in);
/* The last one, which stands until the next is pushed; its scope is the caller's to drop. */
static inline call_slot *call_slot_pop(call_thread *self) {
    call_slot *slot = &self->slots[--self->slot_count];
    slot->in->depth--;
    slot->in->innermost = slot->before;
    return slot;
}
/* The call's entry, whose slots are already there. NULL: memory is short, and they are gone. */
call_running *call_running_push(call_thread *self, uint32_t function, uint32_t first_slot);

/* Nothing yet, for the scopes of the slots from first_slot on. */
void call_values_start(call_values *v, const call_thread *self, uint32_t first_slot);
/* Puts arguments by until their call ends; then they are found again. Where memory is short there are none. */
void call_keep_arguments(call_thread *self, call_running *running, const call_values *v);
marey_arg *call_kept_arguments(const call_thread *self, const call_running *running);

#endif
