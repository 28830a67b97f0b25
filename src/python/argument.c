/* The arguments of one event, put together on the C stack: names from names.c, values from value.c, and what else an
 * event can have: flows, where it stands in the source, an exception. */
#include "face.h"

void values_init(values *v, face_state *state) {
    v->state = state;
    v->count = v->left = v->pool_used = v->text_used = v->more_used = 0;
    v->more = NULL;
    v->depth = 0;
}

void values_fini(values *v) {
    if (UNLIKELY(v->more != NULL))
        PyMem_RawFree(v->more);
}

/* -------------------------------------------------------------------- text */

/* Room for text: on the stack first, then in one block of the heap. *room is what there is, `most` at most. */
char *values_text_room(values *v, size_t most, size_t *room) {
    if (VALUES_TEXT - v->text_used >= most) {
        *room = most;
        return v->text + v->text_used;
    }
    if (!v->more)
        v->more = PyMem_RawMalloc(VALUES_MORE);
    size_t left = v->more ? VALUES_MORE - v->more_used : 0;
    *room = left < most ? left : most;
    return v->more ? v->more + v->more_used : v->text;
}

void values_text_take(values *v, const char *at, size_t bytes) {
    if (at >= v->text && at < v->text + VALUES_TEXT)
        v->text_used += bytes;
    else
        v->more_used += bytes;
}

const char *values_copy(values *v, const char *text, size_t *bytes) {
    size_t most = *bytes < MAREY_TEXT_MAX ? *bytes : MAREY_TEXT_MAX + 1,
           room; /* one more: it was cut */
    char *copy = values_text_room(v, most, &room);
    memcpy(copy, text, room);
    values_text_take(v, copy, room);
    *bytes = room;
    return copy;
}

/* --------------------------------------------------------------- arguments */

static marey_arg *values_next(values *v) {
    if (UNLIKELY(v->count + 1 >= MAREY_ARGS_MAX)) { /* the last one is for "... (N more)" */
        v->left++;
        return NULL;
    }
    marey_arg *arg = &v->top[v->count++];
    *arg = (marey_arg){0};
    return arg;
}

void values_add_named(values *v, uint32_t name, PyObject *value) {
    marey_arg *arg = values_next(v);
    if (!arg)
        return;
    arg->name = name;
    value_set(v, arg, value, false);
}

void values_add(values *v, PyObject *name, PyObject *value) {
    marey_arg *arg = values_next(v);
    if (!arg)
        return;
    arg->name = names_id(v->state, name);
    if (UNLIKELY(names_secret(v->state, name)))
        value_set_text(arg, "***", 3);
    else
        value_set(v, arg, value, false);
}

void values_add_pairs(values *v, PyObject *names, PyObject *const *items) {
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(names); i++)
        if (items[i])
            values_add(v, PyTuple_GET_ITEM(names, i), items[i]);
}

/* What span.set(flow=) has put there. */
static bool is_flow(const face_state *state, PyObject *key, PyObject *value) {
    if (!PyUnicode_Check(key) || PyUnicode_Compare(key, state->word_flow) != 0)
        return false;
    if (PyTuple_Check(value))
        return PyTuple_GET_SIZE(value) && Py_IS_TYPE(PyTuple_GET_ITEM(value, 0), state->flow_type);
    return Py_IS_TYPE(value, state->flow_type);
}

/* The dict must live until the event is written: its text is used where it is. */
void values_add_dict(values *v, PyObject *dict) {
    PyObject *key, *value;
    Py_ssize_t at = 0;
    while (PyDict_Next(dict, &at, &key, &value))
        if (is_flow(v->state, key, value))
            values_add_flow(v, value);
        else if (PyUnicode_Check(key))
            values_add(v, key, value);
}

void values_add_exception(values *v, PyObject *exception) {
    marey_arg *arg = values_next(v);
    if (!arg)
        return;
    arg->name = v->state->id_exception;
    value_set_short(v, arg, exception, text_put_exception);
}

void values_add_source(values *v, marey_source *source) {
    marey_arg *arg = source ? values_next(v) : NULL;
    if (!arg)
        return;
    arg->kind = MAREY_KIND_SOURCE;
    arg->source = source;
}

void values_add_flow_id(values *v, uint64_t flow) {
    marey_arg *arg = values_next(v);
    if (!arg)
        return;
    arg->kind = MAREY_KIND_FLOW;
    arg->u64 = flow;
}

static void add_one_flow(values *v, PyObject *flow) {
    bool end;
    uint64_t id = flow_id(flow, &end);
    values_add_flow_id(v, id);
    if (end && v->count)
        v->top[v->count - 1].kind = MAREY_KIND_FLOW_END;
}

void values_add_flow(values *v, PyObject *flow) {
    if (!flow)
        return;
    if (!PyTuple_Check(flow)) {
        add_one_flow(v, flow);
        return;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(flow); i++)
        add_one_flow(v, PyTuple_GET_ITEM(flow, i));
}

void values_all_added(values *v) {
    if (!v->left)
        return;
    marey_arg *last = &v->top[v->count++];
    *last = (marey_arg){.name = v->state->id_more};
    value_set_more(v, last, v->left);
}
