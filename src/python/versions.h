/* Python.h, and what differs among the versions of CPython that both extension modules meet. */
#ifndef MAREY_VERSIONS_H
#define MAREY_VERSIONS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#if PY_VERSION_HEX < 0x030A0000
static inline PyObject *Py_NewRef(PyObject *object) {
    Py_INCREF(object);
    return object;
}
static inline PyObject *Py_XNewRef(PyObject *object) {
    Py_XINCREF(object);
    return object;
}
#define Py_TPFLAGS_IMMUTABLETYPE 0
#endif

#if PY_VERSION_HEX >= 0x030D0000
#define thread_state() PyThreadState_GetUnchecked()
#else
#define thread_state() _PyThreadState_UncheckedGet()
#endif

/* 1: found, 0: there is no such attribute, and no exception was made to say so, -1: an exception. */
#if PY_VERSION_HEX < 0x030D0000
#define PyObject_GetOptionalAttr _PyObject_LookupAttr
#endif

#ifdef Py_GIL_DISABLED
#define LOCK_OBJECT(object) Py_BEGIN_CRITICAL_SECTION(object)
#define UNLOCK_OBJECT() Py_END_CRITICAL_SECTION()
#else
#define LOCK_OBJECT(object) {
#define UNLOCK_OBJECT() }
#endif

#endif
