/* The hook for CPython 3.12 and later: sys.monitoring (PEP 669), under a tool id that nobody has.
 * All events are turned on for all code of the interpreter. Where code is not wanted, each of its places
 * answers DISABLE the first time that it is reached, and costs nothing from then on; PY_UNWIND and PY_THROW,
 * which cannot be turned off so, only come with exceptions. So starting and stopping is one number each: code
 * that runs is adapted by itself (Python/instrumentation.c).
 * While a callback runs, CPython delivers no events of that thread to any tool. So what the recorder does in
 * it is not seen. */
#include "hook_inside.h"

#if PY_VERSION_HEX >= 0x030C0000

#define Py_BUILD_CORE 1
#include <internal/pycore_frame.h>
#if PY_VERSION_HEX >= 0x030E0000
#include <internal/pycore_interpframe.h>
#endif
#undef Py_BUILD_CORE

/* ------------------------------------------------------------------ frames */

static inline PyObject *local(const hook_frame *frame, int index) {
    _PyInterpreterFrame *at = (_PyInterpreterFrame *)frame;
#if PY_VERSION_HEX >= 0x030E0000
    _PyStackRef value = at->localsplus[index];
    return PyStackRef_IsNull(value) ? NULL : PyStackRef_AsPyObjectBorrow(value);
#else
    return at->localsplus[index];
#endif
}

PyCodeObject *hook_frame_code(const hook_frame *frame) {
    _PyInterpreterFrame *at = (_PyInterpreterFrame *)frame;
#if PY_VERSION_HEX >= 0x030D0000
    return _PyFrame_GetCode(at);
#else
    return at->f_code;
#endif
}

PyObject *hook_frame_globals(const hook_frame *frame) {
    return ((_PyInterpreterFrame *)frame)->f_globals;
}

/* A call is entered at its RESUME, behind all MAKE_CELL. */
PyObject *hook_argument(const hook_frame *frame, int index) {
    PyCodeObject *code = hook_frame_code(frame);
    PyObject *value = index < code->co_nlocalsplus ? local(frame, index) : NULL;
    if (value && PyCell_Check(value) &&
        _PyLocals_GetKind(code->co_localspluskinds, index) & CO_FAST_CELL)
        return ((PyCellObject *)value)->ob_ref;
    return value;
}

/* --------------------------------------------------------------- callbacks */

/* A callback: an object that is called without anything between CPython and its function. */
typedef struct event_object {
    PyObject_HEAD vectorcallfunc called;
    hook *of;
} event_object;

/* Its hook, where it is called as sys.monitoring does: with code, offset and, mostly, an object. */
static inline hook *event_hook(PyObject *self, PyObject *const *args, size_t nargsf) {
    hook *h = ((event_object *)self)->of;
    return LIKELY(h->on && PyVectorcall_NARGS(nargsf) >= 2 && PyCode_Check(args[0])) ? h : NULL;
}

/* What to answer at a place of that code: its calls may not be wanted. */
static NOINLINE PyObject *answer(hook *h, PyCodeObject *code, hook_frame *frame) {
    hook_code *known = code_known(h, code, hook_frame_globals(frame));
    return Py_NewRef(known && !known->wanted ? h->disable : Py_None);
}

static PyObject *event_start(PyObject *self, PyObject *const *args, size_t nargsf,
                             PyObject *Py_UNUSED(kwnames)) {
    hook *h = event_hook(self, args, nargsf);
    if (UNLIKELY(!h))
        return Py_NewRef(Py_None);
    hook_frame *frame = frame_here();
    hook_code *known = code_known(h, (PyCodeObject *)args[0], hook_frame_globals(frame));
    if (UNLIKELY(!known || !known->wanted))
        return Py_NewRef(known ? h->disable : Py_None);
    open_call *call = open_push(&hook_here, frame, known->site);
    if (LIKELY(call != NULL))
        call_entered(&hook_here, call);
    return Py_NewRef(Py_None);
}

static PyObject *go_on(hook *h, PyCodeObject *code, bool thrown) {
    hook_frame *frame = frame_here();
    hook_code *known = code_known(h, code, hook_frame_globals(frame));
    if (!known || !known->wanted)
        return Py_NewRef(known && !thrown ? h->disable : Py_None);
    open_call *call = open_push(&hook_here, frame, known->site);
    if (LIKELY(call != NULL))
        call_resumed(&hook_here, call, thrown);
    return Py_NewRef(Py_None);
}

static PyObject *event_resume(PyObject *self, PyObject *const *args, size_t nargsf,
                              PyObject *Py_UNUSED(kwnames)) {
    hook *h = event_hook(self, args, nargsf);
    return h ? go_on(h, (PyCodeObject *)args[0], false) : Py_NewRef(Py_None);
}

static PyObject *event_throw(PyObject *self, PyObject *const *args, size_t nargsf,
                             PyObject *Py_UNUSED(kwnames)) {
    hook *h = event_hook(self, args, nargsf);
    return h ? go_on(h, (PyCodeObject *)args[0], true) : Py_NewRef(Py_None);
}

static PyObject *event_return(PyObject *self, PyObject *const *args, size_t nargsf,
                              PyObject *Py_UNUSED(kwnames)) {
    hook *h = event_hook(self, args, nargsf);
    if (UNLIKELY(!h || PyVectorcall_NARGS(nargsf) < 3))
        return Py_NewRef(Py_None);
    hook_frame *frame = frame_here();
    bool known = open_is_innermost(&hook_here, frame);
    open_left(&hook_here, frame, CALL_RETURNED, args[2]);
    return known ? Py_NewRef(Py_None) : answer(h, (PyCodeObject *)args[0], frame);
}

static PyObject *event_yield(PyObject *self, PyObject *const *args, size_t nargsf,
                             PyObject *Py_UNUSED(kwnames)) {
    hook *h = event_hook(self, args, nargsf);
    if (UNLIKELY(!h || PyVectorcall_NARGS(nargsf) < 3))
        return Py_NewRef(Py_None);
    hook_frame *frame = frame_here();
    PyObject *value = args[2];
    call_end end = end_of_yield((PyCodeObject *)args[0], &value);
    bool known = open_is_innermost(&hook_here, frame);
    open_left(&hook_here, frame, end, value);
    return known ? Py_NewRef(Py_None) : answer(h, (PyCodeObject *)args[0], frame);
}

static PyObject *event_unwind(PyObject *self, PyObject *const *args, size_t nargsf,
                              PyObject *Py_UNUSED(kwnames)) {
    hook *h = event_hook(self, args, nargsf);
    if (LIKELY(h && PyVectorcall_NARGS(nargsf) >= 3))
        open_left(&hook_here, frame_here(), CALL_RAISED, args[2]);
    return Py_NewRef(Py_None);
}

/* ------------------------------------------------------------- C functions */

/* The function itself, if a call of callable is one of a C function; cProfile counts the same
 * (Modules/_lsprof.c). */
static inline bool is_c_function(PyObject *callable) {
    return PyCFunction_Check(callable) || Py_IS_TYPE(callable, &PyMethodDescr_Type);
}

static PyObject *event_call(PyObject *self, PyObject *const *args, size_t nargsf,
                            PyObject *Py_UNUSED(kwnames)) {
    hook *h = event_hook(self, args, nargsf);
    if (UNLIKELY(!h || PyVectorcall_NARGS(nargsf) < 3))
        return Py_NewRef(Py_None);
    hook_frame *frame = frame_here();
    if (!open_is_innermost(&hook_here, frame))
        return answer(h, (PyCodeObject *)args[0], frame);
    if (!is_c_function(args[2]))
        return Py_NewRef(Py_None);
    open_call *call = open_push(&hook_here, args[2], NULL);
    if (LIKELY(call != NULL))
        c_call_entered(&hook_here, call, args[2]);
    return Py_NewRef(Py_None);
}

static PyObject *c_left(PyObject *self, PyObject *const *args, size_t nargsf, call_end end) {
    hook *h = event_hook(self, args, nargsf);
    hook_thread *thread = &hook_here;
    if (LIKELY(h && PyVectorcall_NARGS(nargsf) >= 3 && is_c_function(args[2]) &&
               open_is_innermost(thread, args[2]) && !thread->top[-1].site))
        open_left(thread, args[2], end, NULL);
    return Py_NewRef(Py_None);
}

static PyObject *event_c_return(PyObject *self, PyObject *const *args, size_t nargsf,
                                PyObject *Py_UNUSED(kwnames)) {
    return c_left(self, args, nargsf, CALL_RETURNED);
}

static PyObject *event_c_raise(PyObject *self, PyObject *const *args, size_t nargsf,
                               PyObject *Py_UNUSED(kwnames)) {
    return c_left(self, args, nargsf, CALL_RAISED);
}

static const struct {
    const char *name;
    vectorcallfunc called;
    bool of_c;
} events[] = {{"PY_START", event_start, false}, {"PY_RESUME", event_resume, false},
              {"PY_THROW", event_throw, false}, {"PY_RETURN", event_return, false},
              {"PY_YIELD", event_yield, false}, {"PY_UNWIND", event_unwind, false},
              {"CALL", event_call, true},       {"C_RETURN", event_c_return, true},
              {"C_RAISE", event_c_raise, true}};

enum { EVENTS = sizeof events / sizeof *events };

/* -------------------------------------------------------------------- type */

static PyMemberDef event_members[] = {
    {"__vectorcalloffset__", Py_T_PYSSIZET, offsetof(event_object, called), Py_READONLY, NULL},
    {0, 0, 0, 0, NULL}};

static void event_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyType_Slot event_slots[] = {{Py_tp_dealloc, (void *)event_dealloc},
                                    {Py_tp_call, (void *)PyVectorcall_Call},
                                    {Py_tp_members, event_members},
                                    {0, NULL}};

static PyType_Spec event_spec = {"marey._marey.HookEvent", sizeof(event_object), 0,
                                 Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL |
                                     Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
                                 event_slots};

/* ---------------------------------------------------------- start and stop */

/* sys.monitoring, borrowed; NULL with an exception. */
static PyObject *monitoring(void) {
    PyObject *found = PySys_GetObject("monitoring"); /* borrowed */
    if (!found)
        PyErr_SetString(PyExc_RuntimeError, "calls cannot be seen: sys.monitoring is not there");
    return found;
}

/* The number of an event; -1 with an exception. */
static long event_number(const char *name) {
    PyObject *module = monitoring();
    PyObject *all = module ? PyObject_GetAttrString(module, "events") : NULL;
    PyObject *number = all ? PyObject_GetAttrString(all, name) : NULL;
    long value = number ? PyLong_AsLong(number) : -1;
    Py_XDECREF(number);
    Py_XDECREF(all);
    return value;
}

/* Drops what a function gave whose effect alone matters. 0, or -1 with an exception. */
static int done(PyObject *result) {
    Py_XDECREF(result);
    return result ? 0 : -1;
}

static PyObject *callback_make(hook *h, PyTypeObject *type, vectorcallfunc called) {
    event_object *callback = (event_object *)type->tp_alloc(type, 0);
    if (callback) {
        callback->called = called;
        callback->of = h;
    }
    return (PyObject *)callback;
}

/* Registers the callbacks, those for C functions or the others. 0, or -1 with an exception. */
static int events_register(hook *h, bool of_c) {
    PyObject *module = monitoring();
    PyObject *type = module ? PyType_FromSpec(&event_spec) : NULL;
    int result = type ? 0 : -1;
    for (int i = 0; i < EVENTS && result == 0; i++) {
        if (events[i].of_c != of_c)
            continue;
        long number = event_number(events[i].name);
        PyObject *callback = callback_make(h, (PyTypeObject *)type, events[i].called);
        if (number < 0 || !callback)
            result = -1;
        else
            result = done(
                PyObject_CallMethod(module, "register_callback", "ilO", h->tool, number, callback));
        Py_XDECREF(callback);
    }
    Py_XDECREF(type);
    return result;
}

static void events_forget(hook *h) {
    PyObject *module = monitoring();
    for (int i = 0; i < EVENTS && module; i++) {
        done(PyObject_CallMethod(module, "register_callback", "ilO", h->tool,
                                 event_number(events[i].name), Py_None));
        PyErr_Clear();
    }
}

/* Turns events on; without any, all are off. C_RETURN and C_RAISE come with CALL. 0, or -1 with an exception. */
static int events_set(hook *h, bool python, bool c) {
    PyObject *module = monitoring();
    long all = 0;
    for (int i = 0; i < EVENTS && module; i++)
        if (events[i].of_c ? c : python) {
            long number = event_number(events[i].name);
            if (number < 0)
                return -1;
            all |= number;
        }
    return module ? done(PyObject_CallMethod(module, "set_events", "il", h->tool, all)) : -1;
}

/* Puts who holds the tool ids into an exception. */
static int refused(PyObject *module, const int *ids, size_t count) {
    PyErr_Clear();
    PyObject *names = PyUnicode_FromString("");
    for (size_t i = 0; i < count && names; i++) {
        PyObject *name = PyObject_CallMethod(module, "get_tool", "i", ids[i]), *longer = NULL;
        if (name)
            longer = PyUnicode_FromFormat("%U%s%S (%d)", names, i ? ", " : "", name, ids[i]);
        Py_XDECREF(name);
        Py_XSETREF(names, longer);
    }
    if (names)
        PyErr_Format(PyExc_RuntimeError,
                     "calls cannot be seen: the tool ids of sys.monitoring are taken, by %U",
                     names);
    Py_XDECREF(names);
    return -1;
}

/* Those that PEP 669 gives no name first: 0 is the debugger's, 1 coverage's, 2 the profiler's, 5 the
 * optimizer's. */
static int tool_take(hook *h) {
    static const int ids[] = {4, 3, 5};
    PyObject *module = monitoring();
    for (size_t i = 0; i < sizeof ids / sizeof *ids && module; i++) {
        if (done(PyObject_CallMethod(module, "use_tool_id", "is", ids[i], "marey")) == 0) {
            h->tool = ids[i];
            return 0;
        }
        if (!PyErr_ExceptionMatches(PyExc_ValueError))
            return -1;
        PyErr_Clear();
    }
    return module ? refused(module, ids, sizeof ids / sizeof *ids) : -1;
}

int hook_install(hook *h) {
    PyObject *module = monitoring();
    if (!module || tool_take(h) < 0)
        return -1;
    if (!h->disable)
        h->disable = PyObject_GetAttrString(module, "DISABLE");
    if (h->disable && events_register(h, false) == 0 && events_set(h, true, false) == 0)
        return 0;
    error_aside error;
    error_take(&error);
    hook_remove(h);
    error_put_back(&error);
    return -1;
}

/* Somebody may have freed our tool id, and taken it himself: then it is no longer ours to change. */
static bool tool_is_ours(const hook *h) {
    PyObject *module = monitoring();
    PyObject *name = module ? PyObject_CallMethod(module, "get_tool", "i", h->tool) : NULL;
    bool ours = name && PyUnicode_Check(name) && !PyUnicode_CompareWithASCIIString(name, "marey");
    Py_XDECREF(name);
    PyErr_Clear();
    return ours;
}

void hook_remove(hook *h) {
    if (tool_is_ours(h)) {
        events_set(h, false, false);
        PyErr_Clear();
        events_forget(h);
        done(PyObject_CallMethod(monitoring(), "free_tool_id", "i", h->tool));
    }
    PyErr_Clear();
}

int hook_c_calls(hook *h, bool wanted) {
    if (!tool_is_ours(h))
        return 0;
    if (wanted && events_register(h, true) < 0)
        return -1;
    return events_set(h, true, wanted);
}

void hook_see_again(hook *Py_UNUSED(h)) {
    PyObject *module = monitoring();
    if (module)
        done(PyObject_CallMethod(module, "restart_events", NULL));
    PyErr_Clear();
}

#endif
