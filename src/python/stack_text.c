/* stack_text(frame, places, stacks, make): a stack as one text, for those who log stacks as text.
 *
 * Threads that wait have the same stack again and again, so whole texts are known: `stacks` is a dict of them, by the codes
 * and instructions of their frames, as bytes: (text, codes). What is not known is put together from `places`, by one code
 * and instruction as a number: (text, code); and what is not known there is asked of make(frame), which gives a str. Codes
 * are kept beside the texts, so that no other one gets the address of one that is known.
 *
 * While make() runs, other threads may, and their frames move: a text is known only where its frames are at the same
 * instructions afterwards. */
#include "face.h"

#if PY_VERSION_HEX < 0x030B0000
#include <frameobject.h>
#define PyFrame_GetLasti(frame) ((frame)->f_lasti)
#endif

enum {
    PLACES_MAX = 65536, /* that are known; then all are forgotten */
    STACKS_MAX = 1024,
    FRAMES_MAX = 128 /* of a stack that is known */
};

struct place {
    uint64_t code, instruction;
};

/* ------------------------------------------------------------------- places */

/* What is known of a place, borrowed. NULL: nothing, or, with an exception, an error. */
static PyObject *find_place(PyObject *places, PyObject *number, PyCodeObject *code) {
    PyObject *found = PyDict_GetItemWithError(places, number);
    return found && PyTuple_GET_ITEM(found, 1) == (PyObject *)code ? PyTuple_GET_ITEM(found, 0)
                                                                   : NULL;
}

/* Makes (text, kept) what is known by that key. The text, which this takes, or NULL with an exception. */
static PyObject *learn(PyObject *known, int most, PyObject *key, PyObject *text, PyObject *kept) {
    PyObject *pair = PyTuple_Pack(2, text, kept);
    if (PyDict_GET_SIZE(known) >= most)
        PyDict_Clear(known);
    if (!pair || PyDict_SetItem(known, key, pair) < 0)
        Py_CLEAR(text);
    Py_XDECREF(pair);
    return text;
}

static PyObject *ask(PyObject *make, PyFrameObject *frame) {
    PyObject *text = PyObject_CallOneArg(make, (PyObject *)frame);
    if (!text || PyUnicode_Check(text))
        return text;
    Py_DECREF(text);
    PyErr_SetString(PyExc_TypeError, "make() gives a str");
    return NULL;
}

/* The text of one place: a new reference. NULL with an exception. */
static PyObject *place_text(PyFrameObject *frame, PyObject *places, PyObject *make) {
    PyCodeObject *code = PyFrame_GetCode(frame);
    int instruction = PyFrame_GetLasti(frame);
    /* Two instructions of a very long function may have one number: then the one that came last is known. */
    uint64_t mixed = ((uint64_t)(uintptr_t)code << 16) ^ (uint64_t)(uint32_t)instruction;
    PyObject *number = PyLong_FromUnsignedLongLong(mixed);
    PyObject *text = number ? Py_XNewRef(find_place(places, number, code)) : NULL;
    if (!text && !PyErr_Occurred()) {
        text = ask(make, frame);
        if (text && PyFrame_GetLasti(frame) == instruction)
            text = learn(places, PLACES_MAX, number, text, (PyObject *)code);
    }
    Py_XDECREF(number);
    Py_DECREF(code);
    return text;
}

/* ------------------------------------------------------------------- stacks */

/* The frames from the innermost on, as references that the caller gives back; `more`: there are others. */
static int frames_of(PyFrameObject *innermost, PyFrameObject **frames, int *more) {
    int count = 0;
    PyFrameObject *at = (PyFrameObject *)Py_NewRef((PyObject *)innermost);
    for (; at && count < FRAMES_MAX; at = PyFrame_GetBack(at))
        frames[count++] = at;
    *more = at != NULL;
    Py_XDECREF((PyObject *)at);
    return count;
}

/* What a stack is known by. */
static PyObject *key_of(PyFrameObject *const *frames, int count) {
    struct place places[FRAMES_MAX];
    for (int i = 0; i < count; i++) {
        PyCodeObject *code = PyFrame_GetCode(frames[i]);
        places[i] = (struct place){(uintptr_t)code, (uint64_t)PyFrame_GetLasti(frames[i])};
        Py_DECREF(code);
    }
    return PyBytes_FromStringAndSize((const char *)places,
                                     (Py_ssize_t)((size_t)count * sizeof *places));
}

static PyObject *codes_of(PyFrameObject *const *frames, int count) {
    PyObject *codes = PyTuple_New(count);
    for (int i = 0; codes && i < count; i++)
        PyTuple_SET_ITEM(codes, i, (PyObject *)PyFrame_GetCode(frames[i]));
    return codes;
}

/* The texts of all places, the outermost first. */
static PyObject *put_together(PyFrameObject *innermost, PyObject *places, PyObject *make) {
    PyObject *texts = PyList_New(0), *empty = PyUnicode_New(0, 0), *made = NULL;
    PyFrameObject *at = (PyFrameObject *)Py_NewRef((PyObject *)innermost);
    int failed = !texts || !empty;
    while (at && !failed) {
        PyObject *text = place_text(at, places, make);
        failed = !text || PyList_Append(texts, text) < 0;
        Py_XDECREF(text);
        PyFrameObject *back = PyFrame_GetBack(at);
        Py_DECREF(at);
        at = back;
    }
    Py_XDECREF((PyObject *)at);
    if (!failed && PyList_Reverse(texts) == 0)
        made = PyUnicode_Join(empty, texts);
    Py_XDECREF(texts);
    Py_XDECREF(empty);
    return made;
}

static PyObject *text_by_key(PyFrameObject *const *frames, int count, PyObject *key,
                             PyObject *places, PyObject *stacks, PyObject *make) {
    PyObject *found = PyDict_GetItemWithError(stacks, key);
    if (found)
        return Py_NewRef(PyTuple_GET_ITEM(found, 0));
    if (PyErr_Occurred())
        return NULL;
    PyObject *codes = codes_of(frames, count);
    PyObject *text = codes ? put_together(frames[0], places, make) : NULL;
    PyObject *after = text ? key_of(frames, count) : NULL;
    if (after && PyObject_RichCompareBool(key, after, Py_EQ) == 1)
        text = learn(stacks, STACKS_MAX, key, text, codes);
    Py_XDECREF(after);
    Py_XDECREF(codes);
    return text;
}

PyObject *stack_text(PyObject *Py_UNUSED(module), PyObject *args) {
    PyObject *innermost, *places, *stacks, *make;
    PyFrameObject *frames[FRAMES_MAX];
    int more;
    if (!PyArg_ParseTuple(args, "O!O!O!O:stack_text", &PyFrame_Type, &innermost, &PyDict_Type,
                          &places, &PyDict_Type, &stacks, &make))
        return NULL;
    int count = frames_of((PyFrameObject *)innermost, frames, &more);
    PyObject *key = more ? NULL : key_of(frames, count);
    PyObject *text = NULL;
    if (key)
        text = text_by_key(frames, count, key, places, stacks, make);
    else if (!PyErr_Occurred())
        text = put_together((PyFrameObject *)innermost, places, make);
    Py_XDECREF(key);
    while (count)
        Py_DECREF((PyObject *)frames[--count]);
    return text;
}
