/* marey.dump, and what marey.dump_on and dump_off stand on. */
#include "face.h"

#include "dumper.h"

/* Where a text goes that nobody gave a file for: sys.stderr. Borrowed; Py_None where there is none. */
static PyObject *standard_error(void) {
    PyObject *file = PySys_GetObject("stderr"); /* borrowed */
    return file ? file : Py_None;
}

static PyObject *write_text(PyObject *file, PyObject *text) {
    PyObject *written = PyObject_CallMethod(file, "write", "O", text);
    if (!written)
        return NULL;
    Py_DECREF(written);
    if (!PyObject_HasAttrString(file, "flush"))
        return Py_NewRef(Py_None);
    return PyObject_CallMethod(file, "flush", NULL);
}

static void set_error(int error) {
    PyErr_Format(PyExc_RuntimeError, "the stacks of this process cannot be read: %s; %s",
                 marey_strerror(error), marey_hint(error));
}

/* dump(file=None, locals=False): with the GIL, so that the stacks are of one moment. */
PyObject *dump_now(PyObject *Py_UNUSED(module), PyObject *args, PyObject *kwargs) {
    static char *words[] = {(char *)"file", (char *)"locals", NULL};
    PyObject *file = Py_None;
    int locals = 0;
    struct text text = {0};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O$p:dump", words, &file, &locals))
        return NULL;
    int error = dumper_show(&text, 0, locals);
    PyObject *shown = NULL, *done = NULL;
    if (error)
        set_error(error);
    else
        shown = PyUnicode_DecodeUTF8(text_of(&text), (Py_ssize_t)text.size, "replace");
    text_free(&text);
    if (!shown)
        return NULL;
    file = Py_NewRef(file == Py_None ? standard_error() : file);
    done = file == Py_None ? Py_NewRef(Py_None) : write_text(file, shown);
    Py_DECREF(file);
    Py_DECREF(shown);
    return done;
}

/* dump_json(): the same as text of JSON, without variables. */
PyObject *dump_json(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(unused)) {
    char *bytes = NULL;
    size_t size = 0;
    PyObject *shown = NULL;
    FILE *memory = open_memstream(&bytes, &size);
    if (!memory)
        return PyErr_NoMemory();
    int error = dumper_json(memory);
    int failed = fclose(memory);
    if (error)
        set_error(error);
    else if (failed)
        PyErr_NoMemory();
    else
        shown = PyUnicode_DecodeUTF8(bytes, (Py_ssize_t)size, "replace");
    free(bytes);
    return shown;
}

/* dump_on(signal, descriptor, locals) */
PyObject *dump_on(PyObject *Py_UNUSED(module), PyObject *args) {
    int signal, descriptor, locals;
    if (!PyArg_ParseTuple(args, "iip:dump_on", &signal, &descriptor, &locals))
        return NULL;
    PyThreadState *unlocked = PyEval_SaveThread();
    int code = dumper_on(signal, descriptor, locals);
    PyEval_RestoreThread(unlocked);
    return outcome(code);
}

/* The thread is waited for: it may be writing. */
PyObject *dump_off(PyObject *Py_UNUSED(module), PyObject *given) {
    long signal = PyLong_AsLong(given);
    if (signal == -1 && PyErr_Occurred())
        return NULL;
    PyThreadState *unlocked = PyEval_SaveThread();
    bool was_on = dumper_off(signal < 0 || signal > INT_MAX ? 0 : (int)signal);
    PyEval_RestoreThread(unlocked);
    return PyBool_FromLong(was_on);
}

PyObject *dump_after_fork(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(unused)) {
    dumper_after_fork();
    return Py_NewRef(Py_None);
}
