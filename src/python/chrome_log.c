/* See chrome_log.h: ChromeLog. */
#include "chrome_log.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "output/digits.h"

enum {
    LOG_FULL = 64 << 10, /* bytes: who adds a line then has them written */
    LOG_MAX = 64 << 20,  /* bytes that may wait in all: what comes on top is lost, and counted */
};

/* What a line ends with, which is the same for all of a thread. */
struct thread_end {
    uint64_t log; /* its number; 0: none yet */
    size_t size;
    char text[80];
};

/* ------------------------------------------------------------------- lines */

/* Room for `more` bytes. 0, or -1 where there is none. */
static int make_room(log_object *log, size_t more) {
    if (LIKELY(log->capacity - log->size >= more))
        return 0;
    size_t capacity = log->capacity ? log->capacity : LOG_FULL;
    while (capacity - log->size < more && capacity <= LOG_MAX)
        capacity *= 2;
    char *bytes = capacity <= LOG_MAX ? realloc(log->bytes, capacity) : NULL;
    if (!bytes)
        return -1;
    log->bytes = bytes;
    log->capacity = capacity;
    return 0;
}

static inline char *put(char *to, const char *text, size_t size) {
    memcpy(to, text, size);
    return to + size;
}

#define PUT(to, text) put(to, text, sizeof(text) - 1)

/* Nanoseconds as microseconds: 1234.567. */
static char *put_us(char *to, int64_t ns) {
    uint64_t size = ns < 0 ? (uint64_t)-ns : (uint64_t)ns;
    unsigned rest = (unsigned)(size % 1000);
    if (ns < 0)
        *to++ = '-';
    to = digits_count(to, size / 1000);
    *to++ = '.';
    *to++ = (char)('0' + rest / 100);
    *to++ = (char)('0' + rest / 10 % 10);
    *to++ = (char)('0' + rest % 10);
    return to;
}

/* A text as JSON writes it, in UTF-8: escapes of surrogates are refused by Perfetto's viewer. Each byte becomes six at
 * most. */
static char *put_text(char *to, const char *text, size_t size) {
    static const char hex[] = "0123456789abcdef";
    *to++ = '"';
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (LIKELY(byte >= 0x20 && byte != '"' && byte != '\\')) {
            *to++ = (char)byte;
        } else if (byte == '"' || byte == '\\') {
            *to++ = '\\';
            *to++ = (char)byte;
        } else {
            to = PUT(to, "\\u00");
            *to++ = hex[byte >> 4];
            *to++ = hex[byte & 15];
        }
    }
    *to++ = '"';
    return to;
}

/* A str as UTF-8. Where it is none, because of lone surrogates, `*owned` is what holds a copy without them. NULL with
 * no memory. */
static const char *utf8_of(PyObject *text, Py_ssize_t *size, PyObject **owned) {
    const char *bytes = PyUnicode_AsUTF8AndSize(text, size);
    *owned = NULL;
    if (LIKELY(bytes != NULL))
        return bytes;
    PyErr_Clear();
    *owned = PyUnicode_AsEncodedString(text, "utf-8", "replace");
    if (!*owned) {
        PyErr_Clear();
        return NULL;
    }
    *size = PyBytes_GET_SIZE(*owned);
    return PyBytes_AS_STRING(*owned);
}

/* Of everything between two texts of a line, at most. */
enum { BETWEEN_MAX = 192 };

/* Adds a str of any length as JSON, behind something shorter than BETWEEN_MAX; as much room is left behind it. 0, or -1
 * where there is none. */
static inline int add_text(log_object *log, const char *before, PyObject *text) {
    PyObject *owned;
    Py_ssize_t size;
    const char *bytes = utf8_of(text, &size, &owned);
    int failed = !bytes || make_room(log, (size_t)size * 6 + 2 + (size_t)2 * BETWEEN_MAX) < 0;
    if (!failed) {
        char *to = put(log->bytes + log->size, before, strlen(before));
        log->size = (size_t)(put_text(to, bytes, (size_t)size) - log->bytes);
    }
    Py_XDECREF(owned);
    return failed ? -1 : 0;
}

static int add_line(log_object *log, PyObject *name, PyObject *category, int64_t begin_ns,
                    int64_t end_ns, PyObject *arguments, const struct thread_end *end) {
    Py_ssize_t count = arguments ? PyList_GET_SIZE(arguments) : 0;
    if (add_text(log, "{\"name\":", name) < 0 || add_text(log, ",\"cat\":", category) < 0)
        return -1;
    char *to = PUT(log->bytes + log->size, ",\"ph\":\"X\",\"ts\":");
    to = put_us(to, begin_ns);
    to = PUT(to, ",\"dur\":");
    to = put_us(to, end_ns - begin_ns);
    to = PUT(to, ",\"args\":{");
    log->size = (size_t)(to - log->bytes);
    for (Py_ssize_t i = 0; i < count; i++) {
        const char *before = i % 2 ? ":" : i ? "," : "";
        if (add_text(log, before, PyList_GET_ITEM(arguments, i)) < 0)
            return -1;
    }
    to = put(log->bytes + log->size, end->text, end->size);
    log->size = (size_t)(to - log->bytes);
    return 0;
}

/* Calls, and leaves no exception: what goes wrong there is no matter of the program's. */
static void call_quietly(PyObject *called, PyObject *argument) {
    PyObject *result =
        argument ? PyObject_CallOneArg(called, argument) : PyObject_CallNoArgs(called);
    if (!result)
        PyErr_WriteUnraisable(called);
    Py_XDECREF(result);
}

/* What lines of this thread, which the log has met, end with. */
static const struct thread_end *met_thread(log_object *log) {
    static _Thread_local struct thread_end here;
    if (LIKELY(here.log == log->number))
        return &here;
    long tid = syscall(SYS_gettid); /* a forked child's is another one */
    PyObject *number = PyLong_FromLong(tid);
    if (number)
        call_quietly(log->meet, number); /* may use another log: what is here is set afterwards */
    else
        PyErr_Clear();
    Py_XDECREF(number);
    here.log = log->number;
    here.size = (size_t)snprintf(here.text, sizeof here.text, "},\"pid\":%lld,\"tid\":%ld},\n",
                                 (long long)log->pid, tid);
    return &here;
}

void log_complete(log_object *log, PyObject *name, PyObject *category, int64_t begin_ns,
                  int64_t end_ns, PyObject *arguments) {
    if (!log->is_open)
        return;
    const struct thread_end *end = met_thread(log);
    int is_much;
    LOCK_OBJECT(log);
    size_t before = log->size;
    if (add_line(log, name, category, begin_ns, end_ns, arguments, end) < 0) {
        log->size = before;
        log->lost++;
    }
    is_much = before < LOG_FULL && log->size >= LOG_FULL;
    UNLOCK_OBJECT();
    if (UNLIKELY(is_much))
        call_quietly(log->full, NULL);
}

int64_t log_now(log_object *log) {
    if (LIKELY(!log->clock))
        return (int64_t)marey_now_ns();
    PyObject *given = PyObject_CallNoArgs(log->clock);
    double seconds = given ? PyFloat_AsDouble(given) : -1;
    Py_XDECREF(given);
    if (!PyErr_Occurred() && seconds >= 0 && seconds < 9e9)
        return llround(seconds * 1e9);
    PyErr_Clear();
    log->lost++;
    return -1;
}

/* ----------------------------------------------------------------- methods */

/* ChromeLog(clock | None, pid, meet, full) */
static PyObject *log_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    static uint64_t made;
    PyObject *clock, *meet, *full;
    long long pid;
    if ((kwargs && PyDict_GET_SIZE(kwargs)) ||
        !PyArg_ParseTuple(args, "OLOO:ChromeLog", &clock, &pid, &meet, &full))
        return NULL;
    log_object *self = (log_object *)type->tp_alloc(type, 0);
    if (!self)
        return NULL;
    self->clock = clock == Py_None ? NULL : Py_NewRef(clock);
    self->meet = Py_NewRef(meet);
    self->full = Py_NewRef(full);
    self->pid = pid;
    self->number = __atomic_add_fetch(&made, 1, __ATOMIC_RELAXED);
    self->is_open = 1;
    return (PyObject *)self;
}

static int log_traverse(PyObject *object, visitproc visit, void *arg) {
    log_object *self = (log_object *)object;
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->clock);
    Py_VISIT(self->meet);
    Py_VISIT(self->full);
    return 0;
}

static int log_clear(PyObject *object) {
    log_object *self = (log_object *)object;
    Py_CLEAR(self->clock);
    Py_CLEAR(self->meet);
    Py_CLEAR(self->full);
    return 0;
}

static void log_dealloc(PyObject *object) {
    PyTypeObject *type = Py_TYPE(object);
    PyObject_GC_UnTrack(object);
    log_clear(object);
    free(((log_object *)object)->bytes);
    type->tp_free(object);
    Py_DECREF(type);
}

/* add(line): text that is JSON already */
static PyObject *log_add(PyObject *object, PyObject *line) {
    log_object *self = (log_object *)object;
    PyObject *owned;
    Py_ssize_t size;
    if (!PyUnicode_Check(line))
        return PyErr_Format(PyExc_TypeError, "a str, not %s", Py_TYPE(line)->tp_name);
    const char *bytes = utf8_of(line, &size, &owned);
    LOCK_OBJECT(object);
    if (!self->is_open) {
    } else if (!bytes || make_room(self, (size_t)size) < 0) {
        self->lost++;
    } else {
        memcpy(self->bytes + self->size, bytes, (size_t)size);
        self->size += (size_t)size;
    }
    UNLOCK_OBJECT();
    Py_XDECREF(owned);
    return Py_NewRef(Py_None);
}

/* take() -> str: what has gathered; "" for nothing */
static PyObject *log_take(PyObject *object, PyObject *Py_UNUSED(unused)) {
    log_object *self = (log_object *)object;
    PyObject *text;
    LOCK_OBJECT(object);
    text = PyUnicode_DecodeUTF8(self->size ? self->bytes : "", (Py_ssize_t)self->size, "replace");
    if (text)
        self->size = 0;
    UNLOCK_OBJECT();
    return text;
}

/* close(): nothing more is added */
static PyObject *log_close(PyObject *object, PyObject *Py_UNUSED(unused)) {
    ((log_object *)object)->is_open = 0;
    return Py_NewRef(Py_None);
}

/* now() -> nanoseconds, -1 where the clock failed */
static PyObject *log_now_method(PyObject *object, PyObject *Py_UNUSED(unused)) {
    return PyLong_FromLongLong(log_now((log_object *)object));
}

static PyObject *log_get_lost(PyObject *object, void *Py_UNUSED(closure)) {
    return PyLong_FromUnsignedLongLong(((log_object *)object)->lost);
}

static PyMethodDef log_methods[] = {{"add", log_add, METH_O, NULL},
                                    {"take", log_take, METH_NOARGS, NULL},
                                    {"close", log_close, METH_NOARGS, NULL},
                                    {"now", log_now_method, METH_NOARGS, NULL},
                                    {NULL, NULL, 0, NULL}};

static PyGetSetDef log_getset[] = {{"lost", log_get_lost, NULL, NULL, NULL},
                                   {NULL, NULL, NULL, NULL, NULL}};

static PyType_Slot log_slots[] = {{Py_tp_new, (void *)log_new},
                                  {Py_tp_dealloc, (void *)log_dealloc},
                                  {Py_tp_traverse, (void *)log_traverse},
                                  {Py_tp_clear, (void *)log_clear},
                                  {Py_tp_methods, log_methods},
                                  {Py_tp_getset, log_getset},
                                  {0, NULL}};

PyType_Spec log_spec = {"marey._marey.ChromeLog", sizeof(log_object), 0,
                        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
                        log_slots};
