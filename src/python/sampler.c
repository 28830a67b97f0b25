/* What marey.Sampler stands on: a profiler (profiler.h) as an object. What is asked for is copied into memory of our own
 * while the profile stands still, and made into Python objects afterwards: nothing of Python happens with its lock held,
 * for a thread that forks has the GIL and waits for that lock. */
#include "face.h"

#include <time.h>
#include <unistd.h>

#include "model/hot.h"
#include "output/profile_text.h"
#include "output/profile_trace.h"
#include "profiler.h"

typedef struct sampler_object {
    PyObject_HEAD struct profiler *profiler;
} sampler_object;

static struct profiler *profiler_of(PyObject *self) {
    return ((sampler_object *)self)->profiler;
}

enum { FLAG_IDLE = 1, FLAG_LINES = 2, FLAG_NATIVE = 4, FLAG_TASKS = 8, FLAG_RECORD = 16 };

/* Sampler(interval_ns, mode, flags, nodes): checked by marey/_sampler.py. */
static PyObject *sampler_new(PyTypeObject *type, PyObject *args, PyObject *Py_UNUSED(kwargs)) {
    unsigned long long interval_ns;
    unsigned int mode, flags, nodes;
    if (!PyArg_ParseTuple(args, "KIII:Sampler", &interval_ns, &mode, &flags, &nodes))
        return NULL;
    struct profiler_options options = {.interval_ns = interval_ns,
                                       .mode = (enum sampler_mode)mode,
                                       .idle = flags & FLAG_IDLE,
                                       .lines = flags & FLAG_LINES,
                                       .native = flags & FLAG_NATIVE,
                                       .tasks = flags & FLAG_TASKS,
                                       .record = flags & FLAG_RECORD,
                                       .nodes_limit = nodes};
    sampler_object *self = (sampler_object *)type->tp_alloc(type, 0);
    if (!self)
        return NULL;
    self->profiler = profiler_open(&options);
    if (self->profiler)
        return (PyObject *)self;
    Py_DECREF(self);
    return PyErr_NoMemory();
}

/* The thread never needs the GIL: it can be waited for with it. */
static void sampler_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    profiler_close(profiler_of(self));
    type->tp_free(self);
    Py_DECREF(type);
}

/* -------------------------------------------------------------- on and off */

static PyObject *sampler_start(PyObject *self, PyObject *Py_UNUSED(unused)) {
    PyThreadState *unlocked = PyEval_SaveThread();
    int code = profiler_start(profiler_of(self));
    PyEval_RestoreThread(unlocked);
    return outcome(code);
}

static PyObject *sampler_stop_(PyObject *self, PyObject *Py_UNUSED(unused)) {
    PyThreadState *unlocked = PyEval_SaveThread();
    profiler_stop(profiler_of(self));
    PyEval_RestoreThread(unlocked);
    return Py_NewRef(Py_None);
}

static PyObject *sampler_pause(PyObject *self, PyObject *Py_UNUSED(unused)) {
    PyThreadState *unlocked = PyEval_SaveThread();
    bool was_on = profiler_pause(profiler_of(self));
    PyEval_RestoreThread(unlocked);
    return PyBool_FromLong(was_on);
}

static PyObject *sampler_resume(PyObject *self, PyObject *Py_UNUSED(unused)) {
    PyThreadState *unlocked = PyEval_SaveThread();
    bool was_on = profiler_resume(profiler_of(self));
    PyEval_RestoreThread(unlocked);
    return PyBool_FromLong(was_on);
}

static PyObject *sampler_set_interval_(PyObject *self, PyObject *given) {
    unsigned long long interval_ns = PyLong_AsUnsignedLongLong(given);
    if (PyErr_Occurred())
        return NULL;
    PyThreadState *unlocked = PyEval_SaveThread();
    profiler_set_interval(profiler_of(self), interval_ns);
    PyEval_RestoreThread(unlocked);
    return Py_NewRef(Py_None);
}

static PyObject *state_word(enum profiler_state state) {
    static const char *const words[] = {
        [PROFILER_OFF] = "off", [PROFILER_ON] = "on", [PROFILER_PAUSED] = "paused"};
    return PyUnicode_InternFromString(words[state]);
}

static PyObject *sampler_state(PyObject *self, PyObject *Py_UNUSED(unused)) {
    PyThreadState *unlocked = PyEval_SaveThread();
    enum profiler_state state = profiler_state(profiler_of(self));
    PyEval_RestoreThread(unlocked);
    return state_word(state);
}

static PyObject *sampler_before_fork(PyObject *self, PyObject *Py_UNUSED(unused)) {
    return state_word(profiler_before_fork(profiler_of(self)));
}

static PyObject *sampler_clear(PyObject *self, PyObject *Py_UNUSED(unused)) {
    PyThreadState *unlocked = PyEval_SaveThread();
    profiler_clear(profiler_of(self));
    PyEval_RestoreThread(unlocked);
    return Py_NewRef(Py_None);
}

/* ----------------------------------------------------------------- numbers */

static PyObject *sampler_stats(PyObject *self, PyObject *Py_UNUSED(unused)) {
    struct profiler_stats s;
    PyThreadState *unlocked = PyEval_SaveThread();
    profiler_stats(profiler_of(self), &s);
    PyEval_RestoreThread(unlocked);
    return Py_BuildValue(
        "{sKsKsKsKsKsKsKsKsKsKsKsKsKsKsIsIsI}", "interval_ns", (unsigned long long)s.interval_ns,
        "running_ns", (unsigned long long)s.running_ns, "ticks", (unsigned long long)s.ticks,
        "missed", (unsigned long long)s.missed, "samples", (unsigned long long)s.samples, "torn",
        (unsigned long long)s.torn, "idle", (unsigned long long)s.idle, "unread",
        (unsigned long long)s.unread, "late_ns", (unsigned long long)s.late_ns, "late_max_ns",
        (unsigned long long)s.late_max_ns, "gaps_us", (unsigned long long)s.gaps_us, "gaps_us2",
        (unsigned long long)s.gaps_us2, "cpu_ns", (unsigned long long)s.cpu_ns, "lost",
        (unsigned long long)s.lost, "threads", s.threads, "nodes", s.nodes, "functions",
        s.functions);
}

/* ---------------------------------------------------------------- profiles */

/* "O&": an enum profiler_window. */
static int take_window(PyObject *given, void *to) {
    long window = PyLong_AsLong(given);
    if (window == -1 && PyErr_Occurred())
        return 0;
    if (window < 0 || window >= PROFILER_WINDOWS) {
        PyErr_Format(PyExc_ValueError, "there is no window %ld", window);
        return 0;
    }
    *(enum profiler_window *)to = (enum profiler_window)window;
    return 1;
}

/* --------------------------------------------------------------- functions */

/* A row with names of its own. */
struct own_row {
    struct hot_row row;
    char *name, *file;
    int32_t first_line;
};

struct own_rows {
    struct own_row *rows;
    uint32_t count;
    uint64_t samples;
};

static int copy_rows(struct own_rows *to, const struct profile *profile, const struct hot *hot,
                     uint32_t most) {
    uint32_t count;
    const struct profile_function *functions = profile_functions(profile, &count);
    to->samples = hot->samples;
    to->rows = calloc((size_t)hot->count + 1, sizeof *to->rows);
    for (uint32_t i = 0; to->rows && i < hot->count && i < most; i++) {
        const struct profile_function *function = &functions[hot->rows[i].function];
        struct own_row *row = &to->rows[to->count++];
        *row = (struct own_row){hot->rows[i], strdup(function->name), strdup(function->file),
                                function->first_line};
        if (!row->name || !row->file)
            return MAREY_ENOMEM;
    }
    return to->rows ? 0 : MAREY_ENOMEM;
}

static int take_rows(struct own_rows *to, struct profiler *profiler, uint32_t most,
                     enum hot_order order, enum profiler_window window) {
    struct hot hot;
    const struct profile *profile = profiler_take(profiler, window);
    if (!profile)
        return MAREY_ENOMEM;
    int error = hot_make(&hot, profile, order);
    if (!error)
        error = copy_rows(to, profile, &hot, most);
    profiler_give(profiler, profile);
    hot_free(&hot);
    return error;
}

static void free_rows(struct own_rows *rows) {
    for (uint32_t i = 0; i < rows->count; i++) {
        free(rows->rows[i].name);
        free(rows->rows[i].file);
    }
    free(rows->rows);
}

static PyObject *text_object(const char *text) {
    return PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace");
}

/* (function, file, first line, self, total, hot line, samples in it) */
static PyObject *row_object(const struct own_row *row) {
    return Py_BuildValue("(NNiKKiK)", text_object(row->name), text_object(row->file),
                         (int)row->first_line, (unsigned long long)row->row.self_count,
                         (unsigned long long)row->row.total_count, (int)row->row.hot_line,
                         (unsigned long long)row->row.hot_line_count);
}

/* hot(most, by_total, window) -> (samples, rows) */
static PyObject *sampler_hot(PyObject *self, PyObject *args) {
    unsigned int most;
    int by_total;
    enum profiler_window window;
    if (!PyArg_ParseTuple(args, "IpO&:hot", &most, &by_total, take_window, &window))
        return NULL;
    struct own_rows rows = {0};
    PyThreadState *unlocked = PyEval_SaveThread();
    int error =
        take_rows(&rows, profiler_of(self), most, by_total ? HOT_BY_TOTAL : HOT_BY_SELF, window);
    PyEval_RestoreThread(unlocked);
    PyObject *list = error ? PyErr_NoMemory() : PyList_New(0);
    for (uint32_t i = 0; list && i < rows.count; i++) {
        PyObject *row = row_object(&rows.rows[i]);
        if (!row || PyList_Append(list, row) < 0)
            Py_CLEAR(list);
        Py_XDECREF(row);
    }
    PyObject *found = list ? Py_BuildValue("(KN)", (unsigned long long)rows.samples, list) : NULL;
    free_rows(&rows);
    return found;
}

/* ------------------------------------------------------------------- texts */

/* A str of what was added, or NULL with an exception; the text is freed. */
static PyObject *take_text(struct text *text) {
    PyObject *made = NULL;
    if (text->failed)
        PyErr_NoMemory();
    else
        made = PyUnicode_DecodeUTF8(text_of(text), (Py_ssize_t)text->size, "replace");
    text_free(text);
    return made;
}

/* folded(places, window) */
static PyObject *sampler_folded(PyObject *self, PyObject *args) {
    struct text text = {0};
    int places;
    enum profiler_window window;
    if (!PyArg_ParseTuple(args, "pO&:folded", &places, take_window, &window))
        return NULL;
    PyThreadState *unlocked = PyEval_SaveThread();
    const struct profile *profile = profiler_take(profiler_of(self), window);
    if (profile) {
        profile_folded(&text, profile, places);
        profiler_give(profiler_of(self), profile);
    }
    PyEval_RestoreThread(unlocked);
    return profile ? take_text(&text) : PyErr_NoMemory();
}

/* tree(min_share, depth, window) */
static PyObject *sampler_tree(PyObject *self, PyObject *args) {
    struct profile_tree_style style = {0};
    struct text text = {0};
    enum profiler_window window;
    if (!PyArg_ParseTuple(args, "dIO&:tree", &style.min_share, &style.depth, take_window, &window))
        return NULL;
    PyThreadState *unlocked = PyEval_SaveThread();
    const struct profile *profile = profiler_take(profiler_of(self), window);
    if (profile) {
        profile_tree(&text, profile, &style);
        profiler_give(profiler_of(self), profile);
    }
    PyEval_RestoreThread(unlocked);
    return profile ? take_text(&text) : PyErr_NoMemory();
}

static uint64_t clock_ns(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* trace(name, window, sequence) -> bytes: the profile as a Perfetto trace of a process of that name. sequence: of its
 * packets, 1 to 2^32 - 1; traces with different ones may stand one behind the other. */
static PyObject *sampler_trace(PyObject *self, PyObject *args) {
    struct profiled process = {.pid = (int32_t)getpid(),
                               .time_ns = clock_ns(CLOCK_MONOTONIC),
                               .realtime_ns = clock_ns(CLOCK_REALTIME)};
    struct text text = {0};
    enum profiler_window window;
    if (!PyArg_ParseTuple(args, "sO&I:trace", &process.name, take_window, &window,
                          &process.sequence))
        return NULL;
    if (!process.sequence)
        return PyErr_Format(PyExc_ValueError, "a sequence has a number that is not 0");
    PyThreadState *unlocked = PyEval_SaveThread();
    const struct profile *profile = profiler_take(profiler_of(self), window);
    if (profile) {
        profile_trace(&text, profile, &process);
        profiler_give(profiler_of(self), profile);
    }
    PyEval_RestoreThread(unlocked);
    PyObject *bytes = text.failed || !profile
                          ? PyErr_NoMemory()
                          : PyBytes_FromStringAndSize(text_of(&text), (Py_ssize_t)text.size);
    text_free(&text);
    return bytes;
}

static PyMethodDef sampler_methods[] = {{"start", sampler_start, METH_NOARGS, NULL},
                                        {"stop", sampler_stop_, METH_NOARGS, NULL},
                                        {"pause", sampler_pause, METH_NOARGS, NULL},
                                        {"resume", sampler_resume, METH_NOARGS, NULL},
                                        {"set_interval", sampler_set_interval_, METH_O, NULL},
                                        {"state", sampler_state, METH_NOARGS, NULL},
                                        {"before_fork", sampler_before_fork, METH_NOARGS, NULL},
                                        {"clear", sampler_clear, METH_NOARGS, NULL},
                                        {"stats", sampler_stats, METH_NOARGS, NULL},
                                        {"hot", sampler_hot, METH_VARARGS, NULL},
                                        {"folded", sampler_folded, METH_VARARGS, NULL},
                                        {"tree", sampler_tree, METH_VARARGS, NULL},
                                        {"trace", sampler_trace, METH_VARARGS, NULL},
                                        {NULL, NULL, 0, NULL}};

static PyType_Slot sampler_slots[] = {{Py_tp_new, (void *)sampler_new},
                                      {Py_tp_dealloc, (void *)sampler_dealloc},
                                      {Py_tp_methods, sampler_methods},
                                      {0, NULL}};

PyType_Spec sampler_spec = {"marey._marey.Sampler", sizeof(sampler_object), 0,
                            Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE, sampler_slots};
