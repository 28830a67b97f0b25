/* See reading.h: Reading. */
#include "reading.h"

#include "model/damage.h"

/* --------------------------------------------------------------- loading */

/* load_trace(data: bytes-like | None, path: bytes | None, arguments: bool) -> Reading, or (code, text, hint) */
PyObject *reading_load(PyObject *module, PyObject *args) {
    face_state *state = PyModule_GetState(module);
    Py_buffer data = {.buf = NULL};
    PyObject *given;
    int keep, error;
    if (!PyArg_ParseTuple(args, "z*Op:load_trace", &data, &given, &keep))
        return NULL;
    const char *path = PyBytes_Check(given) ? PyBytes_AS_STRING(given) : NULL;
    reading_object *self = type_make(state->reading_type);
    if (!self) {
        PyBuffer_Release(&data);
        return NULL;
    }
    unsigned wanted = keep ? TRACE_ARGUMENTS : 0;
    PyThreadState *unlocked = PyEval_SaveThread();
    error = path ? trace_read(&self->trace, path, wanted)
                 : trace_read_memory(&self->trace, data.buf, (size_t)data.len, wanted);
    PyEval_RestoreThread(unlocked);
    PyBuffer_Release(&data);
    if (!error)
        return (PyObject *)self;
    Py_DECREF(self);
    return error == MAREY_ENOMEM
               ? PyErr_NoMemory()
               : Py_BuildValue("iss", error, marey_strerror(error), marey_hint(error));
}

static void reading_dealloc(PyObject *object) {
    PyTypeObject *type = Py_TYPE(object);
    trace_free(&((reading_object *)object)->trace);
    type->tp_free(object);
    Py_DECREF(type);
}

/* ----------------------------------------------------------- single ones */

/* The number of an object, below `count`. -1 with an IndexError. */
static int64_t place_of(PyObject *number, uint32_t count) {
    unsigned long place = PyLong_AsUnsignedLong(number);
    if (PyErr_Occurred())
        return -1;
    if (place < count)
        return (int64_t)place;
    PyErr_SetString(PyExc_IndexError, "no such place in the trace");
    return -1;
}

/* text(number) -> str */
static PyObject *reading_text(PyObject *object, PyObject *number) {
    uint32_t texts = trace_of(object)->reader.strings.count;
    int64_t place = place_of(number, texts ? texts : 1);
    return place < 0 ? NULL : model_text(trace_of(object), (uint32_t)place);
}

/* arguments(place) -> dict: those of a span's begin, then of its end */
static PyObject *reading_arguments(PyObject *object, PyObject *number) {
    const struct trace *trace = trace_of(object);
    int64_t place = place_of(number, trace->span_count);
    PyObject *dict = place < 0 ? NULL : PyDict_New();
    if (!dict)
        return NULL;
    uint32_t detail = trace->spans[place].detail;
    uint32_t end = detail ? trace->reader.arguments.details[detail].end : 0;
    if (model_arguments(trace, detail, 0, dict) < 0 || model_arguments(trace, end, 0, dict) < 0)
        Py_CLEAR(dict);
    return dict;
}

/* source(place) -> (file, line, function) of a span, or None */
static PyObject *reading_source(PyObject *object, PyObject *number) {
    const struct trace *trace = trace_of(object);
    int64_t place = place_of(number, trace->span_count);
    if (place < 0)
        return NULL;
    uint32_t detail = trace->spans[place].detail;
    uint32_t source = detail ? trace->reader.arguments.details[detail].source : 0;
    const struct source_place *found = &trace->reader.arguments.sources[source];
    return source ? Py_BuildValue("NIN", model_text(trace, found->file), found->line,
                                  model_text(trace, found->function))
                  : Py_NewRef(Py_None);
}

/* stack(number) -> [(name, file, line, first line, kind)], outermost first */
static PyObject *reading_stack(PyObject *object, PyObject *number) {
    const struct trace *trace = trace_of(object);
    const struct samples *samples = &trace->reader.samples;
    /* 0 is the empty stack, also where there is no other */
    int64_t place = place_of(number, samples->stack_count ? samples->stack_count : 1);
    PyObject *list = place < 0 ? NULL : PyList_New(0);
    int failed = !list;
    for (uint32_t at = (uint32_t)place; !failed && at; at = samples->stacks[at].parent) {
        const struct stack_frame *frame = &samples->frames[samples->stacks[at].frame];
        const struct stack_function *function = &samples->functions[frame->function];
        failed = list_append(list, Py_BuildValue("NNiiB", model_text(trace, function->name),
                                                 model_text(trace, function->file), frame->line,
                                                 function->first_line, function->kind)) < 0;
    }
    if (failed || PyList_Reverse(list) < 0)
        Py_CLEAR(list);
    return list;
}

/* ----------------------------------------------------------------- lists */

/* events(track) -> [(time_ns, value)] of a counter, [(time_ns, name, category, arguments)] of instants */
static PyObject *reading_events(PyObject *object, PyObject *number) {
    const struct trace *trace = trace_of(object);
    int64_t place = place_of(number, trace->reader.tracks.count);
    PyObject *list = place < 0 ? NULL : PyList_New(0);
    if (!list)
        return NULL;
    const struct track *track = &trace->reader.tracks.all[place];
    int failed = 0;
    for (uint32_t i = 0; !failed && i < track->count; i++) {
        const struct event *event = &track->events[i];
        if (track->kind == TRACK_COUNTER) {
            failed = list_append(list, Py_BuildValue("Ld", event->time_ns, event->value)) < 0;
            continue;
        }
        PyObject *arguments = PyDict_New();
        failed =
            !arguments || model_arguments(trace, event->detail, 0, arguments) < 0 ||
            list_append(list, Py_BuildValue("LNNO", event->time_ns, model_text(trace, event->name),
                                            model_text(trace, event->category), arguments)) < 0;
        Py_XDECREF(arguments);
    }
    if (failed)
        Py_CLEAR(list);
    return list;
}

/* A list of what `make` gives for each place below `count`. NULL with an exception. */
static PyObject *list_of(const struct trace *trace, uint32_t count,
                         PyObject *(*make)(const struct trace *trace, uint32_t place)) {
    PyObject *list = PyList_New(0);
    int failed = !list;
    for (uint32_t i = 0; !failed && i < count; i++)
        failed = list_append(list, make(trace, i)) < 0;
    if (failed)
        Py_CLEAR(list);
    return list;
}

static PyObject *make_process(const struct trace *trace, uint32_t place) {
    const struct process *process = &trace->processes[place];
    return Py_BuildValue("LNNKK", process->pid, model_text(trace, process->name),
                         model_text(trace, process->command_line), process->spans,
                         process->samples);
}

static PyObject *make_thread(const struct trace *trace, uint32_t place) {
    const struct thread *thread = &trace->threads[place];
    return Py_BuildValue("LLNIKK", thread->pid, thread->tid, model_text(trace, thread->name),
                         thread->process, thread->spans, thread->samples);
}

static PyObject *make_track(const struct trace *trace, uint32_t place) {
    static const char *const kinds[] = {"unknown", "custom", "process", "thread", "counter"};
    const struct track *track = &trace->reader.tracks.all[place];
    const struct track *parent = trace_parent(trace, track);
    long parent_place = parent ? parent - trace->reader.tracks.all : -1;
    return Py_BuildValue("NslllIIN", model_text(trace, track->name), kinds[track->kind],
                         track->process == MAP_NONE ? -1L : (long)track->process, parent_place,
                         (long)track->tid, track->spans, track->count,
                         model_text(trace, track->unit));
}

static PyObject *make_sampled(const struct trace *trace, uint32_t place) {
    return PyLong_FromUnsignedLong(trace->reader.samples.threads[place].thread);
}

static PyObject *make_attribute(const struct trace *trace, uint32_t place) {
    const struct attribute *attribute = &trace->reader.attributes[place];
    return Py_BuildValue("NN", model_text(trace, attribute->key),
                         attribute->is_number ? PyLong_FromLongLong(attribute->number)
                                              : model_text(trace, attribute->text));
}

static PyObject *make_loss(const struct trace *trace, uint32_t place) {
    return Py_BuildValue("Nd", model_text(trace, trace->losses[place].what),
                         trace->losses[place].count);
}

static PyObject *make_damage(const struct trace *trace, uint32_t kind) {
    static const char *const harms[] = {"damage", "not shown", "note"};
    const struct damage *damage = &trace->reader.damage;
    PyObject *place = damage->count[kind] && damage_has_place(kind)
                          ? PyLong_FromUnsignedLongLong(damage->place[kind][0])
                          : Py_NewRef(Py_None);
    return Py_BuildValue("ssKN", harms[damage_harm(kind)], damage_text(kind), damage->count[kind],
                         place);
}

#define LIST_GETTER(name, count_of, make)                                                          \
    static PyObject *reading_##name(PyObject *object, void *Py_UNUSED(closure)) {                  \
        const struct trace *trace = trace_of(object);                                              \
        return list_of(trace, count_of, make);                                                     \
    }
LIST_GETTER(processes, trace->process_count, make_process)
LIST_GETTER(threads, trace->thread_count, make_thread)
LIST_GETTER(tracks, trace->reader.tracks.count, make_track)
LIST_GETTER(sampled, trace->reader.samples.thread_count, make_sampled)
LIST_GETTER(attributes, trace->reader.attribute_count, make_attribute)
LIST_GETTER(losses, trace->loss_count, make_loss)
LIST_GETTER(damage, DAMAGE_KINDS, make_damage)

/* Nanoseconds since 1970 of the trace's begin, or None */
static PyObject *reading_realtime(PyObject *object, void *Py_UNUSED(closure)) {
    const struct trace *trace = trace_of(object);
    int64_t ns = timebase_wall_ns(&trace->reader.timebase, trace->first_ns);
    return ns ? PyLong_FromLongLong(ns) : Py_NewRef(Py_None);
}

/* (first_ns, last_ns, spans, open spans, instants, counter values, samples, runs of equal samples, flows) */
static PyObject *reading_counts(PyObject *object, void *Py_UNUSED(closure)) {
    const struct trace *trace = trace_of(object);
    return Py_BuildValue("LLIKKKKIK", trace->first_ns, trace->last_ns, trace->span_count,
                         trace->open_spans, trace->instants, trace->values, trace->samples,
                         trace->reader.samples.count, trace->flows);
}

/* ------------------------------------------------------------------ type */

static PyMethodDef reading_methods[] = {
    {"text", reading_text, METH_O, NULL},
    {"span_column", reading_span_column, METH_O, NULL},
    {"sample_column", reading_sample_column, METH_O, NULL},
    {"choose_spans", reading_choose_spans, METH_VARARGS, NULL},
    {"choose_samples", reading_choose_samples, METH_VARARGS, NULL},
    {"arguments", reading_arguments, METH_O, NULL},
    {"source", reading_source, METH_O, NULL},
    {"stack", reading_stack, METH_O, NULL},
    {"events", reading_events, METH_O, NULL},
    {NULL, NULL, 0, NULL}};

static PyGetSetDef reading_getset[] = {{"counts", reading_counts, NULL, NULL, NULL},
                                       {"realtime_ns", reading_realtime, NULL, NULL, NULL},
                                       {"processes", reading_processes, NULL, NULL, NULL},
                                       {"threads", reading_threads, NULL, NULL, NULL},
                                       {"tracks", reading_tracks, NULL, NULL, NULL},
                                       {"sampled", reading_sampled, NULL, NULL, NULL},
                                       {"attributes", reading_attributes, NULL, NULL, NULL},
                                       {"losses", reading_losses, NULL, NULL, NULL},
                                       {"damage", reading_damage, NULL, NULL, NULL},
                                       {NULL, NULL, NULL, NULL, NULL}};

static PyType_Slot reading_slots[] = {{Py_tp_new, (void *)type_refuse_new},
                                      {Py_tp_dealloc, (void *)reading_dealloc},
                                      {Py_tp_methods, reading_methods},
                                      {Py_tp_getset, reading_getset},
                                      {0, NULL}};

PyType_Spec reading_spec = {"marey._marey.Reading", sizeof(reading_object), 0,
                            Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE, reading_slots};
