/* What the hooks tell of calls becomes slices in the logs of the scopes that see them, and in the session while one records.
 *
 * A call that is recorded has an entry in its thread's list of running ones, and in that of slots one for each scope that
 * has it (calls_thread.c); the hook promises that calls of a thread end in the order opposite to that in which they began.
 * open_call.own[0] says whether a call has an entry. The clock is read once for a begin, last, and once for an end, first
 * (calls_end.c).
 *
 * A scope with min_duration has a call only when that is over: begin and end are written then, with times of their own. What
 * the call was given has been drawn at its begin, and is kept until then in a stack of bytes. */
#include "calls_inside.h"

/* Whether the scope has place for one more call there. */
static inline bool admit(const call_thread *self, lane *in, bool is_first) {
    const scope *of = in->of;
    if (UNLIKELY(in->depth >= of->max_depth))
        return call_skip(self, in, "max_depth");
    if (UNLIKELY(of->deadline) && marey__stamp() > of->deadline)
        return call_skip(self, in, "max_time");
    if (UNLIKELY(of->call_count >= of->max_calls && is_first))
        return call_skip(self, in, "max_calls");
    return true;
}

/* -------------------------------------------------------------------- begin */

static void add_arguments(call_values *v, const open_call *call) {
    const call_site *site = call->site;
    for (int i = 0; i < site->count; i++) {
        const call_parameter *parameter = &site->parameters[i];
        PyObject *value = hook_argument(call->frame, parameter->index);
        if (!value)
            continue;
        if (UNLIKELY(parameter->hidden & v->filter))
            call_value_add_text(v, parameter->name, "***");
        else
            call_value_add(v, parameter->name, value, parameter->is_self);
    }
}

/* The begin goes to everybody who wants it now. v: what it says, whose last `marks` say which piece it is; NULL: nothing. */
static inline void write_begin(call_thread *self, call_running *running, call_values *v,
                               uint32_t marks) {
    bool now = false, later = false, any_args = false;
    for (uint32_t i = running->slots; i < self->slot_count; i++) {
        const scope *of = self->slots[i].in->of;
        now |= !of->least;
        later |= of->least != 0;
        any_args |= of->args;
    }
    if (UNLIKELY(later) && v)
        call_keep_arguments(self, running, v);
    struct call_event event = {.function = running->function};
    if (v) {
        event.args = v->args;
        event.count = v->count;
    }
    event.stamp = running->stamp = call_stamp();
    if (now && marey_recording())
        marey__call_begin(&running->token, self->track, &event);
    for (uint32_t i = running->slots; i < self->slot_count; i++) {
        call_slot *slot = &self->slots[i];
        scope *of = slot->in->of;
        if (of->least || !of->log)
            continue;
        bool others_want = v && any_args && !of->args;
        if (UNLIKELY(others_want)) {
            event.args = v->args + v->count - marks;
            event.count = marks;
        }
        slot->begun = marey__log_begin(of->log, slot->in->in_log, &event);
        if (UNLIKELY(!slot->begun))
            call_skip(self, slot->in, "memory");
        if (v) {
            event.args = v->args;
            event.count = v->count;
        }
    }
}

static NOINLINE void begin_with_values(hook_thread *thread, call_thread *self, open_call *call,
                                       call_running *running, const invocation *piece) {
    call_values v;
    uint32_t first = running->slots, marks;
    uint32_t at = (uint32_t)(running - self->running);
    bool args = false;
    call_values_start(&v, self, first);
    for (uint32_t i = first; i < self->slot_count; i++)
        args |= self->slots[i].in->of->args;
    if (args && call->site && (!piece || !piece->step)) {
        bool busy = thread->busy;
        thread->busy = true;
        add_arguments(&v, call);
        thread->busy = busy;
    }
    marks = v.count;
    if (piece)
        call_value_add_number(&v, call_names.call, piece->number);
    if (piece && piece->step)
        call_value_add_number(&v, call_names.step, piece->step);
    write_begin(self, &self->running[at], &v, v.count - marks);
}

/* The innermost call begins with so much; what was done to say so is not its. */
static inline void begin_memory(hook_thread *thread, call_thread *self) {
    bool wanted = false;
    for (uint32_t i = self->running[self->depth - 1].slots; i < self->slot_count; i++)
        wanted |= self->slots[i].in->of->memory;
    if (LIKELY(!wanted))
        return;
    bool busy = thread->busy;
    thread->busy = true;
    int64_t now = memory_now();
    thread->busy = busy;
    self->running[self->depth - 1].wants_memory = true;
    self->running[self->depth - 1].memory = now;
}

/* Begins a call, or a piece of one, for which slots are there from first_slot on. */
static inline void begin(hook_thread *thread, call_thread *self, open_call *call, uint32_t function,
                         uint32_t first_slot, const invocation *piece) {
    call_running *running = call_running_push(self, function, first_slot);
    if (UNLIKELY(!running))
        return;
    call->own[0] = 1;
    call->own[1] = piece != NULL;
    bool says = piece != NULL;
    for (uint32_t i = first_slot; i < self->slot_count; i++)
        says |= self->slots[i].in->of->args && call->site && call->site->count;
    if (says)
        begin_with_values(thread, self, call, running, piece);
    else
        write_begin(self, running, NULL, 0);
    begin_memory(thread, self);
}

/* The common case, in a few steps: one scope sees the call, and nothing is said with it. False where it is another case, or
 * there may be no room. */
static inline bool begin_simple(call_thread *self, open_call *call, const call_site *site) {
    lane *in = self->sinks[0];
    scope *of = in->of;
    bool simple = self->count == 1 && of->simple && !(of->args && site->count) && !site->in_pieces;
    if (UNLIKELY(!simple || in->depth >= of->max_depth || of->call_count >= of->max_calls ||
                 self->slot_count >= self->slot_room || self->depth >= self->room))
        return false;
    call_slot *slot = &self->slots[self->slot_count];
    call_running *running = &self->running[self->depth++];
    *running = (call_running){
        .function = site->function, .slots = self->slot_count, .kept = self->kept_used};
    *slot = (call_slot){.in = in, .before = in->innermost};
    scope_hold(of);
    in->innermost = ++self->slot_count;
    in->depth++;
    of->call_count++;
    call->own[0] = 1;
    uint64_t stamp = call_stamp();
    if (marey_recording())
        marey__call_begin(&running->token, self->track,
                          &(struct call_event){.function = site->function, .stamp = stamp});
    if (of->log) {
        slot->begun = marey__log_begin_bare(of->log, in->in_log, site->function, stamp);
        if (UNLIKELY(!slot->begun))
            call_skip(self, in, "memory");
    }
    return true;
}

/* Remembers which scopes have the beginning of what runs in pieces. */
static invocation *invocation_begin(const call_thread *self, const open_call *call,
                                    uint32_t first_slot) {
    uint32_t count = self->slot_count - first_slot;
    invocation *made = pieces_add(call->frame, call->site, count);
    for (uint32_t i = 0; made && i < count; i++)
        made->serials[i] = self->slots[first_slot + i].in->of->serial;
    return made;
}

void call_entered(hook_thread *thread, open_call *call) {
    calls_lock();
    const call_site *site = call->site;
    call_thread *self = call_thread_of(thread);
    if (UNLIKELY(site->in_pieces))
        pieces_forget(call->frame);
    if (LIKELY(self != NULL))
        place_look(thread, self);
    if (self && self->filters & site->wanted && !begin_simple(self, call, site)) {
        uint32_t first = self->slot_count;
        for (int i = 0; i < self->count; i++) {
            lane *in = self->sinks[i];
            if (in->of->filter & site->wanted && admit(self, in, true) && call_slot_push(self, in))
                in->of->call_count += !in->of->least;
        }
        if (self->slot_count != first) {
            const invocation *piece = site->in_pieces ? invocation_begin(self, call, first) : NULL;
            begin(thread, self, call, site->function, first, piece);
        }
    }
    calls_unlock();
}

void call_resumed(hook_thread *thread, open_call *call, bool Py_UNUSED(thrown)) {
    calls_lock();
    call_thread *self = call_thread_of(thread);
    invocation *piece = pieces_count ? pieces_find(call->frame, call->site) : NULL;
    if (self && piece) {
        place_look(thread, self);
        uint32_t first = self->slot_count;
        piece->step++;
        for (int i = 0; i < self->count; i++)
            if (invocation_is_of(piece, self->sinks[i]->of) && admit(self, self->sinks[i], false))
                call_slot_push(self, self->sinks[i]);
        if (self->slot_count != first)
            begin(thread, self, call, call->site->function, first, piece);
    }
    calls_unlock();
}

void c_call_entered(hook_thread *thread, open_call *call, PyObject *callable) {
    calls_lock();
    call_thread *self = call_thread_of(thread);
    if (self) {
        place_look(thread, self);
        uint32_t first = self->slot_count;
        for (int i = 0; i < self->count; i++) {
            lane *in = self->sinks[i];
            if (in->of->c_calls && admit(self, in, true) && call_slot_push(self, in))
                in->of->call_count += !in->of->least;
        }
        if (self->slot_count != first)
            begin(thread, self, call, site_of_c(callable), first, NULL);
    }
    calls_unlock();
}
