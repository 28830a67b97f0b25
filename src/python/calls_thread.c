/* A thread's calls that are open: their entries, their slots, and what they were given, if that has to wait. */
#include "calls_inside.h"

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
struct call_names call_names;

static void names_make(void) {
    call_names.step = marey_name_id("(step)");
    call_names.suspended = marey_name_id("(suspended)");
    call_names.skipped = marey_name_id("(skipped)");
    call_names.memory = marey_name_id("(memory)");
    call_names.open = marey_name_id("(open)");
    call_names.result = marey_name_id("result");
    call_names.exception = marey_name_id("exception");
    call_names.call = marey_name_id("(call)");
}

/* ------------------------------------------------------------------ threads */

static call_thread *thread_make(hook_thread *thread) {
    if (!call_names.call)
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

/* Calls whose ends will not be told: of a hook that was stopped, or of the parent of this process. */
static void thread_forget(call_thread *self) {
    while (self->slot_count)
        scope_drop(call_slot_pop(self)->in->of);
    self->depth = 0;
    self->kept_used = 0;
}

NOINLINE call_thread *call_thread_renew(hook_thread *thread, call_thread *self) {
    if (!self)
        return thread_make(thread);
    thread_forget(self);
    self->state = calls_state;
    self->generation = thread->generation;
    self->tid = (int32_t)syscall(SYS_gettid);
    self->key = 0;
    return calls_state ? self : NULL;
}

call_thread *call_thread_here(hook_thread *thread) {
    return call_thread_of(thread);
}

void call_thread_gone(void *recorder) {
    call_thread *self = recorder;
    free(self->running);
    free(self->slots);
    free(self->kept);
    free(self);
}

/* -------------------------------------------------------- entries and slots */

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

NOINLINE bool call_skip(const call_thread *self, lane *in, const char *limit) {
    scope_limited(in->of, limit);
    in->of->skipped++;
    if (in->innermost)
        self->slots[in->innermost - 1].skipped++;
    return false;
}

bool call_slot_push(call_thread *self, lane *in) {
    if (!room_for((void **)&self->slots, &self->slot_room, self->slot_count + 1,
                  sizeof *self->slots))
        return call_skip(self, in, "memory");
    scope_hold(in->of);
    self->slots[self->slot_count] = (call_slot){.in = in, .before = in->innermost};
    in->innermost = ++self->slot_count;
    in->depth++;
    return true;
}

call_running *call_running_push(call_thread *self, uint32_t function, uint32_t first_slot) {
    if (!room_for((void **)&self->running, &self->room, self->depth + 1, sizeof *self->running)) {
        while (self->slot_count > first_slot) {
            call_slot *slot = call_slot_pop(self);
            call_skip(self, slot->in, "memory");
            scope_drop(slot->in->of);
        }
        return NULL;
    }
    call_running *running = &self->running[self->depth++];
    *running = (call_running){.function = function, .slots = first_slot, .kept = self->kept_used};
    return running;
}

/* ---------------------------------------------------------------- arguments */

void call_values_start(call_values *v, const call_thread *self, uint32_t first_slot) {
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

/* Their names live for ever; their texts are copied behind them. */
void call_keep_arguments(call_thread *self, call_running *running, const call_values *v) {
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

marey_arg *call_kept_arguments(const call_thread *self, const call_running *running) {
    marey_arg *args = (marey_arg *)(void *)(self->kept + running->kept);
    const char *text = (const char *)(args + running->kept_count);
    for (uint32_t i = 0; i < running->kept_count; i++)
        if (args[i].kind == MAREY_KIND_TEXT && args[i].u64 & 1 && args[i].u64 >> 1 < CALLS_TEXT)
            args[i].text = text + (args[i].u64 >> 1);
    return args;
}
