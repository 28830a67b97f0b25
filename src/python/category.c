/* marey.Category: a switch for a group of spans and instants, shared by the whole process. */
#include "face.h"

typedef struct category_object {
    PyObject_HEAD marey_category *category;
} category_object;

int category_argument(face_state *state, PyObject *given, marey_category **category) {
    if (given == Py_None)
        *category = NULL;
    else if (PyUnicode_Check(given))
        *category = names_category(state, given);
    else if (Py_TYPE(given) == state->category_type)
        *category = ((category_object *)given)->category;
    else {
        PyErr_Format(PyExc_TypeError, "category is a str or a marey.Category, not %.100s",
                     Py_TYPE(given)->tp_name);
        return -1;
    }
    return 0;
}

static PyObject *category_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    static char *words[] = {(char *)"name", NULL};
    PyObject *name;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "U:Category", words, &name))
        return NULL;
    category_object *self = (category_object *)type->tp_alloc(type, 0);
    if (self)
        self->category = names_category(state_of_type(type), name);
    return (PyObject *)self;
}

static void category_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *category_get_name(PyObject *self, void *Py_UNUSED(closure)) {
    const char *text = ((category_object *)self)->category->text;
    return PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace");
}

static PyObject *category_get_recording(PyObject *self, void *Py_UNUSED(closure)) {
    marey_category *category = ((category_object *)self)->category;
    return PyBool_FromLong(marey_recording() && marey_category_recording(category));
}

static PyObject *category_switch(PyObject *self, int on) {
    int code = marey_category_enable(((category_object *)self)->category->text, on);
    if (code < 0) {
        PyErr_Format(PyExc_RuntimeError, "%s: %s", marey_strerror(code), marey_hint(code));
        return NULL;
    }
    return Py_NewRef(Py_None);
}

static PyObject *category_enable(PyObject *self, PyObject *Py_UNUSED(unused)) {
    return category_switch(self, 1);
}

static PyObject *category_disable(PyObject *self, PyObject *Py_UNUSED(unused)) {
    return category_switch(self, 0);
}

static PyObject *category_repr(PyObject *self) {
    PyObject *name = category_get_name(self, NULL);
    PyObject *text = name ? PyUnicode_FromFormat("<marey.Category %R>", name) : NULL;
    Py_XDECREF(name);
    return text;
}

static void list_one(marey_category *category, void *context) {
    PyObject *dict = context;
    uint32_t on = __atomic_load_n(&category->on, __ATOMIC_RELAXED);
    if (on == 2 && marey_recording())
        on = (uint32_t)marey__category_on(category);
    PyObject *name =
        PyUnicode_DecodeUTF8(category->text, (Py_ssize_t)strlen(category->text), "replace");
    PyObject *value = on == 2 ? Py_None : on ? Py_True : Py_False;
    if (!PyErr_Occurred() && name)
        PyDict_SetItem(dict, name, value);
    Py_XDECREF(name);
}

/* {name: True, False, or None (not known while nothing records)} of the categories that Python code has used. */
PyObject *category_list(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(unused)) {
    PyObject *dict = PyDict_New();
    if (dict)
        category_each(list_one, dict);
    if (PyErr_Occurred())
        Py_CLEAR(dict);
    return dict;
}

PyDoc_STRVAR(category_doc,
             "Category(name)\n--\n\n"
             "A group of spans and instants that can be switched off, in this process. Give it,\n"
             "or just its name, to category=.");

static PyMethodDef category_methods[] = {
    {"enable", category_enable, METH_NOARGS, PyDoc_STR("Record its events from now on.")},
    {"disable", category_disable, METH_NOARGS, PyDoc_STR("Record them no more.")},
    {NULL, NULL, 0, NULL}};

static PyGetSetDef category_getset[] = {{"name", category_get_name, NULL, NULL, NULL},
                                        {"recording", category_get_recording, NULL,
                                         PyDoc_STR("Whether its events are recorded now."), NULL},
                                        {NULL, NULL, NULL, NULL, NULL}};

static PyType_Slot category_slots[] = {{Py_tp_doc, (void *)category_doc},
                                       {Py_tp_new, (void *)category_new},
                                       {Py_tp_dealloc, (void *)category_dealloc},
                                       {Py_tp_repr, (void *)category_repr},
                                       {Py_tp_methods, category_methods},
                                       {Py_tp_getset, category_getset},
                                       {0, NULL}};

PyType_Spec category_spec = {"marey.Category", sizeof(category_object), 0,
                             Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE, category_slots};
