/* Ends of calls: what they say, and to whom. See calls.c. */
#include "calls_inside.h"

/* What the end says, the value first: a scope that does not want results leaves that away. */
static void end_values(call_values *v, const call_thread *self, const call_running *running,
                       call_end end, PyObject *value) {
    bool results = false;
    call_values_start(v, self, running->slots);
    for (uint32_t i = running->slots; i < self->slot_count; i++)
        results |= self->slots[i].in->of->results;
    if (end == CALL_RAISED && value)
        call_value_add_exception(v, call_names.exception, value);
    else if (end == CALL_RAISED)
        call_value_add_text(v, call_names.exception,
                            "raised"); /* by a C function: more is not known */
    else if (results && value && (end == CALL_RETURNED || end == CALL_YIELDED))
        call_value_add(v, call_names.result, value, false);
    if (end == CALL_YIELDED || end == CALL_AWAITS)
        call_value_add_text(v, call_names.suspended, end == CALL_YIELDED ? "yield" : "await");
}

/* A call that took long enough is written now, as a whole. */
static void write_whole(call_thread *self, const call_running *running, scope *of, const lane *in,
                        const struct call_event *end, bool in_session) {
    struct call_event begin = {.function = running->function, .stamp = running->stamp};
    if (end->stamp - running->stamp < of->least)
        return;
    if (running->kept_count && of->args) {
        begin.args = call_kept_arguments(self, running);
        begin.count = running->kept_count;
    }
    if (of->call_count >= of->max_calls) {
        scope_limited(of, "max_calls");
        of->skipped++;
        return;
    }
    of->call_count++;
    if (in_session && marey_recording())
        marey__call_whole(self->track, &begin, end);
    if (of->log && !marey__log_whole(of->log, in->in_log, &begin, end))
        scope_limited(of, "memory");
}

static inline void end_slot(call_thread *self, const call_running *running, call_slot *slot,
                            const struct call_event *event, bool alone) {
    scope *of = slot->in->of;
    if (UNLIKELY(!of->open))
        return;
    if (UNLIKELY(of->least))
        write_whole(self, running, of, slot->in, event, alone);
    else if (LIKELY(slot->begun) && of->log)
        marey__log_end(of->log, slot->in->in_log, event);
}

/* The event as this slot's scope has it. v may be NULL: there is nothing to say. */
static struct call_event event_of(const call_slot *slot, const struct call_event *event,
                                  call_values *v, uint32_t common, int64_t memory) {
    struct call_event own = *event;
    v->count = common;
    if (slot->skipped)
        call_value_add_number(v, call_names.skipped, slot->skipped);
    if (UNLIKELY(slot->in->of->memory))
        call_value_add_number(v, call_names.memory, (uint64_t)memory);
    bool hides = common && v->args[0].name == call_names.result && !slot->in->of->results;
    own.args = v->args + hides;
    own.count = v->count - hides;
    return own;
}

static NOINLINE void end_with_values(hook_thread *thread, call_thread *self, call_running *running,
                                     call_end end, PyObject *value, uint64_t stamp) {
    call_values v;
    struct call_event event = {.function = running->function, .stamp = stamp};
    uint32_t at = (uint32_t)(running - self->running), skipped = 0;
    bool busy = thread->busy;
    thread->busy = true;
    end_values(&v, self, running, end, value);
    thread->busy = busy;
    uint32_t common = v.count;
    running = &self->running[at];
    if (running->token.depth) {
        for (uint32_t i = running->slots; i < self->slot_count; i++)
            skipped = self->slots[i].skipped > skipped ? self->slots[i].skipped : skipped;
        if (skipped)
            call_value_add_number(&v, call_names.skipped, skipped);
        if (running->wants_memory)
            call_value_add_number(&v, call_names.memory, (uint64_t)running->memory);
        event.args = v.args;
        event.count = v.count;
        marey__call_end(&running->token, &event);
    }
    bool alone = true;
    for (uint32_t i = running->slots; i < self->slot_count; i++)
        alone &= self->slots[i].in->of->least != 0;
    for (uint32_t i = self->slot_count; i-- > running->slots;) {
        struct call_event own = event_of(&self->slots[i], &event, &v, common, running->memory);
        end_slot(self, running, &self->slots[i], &own, alone);
        alone = false; /* one of them is enough for the session */
    }
}

/* Whether there is more to say than that it ended. */
static inline bool has_values(const call_thread *self, const call_running *running, call_end end) {
    if (end != CALL_RETURNED && end != CALL_LOST)
        return true;
    for (uint32_t i = running->slots; i < self->slot_count; i++) {
        const call_slot *slot = &self->slots[i];
        if (slot->skipped || slot->in->of->least || slot->in->of->memory ||
            (slot->in->of->results && end == CALL_RETURNED))
            return true;
    }
    return false;
}

/* The common case: one scope, which has nothing to say of the end. False where it is another. */
static inline bool finish_simple(call_thread *self, call_end end, uint64_t stamp) {
    call_running *running = &self->running[self->depth - 1];
    const call_slot *slot = &self->slots[running->slots];
    lane *in = slot->in;
    scope *of = in->of;
    if (UNLIKELY(end != CALL_RETURNED || running->slots + 1 != self->slot_count || slot->skipped ||
                 of->results || !of->open || !of->simple))
        return false;
    if (running->token.depth)
        marey__call_end(&running->token, &(struct call_event){.stamp = stamp});
    if (LIKELY(slot->begun))
        marey__log_end_bare(of->log, in->in_log, stamp);
    in->depth--;
    in->innermost = slot->before;
    self->slot_count--;
    self->depth--;
    scope_drop(of);
    return true;
}

static inline void finish(hook_thread *thread, call_thread *self, call_end end, PyObject *value,
                          uint64_t stamp) {
    call_running *running = &self->running[self->depth - 1];
    if (has_values(self, running, end)) {
        end_with_values(thread, self, running, end, value, stamp);
        running = &self->running[self->depth - 1];
    } else {
        struct call_event event = {.stamp = stamp};
        if (running->token.depth)
            marey__call_end(&running->token, &event);
        for (uint32_t i = self->slot_count; i-- > running->slots;)
            end_slot(self, running, &self->slots[i], &event, false);
    }
    while (self->slot_count > running->slots) {
        call_slot *slot = call_slot_pop(self);
        scope_drop(slot->in->of);
    }
    self->kept_used = running->kept;
    self->depth--;
}

/* The innermost call ends with so much more than it began with; one in pieces, all of them together. */
static NOINLINE void end_memory(hook_thread *thread, call_thread *self, const open_call *call) {
    uint32_t at = self->depth - 1;
    bool busy = thread->busy;
    thread->busy = true;
    int64_t now = memory_now();
    thread->busy = busy;
    invocation *piece = call->own[1] ? pieces_find(call->frame, call->site) : NULL;
    int64_t left = now - self->running[at].memory;
    if (piece)
        left = piece->memory += left;
    self->running[at].memory = left;
}

void call_left(hook_thread *thread, open_call *call, call_end end, PyObject *value) {
    if (!call->own[0])
        return;
    uint64_t stamp = call_stamp();
    calls_lock();
    call_thread *self = thread->recorder;
    if (LIKELY(self && self->depth && self->generation == thread->generation)) {
        call->own[0] = 0;
        bool over = end != CALL_YIELDED && end != CALL_AWAITS;
        if (UNLIKELY(self->running[self->depth - 1].wants_memory))
            end_memory(thread, self, call);
        if (UNLIKELY(over && call->site && pieces_count && call->own[1]))
            pieces_forget(call->frame);
        if (!finish_simple(self, end, stamp))
            finish(thread, self, end, call->site || end == CALL_RAISED ? value : NULL, stamp);
    }
    calls_unlock();
}

/* Outermost last, as they would have ended. The slots stay: their calls go on for the scopes around. */
void calls_end_open(call_thread *self, scope *of) {
    marey_arg open = {.name = call_names.open, .kind = MAREY_KIND_BOOL, .i64 = 1};
    struct call_event event = {.stamp = marey__stamp(), .args = &open, .count = 1};
    for (uint32_t i = self->slot_count; i-- > 0;) {
        call_slot *slot = &self->slots[i];
        if (slot->in->of != of || !slot->begun)
            continue;
        slot->begun = false;
        if (of->log)
            marey__log_end(of->log, slot->in->in_log, &event);
    }
}
