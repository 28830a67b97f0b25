/* What the files of the hooks share: the hook of an interpreter, what is known of a code object, which calls
 * are open in a thread. See hook.h.
 * Whose is what. A hook belongs to an interpreter and is changed under its lock (without a GIL: under
 * `hooks_mutex`). What is known of a code object hangs on it (co_extra) and goes with it. The list of a
 * thread's open calls is that thread's alone. It counts only while its generation is the process's: that
 * changes when the first hook starts, and in a forked child, so that nobody has to go through the threads. */
#ifndef MAREY_HOOK_INSIDE_H
#define MAREY_HOOK_INSIDE_H

#include "hook.h"

/* ------------------------------------------------------------------- hooks */

typedef struct hook {
    face_state *state;
    PyInterpreterState *interpreter;
    struct hook *next;
    Py_ssize_t extra; /* of co_extra; -1: not asked for yet */
    uint32_t epoch;   /* of the answers of call_wanted; never 0 */
    int users, c_users;
    bool on;
    bool asked_while_off;
#if PY_VERSION_HEX < 0x030C0000
    _PyFrameEvalFunction below; /* whom we have replaced, and call */
    bool left;                  /* when we were stopped, another one stood above us */
    bool reached;               /* a frame has come to us */
    int aside;                  /* evaluations that have stepped aside */
#else
    int tool;
    PyObject *disable; /* sys.monitoring.DISABLE, once it was looked for */
#endif
} hook;

/* The hook of an interpreter, if one was ever started there. */
hook *hook_of(PyInterpreterState *interpreter);

/* What each version's file gives. start: 0, or -1 with an exception. */
int hook_install(hook *h);
void hook_remove(hook *h);
/* C functions are wanted from now on, or no more. 0, or -1 with an exception. */
int hook_c_calls(hook *h, bool wanted);
#if PY_VERSION_HEX < 0x030C0000
/* C functions that this thread calls are to be seen from now on. */
void hook_see_c_calls(PyThreadState *thread);
#endif
/* Code that was turned off is to be seen again. */
void hook_see_again(hook *h);

extern uint64_t hook_generation; /* 0: no hook was ever on */
extern hook_losses hook_counts;

static inline void hook_count(uint64_t *loss) {
    __atomic_fetch_add(loss, 1, __ATOMIC_RELAXED);
}

/* The program's exception, set aside as it is. */
static inline void error_hide(error_aside *error) {
#if PY_VERSION_HEX >= 0x030C0000
    error->value = PyErr_GetRaisedException();
#else
    PyErr_Fetch(&error->type, &error->value, &error->traceback);
#endif
}

static inline void error_show(error_aside *error) {
    error_put_back(error);
}

/* -------------------------------------------------------------------- code */

/* What is known of a code object. */
typedef struct hook_code {
    uint32_t epoch; /* of the answer */
    bool wanted;
    call_site *site;
} hook_code;

#if PY_VERSION_HEX >= 0x030C0000
#define code_get_extra PyUnstable_Code_GetExtra
#define code_set_extra PyUnstable_Code_SetExtra
#define code_request_extra PyUnstable_Eval_RequestCodeExtraIndex
#else
#define code_get_extra _PyCode_GetExtra
#define code_set_extra _PyCode_SetExtra
#define code_request_extra _PyEval_RequestCodeExtraIndex
#endif

/* Asks the recorder, and keeps the answer. NULL: memory is short. Leaves no exception. */
hook_code *code_ask(hook *h, PyCodeObject *code, PyObject *globals, hook_code *known);

/* What hangs on code at that index. */
static inline hook_code *code_extra(PyCodeObject *code, Py_ssize_t index) {
#if PY_VERSION_HEX < 0x030C0000
    /* As Objects/codeobject.c has it (_PyCodeObjectExtra), in versions that do not change any more: a call saved. */
    const struct {
        Py_ssize_t count;
        void *extras[1];
    } *all = code->co_extra;
    return LIKELY(all && all->count > index) ? all->extras[index] : NULL;
#else
    void *extra = NULL;
    code_get_extra((PyObject *)code, index, &extra);
    return extra;
#endif
}

/* What is known of code now. NULL: memory is short. Leaves no exception. */
static inline hook_code *code_known(hook *h, PyCodeObject *code, PyObject *globals) {
    hook_code *known = code_extra(code, h->extra);
    if (LIKELY(known && __atomic_load_n(&known->epoch, __ATOMIC_ACQUIRE) == h->epoch))
        return known;
    return code_ask(h, code, globals, known);
}

/* ------------------------------------------------------------------ frames */

#if PY_VERSION_HEX >= 0x030C0000
/* The frame that the thread is in. */
static inline hook_frame *frame_here(void) {
#if PY_VERSION_HEX >= 0x030D0000
    return (hook_frame *)thread_state()->current_frame;
#else
    return (hook_frame *)thread_state()->cframe->current_frame;
#endif
}
#endif

/* How a frame of that code waits that has given `value`; *value becomes what the program would call it. */
static inline call_end end_of_yield(const PyCodeObject *code, PyObject **value) {
    if (LIKELY(!(code->co_flags & (CO_COROUTINE | CO_ITERABLE_COROUTINE | CO_ASYNC_GENERATOR))))
        return CALL_YIELDED;
    call_end end_of_asynchronous(const PyCodeObject *code, PyObject **value);
    return end_of_asynchronous(code, value);
}

/* -------------------------------------------------------------- open calls */

enum {
    OPEN_FIRST = 256,    /* open calls that a thread's list has room for at first ... */
    OPEN_MOST = 1 << 20, /* ... and at most: 32 MiB */
};

extern THREAD_LOCAL hook_thread hook_here;

/* The thread's list is of another time, or full. False: there is no room. */
bool open_room(hook_thread *thread);
/* A frame ends that is not the innermost. */
void open_left_late(hook_thread *thread, const void *mark, call_end end, PyObject *value);

/* The entry of a call that begins; NULL where there is no room, which is counted. */
static inline open_call *open_push(hook_thread *thread, void *mark, call_site *site) {
    if (UNLIKELY(thread->top == thread->limit || thread->generation != hook_generation) &&
        !open_room(thread))
        return NULL;
    open_call *call = thread->top++;
    *call = (open_call){.frame = mark, .site = site};
    return call;
}

/* Whether a call of that mark is the thread's innermost that is open. */
static inline bool open_is_innermost(const hook_thread *thread, const void *mark) {
    return LIKELY(thread->top != thread->base && thread->top[-1].frame == mark &&
                  thread->generation == hook_generation);
}

/* The call of that mark ends. Of calls that nobody was told of, nothing is told. */
static inline void open_left(hook_thread *thread, const void *mark, call_end end, PyObject *value) {
    if (UNLIKELY(!open_is_innermost(thread, mark))) {
        open_left_late(thread, mark, end, value);
        return;
    }
    call_left(thread, thread->top - 1, end, value);
    thread->top--;
}

#endif
