/* What the hooks tell of calls becomes slices in the logs of the scopes that see them, and in the session while one records.
 *
 * A call that is recorded has an entry in its thread's list of running ones, and in that of slots one for each scope that
 * has it; the hook promises that calls of a thread end in the order opposite to that in which they began. open_call.own[0] says
 * whether a call has an entry. The clock is read once for a begin, last, and once for an end, first.
 *
 * A scope with min_duration has a call only when that is over: begin and end are written then, with times of their own. What
 * the call was given has been drawn at its begin, and is kept until then in a stack of bytes. */
#include "calls.h"

#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { FIRST_ROOM = 64 };

#ifdef Py_GIL_DISABLED
static PyMutex everything;

void calls_lock(void) {
    PyMutex_Lock(&everything);
}

void calls_unlock(void) {
    PyMutex_Unlock(&everything);
}
#endif

face_state *calls_state;

/* What events say under these names. */
static struct { uint32_t call, step, suspended, skipped, memory, open, result, exception; } names;

static void names_make(void) {
    names.step = marey_name_id("(step)");
    names.suspended = marey_name_id("(suspended)");
    names.skipped = marey_name_id("(skipped)");
    names.memory = marey_name_id("(memory)");
    names.open = marey_name_id("(open)");
    names.result = marey_name_id("result");
    names.exception = marey_name_id("exception");
    names.call = marey_name_id("(call)");
}

/* ------------------------------------------------------------------ threads */

static call_thread *thread_make(hook_thread *thread) {
    if (!names.call)
        names_make();
    call_thread *self = calls_state ? calloc(1, sizeof *self) : NULL;
    if (!self)
        return NULL;
    self->state = calls_state;
    self->generation = thread->generation;
    self->tid = (int32_t)syscall(SYS_gettid);
    thread->recorder = self;
    return self;
}

static call_slot *slot_pop(call_thread *self) {
    call_slot *slot = &self->slots[--self->slot_count];
    slot->in->depth--;
    slot->in->innermost = slot->before;
    return slot;
}

/* Calls whose ends will not be told: of a hook that was stopped, or of the parent of this process. */
static void thread_forget(call_thread *self) {
    while (self->slot_count)
        scope_drop(slot_pop(self)->in->of);
    self->depth = 0;
    self->kept_used = 0;
}

static NOINLINE call_thread *thread_renew(hook_thread *thread, call_thread *self) {
    if (!self)
        return thread_make(thread);
    thread_forget(self);
    self->state = calls_state;
    self->generation = thread->generation;
    self->tid = (int32_t)syscall(SYS_gettid);
    self->key = 0;
    return calls_state ? self : NULL;
}

static inline call_thread *thread_of(hook_thread *thread) {
    call_thread *self = thread->recorder;
    if (LIKELY(self && self->generation == thread->generation && self->state == calls_state))
        return self;
    return thread_renew(thread, self);
}

call_thread *call_thread_here(hook_thread *thread) {
    return thread_of(thread);
}

void call_thread_gone(void *recorder) {
    call_thread *self = recorder;
    free(self->running);
    free(self->slots);
    free(self->kept);
    free(self);
}

/* Room for one more in an array. False: memory is short. */
static bool room_for(void **array, uint32_t *room, uint32_t wanted, size_t size) {
    if (LIKELY(wanted <= *room))
        return true;
    uint32_t more = *room ? *room : FIRST_ROOM;
    while (more < wanted)
        more *= 2;
    void *larger = realloc(*array, more * size);
    if (!larger)
        return false;
    *array = larger;
    *room = more;
    return true;
}

/* ------------------------------------------------------------------- limits */

/* The call is left out. Its time is its nearest recorded caller's, which will say so. */
static NOINLINE bool skip(const call_thread *self, lane *in, const char *limit) {
    scope_limited(in->of, limit);
    in->of->skipped++;
    if (in->innermost)
        self->slots[in->innermost - 1].skipped++;
    return false;
}

/* Whether the scope has place for one more call there. */
static inline bool admit(const call_thread *self, lane *in, bool is_first) {
    const scope *of = in->of;
    if (UNLIKELY(in->depth >= of->max_depth))
        return skip(self, in, "max_depth");
    if (UNLIKELY(of->deadline) && marey__stamp() > of->deadline)
        return skip(self, in, "max_time");
    if (UNLIKELY(of->call_count >= of->max_calls && is_first))
        return skip(self, in, "max_calls");
    return true;
}

static bool slot_push(call_thread *self, lane *in) {
    if (!room_for((void **)&self->slots, &self->slot_room, self->slot_count + 1,
                  sizeof *self->slots))
        return skip(self, in, "memory");
    scope_hold(in->of);
    self->slots[self->slot_count] = (call_slot){.in = in, .before = in->innermost};
    in->innermost = ++self->slot_count;
    in->depth++;
    return true;
}

/* ---------------------------------------------------------------- arguments */

static void values_start(call_values *v, const call_thread *self, uint32_t first_slot) {
    v->state = self->state;
    v->count = v->used = v->filter = v->most = 0;
    v->repr = false;
    for (uint32_t i = first_slot; i < self->slot_count; i++) {
        const scope *of = self->slots[i].in->of;
        v->filter |= of->filter;
        v->most = of->max_repr > v->most ? of->max_repr : v->most;
        v->repr |= of->repr;
    }
}

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

/* Puts arguments by until their call ends. Their names live for ever; their texts are copied behind them. */
static void keep(call_thread *self, call_running *running, const call_values *v) {
    uint32_t bytes = v->count * (uint32_t)sizeof *v->args + v->used;
    uint32_t wanted = self->kept_used + ((bytes + 7) & ~7u);
    if (!bytes || !room_for((void **)&self->kept, &self->kept_room, wanted, 1))
        return;
    char *at = self->kept + self->kept_used;
    memcpy(at, v->args, v->count * sizeof *v->args);
    memcpy(at + v->count * sizeof *v->args, v->text, v->used);
    marey_arg *args = (marey_arg *)(void *)at;
    for (uint32_t i = 0; i < v->count; i++) /* as an offset: the stack may move */
        if (args[i].kind == MAREY_KIND_TEXT && args[i].text >= v->text &&
            args[i].text < v->text + sizeof v->text)
            args[i].u64 = (uint64_t)(args[i].text - v->text) << 1 | 1;
    running->kept_count = v->count;
    self->kept_used = wanted;
}

static marey_arg *kept_arguments(const call_thread *self, const call_running *running) {
    marey_arg *args = (marey_arg *)(void *)(self->kept + running->kept);
    const char *text = (const char *)(args + running->kept_count);
    for (uint32_t i = 0; i < running->kept_count; i++)
        if (args[i].kind == MAREY_KIND_TEXT && args[i].u64 & 1 && args[i].u64 >> 1 < CALLS_TEXT)
            args[i].text = text + (args[i].u64 >> 1);
    return args;
}

/* -------------------------------------------------------------------- begin */

/* The call's entry, whose slots are already there. NULL: memory is short, and they are gone. */
static call_running *running_push(call_thread *self, uint32_t function, uint32_t first_slot) {
    if (!room_for((void **)&self->running, &self->room, self->depth + 1, sizeof *self->running)) {
        while (self->slot_count > first_slot) {
            call_slot *slot = slot_pop(self);
            skip(self, slot->in, "memory");
            scope_drop(slot->in->of);
        }
        return NULL;
    }
    call_running *running = &self->running[self->depth++];
    *running = (call_running){.function = function, .slots = first_slot, .kept = self->kept_used};
    return running;
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
        keep(self, running, v);
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
        if (UNLIKELY(v && any_args &&
                     !of->args)) { /* another scope wants them, this one does not */
            event.args = v->args + v->count - marks;
            event.count = marks;
        }
        slot->begun = marey__log_begin(of->log, slot->in->in_log, &event);
        if (UNLIKELY(!slot->begun))
            skip(self, slot->in, "memory");
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
    values_start(&v, self, first);
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
        call_value_add_number(&v, names.call, piece->number);
    if (piece && piece->step)
        call_value_add_number(&v, names.step, piece->step);
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
    call_running *running = running_push(self, function, first_slot);
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
            skip(self, in, "memory");
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
    call_thread *self = thread_of(thread);
    if (UNLIKELY(site->in_pieces))
        pieces_forget(call->frame);
    if (LIKELY(self != NULL))
        place_look(thread, self);
    if (self && self->filters & site->wanted && !begin_simple(self, call, site)) {
        uint32_t first = self->slot_count;
        for (int i = 0; i < self->count; i++) {
            lane *in = self->sinks[i];
            if (in->of->filter & site->wanted && admit(self, in, true) && slot_push(self, in))
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
    call_thread *self = thread_of(thread);
    invocation *piece = pieces_count ? pieces_find(call->frame, call->site) : NULL;
    if (self && piece) {
        place_look(thread, self);
        uint32_t first = self->slot_count;
        piece->step++;
        for (int i = 0; i < self->count; i++)
            if (invocation_is_of(piece, self->sinks[i]->of) && admit(self, self->sinks[i], false))
                slot_push(self, self->sinks[i]);
        if (self->slot_count != first)
            begin(thread, self, call, call->site->function, first, piece);
    }
    calls_unlock();
}

void c_call_entered(hook_thread *thread, open_call *call, PyObject *callable) {
    calls_lock();
    call_thread *self = thread_of(thread);
    if (self) {
        place_look(thread, self);
        uint32_t first = self->slot_count;
        for (int i = 0; i < self->count; i++) {
            lane *in = self->sinks[i];
            if (in->of->c_calls && admit(self, in, true) && slot_push(self, in))
                in->of->call_count += !in->of->least;
        }
        if (self->slot_count != first)
            begin(thread, self, call, site_of_c(callable), first, NULL);
    }
    calls_unlock();
}

/* ---------------------------------------------------------------------- end */

/* What the end says, the value first: a scope that does not want results leaves that away. */
static void end_values(call_values *v, const call_thread *self, const call_running *running,
                       call_end end, PyObject *value) {
    bool results = false;
    values_start(v, self, running->slots);
    for (uint32_t i = running->slots; i < self->slot_count; i++)
        results |= self->slots[i].in->of->results;
    if (end == CALL_RAISED && value)
        call_value_add_exception(v, names.exception, value);
    else if (end == CALL_RAISED)
        call_value_add_text(v, names.exception, "raised"); /* by a C function: more is not known */
    else if (results && value && (end == CALL_RETURNED || end == CALL_YIELDED))
        call_value_add(v, names.result, value, false);
    if (end == CALL_YIELDED || end == CALL_AWAITS)
        call_value_add_text(v, names.suspended, end == CALL_YIELDED ? "yield" : "await");
}

/* A call that took long enough is written now, as a whole. */
static void write_whole(call_thread *self, const call_running *running, scope *of, const lane *in,
                        const struct call_event *end, bool in_session) {
    struct call_event begin = {.function = running->function, .stamp = running->stamp};
    if (end->stamp - running->stamp < of->least)
        return;
    if (running->kept_count && of->args) {
        begin.args = kept_arguments(self, running);
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
        call_value_add_number(v, names.skipped, slot->skipped);
    if (UNLIKELY(slot->in->of->memory))
        call_value_add_number(v, names.memory, (uint64_t)memory);
    bool hides = common && v->args[0].name == names.result && !slot->in->of->results;
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
            call_value_add_number(&v, names.skipped, skipped);
        if (running->wants_memory)
            call_value_add_number(&v, names.memory, (uint64_t)running->memory);
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
        call_slot *slot = slot_pop(self);
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

/* ------------------------------------------------------------ ends of scopes */

/* Outermost last, as they would have ended. The slots stay: their calls go on for the scopes around. */
void calls_end_open(call_thread *self, scope *of) {
    marey_arg open = {.name = names.open, .kind = MAREY_KIND_BOOL, .i64 = 1};
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
