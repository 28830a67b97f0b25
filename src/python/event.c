/* What spans, instants and tracks share: the form of their calls, and the way to the library. */
#include "span.h"

/* ----------------------------------------------------------------- options */

static bool word_is(PyObject *keyword, PyObject *word) {
    return keyword == word ||
           (!PyUnicode_CHECK_INTERNED(keyword) && PyUnicode_Compare(keyword, word) == 0);
}

int options_which(face_state *state, const options_form *form, PyObject *keyword) {
    PyObject *const words[OPTION_COUNT] = {state->word_category, state->word_track,
                                           state->word_flow, state->word_ts};
    for (int i = 0; i < OPTION_COUNT; i++)
        if (form->keywords & 1u << i && word_is(keyword, words[i]))
            return i;
    return -1;
}

static int option_track(face_state *state, PyObject *given, track_object **track) {
    if (given == Py_None)
        return 0;
    if (!PyObject_TypeCheck(given, state->track_type)) {
        PyErr_Format(PyExc_TypeError, "track is a marey.Track or None, not %.100s",
                     Py_TYPE(given)->tp_name);
        return -1;
    }
    *track = (track_object *)given;
    return 0;
}

static int option_set(face_state *state, event_options *options, int which, PyObject *given) {
    switch (which) {
    case OPTION_CATEGORY: return category_argument(state, given, &options->category);
    case OPTION_TRACK: return option_track(state, given, &options->track);
    case OPTION_TS: return time_argument(given, &options->ts);
    default:
        if (given == Py_None)
            return 0;
        Py_XSETREF(options->flow, flow_argument(state, given));
        return options->flow ? 0 : -1;
    }
}

int options_read(face_state *state, const options_form *form, PyObject *const *args,
                 Py_ssize_t count, PyObject *kwnames, event_options *options) {
    *options = (event_options){.ts = MAREY_NOW};
    if (count > form->positional_count) {
        PyErr_Format(PyExc_TypeError, "%s() takes %d options by position, not %zd", form->function,
                     form->positional_count, count);
        return -1;
    }
    for (Py_ssize_t i = 0; i < count; i++)
        if (option_set(state, options, form->positional[i], args[i]) < 0)
            return -1;
    for (Py_ssize_t i = 0; kwnames && i < PyTuple_GET_SIZE(kwnames); i++) {
        int which = options_which(state, form, PyTuple_GET_ITEM(kwnames, i));
        if (which >= 0 && option_set(state, options, which, args[count + i]) < 0)
            return -1;
    }
    return 0;
}

void options_fini(event_options *options) {
    Py_CLEAR(options->flow);
}

void options_add(values *v, const options_form *form, const event_options *options,
                 PyObject *const *kwvalues, PyObject *kwnames) {
    values_add_flow(v, options->flow);
    for (Py_ssize_t i = 0; kwnames && i < PyTuple_GET_SIZE(kwnames); i++) {
        PyObject *keyword = PyTuple_GET_ITEM(kwnames, i);
        if (options_which(v->state, form, keyword) < 0)
            values_add(v, keyword, kwvalues[i]);
    }
    values_all_added(v);
}

PyObject *options_name(const char *function, PyObject *const *args, Py_ssize_t count) {
    if (count >= 1 && PyUnicode_Check(args[0]))
        return args[0];
    if (count < 1)
        PyErr_Format(PyExc_TypeError, "%s() takes a name, by position", function);
    else
        PyErr_Format(PyExc_TypeError, "%s() takes a name that is a str, not %.100s", function,
                     Py_TYPE(args[0])->tp_name);
    return NULL;
}

int time_argument(PyObject *given, uint64_t *time_ns) {
    *time_ns = MAREY_NOW;
    if (given == Py_None)
        return 0;
    PyObject *number = PyNumber_Index(given);
    unsigned long long value = number ? PyLong_AsUnsignedLongLong(number) : 0;
    Py_XDECREF(number);
    if (PyErr_Occurred())
        return -1;
    if (value > INT64_MAX) {
        PyErr_SetString(PyExc_OverflowError, "a time is nanoseconds below 2**63");
        return -1;
    }
    *time_ns = value ? value : 1; /* 0 would be "now" */
    return 0;
}

/* ------------------------------------------------------------------ events */

track_object *event_begin(span_object *span, marey_span *token, PyObject *const *names,
                          PyObject *const *items, Py_ssize_t count) {
    face_state *state = span->state;
    track_object *on = span->track ? span->track : task_track(state);
    uint32_t id = span_id(span);
    values v;
    values_init(&v, state);
    if (on && on->flow) {
        values_add_flow_id(&v, on->flow);
        on->flow = 0;
    }
    values_add_source(&v, span->source);
    values_add_flow(&v, span->flow);
    if (span->kwnames)
        values_add_pairs(&v, span->kwnames, span->kwvalues);
    for (Py_ssize_t i = 0; i < count; i++)
        values_add(&v, names[i], items[i]);
    values_all_added(&v);
    marey__span_begin(token, span->category, on ? on->track : NULL, id, v.top, v.count);
    values_fini(&v);
    return on;
}

void event_end(face_state *state, marey_span *token, PyObject *result, PyObject *exception,
               PyObject *results) {
    values v;
    values_init(&v, state);
    if (exception)
        values_add_exception(&v, exception);
    if (result)
        values_add_named(&v, state->id_result, result);
    if (results)
        values_add_dict(&v, results);
    values_all_added(&v);
    marey__span_end_args(token, v.top, v.count);
    values_fini(&v);
}

/* instant(name, /, category=None, track=None, flow=None, **args) */
static const options_form instant_form = {"instant",
                                          {OPTION_CATEGORY, OPTION_TRACK, OPTION_FLOW},
                                          3,
                                          1u << OPTION_CATEGORY | 1u << OPTION_TRACK |
                                              1u << OPTION_FLOW};

static NOINLINE void instant_rich(face_state *state, PyObject *name, const event_options *options,
                                  PyObject *const *kwvalues, PyObject *kwnames) {
    track_object *on = options->track ? options->track : task_track(state);
    values v;
    values_init(&v, state);
    options_add(&v, &instant_form, options, kwvalues, kwnames);
    marey__instant(options->category, on ? on->track : NULL, names_id(state, name), v.top, v.count);
    values_fini(&v);
}

PyObject *event_instant(PyObject *module, PyObject *const *args, Py_ssize_t count,
                        PyObject *kwnames) {
    face_state *state = PyModule_GetState(module);
    PyObject *name = options_name("instant", args, count);
    if (!name)
        return NULL;
    event_options options;
    if (!kwnames && count == 1) {
        if (marey_recording()) {
            track_object *on = task_track(state);
            marey__instant(NULL, on ? on->track : NULL, names_id(state, name), NULL, 0);
        }
        return Py_NewRef(Py_None);
    }
    int result = options_read(state, &instant_form, args + 1, count - 1, kwnames, &options);
    if (result == 0 && marey_recording() &&
        (!options.category || marey_category_recording(options.category)))
        instant_rich(state, name, &options, args + count, kwnames);
    options_fini(&options);
    if (result < 0)
        return NULL;
    return Py_NewRef(Py_None);
}

/* instant_at(name, track | None, flow | None, arguments: dict, file, function, line): one that says where it stands */
PyObject *event_instant_at(PyObject *module, PyObject *args) {
    face_state *state = PyModule_GetState(module);
    PyObject *name, *track, *flow, *arguments, *file, *function;
    track_object *on = NULL;
    unsigned line;
    if (!PyArg_ParseTuple(args, "UOOO!UUI:instant_at", &name, &track, &flow, &PyDict_Type,
                          &arguments, &file, &function, &line) ||
        option_track(state, track, &on) < 0)
        return NULL;
    PyObject *flows = flow == Py_None ? NULL : flow_argument(state, flow);
    if (flow != Py_None && !flows)
        return NULL;
    if (marey_recording()) {
        values v;
        on = on ? on : task_track(state);
        values_init(&v, state);
        values_add_source(&v, source_find(file, function, line));
        values_add_flow(&v, flows);
        values_add_dict(&v, arguments);
        values_all_added(&v);
        marey__instant(NULL, on ? on->track : NULL, names_id(state, name), v.top, v.count);
        values_fini(&v);
    }
    Py_XDECREF(flows);
    return Py_NewRef(Py_None);
}
