/* stack_text(frame, known, make): the places of a stack as one text, for those who log stacks as text.
 *
 * `known` is a dict of what was made before, by number: (text, code). Each place of a stack is looked up by its code and
 * instruction; what is not known is asked of make(frame), which gives a str. The code is kept beside the text, so that no
 * other code gets its address. */
#include "face.h"

#if PY_VERSION_HEX < 0x030B0000
#include <frameobject.h>
#define PyFrame_GetLasti(frame) ((frame)->f_lasti)
#endif

enum { PLACES_MAX = 65536 }; /* instructions that are known; then all are forgotten */

/* What is known of a place, borrowed. NULL: nothing, or, with an exception, an error. */
static PyObject *find(PyObject *known, PyObject *number, PyCodeObject *code) {
    PyObject *found = PyDict_GetItemWithError(known, number);
    return found && PyTuple_GET_ITEM(found, 1) == (PyObject *)code ? PyTuple_GET_ITEM(found, 0)
                                                                   : NULL;
}

static PyObject *learn(PyObject *known, PyObject *number, PyCodeObject *code, PyFrameObject *frame,
                       PyObject *make) {
    PyObject *text = PyObject_CallOneArg(make, (PyObject *)frame);
    if (text && !PyUnicode_Check(text)) {
        PyErr_SetString(PyExc_TypeError, "make() gives a str");
        Py_CLEAR(text);
    }
    PyObject *pair = text ? PyTuple_Pack(2, text, (PyObject *)code) : NULL;
    if (PyDict_GET_SIZE(known) >= PLACES_MAX)
        PyDict_Clear(known);
    if (!pair || PyDict_SetItem(known, number, pair) < 0)
        Py_CLEAR(text);
    Py_XDECREF(pair);
    return text;
}

/* The text of one place: a new reference. NULL with an exception. */
static PyObject *place_text(PyFrameObject *frame, PyObject *known, PyObject *make) {
    PyCodeObject *code = PyFrame_GetCode(frame);
    /* Two instructions of a very long function may have one number: then the one that came last is known. */
    uint64_t mixed =
        ((uint64_t)(uintptr_t)code << 16) ^ (uint64_t)(uint32_t)PyFrame_GetLasti(frame);
    PyObject *number = PyLong_FromUnsignedLongLong(mixed);
    PyObject *text = number ? find(known, number, code) : NULL;
    if (text)
        text = Py_NewRef(text);
    else if (!PyErr_Occurred())
        text = learn(known, number, code, frame, make);
    Py_XDECREF(number);
    Py_DECREF(code);
    return text;
}

PyObject *stack_text(PyObject *Py_UNUSED(module), PyObject *args) {
    PyObject *frame, *known, *make;
    if (!PyArg_ParseTuple(args, "O!O!O:stack_text", &PyFrame_Type, &frame, &PyDict_Type, &known,
                          &make))
        return NULL;
    PyObject *places = PyList_New(0), *empty = PyUnicode_New(0, 0), *made = NULL;
    PyFrameObject *at = (PyFrameObject *)Py_NewRef(frame);
    int failed = !places || !empty;
    while (at && !failed) {
        PyObject *text = place_text(at, known, make);
        failed = !text || PyList_Append(places, text) < 0;
        Py_XDECREF(text);
        PyFrameObject *back = PyFrame_GetBack(at);
        Py_DECREF(at);
        at = back;
    }
    Py_XDECREF((PyObject *)at);
    if (!failed && PyList_Reverse(places) == 0)
        made = PyUnicode_Join(empty, places);
    Py_XDECREF(places);
    Py_XDECREF(empty);
    return made;
}
