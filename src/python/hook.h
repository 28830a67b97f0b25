/* The hooks that see every call of a Python program, and what they tell the recorder of calls (calls.c).
 *
 *   hook.c             starts and stops them, counts their users, keeps what is known of a code object and which calls
 *                      are open in a thread
 *   hook_frame.c       CPython 3.9-3.11: the frame evaluator (PEP 523)
 *   hook_profile.c     CPython 3.9-3.11: calls of C functions, by the profile function, where they are asked for
 *   hook_monitoring.c  CPython 3.12 and later: sys.monitoring (PEP 669), C functions too
 *   hook_access.h      what a frame holds, version by version
 *
 * hook.c and its like call the functions below "what the recorder provides", and nothing else of it; the recorder calls
 * those above. All of them are called with the interpreter's lock held (where there is one) and with no exception set, and
 * leave none. Those that see a call run in the traced thread, in the midst of the program: they take no lock, run no
 * Python code, and may be called for threads that nobody has seen before.
 *
 * What is told of a thread nests, whatever the program does: each call_entered, call_resumed and c_call_entered is
 * followed by exactly one call_left of the same open_call while the hook is on, those begun later having been left
 * before. Where calls do not nest (greenlets), or where their end is never seen, those that stand above are left as
 * CALL_LOST and counted. Of a call that was open when the hook started, or when the process was forked, nothing is
 * told; its later pieces, if it is a generator, are. Of calls that are open when the hook stops, no end is told. */
#ifndef MAREY_HOOK_H
#define MAREY_HOOK_H

#include "face.h"

typedef struct call_site call_site; /* the recorder's: what it knows of a code object */

/* A frame of the interpreter: PyFrameObject before 3.11, _PyInterpreterFrame since. Its address tells calls
 * apart while they are open; a generator, coroutine or asynchronous generator keeps it from its first piece to
 * its last. One that is freed while it waits may never be heard of again, and its address be another one's: a
 * call_entered says so. */
typedef struct hook_frame hook_frame;

/* A call that is open in a thread, or a piece of one. Valid while the function runs that it is handed to. */
typedef struct open_call {
    hook_frame *frame; /* of a C function: the callable, as a mark; not to be looked into */
    call_site *site;   /* NULL: a C function */
    uint64_t own[2];   /* the recorder's; 0 when the call is entered or resumed */
} open_call;

/* A thread of the system that has been seen by a hook. */
typedef struct hook_thread {
    open_call *base, *top, *limit; /* top: behind the innermost */
    uint64_t generation;           /* of what stands there; another than the hook's: nothing does */
    char *stack_low,
        *stack_floor; /* the C stack's end, and where it has little left; NULL: not known */
    bool busy;        /* set by the recorder while it runs Python code, which is not to be seen */
    void *recorder;   /* the recorder's; NULL at first */
} hook_thread;

typedef enum call_end {
    CALL_RETURNED,
    CALL_YIELDED, /* a generator gave a value, and waits */
    CALL_AWAITS,  /* a coroutine, or an asynchronous generator, waits */
    CALL_RAISED,
    CALL_LOST, /* its end was not, or will not be, seen */
} call_end;

/* ------------------------------------------ what the recorder provides (calls.c) */

/* Whether calls of code are wanted at all. Asked once for each code object, and again after hook_ask_again:
 * *site is what was put there the last time, NULL at first. May run Python code (a look into sys.modules, a
 * str made): it is not asked in the midst of another question. */
bool call_wanted(face_state *state, PyCodeObject *code, PyObject *globals, call_site **site);
/* The code object is freed. Open calls may still name the site where their end was not seen: keep it as long
 * as the hook is on. */
void call_site_gone(call_site *site);

/* A call begins; its arguments are to be had by hook_argument. */
void call_entered(hook_thread *thread, open_call *call);
/* A generator or coroutine goes on, by send() or next(), or by throw(). It may be one of which nothing was
 * told before: its first piece was before the hook, or it is thrown into before its first step. */
void call_resumed(hook_thread *thread, open_call *call, bool thrown);
/* The innermost call, or piece of one, ends. value, borrowed: what is returned or yielded; NULL where it
 * awaits and is lost; an exception, or the class of one that is not made yet, where it is raised. */
void call_left(hook_thread *thread, open_call *call, call_end end, PyObject *value);

/* A C function is called, by the innermost open call if its code is wanted. It is left by call_left
 * (CALL_RETURNED or CALL_RAISED, with NULL as value). callable: a builtin function, method or method
 * descriptor. */
void c_call_entered(hook_thread *thread, open_call *call, PyObject *callable);

/* The thread ends; there is no interpreter any more. */
void call_thread_gone(void *recorder);

/* ------------------------------------------------------- what the hooks provide */

typedef struct hook_options {
    bool c_calls; /* C functions, too */
} hook_options;

/* Turns the hook on in the calling interpreter, for all its threads, or counts one more user of it. 0, or -1
 * with an exception that says who is in the way. */
int hook_start(face_state *state, hook_options options);
/* One user less, with the options of his start; with the last one everything is as it was before. Never fails. */
void hook_stop(face_state *state, hook_options options);
/* What call_wanted said holds no longer. */
void hook_ask_again(face_state *state);

/* The module is freed: the hook is off, and has no users. */
void hook_fini(face_state *state);

/* What was not seen, in this process, since it began. */
typedef struct hook_losses {
    /* times that the hook stepped aside because the C stack came to its end, with all that was called below */
    uint64_t deep;
    uint64_t unnested; /* calls left as CALL_LOST */
    uint64_t memory;   /* calls that found no room in a thread's list */
} hook_losses;
hook_losses hook_lost(void);

/* The thread's entry; made when it is first asked for. NULL only where memory is short. */
hook_thread *hook_thread_here(void);

/* The arguments of a call, in call_entered. Those that code takes by name are the first of co_varnames:
 * positional, keyword-only, then *args, then **kwargs. Borrowed; NULL where it has none (deleted before the
 * first step of a generator). */
static inline int hook_argument_count(const PyCodeObject *code) {
    return code->co_argcount + code->co_kwonlyargcount + !!(code->co_flags & CO_VARARGS) +
           !!(code->co_flags & CO_VARKEYWORDS);
}
PyObject *hook_argument(const hook_frame *frame, int index);
/* Its name, borrowed from the code object. */
PyObject *hook_argument_name(PyCodeObject *code, int index);
/* Borrowed. */
PyCodeObject *hook_frame_code(const hook_frame *frame);
PyObject *hook_frame_globals(const hook_frame *frame);

#endif
