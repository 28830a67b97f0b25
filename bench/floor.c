/* The floor that Python spans are held against: an empty context manager in C, made for each use.
 *
 *   with floor.span("x"): pass
 *
 * It is the fastest straightforward one: a heap type without garbage collection, called by vectorcall, with METH_NOARGS
 * and METH_FASTCALL methods; its memory comes from the interpreter's allocator each time.
 *
 * Beside it, a counter of allocations that sees everything the interpreter's own allocators are asked for. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* ---- span */

typedef struct {
    PyObject_HEAD
} span_object;

static PyObject *span_new(PyObject *type, PyObject *const *args, size_t nargsf, PyObject *names) {
    (void)args;
    if (PyVectorcall_NARGS(nargsf) != 1 || names) {
        PyErr_SetString(PyExc_TypeError, "span(name)");
        return NULL;
    }
    return (PyObject *)PyObject_New(span_object, (PyTypeObject *)type);
}

static void span_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_Free(self);
    Py_DECREF(type);
}

static PyObject *span_enter(PyObject *self, PyObject *unused) {
    (void)unused;
    return Py_NewRef(self);
}

static PyObject *span_exit(PyObject *self, PyObject *const *args, Py_ssize_t n) {
    (void)self;
    (void)args;
    (void)n;
    Py_RETURN_NONE;
}

static PyMethodDef span_methods[] = {
    {"__enter__", span_enter, METH_NOARGS, NULL},
    {"__exit__", (PyCFunction)(void (*)(void))span_exit, METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot span_slots[] = {
    {Py_tp_methods, span_methods},
    {Py_tp_dealloc, span_dealloc},
    {0, NULL},
};

static PyType_Spec span_spec = {
    .name = "floor.span",
    .basicsize = sizeof(span_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = span_slots,
};

/* ---- counting allocations */

enum { DOMAINS = 3 };
static const PyMemAllocatorDomain domains[DOMAINS] = {PYMEM_DOMAIN_RAW, PYMEM_DOMAIN_MEM,
                                                      PYMEM_DOMAIN_OBJ};
static PyMemAllocatorEx original[DOMAINS];
static unsigned long allocations; /* threads that hold no GIL ask the raw domain */

static void *count_malloc(void *context, size_t size) {
    PyMemAllocatorEx *o = context;
    __atomic_fetch_add(&allocations, 1, __ATOMIC_RELAXED);
    return o->malloc(o->ctx, size);
}

static void *count_calloc(void *context, size_t n, size_t size) {
    PyMemAllocatorEx *o = context;
    __atomic_fetch_add(&allocations, 1, __ATOMIC_RELAXED);
    return o->calloc(o->ctx, n, size);
}

static void *count_realloc(void *context, void *old, size_t size) {
    PyMemAllocatorEx *o = context;
    __atomic_fetch_add(&allocations, 1, __ATOMIC_RELAXED);
    return o->realloc(o->ctx, old, size);
}

static void pass_free(void *context, void *old) {
    PyMemAllocatorEx *o = context;
    o->free(o->ctx, old);
}

static void counting_start(void) {
    for (int i = 0; i < DOMAINS; i++) {
        PyMem_GetAllocator(domains[i], &original[i]);
        PyMemAllocatorEx counting = {&original[i], count_malloc, count_calloc, count_realloc,
                                     pass_free};
        PyMem_SetAllocator(domains[i], &counting);
    }
}

static void counting_stop(void) {
    for (int i = 0; i < DOMAINS; i++)
        PyMem_SetAllocator(domains[i], &original[i]);
}

/* floor.count_allocations(function, argument) calls function(argument) and returns how often the interpreter's
 * allocators were asked for memory meanwhile. Passes on what the function raises. */
static PyObject *count_allocations(PyObject *module, PyObject *args) {
    (void)module;
    PyObject *function, *argument;
    if (!PyArg_ParseTuple(args, "OO", &function, &argument))
        return NULL;
    counting_start();
    unsigned long before = allocations;
    PyObject *result = PyObject_CallOneArg(function, argument);
    unsigned long counted = allocations - before;
    counting_stop();
    if (!result)
        return NULL;
    Py_DECREF(result);
    return PyLong_FromUnsignedLong(counted);
}

/* ---- module */

static PyMethodDef module_methods[] = {
    {"count_allocations", count_allocations, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static int module_exec(PyObject *module) {
    PyTypeObject *type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &span_spec, NULL);
    if (!type)
        return -1;
    type->tp_vectorcall = span_new;
    int failed = PyModule_AddType(module, type);
    Py_DECREF(type);
    return failed;
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, module_exec},
#ifdef Py_GIL_DISABLED
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

static PyModuleDef module_definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "floor",
    .m_methods = module_methods,
    .m_slots = module_slots,
};

PyMODINIT_FUNC PyInit_floor(void) {
    return PyModuleDef_Init(&module_definition);
}
