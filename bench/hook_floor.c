/* The floor that recorded calls are held against: a hook of the same kind that reads the clock twice a call, and does
 * nothing else.
 *
 *   hook_floor.on(); ...; hook_floor.off()
 *
 * Before CPython 3.12 it is a frame evaluator (PEP 523), from then on two callbacks of sys.monitoring. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
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

static volatile uint64_t last;

#if PY_VERSION_HEX < 0x030C0000

#if PY_VERSION_HEX < 0x030B0000
typedef PyFrameObject frame;
#else
typedef struct _PyInterpreterFrame frame;
#endif
extern PyObject *_PyEval_EvalFrameDefault(PyThreadState *state, frame *f, int throwflag);

static PyObject *evaluate(PyThreadState *state, frame *f, int throwflag) {
    last = TICKS();
    PyObject *result = _PyEval_EvalFrameDefault(state, f, throwflag);
    last = TICKS();
    return result;
}

static PyObject *floor_on(PyObject *module, PyObject *unused) {
    (void)module;
    (void)unused;
    _PyInterpreterState_SetEvalFrameFunc(PyInterpreterState_Get(), evaluate);
    Py_RETURN_NONE;
}

static PyObject *floor_off(PyObject *module, PyObject *unused) {
    (void)module;
    (void)unused;
    _PyInterpreterState_SetEvalFrameFunc(PyInterpreterState_Get(), _PyEval_EvalFrameDefault);
    Py_RETURN_NONE;
}

#else

enum { TOOL = 5 };

static PyObject *event(PyObject *module, PyObject *const *args, Py_ssize_t count) {
    (void)module;
    (void)args;
    (void)count;
    last = TICKS();
    Py_RETURN_NONE;
}

static PyMethodDef event_method = {"event", (PyCFunction)(void (*)(void))event, METH_FASTCALL,
                                   NULL};

/* Registers the callback, or takes it out; 0, or -1 with an exception. */
static int events(PyObject *monitoring, PyObject *callback) {
    PyObject *numbers = PyObject_GetAttrString(monitoring, "events");
    const char *const names[] = {"PY_START", "PY_RETURN"};
    long all = 0;
    for (int i = 0; i < 2 && numbers; i++) {
        PyObject *number = PyObject_GetAttrString(numbers, names[i]);
        PyObject *done = number ? PyObject_CallMethod(monitoring, "register_callback", "iOO", TOOL,
                                                      number, callback)
                                : NULL;
        all |= number ? PyLong_AsLong(number) : 0;
        Py_XDECREF(number);
        Py_XDECREF(done);
    }
    Py_XDECREF(numbers);
    PyObject *set =
        PyObject_CallMethod(monitoring, "set_events", "il", TOOL, callback == Py_None ? 0L : all);
    Py_XDECREF(set);
    return set ? 0 : -1;
}

static PyObject *floor_on(PyObject *module, PyObject *unused) {
    (void)unused;
    PyObject *monitoring = PySys_GetObject("monitoring");
    PyObject *used = PyObject_CallMethod(monitoring, "use_tool_id", "is", TOOL, "floor");
    PyObject *callback = used ? PyCFunction_New(&event_method, module) : NULL;
    int result = callback ? events(monitoring, callback) : -1;
    Py_XDECREF(used);
    Py_XDECREF(callback);
    return result < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *floor_off(PyObject *module, PyObject *unused) {
    (void)module;
    (void)unused;
    PyObject *monitoring = PySys_GetObject("monitoring");
    if (events(monitoring, Py_None) < 0)
        return NULL;
    return PyObject_CallMethod(monitoring, "free_tool_id", "i", TOOL);
}

#endif

static PyMethodDef methods[] = {{"on", floor_on, METH_NOARGS, NULL},
                                {"off", floor_off, METH_NOARGS, NULL},
                                {NULL, NULL, 0, NULL}};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "hook_floor", NULL, -1, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_hook_floor(void) {
    return PyModule_Create(&module);
}
