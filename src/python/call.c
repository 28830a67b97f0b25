/* See forest.h: Call. It holds its forest and a place in it; all else is looked up when it is asked for. */
#include "forest.h"

typedef struct call_object {
    PyObject_HEAD forest_object *forest;
    uint32_t place;
} call_object;

PyObject *call_make(forest_object *forest, uint32_t place) {
    face_state *state = state_of_type(Py_TYPE(forest));
    call_object *self = type_make(state->call_type);
    if (!self)
        return NULL;
    self->forest = (forest_object *)Py_NewRef((PyObject *)forest);
    self->place = place;
    return (PyObject *)self;
}

static void call_dealloc(PyObject *object) {
    PyTypeObject *type = Py_TYPE(object);
    Py_XDECREF((PyObject *)((call_object *)object)->forest);
    type->tp_free(object);
    Py_DECREF(type);
}

static const struct call *call_of(PyObject *object) {
    const call_object *self = (call_object *)object;
    return &self->forest->calls.all[self->place];
}

static const struct call_function *function_of(PyObject *object) {
    return &((call_object *)object)->forest->calls.functions[call_of(object)->function];
}

static PyObject *text_of(PyObject *object, uint32_t string) {
    return model_text(((call_object *)object)->forest->calls.trace, string);
}

/* ---------------------------------------------------------------- values */

static PyObject *get_args(PyObject *object, void *Py_UNUSED(closure)) {
    const struct trace *trace = ((call_object *)object)->forest->calls.trace;
    PyObject *args = PyDict_New();
    if (args && model_arguments(trace, call_of(object)->begin_detail, 0, args) < 0)
        Py_CLEAR(args);
    return args;
}

static PyObject *get_result(PyObject *object, void *Py_UNUSED(closure)) {
    const forest_object *forest = ((call_object *)object)->forest;
    const struct call *call = call_of(object);
    const struct value *result = calls_value(&forest->calls, call->end_detail, "result");
    if (!result || call->flags & (CALL_IS_SUSPENDED | CALL_HAS_FAILED))
        return Py_NewRef(Py_None);
    return model_value(forest->calls.trace, result);
}

static PyObject *get_memory(PyObject *object, void *Py_UNUSED(closure)) {
    const forest_object *forest = ((call_object *)object)->forest;
    const struct value *memory =
        calls_value(&forest->calls, call_of(object)->end_detail, "(memory)");
    return memory ? model_value(forest->calls.trace, memory) : Py_NewRef(Py_None);
}

static PyObject *get_exception(PyObject *object, void *Py_UNUSED(closure)) {
    const forest_object *forest = ((call_object *)object)->forest;
    if (!(call_of(object)->flags & CALL_HAS_FAILED))
        return Py_NewRef(Py_None);
    const char *text = calls_exception(&forest->calls, call_of(object));
    return PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace");
}

/* ------------------------------------------------------------- functions */

static PyObject *get_qualname(PyObject *object, void *Py_UNUSED(closure)) {
    return text_of(object, function_of(object)->name);
}

/* The last part of the qualified name. */
static PyObject *get_name(PyObject *object, void *Py_UNUSED(closure)) {
    const forest_object *forest = ((call_object *)object)->forest;
    const char *text = trace_text(forest->calls.trace, function_of(object)->name);
    const char *dot = function_of(object)->kind == FUNCTION_SPAN ? NULL : strrchr(text, '.');
    const char *name = dot && dot[1] ? dot + 1 : text;
    return PyUnicode_DecodeUTF8(name, (Py_ssize_t)strlen(name), "replace");
}

static PyObject *get_module(PyObject *object, void *Py_UNUSED(closure)) {
    return text_of(object, function_of(object)->module);
}

static PyObject *get_file(PyObject *object, void *Py_UNUSED(closure)) {
    return text_of(object, function_of(object)->file);
}

static PyObject *get_line(PyObject *object, void *Py_UNUSED(closure)) {
    return PyLong_FromUnsignedLong(function_of(object)->line);
}

static PyObject *get_category(PyObject *object, void *Py_UNUSED(closure)) {
    return text_of(object, function_of(object)->category);
}

static PyObject *get_is_span(PyObject *object, void *Py_UNUSED(closure)) {
    return PyBool_FromLong(function_of(object)->kind == FUNCTION_SPAN);
}

/* ----------------------------------------------------------------- times */

/* What the getters of numbers look up: where it stands in a struct call. */
static PyObject *get_ns(PyObject *object, void *where) {
    int64_t ns;
    memcpy(&ns, (const char *)call_of(object) + (size_t)(uintptr_t)where, sizeof ns);
    return PyLong_FromLongLong(ns);
}

static PyObject *get_seconds(PyObject *object, void *where) {
    int64_t ns;
    memcpy(&ns, (const char *)call_of(object) + (size_t)(uintptr_t)where, sizeof ns);
    return PyFloat_FromDouble((double)ns / 1e9);
}

static PyObject *get_number(PyObject *object, void *where) {
    uint32_t number;
    memcpy(&number, (const char *)call_of(object) + (size_t)(uintptr_t)where, sizeof number);
    return PyLong_FromUnsignedLong(number);
}

/* Since the first of the calls, or scopes, of the forest. */
static PyObject *get_start(PyObject *object, void *Py_UNUSED(closure)) {
    const struct calls *calls = &((call_object *)object)->forest->calls;
    int64_t first_ns = calls->all[calls->roots[0]].begin_ns;
    if (calls->scope_count && calls->scopes[0].begin_ns < first_ns)
        first_ns = calls->scopes[0].begin_ns;
    return PyFloat_FromDouble((double)(call_of(object)->begin_ns - first_ns) / 1e9);
}

static PyObject *get_flag(PyObject *object, void *flag) {
    return PyBool_FromLong((call_of(object)->flags & (uint32_t)(uintptr_t)flag) != 0);
}

/* ---------------------------------------------------------------- places */

/* The track of a kind that a call's track is, or is below of; NULL: none. */
static const struct track *track_above(PyObject *object, uint32_t kind) {
    const struct trace *trace = ((call_object *)object)->forest->calls.trace;
    const struct track *track = &trace->reader.tracks.all[call_of(object)->track];
    enum { LEVELS = 8 };
    for (int level = 0; track && track->kind != kind && level < LEVELS; level++)
        track = trace_parent(trace, track);
    return track && track->kind == kind ? track : NULL;
}

static PyObject *get_thread(PyObject *object, void *Py_UNUSED(closure)) {
    const struct track *thread = track_above(object, TRACK_THREAD);
    return thread ? text_of(object, thread->name) : Py_NewRef(Py_None);
}

/* The name of the task, or of the track of the user's own. */
static PyObject *get_task(PyObject *object, void *Py_UNUSED(closure)) {
    const struct trace *trace = ((call_object *)object)->forest->calls.trace;
    const struct track *track = &trace->reader.tracks.all[call_of(object)->track];
    if (track->kind != TRACK_CUSTOM)
        return Py_NewRef(Py_None);
    return text_of(object, track->name);
}

static PyObject *get_parent(PyObject *object, void *Py_UNUSED(closure)) {
    uint32_t parent = call_of(object)->parent;
    if (parent == CALL_NONE)
        return Py_NewRef(Py_None);
    return call_make(((call_object *)object)->forest, parent);
}

static PyObject *get_children(PyObject *object, void *Py_UNUSED(closure)) {
    forest_object *forest = ((call_object *)object)->forest;
    PyObject *list = PyList_New(0);
    uint32_t child = call_of(object)->first_child;
    for (; list && child != CALL_NONE; child = forest->calls.all[child].next) {
        PyObject *item = call_make(forest, child);
        if (!item || PyList_Append(list, item) < 0)
            Py_CLEAR(list);
        Py_XDECREF(item);
    }
    return list;
}

/* ------------------------------------------------------------------ type */

static PyObject *call_repr(PyObject *object) {
    PyObject *name = get_qualname(object, NULL), *seconds = NULL, *text = NULL;
    if (name)
        seconds = PyFloat_FromDouble((double)call_of(object)->elapsed_ns / 1e9);
    if (seconds)
        text = PyUnicode_FromFormat("<call %U, %S s>", name, seconds);
    Py_XDECREF(name);
    Py_XDECREF(seconds);
    return text;
}

static PyObject *call_compare(PyObject *left, PyObject *right, int operation) {
    const call_object *a = (call_object *)left, *b = (call_object *)right;
    if (Py_TYPE(left) != Py_TYPE(right) || (operation != Py_EQ && operation != Py_NE))
        return Py_NewRef(Py_NotImplemented);
    bool equal = a->forest == b->forest && a->place == b->place;
    return PyBool_FromLong(equal == (operation == Py_EQ));
}

static Py_hash_t call_hash(PyObject *object) {
    const call_object *self = (call_object *)object;
    Py_hash_t hash = (Py_hash_t)((uintptr_t)self->forest >> 4) ^ (Py_hash_t)self->place * 1000003;
    return hash == -1 ? -2 : hash;
}

#define AT(field) (void *)offsetof(struct call, field)
#define FLAG(flag) (void *)(uintptr_t)(flag)
#define DOC(text) PyDoc_STR(text)

static PyGetSetDef call_getset[] = {
    {"name", get_name, NULL, DOC("The function's own name; of a span its name."), NULL},
    {"qualname", get_qualname, NULL, DOC("The qualified name: 'User.save'."), NULL},
    {"module", get_module, NULL, DOC("The module's name; '' where it is not known."), NULL},
    {"file", get_file, NULL, DOC("The source file; '' where it is not known."), NULL},
    {"line", get_line, NULL, DOC("The function's first line; 0 where it is not known."), NULL},
    {"category", get_category, NULL, DOC("'call', 'call,c' of a C function; else a span's."), NULL},
    {"is_span", get_is_span, NULL, DOC("A span, not a call."), NULL},
    {"args", get_args, NULL,
     DOC("The arguments by name: numbers and booleans as such, all else as the text that Python\n"
         "would write."),
     NULL},
    {"result", get_result, NULL,
     DOC("The result, as an argument is shown: 'None' is a text, None: it was not recorded."),
     NULL},
    {"exception", get_exception, NULL, DOC("'Type: message' of what left the call, or None."),
     NULL},
    {"memory", get_memory, NULL,
     DOC("Bytes of Python's memory that it left behind, or, below 0, gave back; None: not known."),
     NULL},
    {"start", get_start, NULL, DOC("Seconds since the beginning of what was recorded."), NULL},
    {"start_ns", get_ns, NULL, DOC("Nanoseconds, as marey.now() gives them."), AT(begin_ns)},
    {"elapsed", get_seconds, NULL, DOC("Seconds from begin to end."), AT(elapsed_ns)},
    {"elapsed_ns", get_ns, NULL, DOC("The same in nanoseconds."), AT(elapsed_ns)},
    {"self_time", get_seconds, NULL,
     DOC("Seconds that it ran itself: without its children's, without waiting."), AT(self_ns)},
    {"self_ns", get_ns, NULL, DOC("The same in nanoseconds."), AT(self_ns)},
    {"waiting", get_seconds, NULL,
     DOC("Seconds that a coroutine or generator waited between its pieces."), AT(waiting_ns)},
    {"waiting_ns", get_ns, NULL, DOC("The same in nanoseconds."), AT(waiting_ns)},
    {"pieces", get_number, NULL,
     DOC("In how many pieces it ran: 1, or more of a coroutine or generator."), AT(pieces)},
    {"skipped", get_number, NULL, DOC("Calls inside that a limit left out."), AT(skipped)},
    {"is_open", get_flag, NULL, DOC("It has no end in the trace."), FLAG(CALL_IS_OPEN)},
    {"is_suspended", get_flag, NULL, DOC("A generator or coroutine that was not run to its end."),
     FLAG(CALL_IS_SUSPENDED)},
    {"thread", get_thread, NULL, DOC("The name of the thread, or None."), NULL},
    {"task", get_task, NULL, DOC("The name of the asyncio task, or None."), NULL},
    {"parent", get_parent, NULL, DOC("The call around this one, or None."), NULL},
    {"children", get_children, NULL, DOC("The calls inside, as they came."), NULL},
    {NULL, NULL, NULL, NULL, NULL}};

static PyType_Slot call_slots[] = {
    {Py_tp_doc, (void *)PyDoc_STR("A call, or a span. Times are seconds, but for those in _ns.")},
    {Py_tp_new, (void *)type_refuse_new},
    {Py_tp_dealloc, (void *)call_dealloc},
    {Py_tp_repr, (void *)call_repr},
    {Py_tp_richcompare, (void *)call_compare},
    {Py_tp_hash, (void *)call_hash},
    {Py_tp_getset, call_getset},
    {0, NULL}};

PyType_Spec call_spec = {"marey._marey.Call", sizeof(call_object), 0,
                         Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE, call_slots};
