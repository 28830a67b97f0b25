/* Python text to what the library takes: numbers of names, categories, source locations, and which names are secret.
 *
 * The cache is a direct-mapped table keyed by the str object's address. An entry owns its key, so as long as it
 * stands, the address means that text. Interned strs and short ones are kept; others go by their content each time.
 * Without the GIL, readers take no lock: an entry is filled before its key is published, and never replaced.
 *
 * Categories and source locations belong to the process and are never freed, because the library keeps pointers to
 * them; they are shared by all interpreters, under one mutex that fork handlers keep whole. */
#include "face.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/secret.h"

/* ------------------------------------------------------------------- cache */

static bool entry_wanted(PyObject *text) {
    if (!PyUnicode_CheckExact(text))
        return false;
#ifdef Py_GIL_DISABLED
    return PyUnicode_CHECK_INTERNED(text);
#else
    return PyUnicode_CHECK_INTERNED(text) || PyUnicode_GET_LENGTH(text) <= NAME_KEPT_MAX;
#endif
}

/* The entry of text, made where it may be. NULL: not to be cached. */
static name_entry *entry_make(face_state *state, PyObject *text, uint32_t id) {
    name_entry *entry = names_slot(state, text);
    if (!id || !entry_wanted(text))
        return NULL;
#ifdef Py_GIL_DISABLED
    static pthread_mutex_t filling = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&filling);
    if (!entry->text) {
        entry->id = id;
        __atomic_store_n(&entry->text, Py_NewRef(text), __ATOMIC_RELEASE);
    }
    pthread_mutex_unlock(&filling);
    return entry->text == text ? entry : NULL;
#else
    PyObject *old = entry->text;
    *entry = (name_entry){.text = Py_NewRef(text), .id = id};
    Py_XDECREF(old);
    return entry;
#endif
}

uint32_t names_id_slow(face_state *state, PyObject *text) {
    char buffer[MAREY_NAME_MAX + 8];
    size_t bytes;
    const char *utf8 = text_utf8(text, buffer, sizeof buffer, &bytes);
    uint32_t id = marey_name_id_n(utf8, bytes > sizeof buffer ? sizeof buffer : bytes);
    entry_make(state, text, id);
    return id;
}

/* Finds the entry of text, made where it may be. False: there is none. */
static bool entry_find(face_state *state, PyObject *text, name_entry **entry) {
    uint32_t id = names_id(state, text);
    *entry = names_slot(state, text);
    return id && __atomic_load_n(&(*entry)->text, __ATOMIC_ACQUIRE) == text;
}

void names_clear(face_state *state) {
    for (size_t i = 0; i < sizeof state->names / sizeof *state->names; i++) {
        PyObject *text = state->names[i].text;
        state->names[i] = (name_entry){0};
        Py_XDECREF(text);
    }
}

/* -------------------------------------------------------------- categories */

typedef struct category_node {
    marey_category category;
    struct category_node *next;
    size_t bytes;
    char text[];
} category_node;

typedef struct source_node {
    marey_source source;
    struct source_node *next;
    char text[]; /* file NUL function NUL */
} source_node;

enum { SOURCE_BUCKETS = 1024 };

static pthread_mutex_t shared = PTHREAD_MUTEX_INITIALIZER;
static category_node *categories;
static unsigned category_count;
static source_node *sources[SOURCE_BUCKETS];
static unsigned source_count;

static void shared_lock(void) {
    pthread_mutex_lock(&shared);
}

static void shared_unlock(void) {
    pthread_mutex_unlock(&shared);
}

static void shared_renew(void) {
    shared = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
}

static void shared_guard(void) {
    pthread_atfork(shared_lock, shared_unlock, shared_renew);
}

void names_start(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, shared_guard);
}

static marey_category category_crowd = {2, 0, "(too many categories)", NULL};

static category_node *category_make(const char *text, size_t bytes) {
    category_node *node = category_count < CATEGORIES_MAX ? malloc(sizeof *node + bytes + 1) : NULL;
    if (!node)
        return NULL;
    memcpy(node->text, text, bytes);
    node->text[bytes] = 0;
    node->bytes = bytes;
    node->category = (marey_category){2, 0, node->text, NULL};
    node->next = categories;
    categories = node;
    category_count++;
    return node;
}

marey_category *category_find(const char *text, size_t bytes) {
    shared_lock();
    category_node *node = categories;
    while (node && (node->bytes != bytes || memcmp(node->text, text, bytes) != 0))
        node = node->next;
    if (!node)
        node = category_make(text, bytes);
    shared_unlock();
    return node ? &node->category : &category_crowd;
}

void category_each(void (*visit)(marey_category *, void *), void *context) {
    shared_lock();
    category_node *node = categories;
    shared_unlock(); /* nodes are never removed, and new ones stand before this one */
    for (; node; node = node->next)
        visit(&node->category, context);
}

marey_category *names_category(face_state *state, PyObject *text) {
    name_entry *entry;
    bool cached = entry_find(state, text, &entry);
    marey_category *known = cached ? __atomic_load_n(&entry->category, __ATOMIC_ACQUIRE) : NULL;
    if (LIKELY(known != NULL))
        return known;
    char buffer[MAREY_NAME_MAX];
    size_t bytes;
    const char *utf8 = text_utf8(text, buffer, sizeof buffer, &bytes);
    known = category_find(utf8, bytes > sizeof buffer ? sizeof buffer : bytes);
    if (cached)
        __atomic_store_n(&entry->category, known, __ATOMIC_RELEASE);
    return known;
}

/* ---------------------------------------------------------------- secrets */

bool names_secret_text(face_state *state, const char *text, size_t bytes) {
    char name[SECRET_PATTERN_BYTES];
    secret_normalise(text, bytes, name);
    bool found = false;
    shared_lock(); /* the list may be changed by another thread where there is no GIL */
    PyObject *secrets = state->secrets;
    for (Py_ssize_t i = 0; secrets && !found && i < PyTuple_GET_SIZE(secrets); i++)
        found = strstr(name, PyBytes_AS_STRING(PyTuple_GET_ITEM(secrets, i))) != NULL;
    shared_unlock();
    return found;
}

bool names_secret(face_state *state, PyObject *text) {
    name_entry *entry;
    bool cached = entry_find(state, text, &entry);
    uint32_t known = cached ? __atomic_load_n(&entry->secret, __ATOMIC_RELAXED) : 0;
    if (LIKELY(known))
        return known == 2;
    char buffer[SECRET_NAME_MAX + 8];
    size_t bytes;
    const char *utf8 = text_utf8(text, buffer, sizeof buffer, &bytes);
    bool secret = names_secret_text(state, utf8, bytes);
    if (cached)
        __atomic_store_n(&entry->secret, secret ? 2 : 1, __ATOMIC_RELAXED);
    return secret;
}

static PyObject *secret_pattern(PyObject *name) {
    char buffer[SECRET_NAME_MAX + 8], pattern[SECRET_PATTERN_BYTES];
    size_t bytes;
    if (!PyUnicode_Check(name)) {
        PyErr_Format(PyExc_TypeError, "a secret's name is a str, not %.100s",
                     Py_TYPE(name)->tp_name);
        return NULL;
    }
    const char *utf8 = text_utf8(name, buffer, sizeof buffer, &bytes);
    size_t length = secret_normalise(utf8, bytes, pattern);
    return PyBytes_FromStringAndSize(pattern, (Py_ssize_t)length);
}

int names_set_secrets(face_state *state, PyObject *names) {
    PyObject *list = PySequence_List(names);
    for (Py_ssize_t i = 0; list && i < PyList_GET_SIZE(list); i++) {
        PyObject *pattern = secret_pattern(PyList_GET_ITEM(list, i));
        if (!pattern || PyList_SetItem(list, i, pattern) < 0)
            Py_CLEAR(list);
    }
    PyObject *patterns = list ? PyList_AsTuple(list) : NULL;
    Py_XDECREF(list);
    if (!patterns)
        return -1;
    shared_lock();
    PyObject *old = state->secrets;
    state->secrets = patterns;
    shared_unlock();
    Py_XDECREF(old);
    for (size_t i = 0; i < sizeof state->names / sizeof *state->names; i++)
        __atomic_store_n(&state->names[i].secret, 0, __ATOMIC_RELAXED);
    return 0;
}

/* ----------------------------------------------------------------- sources */

static uint64_t source_hash(const char *text, size_t bytes, uint64_t hash) {
    for (size_t i = 0; i < bytes; i++)
        hash = (hash ^ (unsigned char)text[i]) * UINT64_C(0x100000001B3);
    return hash;
}

static bool source_is(const source_node *node, const char *file, const char *function,
                      unsigned line) {
    return node->source.line == line && !strcmp(node->source.file, file) &&
           !strcmp(node->source.function, function);
}

static source_node *source_make(const char *file, const char *function, unsigned line) {
    size_t file_bytes = strlen(file) + 1, function_bytes = strlen(function) + 1;
    source_node *node =
        source_count < SOURCES_MAX ? malloc(sizeof *node + file_bytes + function_bytes) : NULL;
    if (!node)
        return NULL;
    memcpy(node->text, file, file_bytes);
    memcpy(node->text + file_bytes, function, function_bytes);
    node->source = (marey_source){node->text, node->text + file_bytes, line, 0};
    source_count++;
    return node;
}

static void source_text(PyObject *text, char *buffer, size_t room) {
    size_t bytes;
    const char *utf8 = text_utf8(text, buffer, room - 1, &bytes);
    bytes = bytes < room - 1 ? bytes : room - 1;
    memmove(buffer, utf8, bytes);
    buffer[bytes] = 0;
}

marey_source *source_find(PyObject *file, PyObject *function, unsigned line) {
    char file_text[MAREY_NAME_MAX], function_text[MAREY_NAME_MAX];
    source_text(file, file_text, sizeof file_text);
    source_text(function, function_text, sizeof function_text);
    uint64_t hash = source_hash(file_text, strlen(file_text), UINT64_C(0xCBF29CE484222325));
    hash = source_hash(function_text, strlen(function_text), hash ^ line);
    source_node **bucket = &sources[(hash ^ hash >> 32) % SOURCE_BUCKETS];
    shared_lock();
    source_node *node = *bucket;
    while (node && !source_is(node, file_text, function_text, line))
        node = node->next;
    if (!node && (node = source_make(file_text, function_text, line))) {
        node->next = *bucket;
        *bucket = node;
    }
    shared_unlock();
    return node ? &node->source : NULL;
}
