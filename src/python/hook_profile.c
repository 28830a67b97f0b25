/* Calls of C functions on CPython 3.9-3.11: the profile function of each thread, in front of the one that is
 * there.
 * A thread gets it when it makes a call that is told, and again when somebody (sys.setprofile, cProfile) has
 * replaced it; so both see what they want to see. The object that goes with the other one's function stays
 * where it is, so sys.getprofile() answers as without us. */
#include "hook_inside.h"

#if PY_VERSION_HEX < 0x030C0000

#include <stdlib.h>

#if PY_VERSION_HEX >= 0x030B0000
#define Py_BUILD_CORE 1
#include <internal/pycore_frame.h>
#undef Py_BUILD_CORE
#define FRAME_OF(object) ((hook_frame *)(object)->f_frame)
#else
#include <frameobject.h>
#define FRAME_OF(object) ((hook_frame *)(object))
#endif

/* Whom we stand before in a thread. Never freed; a thread that ended leaves its own to the next of that
 * address. */
typedef struct place {
    PyThreadState *thread;
    Py_tracefunc below; /* or NULL */
    struct place *next;
} place;

static place *places; /* under the GIL */
static THREAD_LOCAL place *place_last;

/* NULL: there is none. */
static place *place_of(PyThreadState *thread) {
    if (LIKELY(place_last && place_last->thread == thread))
        return place_last;
    place *found = places;
    while (found && found->thread != thread)
        found = found->next;
    place_last = found;
    return found;
}

static place *place_make(PyThreadState *thread) {
    place *made = place_of(thread);
    if (!made && (made = calloc(1, sizeof *made))) {
        made->thread = thread;
        made->next = places;
        places = made;
    }
    return made;
}

static void c_function(hook_frame *frame, int what, PyObject *callable) {
    hook_thread *thread = &hook_here;
    if (what == PyTrace_C_CALL) {
        open_call *call =
            open_is_innermost(thread, frame) ? open_push(thread, callable, NULL) : NULL;
        if (call)
            c_call_entered(thread, call, callable);
    } else if (open_is_innermost(thread, callable) && !thread->top[-1].site)
        open_left(thread, callable, what == PyTrace_C_RETURN ? CALL_RETURNED : CALL_RAISED, NULL);
}

static int profile(PyObject *object, PyFrameObject *frame, int what, PyObject *argument) {
    place *here = place_of(thread_state());
    if (here && here->below && here->below(object, frame, what, argument) < 0)
        return -1;
    if (what == PyTrace_C_CALL || what == PyTrace_C_RETURN || what == PyTrace_C_EXCEPTION)
        c_function(FRAME_OF(frame), what, argument);
    return 0;
}

/* Sets a thread's function, and leaves its object as it is. An audit hook may forbid it; then nothing changes. */
static void set_function(PyThreadState *thread, Py_tracefunc function) {
    error_aside error;
    error_hide(&error);
    PyObject *object = Py_XNewRef(thread->c_profileobj);
    _PyEval_SetProfile(thread, function, object);
    Py_XDECREF(object);
    PyErr_Clear();
    error_show(&error);
}

void hook_see_c_calls(PyThreadState *thread) {
    if (thread->c_profilefunc == profile)
        return;
    place *here = place_make(thread);
    if (!here)
        return;
    here->below = thread->c_profilefunc;
    set_function(thread, profile);
}

int hook_c_calls(hook *h, bool wanted) {
    PyThreadState *thread = wanted ? NULL : PyInterpreterState_ThreadHead(h->interpreter);
    for (; thread; thread = PyThreadState_Next(thread)) {
        place *there = thread->c_profilefunc == profile ? place_of(thread) : NULL;
        if (there)
            set_function(thread, there->below);
    }
    return 0;
}

#endif
