/* What is known of a code object, and of a C function: the name that its calls get, its parameters, and which filters want it. */
#include "calls.h"

#include <structmember.h>

/* The UTF-8 of a str, NUL-terminated and cut to the buffer. */
static void fit_text(PyObject *text, char *buffer, size_t room) {
    size_t bytes = 0;
    const char *utf8 =
        text && PyUnicode_Check(text) ? text_utf8(text, buffer, room - 1, &bytes) : "";
    bytes = bytes < room ? bytes : room - 1;
    memmove(buffer, utf8, bytes);
    buffer[bytes] = 0;
}

/* --------------------------------------------------------------- parameters */

/* Where in the signature's order the i-th parameter stands among the code's names: *args stands before what is by keyword
 * only. */
static int argument_index(const PyCodeObject *code, int i) {
    int positional = code->co_argcount, keyword = code->co_kwonlyargcount;
    if (!(code->co_flags & CO_VARARGS) || i < positional || i > positional + keyword)
        return i;
    return i == positional ? positional + keyword : i - 1;
}

static const char *stars_of(const PyCodeObject *code, int index) {
    int named = code->co_argcount + code->co_kwonlyargcount;
    if (index < named)
        return "";
    return code->co_flags & CO_VARARGS && index == named ? "*" : "**";
}

static void parameter_init(face_state *state, call_parameter *parameter, PyCodeObject *code,
                           int index) {
    char name[MAREY_NAME_MAX], starred[MAREY_NAME_MAX + 4];
    fit_text(hook_argument_name(code, index), name, sizeof name);
    snprintf(starred, sizeof starred, "%s%s", stars_of(code, index), name);
    *parameter = (call_parameter){
        .name = marey_name_id(starred),
        .hidden = filters_hiding(state, name, strlen(name)),
        .index = index,
        .is_self = index == 0 && (strcmp(name, "self") == 0 || strcmp(name, "cls") == 0)};
}

/* ---------------------------------------------------------------- functions */

/* Qualified from 3.11 on: before, a code object knows its own name alone. */
static PyObject *code_name(const PyCodeObject *code) {
#if PY_VERSION_HEX >= 0x030B0000
    return code->co_qualname;
#else
    return code->co_name;
#endif
}

static const char *module_of(PyObject *globals, char *buffer, size_t room) {
    PyObject *name = globals && PyDict_Check(globals) ? PyDict_GetItemString(globals, "__name__")
                                                      : NULL; /* borrowed */
    PyErr_Clear();
    fit_text(name, buffer, room);
    return buffer;
}

static call_site *site_make(PyCodeObject *code, const char *module, const char *file) {
    static uint64_t last_serial;
    int count = hook_argument_count(code);
    count = count < MAREY_ARGS_MAX ? count : MAREY_ARGS_MAX;
    call_site *site = calloc(1, sizeof *site + (size_t)count * sizeof *site->parameters);
    if (!site)
        return NULL;
    char name[MAREY_NAME_MAX];
    fit_text(code_name(code), name, sizeof name);
    site->function = marey__function_id(
        module, name, file, (unsigned)(code->co_firstlineno > 0 ? code->co_firstlineno : 1));
    site->serial = __atomic_add_fetch(&last_serial, 1, __ATOMIC_RELAXED);
    site->in_pieces =
        code->co_flags & (CO_GENERATOR | CO_COROUTINE | CO_ITERABLE_COROUTINE | CO_ASYNC_GENERATOR);
    site->count = count;
    return site;
}

bool call_wanted(face_state *state, PyCodeObject *code, PyObject *globals, call_site **site) {
    char module[MAREY_NAME_MAX], file[MAREY_NAME_MAX];
    module_of(globals, module, sizeof module);
    fit_text(code->co_filename, file, sizeof file);
    calls_lock();
    uint32_t wanting = filters_wanting(module, file);
    if (wanting && !*site)
        *site = site_make(code, module, file);
    if (*site) {
        (*site)->wanted = wanting;
        for (int i = 0; wanting && i < (*site)->count; i++)
            parameter_init(state, &(*site)->parameters[i], code, argument_index(code, i));
    }
    calls_unlock();
    return wanting && *site;
}

void call_site_gone(call_site *site) {
    free(site);
}

/* -------------------------------------------------------------- C functions */

static uint32_t make_c(const char *module, PyTypeObject *of, const char *method) {
    char name[MAREY_NAME_MAX];
    const char *type = of ? of->tp_name : "";
    const char *dot = strrchr(type, '.');
    snprintf(name, sizeof name, "%s%s%s", dot ? dot + 1 : type, of ? "." : "", method);
    char of_module[MAREY_NAME_MAX] = "";
    if (of && dot)
        snprintf(of_module, sizeof of_module, "%.*s", (int)(dot - type), type);
    else
        snprintf(of_module, sizeof of_module, "%s", of ? "builtins" : module);
    return marey__function_id(of_module, name, NULL, 0);
}

static uint32_t name_builtin(PyObject *callable) {
    const PyCFunctionObject *function = (PyCFunctionObject *)callable;
    PyObject *self = function->m_self;
    char module[MAREY_NAME_MAX];
    fit_text(function->m_module, module, sizeof module);
    bool is_method = self && !PyModule_Check(self);
    PyTypeObject *of = !is_method           ? NULL
                       : PyType_Check(self) ? (PyTypeObject *)self
                                            : Py_TYPE(self);
    return make_c(module, of, function->m_ml->ml_name);
}

/* Found by the method's definition and the type that it is called for: those are few, and live as long as the process, or as
 * nearly so as makes no difference to a name. */
uint32_t site_of_c(PyObject *callable) {
    enum { KNOWN = 1024 };
    static struct {
        const void *definition, *of;
        uint32_t function;
    } known[KNOWN];
    const void *definition = NULL, *of = NULL;
    if (PyCFunction_Check(callable)) {
        PyObject *self = ((PyCFunctionObject *)callable)->m_self;
        definition = ((PyCFunctionObject *)callable)->m_ml;
        of = self ? Py_TYPE(self) : NULL;
    } else if (PyObject_TypeCheck(callable, &PyMethodDescr_Type) ||
               PyObject_TypeCheck(callable, &PyClassMethodDescr_Type)) {
        definition = ((PyMethodDescrObject *)callable)->d_method;
        of = ((PyDescrObject *)callable)->d_type;
    } else {
        return make_c("", Py_TYPE(callable), "__call__");
    }
    uint64_t hash = ((uintptr_t)definition ^ (uintptr_t)of << 7) * UINT64_C(0x9E3779B97F4A7C15);
    size_t at = hash >> 54;
    if (known[at].definition == definition && known[at].of == of)
        return known[at].function;
    uint32_t function = PyCFunction_Check(callable)
                            ? name_builtin(callable)
                            : make_c("", ((PyDescrObject *)callable)->d_type,
                                     ((PyMethodDescrObject *)callable)->d_method->ml_name);
    known[at].definition = definition;
    known[at].of = of;
    known[at].function = function;
    return function;
}
