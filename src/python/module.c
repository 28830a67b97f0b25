/* The module marey._marey: its functions, its types, its state. See face.h. */
#include "calls.h"
#include "span.h"

PyObject *type_refuse_new(PyTypeObject *type, PyObject *Py_UNUSED(args),
                          PyObject *Py_UNUSED(kwargs)) {
    PyErr_Format(PyExc_TypeError, "%s objects are made by the functions of marey", type->tp_name);
    return NULL;
}

void *type_gone(void) {
    PyErr_SetString(PyExc_RuntimeError, "marey is no more: the interpreter is ending");
    return NULL;
}

void *type_make(PyTypeObject *type) {
    return type ? type->tp_alloc(type, 0) : type_gone();
}

/* --------------------------------------------------------------- functions */

static PyObject *face_now(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(unused)) {
    return PyLong_FromUnsignedLongLong(marey_now_ns());
}

static PyObject *face_recording(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(unused)) {
    return PyBool_FromLong(marey_recording());
}

static PyObject *face_thread_name(PyObject *module, PyObject *name) {
    PyObject *bytes = text_bytes(name);
    if (!bytes || task_thread_named(PyModule_GetState(module), name) < 0) {
        Py_XDECREF(bytes);
        return NULL;
    }
    marey_thread_name(PyBytes_AS_STRING(bytes));
    Py_DECREF(bytes);
    return Py_NewRef(Py_None);
}

static PyObject *face_process_name(PyObject *Py_UNUSED(module), PyObject *name) {
    PyObject *bytes = text_bytes(name);
    if (!bytes)
        return NULL;
    marey_process_name(PyBytes_AS_STRING(bytes));
    task_process_named();
    Py_DECREF(bytes);
    return Py_NewRef(Py_None);
}

/* attribute(key, value): value is a str or an int of 64 bits. */
static PyObject *face_attribute(PyObject *Py_UNUSED(module), PyObject *args) {
    PyObject *key, *value;
    if (!PyArg_ParseTuple(args, "UO:attribute", &key, &value))
        return NULL;
    PyObject *key_bytes = text_bytes(key);
    if (!key_bytes)
        return NULL;
    bool is_text = PyUnicode_Check(value);
    PyObject *value_bytes = is_text ? text_bytes(value) : NULL;
    long long number = is_text ? 0 : PyLong_AsLongLong(value);
    bool failed = PyErr_Occurred() != NULL;
    if (value_bytes)
        marey_attribute_text(PyBytes_AS_STRING(key_bytes), PyBytes_AS_STRING(value_bytes));
    else if (!failed)
        marey_attribute_number(PyBytes_AS_STRING(key_bytes), number);
    Py_DECREF(key_bytes);
    Py_XDECREF(value_bytes);
    return failed ? NULL : Py_NewRef(Py_None);
}

/* categories(list: str | None) -> bool: whether the list is of the right form. */
static PyObject *face_categories(PyObject *Py_UNUSED(module), PyObject *args) {
    const char *list;
    if (!PyArg_ParseTuple(args, "z:categories", &list))
        return NULL;
    return PyBool_FromLong(marey_categories(list) == 0);
}

static PyObject *face_secrets(PyObject *module, PyObject *names) {
    if (names_set_secrets(PyModule_GetState(module), names) < 0)
        return NULL;
    hook_ask_again(
        PyModule_GetState(module)); /* which parameters are secret is known of each site */
    return Py_NewRef(Py_None);
}

/* changed(): a thread has another name now. */
static PyObject *face_changed(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(unused)) {
    task_changed();
    return Py_NewRef(Py_None);
}

static PyObject *face_task_created(PyObject *module, PyObject *task) {
    task_created(PyModule_GetState(module), task);
    return Py_NewRef(Py_None);
}

#define FAST(function) (PyCFunction)(void (*)(void)) function, METH_FASTCALL | METH_KEYWORDS

static PyMethodDef face_methods[] = {
    {"instant", FAST(event_instant),
     PyDoc_STR("instant(name, /, category=None, track=None, flow=None, **args)\n--\n\n"
               "Something that happened, with no duration. The options are those of marey.span.")},
    {"track", FAST(track_new),
     PyDoc_STR(
         "track(name, parent=None)\n--\n\n"
         "A line of the timeline of one's own: a device, a request, a connection. Make it once "
         "and keep it:\neach call makes another one. parent: a marey.Track, \"process\" (None "
         "is that, too), \"thread\"\n(the calling one) or \"global\".")},
    {"counter", FAST(counter_new),
     PyDoc_STR(
         "counter(name, unit=None, track=None)\n--\n\n"
         "A number over time: .set(value), .add(delta), .at(ts, value). track: what marey.track "
         "takes as\nparent. Of the process, the same name and unit give the same counter; of a "
         "track "
         "or a thread,\nmake it once and keep it.")},
    {"now", face_now, METH_NOARGS,
     PyDoc_STR("now()\n--\n\nNanoseconds of CLOCK_MONOTONIC, by the recording's clock.")},
    {"recording", face_recording, METH_NOARGS,
     PyDoc_STR("recording()\n--\n\nWhether this process records.")},
    {"thread_name", face_thread_name, METH_O,
     PyDoc_STR(
         "thread_name(name, /)\n--\n\nThe name of the calling thread in the trace. threading's "
         "own names need no call.")},
    {"process_name", face_process_name, METH_O,
     PyDoc_STR("process_name(name, /)\n--\n\nThe name of this process in the trace.")},
    {"attribute", face_attribute, METH_VARARGS, NULL},
    {"categories", face_categories, METH_VARARGS, NULL},
    {"category_list", category_list, METH_NOARGS, NULL},
    {"secrets", face_secrets, METH_O, NULL},
    {"changed", face_changed, METH_NOARGS, NULL},
    {"task_created", face_task_created, METH_O, NULL},
    {"gc_start", gc_start, METH_NOARGS, NULL},
    {"gc_stop", gc_stop, METH_NOARGS, NULL},
    {"open", session_open, METH_VARARGS, NULL},
    {"join", session_join, METH_O, NULL},
    {"close", session_close, METH_NOARGS, NULL},
    {"snapshot", session_snapshot, METH_O, NULL},
    {"cut", session_cut, METH_VARARGS, NULL},
    {"status", session_status, METH_NOARGS,
     PyDoc_STR("status()\n--\n\nWhat is recorded, where, and what could not be kept, as a dict.")},
    {"statistics", session_statistics, METH_O, NULL},
    {"load_calls", forest_load, METH_VARARGS, NULL},
    {"load_trace", reading_load, METH_VARARGS, NULL},
    {"instant_at", event_instant_at, METH_VARARGS, NULL},
    {"stack_text", stack_text, METH_VARARGS, NULL},
    {"use_log", chrome_log_use, METH_O, NULL},
    {"dump", (PyCFunction)(void (*)(void))dump_now, METH_VARARGS | METH_KEYWORDS,
     PyDoc_STR(
         "dump(file=None, *, locals=False)\n--\n\n"
         "Write the stacks of all threads and asyncio tasks of this process, as they are now, to a "
         "file of text\n(sys.stderr): for each the most recent call first, and whether it runs, is "
         "idle, has the GIL or waits\nfor it. locals: with the variables of each frame, read "
         "without running any code of theirs; those that are\nnamed like secrets show as ***.")},
    {"dump_on", dump_on, METH_VARARGS, NULL},
    {"dump_off", dump_off, METH_O, NULL},
    {"dump_json", dump_json, METH_NOARGS, NULL},
    {"dump_after_fork", dump_after_fork, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL}};

/* ------------------------------------------------------------------- state */

static uint32_t id_of(const char *text) {
    return marey_name_id(text);
}

static void state_names(face_state *state) {
    state->id_exception = id_of("exception");
    state->id_result = id_of("result");
    state->id_generation = id_of("generation");
    state->id_collected = id_of("collected");
    state->id_uncollectable = id_of("uncollectable");
    state->id_coroutine = id_of("coroutine");
    state->id_gc = id_of("gc");
    state->id_create_task = id_of("create task");
    state->id_more = id_of("...");
    state->gc_category = category_find("gc", 2);
    state->asyncio_category = category_find("asyncio", 7);
}

static int state_words(face_state *state) {
    const struct {
        PyObject **word;
        const char *text;
    } words[] = {
        {&state->word_category, "category"},
        {&state->word_track, "track"},
        {&state->word_flow, "flow"},
        {&state->word_ts, "ts"},
        {&state->word_parent, "parent"},
        {&state->word_step, "step"},
        {&state->word_unit, "unit"},
        {&state->word_dur, "dur"},
        {&state->word_get_name, "get_name"},
        {&state->word_get_coro, "get_coro"},
        {&state->word_qualname, "__qualname__"},
        {&state->attribute_track, "_marey_track"},
        {&state->group_key, "marey.asyncio"},
        {&state->name_key, "marey.thread_name"},
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!(*words[i].word = PyUnicode_InternFromString(words[i].text)))
            return -1;
    return 0;
}

static int add_type(PyObject *module, PyTypeObject **type, PyType_Spec *spec) {
    *type = (PyTypeObject *)PyType_FromModuleAndSpec(module, spec, NULL);
    return *type ? PyModule_AddType(module, *type) : -1;
}

static int state_types(PyObject *module, face_state *state) {
    if (add_type(module, &state->span_type, &span_spec) < 0 ||
        add_type(module, &state->traced_type, &traced_spec) < 0 ||
        add_type(module, &state->pieces_type, &pieces_spec) < 0 ||
        add_type(module, &state->track_type, &track_spec) < 0 ||
        add_type(module, &state->counter_type, &counter_spec) < 0 ||
        add_type(module, &state->flow_type, &flow_spec) < 0 ||
        add_type(module, &state->category_type, &category_spec) < 0 ||
        add_type(module, &state->sampler_type, &sampler_spec) < 0 ||
        add_type(module, &state->scope_type, &scope_spec) < 0 ||
        add_type(module, &state->mark_type, &mark_spec) < 0 ||
        add_type(module, &state->forest_type, &forest_spec) < 0 ||
        add_type(module, &state->call_type, &call_spec) < 0 ||
        add_type(module, &state->reading_type, &reading_spec) < 0 ||
        add_type(module, &state->column_type, &column_spec) < 0 ||
        add_type(module, &state->times_type, &times_spec) < 0 ||
        add_type(module, &state->requests_type, &requests_spec) < 0 ||
        add_type(module, &state->request_type, &request_spec) < 0 ||
        add_type(module, &state->way_type, &request_way_spec) < 0 ||
        add_type(module, &state->answer_type, &answer_spec) < 0 ||
        add_type(module, &state->sized_answer_type, &sized_answer_spec) < 0 ||
        add_type(module, &state->log_type, &log_spec) < 0 ||
        add_type(module, &state->chrome_span_type, &chrome_span_spec) < 0)
        return -1;
    state->calls_var = PyContextVar_New("marey.calls", NULL);
    if (!state->calls_var)
        return -1;
    state->span_type->tp_vectorcall = span_vectorcall; /* no spec can say that before 3.14 */
    state->chrome_span_type->tp_vectorcall = chrome_span_vectorcall;
    return way_add_both(state);
}

static int face_exec(PyObject *module) {
    face_state *state = PyModule_GetState(module);
    names_start();
    task_start();
    scopes_start();
    state_names(state);
    state->counters = PyDict_New();
    state->secrets = PyTuple_New(0);
    if (!state->counters || !state->secrets || state_words(state) < 0 ||
        state_types(module, state) < 0)
        return -1;
    if (PyModule_AddIntConstant(module, "ring_min", (long)MAREY_RING_MIN) < 0)
        return -1;
    return PyModule_AddStringConstant(module, "version", MAREY_VERSION);
}

/* Everything that the state owns, but for names and spans at rest. */
static const size_t owned[] = {
    offsetof(face_state, half_type),         offsetof(face_state, span_type),
    offsetof(face_state, traced_type),       offsetof(face_state, pieces_type),
    offsetof(face_state, track_type),        offsetof(face_state, counter_type),
    offsetof(face_state, flow_type),         offsetof(face_state, category_type),
    offsetof(face_state, counters),          offsetof(face_state, task_tracks),
    offsetof(face_state, running_loop),      offsetof(face_state, current_task),
    offsetof(face_state, gc_callback),       offsetof(face_state, gc_owner),
    offsetof(face_state, secrets),           offsetof(face_state, word_category),
    offsetof(face_state, word_track),        offsetof(face_state, word_flow),
    offsetof(face_state, word_ts),           offsetof(face_state, word_parent),
    offsetof(face_state, word_step),         offsetof(face_state, word_unit),
    offsetof(face_state, group_key),         offsetof(face_state, name_key),
    offsetof(face_state, attribute_track),   offsetof(face_state, calls_var),
    offsetof(face_state, scope_type),        offsetof(face_state, mark_type),
    offsetof(face_state, forest_type),       offsetof(face_state, call_type),
    offsetof(face_state, sampler_type),      offsetof(face_state, reading_type),
    offsetof(face_state, column_type),       offsetof(face_state, log_type),
    offsetof(face_state, chrome_log),        offsetof(face_state, chrome_span_type),
    offsetof(face_state, word_dur),          offsetof(face_state, times_type),
    offsetof(face_state, requests_type),     offsetof(face_state, request_type),
    offsetof(face_state, way_type),          offsetof(face_state, answer_type),
    offsetof(face_state, sized_answer_type), offsetof(face_state, word_get_name),
    offsetof(face_state, word_get_coro),     offsetof(face_state, word_qualname),
};

static int face_traverse(PyObject *module, visitproc visit, void *arg) {
    face_state *state = PyModule_GetState(module);
    for (const span_object *free = state->free_spans; free; free = (span_object *)free->name)
        Py_VISIT(Py_TYPE((PyObject *)free)); /* an object at rest owns nothing but its type */
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        Py_VISIT(*(PyObject **)((char *)state + owned[i]));
    return 0; /* the keys of names are exact strs: no cycle goes through them */
}

static int face_clear(PyObject *module) {
    face_state *state = PyModule_GetState(module);
    scopes_fini(state);
    span_free_list_clear(state);
    names_clear(state);
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        Py_CLEAR(*(PyObject **)((char *)state + owned[i]));
    return 0;
}

static void face_free(void *module) {
    hook_fini(PyModule_GetState(module));
    face_clear(module);
}

/* ------------------------------------------------------------------ module */

static PyModuleDef_Slot face_slots[] = {
    {Py_mod_exec, (void *)face_exec},
#ifdef Py_mod_multiple_interpreters
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
#ifdef Py_mod_gil
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL}};

static struct PyModuleDef face_module = {
    PyModuleDef_HEAD_INIT,
    "marey._marey",
    PyDoc_STR("The recorder, for Python. Use it through marey."),
    sizeof(face_state),
    face_methods,
    face_slots,
    face_traverse,
    face_clear,
    face_free};

PyMODINIT_FUNC PyInit__marey(void) {
    return PyModuleDef_Init(&face_module);
}
