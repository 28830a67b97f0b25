/* The hook for CPython 3.9-3.11: a frame evaluator (PEP 523) around the one that is there.
 * An evaluator is of the interpreter, so threads that already run are covered. What was there before is
 * called, and put back; who is put there after us calls us, and we stay below him, doing nothing once we are
 * off, until he is gone.
 * On 3.11 a call from Python to Python that is not hooked needs no C stack, a hooked one does (Python/ceval.c:
 * with an evaluator set, nothing is inlined). Before a deep program that ran well could run out of it, the
 * hook steps aside: it takes itself out for as long as the call lasts that came too deep, in all threads, and
 * counts that.
 * A generator's frame is evaluated once for each piece. On 3.11 the call of a generator function, which only
 * makes the generator, is an evaluation, too, of a frame of its own; it is not told. */
#include "hook_inside.h"

#if PY_VERSION_HEX < 0x030C0000
#include <dlfcn.h>

#if PY_VERSION_HEX >= 0x030B0000
#define Py_BUILD_CORE 1
#include <internal/pycore_code.h>
#include <internal/pycore_frame.h>
#undef Py_BUILD_CORE
typedef _PyInterpreterFrame py_frame;
#else
#include <frameobject.h>
typedef PyFrameObject py_frame;
#endif

enum { MAKERS = CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR };

/* ------------------------------------------------------------------ frames */

#if PY_VERSION_HEX >= 0x030B0000

static inline bool frame_is_generators(const py_frame *frame) {
    return frame->owner == FRAME_OWNED_BY_GENERATOR;
}

/* Whether nothing of the function's own code has run. */
static inline bool frame_is_new(const py_frame *frame) {
    return frame->prev_instr < _PyCode_CODE(frame->f_code) + frame->f_code->_co_firsttraceable;
}

static inline bool frame_waits(const py_frame *frame) {
    const char *generator = (const char *)frame - offsetof(PyGenObject, gi_iframe);
    return ((const PyGenObject *)generator)->gi_frame_state == FRAME_SUSPENDED;
}

static inline bool cells_made(const py_frame *frame) {
    return frame_is_generators(frame); /* by MAKE_CELL, before the generator was made */
}

PyObject *hook_argument(const hook_frame *frame, int index) {
    const py_frame *at = (const py_frame *)frame;
    PyObject *value = index < at->f_code->co_nlocalsplus ? at->localsplus[index] : NULL;
    if (value && cells_made(at) && PyCell_Check(value) &&
        _PyLocals_GetKind(at->f_code->co_localspluskinds, index) & CO_FAST_CELL)
        return PyCell_GET(value);
    return value;
}

#else

static inline bool frame_is_generators(const py_frame *frame) {
    return frame->f_gen != NULL;
}

static inline bool frame_is_new(const py_frame *frame) {
    return frame->f_lasti < 0;
}

static inline bool frame_waits(const py_frame *frame) {
#if PY_VERSION_HEX >= 0x030A0000
    return frame->f_state == FRAME_SUSPENDED;
#else
    return frame->f_stacktop != NULL;
#endif
}

/* An argument that is a cell has been moved there before the frame is evaluated. */
static PyObject *cell_argument(const py_frame *frame, int index) {
    const PyCodeObject *code = frame->f_code;
    for (Py_ssize_t i = 0; code->co_cell2arg && i < PyTuple_GET_SIZE(code->co_cellvars); i++)
        if (code->co_cell2arg[i] == index) {
            PyObject *cell = frame->f_localsplus[code->co_nlocals + i];
            return cell && PyCell_Check(cell) ? PyCell_GET(cell) : NULL;
        }
    return NULL;
}

PyObject *hook_argument(const hook_frame *frame, int index) {
    const py_frame *at = (const py_frame *)frame;
    PyObject *value = index < at->f_code->co_nlocals ? at->f_localsplus[index] : NULL;
    return value ? value : cell_argument(at, index);
}

#endif

PyCodeObject *hook_frame_code(const hook_frame *frame) {
    return ((const py_frame *)frame)->f_code;
}

PyObject *hook_frame_globals(const hook_frame *frame) {
    return ((const py_frame *)frame)->f_globals;
}

/* Whether a frame's evaluation is a call, or a piece of one. */
static inline bool frame_is_call(const py_frame *frame) {
#if PY_VERSION_HEX >= 0x030B0000
    return LIKELY(!(frame->f_code->co_flags & MAKERS)) || frame_is_generators(frame);
#else
    (void)frame;
    return true;
#endif
}

/* -------------------------------------------------------------- evaluation */

/* The interpreter's hook. There is one lock for all interpreters, so the last one found can be kept. */
static inline hook *hook_here_of(PyInterpreterState *interpreter) {
    static hook *last;
    if (LIKELY(last && last->interpreter == interpreter))
        return last;
    hook *h = hook_of(interpreter);
    if (h)
        last = h;
    return h;
}

/* The exception at hand as the recorder is to see it, with the program's set aside. Borrowed from *error. */
static PyObject *exception_seen(error_aside *error) {
    error_hide(error);
    PyObject *type = error->type;
    /* Made where that runs no code of the program's: the interpreter has left it to whoever looks first. */
    if (type && !(error->value && PyExceptionInstance_Check(error->value)) &&
        !(((PyTypeObject *)type)->tp_flags & Py_TPFLAGS_HEAPTYPE))
        PyErr_NormalizeException(&error->type, &error->value, &error->traceback);
    return error->value && PyExceptionInstance_Check(error->value) ? error->value : error->type;
}

static NOINLINE void frame_raised(hook_thread *thread, py_frame *frame) {
    error_aside error;
    PyObject *exception = exception_seen(&error);
    open_left(thread, frame, CALL_RAISED, exception);
    error_show(&error);
}

static inline void frame_left(hook_thread *thread, py_frame *frame, PyObject *result) {
    if (UNLIKELY(!result))
        frame_raised(thread, frame);
    else if (LIKELY(!frame_is_generators(frame) || !frame_waits(frame)))
        open_left(thread, frame, CALL_RETURNED, result);
    else {
        call_end end = end_of_yield(hook_frame_code((hook_frame *)frame), &result);
        open_left(thread, frame, end, result);
    }
}

/* throwflag is set with an exception at hand, which the recorder must not see. */
static NOINLINE void frame_goes_on(hook_thread *thread, open_call *call, bool thrown) {
    error_aside error;
    error_hide(&error);
    call_resumed(thread, call, thrown);
    error_show(&error);
}

static PyObject *evaluate(PyThreadState *state, py_frame *frame, int throwflag);

/* Takes the hook out for the time of one evaluation. */
static PyObject *evaluate_aside(hook *h, PyThreadState *state, py_frame *frame, int throwflag) {
    PyInterpreterState *interpreter = h->interpreter;
    hook_count(&hook_counts.deep);
    h->aside++;
    if (_PyInterpreterState_GetEvalFrameFunc(interpreter) == evaluate)
        _PyInterpreterState_SetEvalFrameFunc(interpreter, h->below);
    PyObject *result = h->below(state, frame, throwflag);
    if (!--h->aside && h->on && _PyInterpreterState_GetEvalFrameFunc(interpreter) == h->below)
        _PyInterpreterState_SetEvalFrameFunc(interpreter, evaluate);
    return result;
}

/* A call, or a piece of one, that is wanted. */
static NOINLINE PyObject *evaluate_seen(hook *h, call_site *site, PyThreadState *state,
                                        py_frame *frame, int throwflag) {
    hook_thread *thread = &hook_here;
    open_call *call = frame_is_call(frame) ? open_push(thread, frame, site) : NULL;
    if (UNLIKELY(!call))
        return h->below(state, frame, throwflag);
    if (UNLIKELY(h->c_users))
        hook_see_c_calls(state);
    if (LIKELY(!throwflag && frame_is_new(frame)))
        call_entered(thread, call);
    else
        frame_goes_on(thread, call, throwflag);
    PyObject *result = h->below(state, frame, throwflag);
    if (LIKELY(h->on))
        frame_left(thread, frame, result);
    return result;
}

/* Code that is not wanted comes this way, too: it has to be quick. */
static inline PyObject *evaluate_if_wanted(hook *h, PyThreadState *state, py_frame *frame,
                                           int throwflag) {
    PyCodeObject *code = hook_frame_code((hook_frame *)frame);
    const hook_code *known = code_known(h, code, frame->f_globals);
    if (!known || !known->wanted)
        return h->below(state, frame, throwflag);
    return evaluate_seen(h, known->site, state, frame, throwflag);
}

/* What is not so simple. A C stack that the system knows nothing of (of a coroutine library) may be of any
 * depth. */
static NOINLINE PyObject *evaluate_rarely(PyThreadState *state, py_frame *frame, int throwflag) {
    hook *h = hook_here_of(state->interp);
    hook_thread *thread = hook_thread_here();
    char *here = __builtin_frame_address(0);
    if (!h)
        return _PyEval_EvalFrameDefault(state, frame, throwflag);
    h->reached = true;
    if (!h->on || !thread || thread->busy || state->tracing)
        return h->below(state, frame, throwflag);
    if (here < thread->stack_floor && here >= thread->stack_low)
        return evaluate_aside(h, state, frame, throwflag);
    return evaluate_if_wanted(h, state, frame, throwflag);
}

static PyObject *evaluate(PyThreadState *state, py_frame *frame, int throwflag) {
    hook *h = hook_here_of(state->interp);
    hook_thread *thread = &hook_here;
    if (UNLIKELY(!h || !h->on || thread->generation != hook_generation || thread->busy ||
                 state->tracing || (char *)__builtin_frame_address(0) < thread->stack_floor))
        return evaluate_rarely(state, frame, throwflag);
    return evaluate_if_wanted(h, state, frame, throwflag);
}

/* ---------------------------------------------------------- start and stop */

/* Says who the evaluator is that is in the way. */
static int refused(_PyFrameEvalFunction evaluator) {
    Dl_info info;
    bool known = dladdr((void *)(uintptr_t)evaluator, &info) != 0;
    PyErr_Format(PyExc_RuntimeError,
                 "calls cannot be seen: %s of %s evaluates the frames, and does not pass them on",
                 known && info.dli_sname ? info.dli_sname : "a function",
                 known && info.dli_fname ? info.dli_fname : "an unknown library");
    return -1;
}

/* Whether frames come to us by way of whoever stands above. */
static bool reached(hook *h) {
    bool on = h->on;
    PyObject *globals = PyDict_New();
    h->reached = h->on = false; /* off: it is evaluated rarely */
    PyObject *none = globals ? PyRun_String("None", Py_eval_input, globals, globals) : NULL;
    h->on = on;
    Py_XDECREF(none);
    Py_XDECREF(globals);
    PyErr_Clear();
    return h->reached;
}

int hook_install(hook *h) {
    _PyFrameEvalFunction there = _PyInterpreterState_GetEvalFrameFunc(h->interpreter);
    if (there != evaluate && (!h->left || there == h->below)) {
        h->below = there;
        _PyInterpreterState_SetEvalFrameFunc(h->interpreter, evaluate);
    } else if (there != evaluate && !reached(h))
        return refused(there);
    h->left = false;
    return 0;
}

void hook_remove(hook *h) {
    _PyFrameEvalFunction there = _PyInterpreterState_GetEvalFrameFunc(h->interpreter);
    if (there == evaluate)
        _PyInterpreterState_SetEvalFrameFunc(h->interpreter, h->below);
    h->left = there != evaluate && there != h->below;
}

void hook_see_again(hook *Py_UNUSED(h)) {
    /* each evaluation looks at the answer's age */
}

#endif
