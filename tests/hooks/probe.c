/* A recorder for the tests of the hooks, and for the bench: src/python/hook*.c built with this in the place of
 * calls.c.
 * It counts for each code object how often it was entered and how its pieces ended, checks that what it is
 * told nests, and keeps the first events as they came. With `clock` it does what every recorder has to do at
 * least: it reads the clock at both ends. */
#include "hook.h"

#include <pthread.h>
#include <stdlib.h>

#if defined(__x86_64__)
#include <x86intrin.h>
#define TICKS() __rdtsc()
#else
static inline uint64_t read_ticks(void) {
    uint64_t ticks;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
    return ticks;
}
#define TICKS() read_ticks()
#endif

enum { EVENTS_MOST = 4096, TEXT = 96 };

struct call_site {
    char file[256], name[64];
    int line;
    uint64_t entered, resumed, thrown, ends[CALL_LOST + 1];
    call_site *next;
};

typedef struct event {
    char what; /* > entered, ~ resumed, ! thrown into, r y a x l: the ends; c: a C function */
    long depth;
    call_site *site;
    char text[TEXT];
} event;

static call_site *sites;
static uint64_t c_entered, c_ends[CALL_LOST + 1];
static uint64_t bad; /* what must not be */
static uint64_t ticks_sum;
static bool quick, keep;
static char prefix[256];
static event kept[EVENTS_MOST];
static size_t kept_count;
static pthread_mutex_t probe_mutex = PTHREAD_MUTEX_INITIALIZER;

static void describe(PyObject *object, char *text) {
    if (object && PyLong_CheckExact(object))
        snprintf(text, TEXT, "%lld", PyLong_AsLongLong(object));
    else if (object && PyUnicode_CheckExact(object))
        snprintf(text, TEXT, "'%s'", PyUnicode_AsUTF8(object));
    else if (object && PyExceptionInstance_Check(object))
        snprintf(text, TEXT, "%s()", Py_TYPE(object)->tp_name);
    else if (object && PyTuple_CheckExact(object))
        snprintf(text, TEXT, "<%d>", (int)PyTuple_GET_SIZE(object));
    else
        snprintf(text, TEXT, "%s", object ? Py_TYPE(object)->tp_name : "NULL");
    PyErr_Clear();
}

static event *note(hook_thread *thread, const open_call *call, char what) {
    if (!keep)
        return NULL;
    pthread_mutex_lock(&probe_mutex);
    event *at = kept_count < EVENTS_MOST ? &kept[kept_count++] : NULL;
    pthread_mutex_unlock(&probe_mutex);
    if (at)
        *at = (event){.what = what, .site = call->site, .depth = call - thread->base};
    return at;
}

static void check(hook_thread *thread, const open_call *call) {
    bool right = call == thread->top - 1 && thread->base && !PyErr_Occurred();
    if (!right)
        __atomic_fetch_add(&bad, 1, __ATOMIC_RELAXED);
}

bool call_wanted(face_state *Py_UNUSED(state), PyCodeObject *code, PyObject *globals,
                 call_site **site) {
    const char *file = PyUnicode_AsUTF8(code->co_filename);
    if (!PyDict_Check(globals) || !file) {
        PyErr_Clear();
        return false;
    }
    if (!*site) {
        *site = calloc(1, sizeof **site);
        snprintf((*site)->file, sizeof(*site)->file, "%s", file);
        snprintf((*site)->name, sizeof(*site)->name, "%s", PyUnicode_AsUTF8(code->co_name));
        (*site)->line = code->co_firstlineno;
        pthread_mutex_lock(&probe_mutex);
        (*site)->next = sites;
        sites = *site;
        pthread_mutex_unlock(&probe_mutex);
    }
    return !strncmp(file, prefix, strlen(prefix));
}

void call_site_gone(call_site *Py_UNUSED(site)) {
    /* what was counted of it is still to be asked for */
}

void call_entered(hook_thread *thread, open_call *call) {
    call->own[0] = TICKS();
    if (quick)
        return;
    check(thread, call);
    __atomic_fetch_add(&call->site->entered, 1, __ATOMIC_RELAXED);
    event *at = note(thread, call, '>');
    PyCodeObject *code = hook_frame_code(call->frame);
    size_t used = 0;
    for (int i = 0; at && i < hook_argument_count(code) && used < TEXT - 1; i++) {
        char text[TEXT];
        describe(hook_argument(call->frame, i), text);
        used += (size_t)snprintf(at->text + used, TEXT - used, "%s%s=%s", i ? ", " : "",
                                 PyUnicode_AsUTF8(hook_argument_name(code, i)), text);
    }
}

void call_resumed(hook_thread *thread, open_call *call, bool thrown) {
    call->own[0] = TICKS();
    if (quick)
        return;
    check(thread, call);
    __atomic_fetch_add(thrown ? &call->site->thrown : &call->site->resumed, 1, __ATOMIC_RELAXED);
    note(thread, call, thrown ? '!' : '~');
}

void call_left(hook_thread *thread, open_call *call, call_end end, PyObject *value) {
    uint64_t now = TICKS();
    if (quick) {
        ticks_sum += now - call->own[0];
        return;
    }
    check(thread, call);
    bad += !call->own[0];
    __atomic_fetch_add(call->site ? &call->site->ends[end] : &c_ends[end], 1, __ATOMIC_RELAXED);
    event *at = note(thread, call, "ryaxl"[end]);
    if (at)
        describe(value, at->text);
}

void c_call_entered(hook_thread *thread, open_call *call, PyObject *callable) {
    call->own[0] = TICKS();
    if (quick)
        return;
    check(thread, call);
    __atomic_fetch_add(&c_entered, 1, __ATOMIC_RELAXED);
    event *at = note(thread, call, 'c');
    if (at)
        describe(callable, at->text);
}

void call_thread_gone(void *Py_UNUSED(recorder)) {}

/* ------------------------------------------------------------------ module */

static hook_options options_of(PyObject *c_calls) {
    return (hook_options){.c_calls = PyObject_IsTrue(c_calls)};
}

/* start(c_calls, quick, keep, prefix) */
static PyObject *probe_start(PyObject *module, PyObject *args) {
    PyObject *c_calls;
    int be_quick, be_keeping;
    const char *begins;
    if (!PyArg_ParseTuple(args, "Opps", &c_calls, &be_quick, &be_keeping, &begins))
        return NULL;
    quick = be_quick;
    keep = be_keeping;
    snprintf(prefix, sizeof prefix, "%s", begins);
    if (hook_start(PyModule_GetState(module), options_of(c_calls)) < 0)
        return NULL;
    return Py_NewRef(Py_None);
}

static PyObject *probe_stop(PyObject *module, PyObject *c_calls) {
    hook_stop(PyModule_GetState(module), options_of(c_calls));
    return Py_NewRef(Py_None);
}

/* only(prefix): other files are wanted from now on */
static PyObject *probe_only(PyObject *module, PyObject *begins) {
    snprintf(prefix, sizeof prefix, "%s", PyUnicode_AsUTF8(begins));
    hook_ask_again(PyModule_GetState(module));
    return Py_NewRef(Py_None);
}

/* counts() -> {(file, line, name): (entered, resumed, thrown, returned, yielded, awaits, raised, lost)} */
static PyObject *probe_counts(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(unused)) {
    PyObject *dict = PyDict_New();
    for (call_site *site = sites; dict && site; site = site->next) {
        PyObject *key = Py_BuildValue("(sis)", site->file, site->line, site->name);
        const uint64_t *e = site->ends;
        PyObject *old = key ? PyDict_GetItem(dict, key) : NULL; /* borrowed */
        long long sum[8] = {(long long)site->entered, (long long)site->resumed,
                            (long long)site->thrown,  (long long)e[0],
                            (long long)e[1],          (long long)e[2],
                            (long long)e[3],          (long long)e[4]};
        PyObject *numbers = PyTuple_New(8);
        for (int i = 0; numbers && i < 8; i++) {
            long long before = old ? PyLong_AsLongLong(PyTuple_GET_ITEM(old, i)) : 0;
            PyTuple_SET_ITEM(numbers, i, PyLong_FromLongLong(before + sum[i]));
        }
        if (key && numbers)
            PyDict_SetItem(dict, key, numbers);
        Py_XDECREF(key);
        Py_XDECREF(numbers);
    }
    return dict;
}

/* events() -> [(what, depth, name, text)] */
static PyObject *probe_events(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(unused)) {
    PyObject *list = PyList_New(0);
    for (size_t i = 0; i < kept_count; i++) {
        const event *at = &kept[i];
        PyObject *item =
            Py_BuildValue("(Clss)", at->what, at->depth, at->site ? at->site->name : "", at->text);
        if (item)
            PyList_Append(list, item);
        Py_XDECREF(item);
    }
    return list;
}

static PyObject *probe_totals(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(unused)) {
    hook_losses lost = hook_lost();
    hook_thread *here = hook_thread_here();
    return Py_BuildValue("{sKsKsKsKsKsKsKsn}", "bad", bad, "c_entered", c_entered, "c_returned",
                         c_ends[CALL_RETURNED], "c_raised", c_ends[CALL_RAISED], "deep", lost.deep,
                         "unnested", lost.unnested, "memory", lost.memory, "open",
                         here ? (Py_ssize_t)(here->top - here->base) : -1);
}

static PyObject *probe_clear(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(unused)) {
    for (call_site *site = sites; site; site = site->next) {
        site->entered = site->resumed = site->thrown = 0;
        memset(site->ends, 0, sizeof site->ends);
    }
    memset(c_ends, 0, sizeof c_ends);
    c_entered = bad = ticks_sum = 0;
    kept_count = 0;
    return Py_NewRef(Py_None);
}

/* ------------------------------------------------------- another evaluator */

static unsigned long long evaluated;

#if PY_VERSION_HEX < 0x030C0000

#if PY_VERSION_HEX < 0x030B0000
typedef PyFrameObject other_frame;
#else
typedef struct _PyInterpreterFrame other_frame;
#endif
extern PyObject *_PyEval_EvalFrameDefault(PyThreadState *state, other_frame *frame, int throwflag);

static _PyFrameEvalFunction before_us;

static PyObject *other_passes_on(PyThreadState *state, other_frame *frame, int throwflag) {
    evaluated++;
    return before_us(state, frame, throwflag);
}

static PyObject *other_does_it(PyThreadState *state, other_frame *frame, int throwflag) {
    return _PyEval_EvalFrameDefault(state, frame, throwflag);
}

/* evaluator(what): 1 one that passes on to what is there, 0 takes it out, 2 one that does not, 3 the
 * interpreter's own */
static PyObject *probe_evaluator(PyObject *Py_UNUSED(module), PyObject *what) {
    PyInterpreterState *interpreter = PyInterpreterState_Get();
    _PyFrameEvalFunction there = _PyInterpreterState_GetEvalFrameFunc(interpreter);
    _PyFrameEvalFunction set[] = {before_us, other_passes_on, other_does_it,
                                  _PyEval_EvalFrameDefault};
    _PyInterpreterState_SetEvalFrameFunc(interpreter, set[PyLong_AsLong(what) & 3]);
    before_us = there;
    return Py_NewRef(Py_None);
}

#else

static PyObject *probe_evaluator(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(what)) {
    return Py_NewRef(Py_NotImplemented);
}

#endif

static PyObject *probe_evaluated(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(unused)) {
    return PyLong_FromUnsignedLongLong(evaluated);
}

static PyMethodDef probe_methods[] = {
    {"evaluator", probe_evaluator, METH_O, NULL}, {"evaluated", probe_evaluated, METH_NOARGS, NULL},

    {"start", probe_start, METH_VARARGS, NULL},   {"stop", probe_stop, METH_O, NULL},
    {"only", probe_only, METH_O, NULL},           {"counts", probe_counts, METH_NOARGS, NULL},
    {"events", probe_events, METH_NOARGS, NULL},  {"totals", probe_totals, METH_NOARGS, NULL},
    {"clear", probe_clear, METH_NOARGS, NULL},    {NULL, NULL, 0, NULL}};

static void probe_free(void *module) {
    hook_fini(PyModule_GetState(module));
}

static PyModuleDef_Slot probe_slots[] = {
#ifdef Py_mod_multiple_interpreters
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
#ifdef Py_mod_gil
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL}};

static struct PyModuleDef probe_module = {
    PyModuleDef_HEAD_INIT, "hook_probe", NULL, sizeof(face_state), probe_methods,
    probe_slots,           NULL,         NULL, probe_free};

PyMODINIT_FUNC PyInit_hook_probe(void) {
    return PyModuleDef_Init(&probe_module);
}
