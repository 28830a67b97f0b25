/* See reading.h: columns. */
#include "reading.h"

#include <stddef.h>

/* A field of all spans, or of all samples. */
struct member {
    const char *name, *format; /* of struct */
    size_t offset, size;
};

#define FIELD(type, member, name, format)                                                          \
    { name, format, offsetof(struct type, member), sizeof((struct type *)0)->member }
#define WEIGHT(weight, name)                                                                       \
    {                                                                                              \
        name, "Q", offsetof(struct taken_sample, weights_ns) + SAMPLE_##weight * sizeof(uint64_t), \
            sizeof(uint64_t)                                                                       \
    }

static const struct member span_fields[] = {FIELD(span, begin_ns, "begin_ns", "q"),
                                            FIELD(span, duration_ns, "duration_ns", "q"),
                                            FIELD(span, name, "name", "I"),
                                            FIELD(span, category, "category", "I"),
                                            FIELD(span, track, "track", "I"),
                                            FIELD(span, parent, "parent", "I"),
                                            FIELD(span, depth, "depth", "H"),
                                            FIELD(span, failed, "failed", "B"),
                                            {NULL, NULL, 0, 0}};

static const struct member sample_fields[] = {FIELD(taken_sample, time_ns, "time_ns", "q"),
                                              FIELD(taken_sample, thread, "thread", "I"),
                                              FIELD(taken_sample, task, "task", "I"),
                                              FIELD(taken_sample, stack, "stack", "I"),
                                              FIELD(taken_sample, count, "count", "I"),
                                              WEIGHT(WALL, "wall_ns"),
                                              WEIGHT(CPU, "cpu_ns"),
                                              WEIGHT(GIL, "gil_ns"),
                                              WEIGHT(GIL_WAIT, "gil_wait_ns"),
                                              {NULL, NULL, 0, 0}};

typedef struct column_object {
    PyObject_HEAD reading_object *reading;
    const struct member *field;
    const char *first;
    Py_ssize_t count, stride;
} column_object;

static int column_buffer(PyObject *object, Py_buffer *view, int flags) {
    column_object *self = (column_object *)object;
    if ((flags & PyBUF_WRITABLE) || (flags & PyBUF_STRIDES) != PyBUF_STRIDES) {
        PyErr_SetString(PyExc_BufferError, "a column of a trace is read only, and has strides");
        view->obj = NULL;
        return -1;
    }
    *view = (Py_buffer){.buf = (char *)self->first,
                        .obj = Py_NewRef(object),
                        .len = self->count * (Py_ssize_t)self->field->size,
                        .itemsize = (Py_ssize_t)self->field->size,
                        .readonly = 1,
                        .ndim = 1,
                        .format = flags & PyBUF_FORMAT ? (char *)self->field->format : NULL,
                        .shape = &self->count,
                        .strides = &self->stride};
    return 0;
}

static void column_dealloc(PyObject *object) {
    PyTypeObject *type = Py_TYPE(object);
    Py_XDECREF((PyObject *)((column_object *)object)->reading);
    type->tp_free(object);
    Py_DECREF(type);
}

static PyObject *column_view(PyObject *object, const struct member *fields, const char *name,
                             const void *all, Py_ssize_t count, Py_ssize_t stride) {
    face_state *state = state_of_type(Py_TYPE(object));
    while (fields->name && strcmp(fields->name, name) != 0)
        fields++;
    if (!fields->name)
        return PyErr_Format(PyExc_KeyError, "%s", name);
    column_object *column = type_make(state->column_type);
    if (!column)
        return NULL;
    static const char none[8];
    column->reading = (reading_object *)Py_NewRef(object);
    column->field = fields;
    column->first = (count ? (const char *)all + fields->offset : none);
    column->count = count;
    column->stride = stride;
    PyObject *view = PyMemoryView_FromObject((PyObject *)column);
    Py_DECREF(column);
    return view;
}

PyObject *reading_span_column(PyObject *object, PyObject *name) {
    const struct trace *trace = trace_of(object);
    const char *text = PyUnicode_AsUTF8(name);
    return text ? column_view(object, span_fields, text, trace->spans, trace->span_count,
                              sizeof *trace->spans)
                : NULL;
}

PyObject *reading_sample_column(PyObject *object, PyObject *name) {
    const struct samples *samples = &trace_of(object)->reader.samples;
    const char *text = PyUnicode_AsUTF8(name);
    return text ? column_view(object, sample_fields, text, samples->all, samples->count,
                              sizeof *samples->all)
                : NULL;
}

static PyType_Slot column_slots[] = {{Py_tp_new, (void *)type_refuse_new},
                                     {Py_tp_dealloc, (void *)column_dealloc},
                                     {Py_bf_getbuffer, (void *)column_buffer},
                                     {0, NULL}};

PyType_Spec column_spec = {"marey._marey.Column", sizeof(column_object), 0,
                           Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE, column_slots};
