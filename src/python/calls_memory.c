/* How much memory calls leave behind, or give back: what tracemalloc counts at their ends, less what it counted at their
 * begins. Blocks of Python's allocators alone are counted, so nothing of the recorder's is among them.
 *
 * While any scope wants it, tracemalloc traces; where it did so before, it goes on afterwards. Its functions in C are
 * called, which no hook sees. */
#include "calls.h"

static unsigned users; /* scopes that are open and want it */
static bool is_ours;   /* nobody else had started it */

static PyObject *ask(const char *function) {
    PyObject *module = PyImport_ImportModule("_tracemalloc");
    PyObject *answer = module ? PyObject_CallMethod(module, function, NULL) : NULL;
    Py_XDECREF(module);
    return answer;
}

int memory_start(void) {
    calls_lock();
    bool is_first = users++ == 0;
    calls_unlock();
    if (!is_first)
        return 0;
    PyObject *is_on = ask("is_tracing");
    is_ours = is_on == Py_False;
    PyObject *done = is_ours ? ask("start") : Py_XNewRef(is_on);
    Py_XDECREF(is_on);
    Py_XDECREF(done);
    if (done)
        return 0;
    calls_lock();
    users--;
    calls_unlock();
    return -1;
}

/* Also where a scope is freed while an exception is on its way. */
void memory_stop(void) {
    PyObject *type, *error, *traceback;
    calls_lock();
    bool is_last = users && --users == 0;
    calls_unlock();
    if (!is_last || !is_ours)
        return;
    PyErr_Fetch(&type, &error, &traceback);
    PyObject *done = ask("stop");
    if (!done)
        PyErr_Clear();
    Py_XDECREF(done);
    PyErr_Restore(type, error, traceback);
}

void memory_fini(void) {
    users = 0;
}

/* At the begin and at the end alike, so that what is asked for the answer itself makes no difference. */
int64_t memory_now(void) {
    PyObject *answer = ask("get_traced_memory"); /* (current, peak) */
    long long bytes = 0;
    if (answer && PyTuple_Check(answer) && PyTuple_GET_SIZE(answer) == 2)
        bytes = PyLong_AsLongLong(PyTuple_GET_ITEM(answer, 0));
    Py_XDECREF(answer);
    if (PyErr_Occurred()) {
        PyErr_Clear();
        return 0;
    }
    return bytes;
}
