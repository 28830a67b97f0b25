/* Sessions as the module's functions. What can fail returns (code, text, hint), made into exceptions by
 * marey/_record.py; 0 is success. */
#include "face.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include "base/error.h"
#include "output/cut.h"
#include "profiler.h"
#include "trace/snapshot.h"

PyObject *outcome(int code) {
    if (code == 0)
        return Py_NewRef(Py_None);
    return Py_BuildValue("iss", code, marey_strerror(code), marey_hint(code));
}

/* open(path: bytes, ring, limit, categories: str | None, children) */
PyObject *session_open(PyObject *Py_UNUSED(module), PyObject *args) {
    const char *path, *categories;
    unsigned long long ring, limit;
    int children, code;
    if (!PyArg_ParseTuple(args, "yKKzp:open", &path, &ring, &limit, &categories, &children))
        return NULL;
    marey_options options = {.ring_bytes = ring,
                             .limit_bytes = limit,
                             .categories = categories,
                             .flags = children ? MAREY_CHILDREN : 0};
    PyThreadState *unlocked = PyEval_SaveThread();
    code = marey_open(path, &options);
    PyEval_RestoreThread(unlocked);
    task_changed();
    return outcome(code);
}

/* The bytes of a path, or NULL for None. 0, or -1 with an exception. */
static int path_bytes(PyObject *given, const char **path) {
    *path = NULL;
    if (given == Py_None)
        return 0;
    *path = PyBytes_AsString(given);
    return *path ? 0 : -1;
}

PyObject *session_join(PyObject *Py_UNUSED(module), PyObject *given) {
    const char *path;
    if (path_bytes(given, &path) < 0)
        return NULL;
    int code;
    PyThreadState *unlocked = PyEval_SaveThread();
    code = marey_join(path);
    PyEval_RestoreThread(unlocked);
    task_changed();
    return outcome(code);
}

PyObject *session_close(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(unused)) {
    int code;
    PyThreadState *unlocked = PyEval_SaveThread();
    profiler_hand_over();
    code = marey_close();
    PyEval_RestoreThread(unlocked);
    return outcome(code);
}

PyObject *session_snapshot(PyObject *Py_UNUSED(module), PyObject *given) {
    const char *path;
    if (path_bytes(given, &path) < 0)
        return NULL;
    int code;
    PyThreadState *unlocked = PyEval_SaveThread();
    profiler_hand_over();
    code = path ? marey_snapshot(path) : MAREY_EINVAL;
    PyEval_RestoreThread(unlocked);
    return outcome(code);
}

/* Of a trace in a file, what was between two times. */
static int cut_mapped(int from, int to, uint64_t from_ns, uint64_t to_ns) {
    struct stat status;
    if (fstat(from, &status) != 0)
        return error_from_errno(errno);
    size_t bytes = (size_t)status.st_size;
    void *mapped = mmap(NULL, bytes, PROT_READ, MAP_SHARED, from, 0);
    if (mapped == MAP_FAILED)
        return error_from_errno(errno);
    int code = cut_moment(to, mapped, bytes, from_ns, to_ns);
    munmap(mapped, bytes);
    return code;
}

static int cut_recording(int to, uint64_t from_ns, uint64_t to_ns, int *is_whole) {
    int copy = memfd_create("marey-cut", MFD_CLOEXEC);
    if (copy < 0)
        return error_from_errno(errno);
    /* Until now: a sample may be written after others that are later. */
    int code = marey__snapshot_into(copy, from_ns, marey_now_ns(), is_whole);
    if (!code)
        code = cut_mapped(copy, to, from_ns, to_ns);
    close(copy);
    return code;
}

/* cut(to: int, from_ns, to_ns): what was recorded between two times of now(), as a trace, into an open file at its offset. Returns the
 * outcome, and whether the ring had all of that time. */
PyObject *session_cut(PyObject *Py_UNUSED(module), PyObject *args) {
    int to, code, is_whole = 1;
    unsigned long long from_ns, to_ns;
    if (!PyArg_ParseTuple(args, "iKK:cut", &to, &from_ns, &to_ns))
        return NULL;
    PyThreadState *unlocked = PyEval_SaveThread();
    profiler_hand_over();
    code = cut_recording(to, from_ns, to_ns, &is_whole);
    PyEval_RestoreThread(unlocked);
    return Py_BuildValue("NN", outcome(code), PyBool_FromLong(is_whole));
}

static PyObject *losses_dict(const marey_losses *l) {
    return Py_BuildValue("{sKsKsKsKsKsK}", "disk", (unsigned long long)l->disk, "limit",
                         (unsigned long long)l->limit, "depth", (unsigned long long)l->depth,
                         "reentry", (unsigned long long)l->reentry, "ring",
                         (unsigned long long)l->ring, "arguments",
                         (unsigned long long)l->arguments);
}

PyObject *session_status(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(unused)) {
    marey_status_info info;
    memset(&info, 0, sizeof info);
    bool on = marey_status(&info) == 0;
    PyObject *path = on ? PyUnicode_DecodeFSDefault(info.path) : Py_NewRef(Py_None);
    PyObject *losses = losses_dict(&info.losses);
    if (!path || !losses) {
        Py_XDECREF(path);
        Py_XDECREF(losses);
        return NULL;
    }
    return Py_BuildValue("{sOsOsNsKsKsN}", "recording", info.recording ? Py_True : Py_False,
                         "owner", info.owner ? Py_True : Py_False, "path", path, "ring_bytes",
                         (unsigned long long)info.ring_bytes, "file_bytes",
                         (unsigned long long)info.file_bytes, "losses", losses);
}

/* statistics(interval_ms): 0 stops. */
PyObject *session_statistics(PyObject *Py_UNUSED(module), PyObject *given) {
    unsigned long interval_ms = PyLong_AsUnsignedLong(given);
    if (PyErr_Occurred())
        return NULL;
    if (!interval_ms) {
        PyThreadState *unlocked = PyEval_SaveThread();
        marey_statistics_stop();
        PyEval_RestoreThread(unlocked);
        return Py_NewRef(Py_None);
    }
    return outcome(
        marey_statistics_start(interval_ms > UINT32_MAX ? UINT32_MAX : (unsigned)interval_ms));
}
