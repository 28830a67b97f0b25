/* See forest.h: Forest. Its methods take and give plain numbers (nanoseconds) and tuples; errors of reading are given as
 * (code, text, hint), as by session.c. */
#include "forest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "model/call_stats.h"
#include "output/function_table.h"
#include "output/tree.h"
#include "output/tree_json.h"

/* --------------------------------------------------------------- loading */

/* Reads the trace and puts its calls together, without the interpreter's lock. Returns 0 or an enum marey_error. */
static int load(forest_object *self, const Py_buffer *data, const char *path) {
    int error;
    PyThreadState *unlocked = PyEval_SaveThread();
    error = path ? trace_read(&self->trace, path, TRACE_ARGUMENTS)
                 : trace_read_memory(&self->trace, data->buf, (size_t)data->len, TRACE_ARGUMENTS);
    if (!error || error == MAREY_ENOTRACE) {
        int failed = calls_make(&self->calls, &self->trace);
        error = failed ? failed : error;
    }
    PyEval_RestoreThread(unlocked);
    return error;
}

/* No bytes at all are a trace of nothing: that of a scope that was never entered. */
static PyObject *loaded(forest_object *self, int error, int is_empty) {
    if (!error || (is_empty && error == MAREY_ENOTRACE))
        return (PyObject *)self;
    Py_DECREF(self);
    if (error == MAREY_ENOMEM)
        return PyErr_NoMemory();
    return Py_BuildValue("iss", error, marey_strerror(error), marey_hint(error));
}

PyObject *forest_load(PyObject *module, PyObject *args) {
    face_state *state = PyModule_GetState(module);
    Py_buffer data = {.buf = NULL};
    PyObject *given;
    if (!PyArg_ParseTuple(args, "z*O:load_calls", &data, &given))
        return NULL;
    const char *path = PyBytes_Check(given) ? PyBytes_AS_STRING(given) : NULL;
    forest_object *self = type_make(state->forest_type);
    int error = self ? load(self, &data, path) : 0, is_empty = !path && data.len == 0;
    PyBuffer_Release(&data);
    return self ? loaded(self, error, is_empty) : NULL;
}

static void forest_dealloc(PyObject *object) {
    forest_object *self = (forest_object *)object;
    PyTypeObject *type = Py_TYPE(object);
    calls_free(&self->calls);
    trace_free(&self->trace);
    Py_XDECREF(self->whole);
    type->tp_free(object);
    Py_DECREF(type);
}

/* ----------------------------------------------------------------- texts */

/* A file in memory, to be made a str. */
struct page {
    FILE *to;
    char *bytes;
    size_t size;
};

static int page_open(struct page *page) {
    *page = (struct page){0};
    page->to = open_memstream(&page->bytes, &page->size);
    if (!page->to)
        PyErr_NoMemory();
    return page->to ? 0 : -1;
}

/* What was written. NULL with an exception, where `error` is one, too. */
static PyObject *page_close(struct page *page, int error) {
    PyObject *text = NULL;
    if (fclose(page->to) || error)
        PyErr_NoMemory();
    else
        text = PyUnicode_DecodeUTF8(page->bytes, (Py_ssize_t)page->size, "replace");
    free(page->bytes);
    return text;
}

/* tree(rows, depth, fold, min_ns, width, colour, ascii, no_args, no_results, no_self, modules, locations) */
static PyObject *forest_tree(PyObject *object, PyObject *args) {
    forest_object *self = (forest_object *)object;
    struct tree_options options = {0};
    unsigned long long width;
    long long min_ns;
    struct page page;
    if (!PyArg_ParseTuple(args, "IIILKppppppp:tree", &options.limits.rows, &options.limits.depth,
                          &options.limits.fold, &min_ns, &width, &options.colour, &options.ascii,
                          &options.no_arguments, &options.no_results, &options.no_self,
                          &options.modules, &options.locations))
        return NULL;
    options.limits.min_ns = min_ns;
    options.width = (size_t)width;
    if (page_open(&page) < 0)
        return NULL;
    int error;
    PyThreadState *unlocked = PyEval_SaveThread();
    error = tree_print(&self->calls, page.to, &options);
    PyEval_RestoreThread(unlocked);
    return page_close(&page, error);
}

static void write_json(const forest_object *self, FILE *to, int indent) {
    struct json json;
    json_init(&json, to, indent);
    json_object(&json, NULL);
    tree_json(&self->calls, &json);
    json_end(&json);
    json_finish(&json);
}

/* json(indent) */
static PyObject *forest_json(PyObject *object, PyObject *args) {
    struct page page;
    int indent;
    if (!PyArg_ParseTuple(args, "i:json", &indent) || page_open(&page) < 0)
        return NULL;
    PyThreadState *unlocked = PyEval_SaveThread();
    write_json((forest_object *)object, page.to, indent);
    PyEval_RestoreThread(unlocked);
    return page_close(&page, 0);
}

/* Returns 0, or an errno. */
static int save_json(const forest_object *self, int fd, int indent) {
    int own = dup(fd);
    FILE *to = own < 0 ? NULL : fdopen(own, "w");
    int error = to ? 0 : errno;
    if (!to) {
        if (own >= 0)
            close(own);
        return error;
    }
    errno = 0;
    write_json(self, to, indent);
    if (ferror(to))
        error = errno ? errno : EIO;
    if (fclose(to) && !error)
        error = errno;
    return error;
}

/* save_json(fd, indent): OSError where it cannot be written */
static PyObject *forest_save_json(PyObject *object, PyObject *args) {
    int fd, indent, error;
    if (!PyArg_ParseTuple(args, "ii:save_json", &fd, &indent))
        return NULL;
    PyThreadState *unlocked = PyEval_SaveThread();
    error = save_json((forest_object *)object, fd, indent);
    PyEval_RestoreThread(unlocked);
    if (!error)
        return Py_NewRef(Py_None);
    errno = error;
    return PyErr_SetFromErrno(PyExc_OSError);
}

/* table(rows, width, colour): functions */
static PyObject *forest_table(PyObject *object, PyObject *args) {
    forest_object *self = (forest_object *)object;
    struct call_stats stats;
    struct page page;
    unsigned rows;
    unsigned long long width;
    int colour;
    if (!PyArg_ParseTuple(args, "IKp:table", &rows, &width, &colour) || page_open(&page) < 0)
        return NULL;
    int error = call_stats_make(&stats, &self->calls);
    struct table_style style = {(size_t)width, colour, "", 0};
    if (!error)
        function_table_print(&stats, &self->calls, page.to, rows, &style);
    call_stats_free(&stats);
    return page_close(&page, error);
}

/* ----------------------------------------------------------------- lists */

static PyObject *stats_row(const forest_object *self, const struct call_stats_row *row) {
    const struct call_function *function = &self->calls.functions[row->function];
    return Py_BuildValue("NNNIKLLLLLLLLKK", model_text(self->calls.trace, function->module),
                         model_text(self->calls.trace, function->name),
                         model_text(self->calls.trace, function->file), function->line, row->calls,
                         row->total_ns, row->self_ns, row->mean_ns, row->min_ns, row->p50_ns,
                         row->p99_ns, row->max_ns, row->waiting_ns, row->exceptions, row->open);
}

/* A list, or NULL where one of its entries failed. */
static PyObject *list_or_null(PyObject *list, int failed) {
    if (failed)
        Py_CLEAR(list);
    return list;
}

/* stats(): (module, name, file, line, calls, total, self, mean, min, p50, p99, max, waiting, exceptions, open) of each
 * function */
static PyObject *forest_stats(PyObject *object, PyObject *Py_UNUSED(unused)) {
    forest_object *self = (forest_object *)object;
    struct call_stats stats;
    PyObject *list = PyList_New(0);
    int failed = !list;
    if (call_stats_make(&stats, &self->calls)) {
        PyErr_NoMemory();
        failed = 1;
    }
    for (uint32_t i = 0; !failed && i < stats.count; i++)
        failed = list_append(list, stats_row(self, &stats.rows[i])) < 0;
    call_stats_free(&stats);
    return list_or_null(list, failed);
}

static PyObject *forest_roots(PyObject *object, void *Py_UNUSED(closure)) {
    forest_object *self = (forest_object *)object;
    PyObject *list = PyList_New(0);
    int failed = !list;
    for (uint32_t i = 0; !failed && i < self->calls.root_count; i++)
        failed = list_append(list, call_make(self, self->calls.roots[i])) < 0;
    return list_or_null(list, failed);
}

/* (label, begin, duration, call_count, limit, skipped, lost) of each scope */
static PyObject *forest_scopes(PyObject *object, void *Py_UNUSED(closure)) {
    forest_object *self = (forest_object *)object;
    PyObject *list = PyList_New(0);
    int failed = !list;
    for (uint32_t i = 0; !failed && i < self->calls.scope_count; i++) {
        const struct call_scope *scope = &self->calls.scopes[i];
        failed =
            list_append(list, Py_BuildValue("NLLKNKK", model_text(self->calls.trace, scope->label),
                                            scope->begin_ns, scope->duration_ns, scope->call_count,
                                            model_text(self->calls.trace, scope->limit),
                                            scope->skipped, scope->lost)) < 0;
    }
    return list_or_null(list, failed);
}

/* {what: how many} of what the recorder could not keep */
static PyObject *forest_losses(PyObject *object, void *Py_UNUSED(closure)) {
    forest_object *self = (forest_object *)object;
    const struct trace *trace = self->calls.trace;
    PyObject *losses = PyDict_New();
    for (uint32_t i = 0; losses && i < trace->loss_count; i++) {
        PyObject *count = PyFloat_FromDouble(trace->losses[i].count);
        PyObject *what = model_text(self->calls.trace, trace->losses[i].what);
        if (!count || !what || PyDict_SetItem(losses, what, count) < 0)
            Py_CLEAR(losses);
        Py_XDECREF(count);
        Py_XDECREF(what);
    }
    return losses;
}

static PyObject *forest_call_count(PyObject *object, void *Py_UNUSED(closure)) {
    return PyLong_FromUnsignedLongLong(((forest_object *)object)->calls.call_count);
}

static PyObject *forest_damage(PyObject *object, void *Py_UNUSED(closure)) {
    const struct trace *trace = ((forest_object *)object)->calls.trace;
    return PyLong_FromUnsignedLongLong(damage_total(&trace->reader.damage, HARM_DAMAGE));
}

/* ---------------------------------------------------------------- filter */

/* The patterns of a tuple of bytes, which keeps them. NULL with an exception. */
static const char **patterns(PyObject *tuple, uint32_t *count) {
    Py_ssize_t size = PyTuple_GET_SIZE(tuple);
    const char **texts = PyMem_Calloc((size_t)size + 1, sizeof *texts);
    if (!texts)
        PyErr_NoMemory();
    for (Py_ssize_t i = 0; texts && i < size; i++) {
        texts[i] = PyBytes_AsString(PyTuple_GET_ITEM(tuple, i));
        if (!texts[i]) {
            PyMem_Free((void *)texts);
            return NULL;
        }
    }
    *count = (uint32_t)size;
    return texts;
}

static PyObject *filtered(forest_object *self, const struct call_filter *filter) {
    forest_object *to = type_make(Py_TYPE(self));
    if (!to)
        return NULL;
    to->whole = Py_NewRef(self->whole ? self->whole : (PyObject *)self);
    if (calls_filter(&to->calls, &self->calls, filter)) {
        Py_DECREF(to);
        return PyErr_NoMemory();
    }
    return (PyObject *)to;
}

/* filter(names: tuple of bytes, modules: tuple of bytes, exception: bytes | None, min_ns) -> Forest */
static PyObject *forest_filter(PyObject *object, PyObject *args) {
    PyObject *names, *modules, *result = NULL;
    struct call_filter filter = {0};
    long long min_ns;
    if (!PyArg_ParseTuple(args, "O!O!zL:filter", &PyTuple_Type, &names, &PyTuple_Type, &modules,
                          &filter.exception, &min_ns))
        return NULL;
    const char **name_texts = patterns(names, &filter.name_count);
    const char **module_texts = name_texts ? patterns(modules, &filter.module_count) : NULL;
    filter.names = name_texts;
    filter.modules = module_texts;
    filter.min_ns = min_ns;
    if (module_texts)
        result = filtered((forest_object *)object, &filter);
    PyMem_Free((void *)name_texts);
    PyMem_Free((void *)module_texts);
    return result;
}

/* ------------------------------------------------------------------ type */

static PyMethodDef forest_methods[] = {{"tree", forest_tree, METH_VARARGS, NULL},
                                       {"json", forest_json, METH_VARARGS, NULL},
                                       {"save_json", forest_save_json, METH_VARARGS, NULL},
                                       {"table", forest_table, METH_VARARGS, NULL},
                                       {"stats", forest_stats, METH_NOARGS, NULL},
                                       {"filter", forest_filter, METH_VARARGS, NULL},
                                       {NULL, NULL, 0, NULL}};

static PyGetSetDef forest_getset[] = {{"roots", forest_roots, NULL, NULL, NULL},
                                      {"scopes", forest_scopes, NULL, NULL, NULL},
                                      {"losses", forest_losses, NULL, NULL, NULL},
                                      {"call_count", forest_call_count, NULL, NULL, NULL},
                                      {"damage", forest_damage, NULL, NULL, NULL},
                                      {NULL, NULL, NULL, NULL, NULL}};

static PyType_Slot forest_slots[] = {{Py_tp_new, (void *)type_refuse_new},
                                     {Py_tp_dealloc, (void *)forest_dealloc},
                                     {Py_tp_methods, forest_methods},
                                     {Py_tp_getset, forest_getset},
                                     {0, NULL}};

PyType_Spec forest_spec = {"marey._marey.Forest", sizeof(forest_object), 0,
                           Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE, forest_slots};
