/* The extension module marey._page: traces as `marey view` shows them, for servers in Python. A module of its own, so that
 * who only records does not load the page. src/page has the answers; here are the objects around them.
 *
 * What is asked comes from a browser: a path or a query of whatever form gets an answer, never an exception. While a page
 * reads or answers the GIL is free, and any number of threads may ask the same page. */
#include "../versions.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "marey.h"
#include "model/own.h"
#include "page/assets.h"
#include "page/page.h"

enum {
    TRACES_MAX = 4096,         /* one behind the other */
    TRACE_BYTES_MAX = 1 << 30, /* of all that a page is made of: as large as they lie there */
};

typedef struct page_object {
    PyObject_HEAD struct page *page; /* NULL: closed, and nobody asks any more */
    unsigned asked;                  /* by so many at the moment */
    bool closed;
    pid_t pid; /* where those are who ask */
} page_object;

/* ------------------------------------------------------------------ opening */

/* What a page is made of: a file, or bytes. */
struct given {
    PyObject *path;   /* bytes; NULL: none */
    PyObject *traces; /* a tuple of bytes; NULL: none */
    size_t size;      /* of all of them */
};

/* Takes a str, an os.PathLike, bytes or a list of bytes. 0, or -1 with an exception. */
static int take_source(struct given *given, PyObject *source) {
    if (PyBytes_Check(source))
        given->traces = PyTuple_Pack(1, source);
    else if (PyList_Check(source) || PyTuple_Check(source))
        given->traces = PySequence_Tuple(source);
    else
        return PyUnicode_FSConverter(source, &given->path) ? 0 : -1;
    if (!given->traces)
        return -1;
    if (PyTuple_GET_SIZE(given->traces) > TRACES_MAX) {
        PyErr_Format(PyExc_ValueError, "more than %d traces", (int)TRACES_MAX);
        return -1;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(given->traces); i++) {
        PyObject *trace = PyTuple_GET_ITEM(given->traces, i);
        if (!PyBytes_Check(trace)) {
            PyErr_Format(PyExc_TypeError, "a trace is bytes, not %s", Py_TYPE(trace)->tp_name);
            return -1;
        }
        given->size += (size_t)PyBytes_GET_SIZE(trace);
    }
    if (given->size <= TRACE_BYTES_MAX)
        return 0;
    PyErr_Format(PyExc_ValueError, "more than %d bytes", (int)TRACE_BYTES_MAX);
    return -1;
}

/* Traces one behind the other are a trace. Returns as page_open does. */
static int open_traces(struct page **page, const struct given *given, const char *name) {
    char *all = malloc(given->size + 1);
    size_t size = 0;
    if (!all)
        return MAREY_ENOMEM;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(given->traces); i++) {
        PyObject *trace = PyTuple_GET_ITEM(given->traces, i);
        memcpy(all + size, PyBytes_AS_STRING(trace), (size_t)PyBytes_GET_SIZE(trace));
        size += (size_t)PyBytes_GET_SIZE(trace);
    }
    int error = page_open_memory(page, all, size, name);
    free(all);
    return error;
}

/* A file alone: a pipe would be waited for, without an end. */
static int open_file(struct page **page, const char *path, const char *name) {
    struct stat is;
    if (!stat(path, &is)) {
        if (!S_ISREG(is.st_mode))
            return MAREY_ENOTFILE;
        if (is.st_size > TRACE_BYTES_MAX)
            return MAREY_ELIMIT;
    }
    return page_open_named(page, !strcmp(path, "-") ? "./-" : path, name);
}

/* What kept it from being opened: OSError with the path, MemoryError, or ValueError. */
static void raise_error(int error, PyObject *source, const struct given *given) {
    static const struct {
        int error, number;
    } numbers[] = {{MAREY_ENOENT, ENOENT}, {MAREY_EACCES, EACCES}, {MAREY_EIO, EIO},
                   {MAREY_EINVAL, EINVAL}, {MAREY_ELIMIT, EFBIG},  {MAREY_ENOTFILE, EINVAL}};
    if (error == MAREY_ENOMEM) {
        PyErr_NoMemory();
        return;
    }
    for (size_t i = 0; given->path && i < sizeof numbers / sizeof *numbers; i++)
        if (numbers[i].error == error) {
            PyObject *raised = PyObject_CallFunction(PyExc_OSError, "isO", numbers[i].number,
                                                     marey_strerror(error), source);
            if (raised)
                PyErr_SetObject((PyObject *)Py_TYPE(raised), raised);
            Py_XDECREF(raised);
            return;
        }
    PyErr_Format(PyExc_ValueError, "%s; %s", marey_strerror(error), marey_hint(error));
}

static int open_page(page_object *self, PyObject *source, const struct given *given,
                     const char *name) {
    PyThreadState *unlocked = PyEval_SaveThread();
    int error = given->path ? open_file(&self->page, PyBytes_AS_STRING(given->path), name)
                            : open_traces(&self->page, given, name);
    if (error) {
        page_close(self->page);
        self->page = NULL;
    }
    PyEval_RestoreThread(unlocked);
    if (error)
        raise_error(error, source, given);
    return error ? -1 : 0;
}

PyDoc_STRVAR(
    page_doc,
    "Page(source, name)\n--\n\n"
    "A trace, read, that answers what the page of `marey view` asks. source: the path of a "
    "file; the bytes\nof a trace, not gzip'ed; or a list of such bytes, of profiles that "
    "samplers of several processes saved,\nwhich are shown as one. name: what people call "
    "it. A page that somebody asks while its process forks is\nclosed in the child.\n\n"
    "Raises OSError with the path, ValueError for what is no trace, MemoryError.");

static PyObject *page_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    static const char *const keywords[] = {"source", "name", NULL};
    struct given given = {0};
    PyObject *source;
    const char *name;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "Os:Page", (char **)(uintptr_t)keywords, &source,
                                     &name))
        return NULL;
    page_object *self =
        take_source(&given, source) < 0 ? NULL : (page_object *)type->tp_alloc(type, 0);
    if (self) {
        self->pid = getpid();
        if (open_page(self, source, &given, name) < 0)
            Py_CLEAR(self);
    }
    Py_XDECREF(given.path);
    Py_XDECREF(given.traces);
    return (PyObject *)self;
}

/* ------------------------------------------------------------------- asking */

/* Once nobody asks it, a closed page is given back. */
static void give_back(page_object *self) {
    struct page *page = NULL;
    LOCK_OBJECT(self);
    if (self->closed && !self->asked) {
        page = self->page;
        self->page = NULL;
    }
    UNLOCK_OBJECT();
    if (!page)
        return;
    PyThreadState *unlocked = PyEval_SaveThread();
    page_close(page);
    PyEval_RestoreThread(unlocked);
}

/* In a forked child: those who asked in the parent are not there, and what they held is held for ever. */
static void notice_fork(page_object *self) {
    if (self->pid == getpid())
        return;
    self->pid = getpid();
    if (self->asked) {
        self->closed = true;
        self->page = NULL;
    }
}

/* 0, or -1 with a ValueError; leave afterwards. */
static int enter(page_object *self) {
    bool closed;
    LOCK_OBJECT(self);
    notice_fork(self);
    closed = self->closed;
    self->asked += !closed;
    UNLOCK_OBJECT();
    if (closed)
        PyErr_SetString(PyExc_ValueError, "this page is closed");
    return closed ? -1 : 0;
}

static void leave(page_object *self) {
    LOCK_OBJECT(self);
    self->asked--;
    UNLOCK_OBJECT();
    give_back(self);
}

/* The UTF-8 of a str; NULL where it has none, or ends early for C. No exception. */
static const char *plain_text(PyObject *text) {
    Py_ssize_t size;
    const char *utf8 = PyUnicode_AsUTF8AndSize(text, &size);
    if (!utf8)
        PyErr_Clear();
    return utf8 && strlen(utf8) == (size_t)size ? utf8 : NULL;
}

/* Asks; false with an exception. Always followed by page_answer_free. */
static bool ask(page_object *self, PyObject *path, PyObject *query, struct page_answer *answer) {
    const char *plain_path = path ? plain_text(path) : "convert", *plain_query = plain_text(query);
    *answer = (struct page_answer){0};
    if (enter(self) < 0)
        return false;
    PyThreadState *unlocked = PyEval_SaveThread();
    /* What is none of its paths or queries is told so by the page itself. */
    page_answer(self->page, plain_path ? plain_path : "\xff", plain_query ? plain_query : "\xff",
                answer);
    PyEval_RestoreThread(unlocked);
    leave(self);
    return true;
}

static PyObject *answer_bytes(const struct page_answer *answer) {
    return PyBytes_FromStringAndSize(answer->bytes, answer->bytes ? (Py_ssize_t)answer->size : 0);
}

PyDoc_STRVAR(answer_doc,
             "answer(path, query='', /)\n--\n\n"
             "(status, content type, bytes) for a question of docs/PAGE.md: path \"api/trace\", "
             "query what stands behind\nthe \"?\". Status 400, 404 and 503 come with {\"error\": "
             "why}. Raises ValueError after close().");

static PyObject *method_answer(PyObject *object, PyObject *args) {
    PyObject *path, *query = NULL, *made = NULL;
    struct page_answer answer;
    if (!PyArg_ParseTuple(args, "U|U:answer", &path, &query))
        return NULL;
    query = query ? Py_NewRef(query) : PyUnicode_FromString("");
    if (query && ask((page_object *)object, path, query, &answer)) {
        made = Py_BuildValue("(isN)", answer.status, answer.content_type, answer_bytes(&answer));
        page_answer_free(&answer);
    }
    Py_XDECREF(query);
    return made;
}

PyDoc_STRVAR(convert_doc,
             "convert(query, /)\n--\n\n"
             "(status, content type, file name, bytes): the trace, or the part that the query "
             "says, in another format:\n\"format=folded&from=0&to=1000000\". The file name is None "
             "where the status is not 200. Raises as answer().");

static PyObject *method_convert(PyObject *object, PyObject *query) {
    struct page_answer answer;
    if (!PyUnicode_Check(query))
        return PyErr_Format(PyExc_TypeError, "a query is a str, not %s", Py_TYPE(query)->tp_name);
    if (!ask((page_object *)object, NULL, query, &answer))
        return NULL;
    PyObject *made = Py_BuildValue("(iszN)", answer.status, answer.content_type, answer.filename,
                                   answer_bytes(&answer));
    page_answer_free(&answer);
    return made;
}

PyDoc_STRVAR(close_doc, "close()\n--\n\n"
                        "Gives its memory back, when whoever asks at the moment has their answer. "
                        "A second time: nothing.");

static PyObject *method_close(PyObject *object, PyObject *Py_UNUSED(unused)) {
    page_object *self = (page_object *)object;
    LOCK_OBJECT(self);
    notice_fork(self);
    self->closed = true;
    UNLOCK_OBJECT();
    give_back(self);
    return Py_NewRef(Py_None);
}

static void page_dealloc(PyObject *object) {
    PyTypeObject *type = Py_TYPE(object);
    Py_XDECREF(method_close(object, NULL));
    type->tp_free(object);
    Py_DECREF(type);
}

static PyMethodDef page_methods[] = {{"answer", method_answer, METH_VARARGS, answer_doc},
                                     {"convert", method_convert, METH_O, convert_doc},
                                     {"close", method_close, METH_NOARGS, close_doc},
                                     {NULL, NULL, 0, NULL}};

static PyType_Slot page_slots[] = {{Py_tp_new, (void *)page_new},
                                   {Py_tp_dealloc, (void *)page_dealloc},
                                   {Py_tp_methods, page_methods},
                                   {Py_tp_doc, (void *)page_doc},
                                   {0, NULL}};

static PyType_Spec page_spec = {"marey._page.Page", sizeof(page_object), 0,
                                Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE, page_slots};

/* ------------------------------------------------------------------- module */

PyDoc_STRVAR(asset_doc, "asset(path, /)\n--\n\n"
                        "(content type, ETag, gzip'ed bytes) of a file of the page, such as "
                        "\"index.html\"; None where there is none.");

static PyObject *find_asset(PyObject *Py_UNUSED(module), PyObject *path) {
    const char *plain = PyUnicode_Check(path) ? plain_text(path) : NULL;
    const struct page_asset *asset = plain ? page_asset(plain) : NULL;
    if (!asset || !strcmp(plain, PAGE_SINGLE))
        return Py_NewRef(Py_None);
    return Py_BuildValue("(ssy#)", asset->content_type, asset->etag, asset->bytes,
                         (Py_ssize_t)asset->size);
}

PyDoc_STRVAR(policy_doc, "policy(path='', /)\n--\n\n"
                         "The Content-Security-Policy that a file of the page is sent with.");

static PyObject *find_policy(PyObject *Py_UNUSED(module), PyObject *args) {
    const char *path = "";
    if (!PyArg_ParseTuple(args, "|s:policy", &path))
        return NULL;
    return PyUnicode_FromString(page_asset_policy(path));
}

PyDoc_STRVAR(is_own_doc, "is_own(file, /)\n--\n\n"
                         "Whether code of this file is shown as the user's own.");

static PyObject *file_is_own(PyObject *Py_UNUSED(module), PyObject *file) {
    const char *path = PyUnicode_Check(file) ? plain_text(file) : NULL;
    return PyBool_FromLong(path && own_is(NULL, path));
}

static PyMethodDef functions[] = {{"asset", find_asset, METH_O, asset_doc},
                                  {"is_own", file_is_own, METH_O, is_own_doc},
                                  {"policy", find_policy, METH_VARARGS, policy_doc},
                                  {NULL, NULL, 0, NULL}};

static int module_exec(PyObject *module) {
    PyTypeObject *type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &page_spec, NULL);
    int failed = type ? PyModule_AddType(module, type) : -1;
    Py_XDECREF(type);
    return failed;
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, (void *)module_exec},
#ifdef Py_mod_multiple_interpreters
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
#ifdef Py_mod_gil
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL}};

static struct PyModuleDef definition = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "marey._page",
    .m_doc = PyDoc_STR("Traces as the page of `marey view` shows them, for servers."),
    .m_methods = functions,
    .m_slots = slots};

PyMODINIT_FUNC PyInit__page(void) {
    return PyModuleDef_Init(&definition);
}
