/* Which functions a scope wants: patterns of modules and files.
 *
 * A pattern with a slash is a glob of the file's path, or of the end of it ("src/app/?.py", "site-packages/"), or a folder above it. Any other
 * is a module and all below it, and may be a glob as well ("app", "app.models", "*.tests"); "<own>" is the program's own code,
 * see model/own.h. What `ignore` names is left out; of the rest, what `include` names is wanted, or all where it is empty.
 *
 * Filters are few and shared: what a code object answers to each is a bit in its site. So opening a scope with options that were
 * used before asks nobody anything. */
#include "calls.h"

#include <fnmatch.h>

#include "model/own.h"

static call_filter filters[CALLS_FILTERS_MAX];

/* ----------------------------------------------------------------- matching */

static bool glob_path(const char *pattern, const char *path) {
    size_t length = strlen(pattern);
    char below[MAREY_NAME_MAX + 2];
    if (fnmatch(pattern, path, 0) == 0)
        return true;
    bool slash = length && pattern[length - 1] == '/';
    int n = snprintf(below, sizeof below, slash ? "%s*" : "%s/*", pattern);
    return n > 0 && n < (int)sizeof below && fnmatch(below, path, 0) == 0;
}

/* The path, or what follows one of its slashes. */
static bool match_path(const char *pattern, const char *path) {
    if (glob_path(pattern, path))
        return true;
    if (*pattern == '/')
        return false;
    for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/'))
        if (glob_path(pattern, slash + 1))
            return true;
    return false;
}

static bool match_module(const char *pattern, const char *module) {
    size_t length = strlen(pattern);
    if (strncmp(pattern, module, length) == 0 && (!module[length] || module[length] == '.'))
        return true;
    return strpbrk(pattern, "*?[") && fnmatch(pattern, module, 0) == 0;
}

/* Code that Jinja makes of a template has no module, and the template's file, which lies among the program's own. */
static bool is_template(const char *module, const char *file) {
    size_t length = strlen(file);
    return !*module && (length < 3 || strcmp(file + length - 3, ".py") != 0);
}

/* "<string>" is the program's own where it is the program itself (python -c); elsewhere it is what a library made as it
 * ran, such as the constructors of named tuples. */
static bool is_own(const char *module, const char *file) {
    if (strcmp(file, "<string>") == 0)
        return strcmp(module, "__main__") == 0;
    return !is_template(module, file) && own_is(NULL, file);
}

static bool match(const char *pattern, const char *module, const char *file) {
    if (strcmp(pattern, "<own>") == 0)
        return is_own(module, file);
    return strchr(pattern, '/') ? match_path(pattern, file) : match_module(pattern, module);
}

static bool matches(PyObject *patterns, const char *module, const char *file) {
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(patterns); i++) {
        if (match(PyBytes_AS_STRING(PyTuple_GET_ITEM(patterns, i)), module, file))
            return true;
    }
    return false;
}

static bool wants(const call_filter *filter, const char *module, const char *file) {
    if (matches(filter->ignore, module, file))
        return false;
    return !PyTuple_GET_SIZE(filter->include) || matches(filter->include, module, file);
}

uint32_t filters_wanting(const char *module, const char *file) {
    uint32_t wanting = 0;
    if (match_module("marey", module)) /* not ourselves */
        return 0;
    for (int i = 0; i < CALLS_FILTERS_MAX; i++)
        if (filters[i].live && wants(&filters[i], module, file))
            wanting |= UINT32_C(1) << i;
    return wanting;
}

static bool named(PyObject *names, const char *name, size_t bytes) {
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(names); i++) {
        PyObject *is = PyTuple_GET_ITEM(names, i);
        if ((size_t)PyBytes_GET_SIZE(is) == bytes &&
            memcmp(PyBytes_AS_STRING(is), name, bytes) == 0)
            return true;
    }
    return false;
}

uint32_t filters_hiding(face_state *state, const char *name, size_t bytes) {
    uint32_t hiding = 0;
    if (names_secret_text(state, name, bytes))
        return UINT32_MAX;
    for (int i = 0; i < CALLS_FILTERS_MAX; i++)
        if (filters[i].live && named(filters[i].redact, name, bytes))
            hiding |= UINT32_C(1) << i;
    return hiding;
}

/* ----------------------------------------------------------------- sharing */

static bool is(const call_filter *filter, PyObject *include, PyObject *ignore, PyObject *redact) {
    return filter->include && PyObject_RichCompareBool(filter->include, include, Py_EQ) == 1 &&
           PyObject_RichCompareBool(filter->ignore, ignore, Py_EQ) == 1 &&
           PyObject_RichCompareBool(filter->redact, redact, Py_EQ) == 1;
}

/* A place that nobody uses, preferably one that nobody was asked about. -1: there is none. */
static int free_place(void) {
    int found = -1;
    for (int i = 0; i < CALLS_FILTERS_MAX; i++)
        if (!filters[i].users && (found < 0 || !filters[i].live))
            found = i;
    return found;
}

/* Sites are asked about this one from now on, and no longer about those that nobody uses. True where that is a change. */
static bool filters_settle(call_filter *taken) {
    bool changed = !taken->live;
    taken->live = true;
    for (int i = 0; i < CALLS_FILTERS_MAX; i++)
        if (filters[i].live && !filters[i].users) {
            filters[i].live = false;
            changed = true;
        }
    return changed;
}

int filter_take(face_state *state, PyObject *include, PyObject *ignore, PyObject *redact) {
    int at = -1;
    for (int i = 0; i < CALLS_FILTERS_MAX && at < 0; i++)
        if (is(&filters[i], include, ignore, redact))
            at = i;
    if (at < 0 && (at = free_place()) < 0) {
        PyErr_Format(PyExc_RuntimeError,
                     "more than %d different sets of include, ignore and redact are in use",
                     CALLS_FILTERS_MAX);
        return -1;
    }
    call_filter *filter = &filters[at];
    if (!is(filter, include, ignore, redact)) {
        Py_XSETREF(filter->include, Py_NewRef(include));
        Py_XSETREF(filter->ignore, Py_NewRef(ignore));
        Py_XSETREF(filter->redact, Py_NewRef(redact));
        filter->live = false;
    }
    filter->users++;
    if (filters_settle(filter))
        hook_ask_again(state);
    return at;
}

void filter_drop(int number) {
    filters[number].users--;
}
