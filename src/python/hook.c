/* Starts and stops the hooks, counts their users; keeps what is known of a code object, and which calls are
 * open in a thread. See hook.h for what is promised, hook_inside.h for whose is what. */
#include "hook_inside.h"

#include <pthread.h>
#include <stdlib.h>

uint64_t hook_generation;
hook_losses hook_counts;
THREAD_LOCAL hook_thread hook_here;

/* hooks_mutex guards the list of hooks and what is set on code; users_mutex orders starts and stops, as the GIL does
 * where there is one. PyMutex lets the world be stopped while somebody waits for it. */
#ifdef Py_GIL_DISABLED
static PyMutex hooks_mutex, users_mutex;
#define LOCK(mutex) PyMutex_Lock(&(mutex))
#define UNLOCK(mutex) PyMutex_Unlock(&(mutex))
#define USERS_LOCK() LOCK(users_mutex)
#define USERS_UNLOCK() UNLOCK(users_mutex)
#else
static pthread_mutex_t hooks_mutex = PTHREAD_MUTEX_INITIALIZER;
#define LOCK(mutex) pthread_mutex_lock(&(mutex))
#define UNLOCK(mutex) pthread_mutex_unlock(&(mutex))
#define USERS_LOCK() ((void)0)
#define USERS_UNLOCK() ((void)0)
#endif

static int hooks_on; /* interpreters whose hook is on */

hook_losses hook_lost(void) {
    return (hook_losses){__atomic_load_n(&hook_counts.deep, __ATOMIC_RELAXED),
                         __atomic_load_n(&hook_counts.unnested, __ATOMIC_RELAXED),
                         __atomic_load_n(&hook_counts.memory, __ATOMIC_RELAXED)};
}

/* ----------------------------------------------------------------- threads */

static pthread_key_t thread_key;
static bool thread_key_made;

static void thread_gone(void *key_value) {
    hook_thread *thread = key_value;
    if (thread->recorder)
        call_thread_gone(thread->recorder);
    free(thread->base);
    *thread = (hook_thread){0};
}

/* A forked child's calls are its own: those that were open belong to the parent. */
static void after_fork(void) {
#ifdef Py_GIL_DISABLED
    hooks_mutex = users_mutex = (PyMutex){0};
#else
    hooks_mutex = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
#endif
    hook_generation += hook_generation != 0;
}

static void once_a_process(void) {
    thread_key_made = pthread_key_create(&thread_key, thread_gone) == 0;
    pthread_atfork(NULL, NULL, after_fork);
}

/* Where the thread's C stack ends, and where it has so little left that this is for the program alone: a
 * quarter, but no less than half a MiB, and no more than half. */
static void stack_look(hook_thread *thread) {
    pthread_attr_t attributes;
    void *low = NULL;
    size_t bytes = 0;
    if (pthread_getattr_np(pthread_self(), &attributes) != 0)
        return;
    pthread_attr_getstack(&attributes, &low, &bytes);
    pthread_attr_destroy(&attributes);
    size_t least = (size_t)512 << 10, reserve = bytes / 4 > least ? bytes / 4 : least;
    thread->stack_low = low;
    thread->stack_floor = low ? (char *)low + (reserve < bytes / 2 ? reserve : bytes / 2) : NULL;
}

static bool thread_grow(hook_thread *thread) {
    size_t used = (size_t)(thread->top - thread->base),
           room = (size_t)(thread->limit - thread->base);
    size_t wanted = room ? 2 * room : OPEN_FIRST;
    open_call *base = wanted <= OPEN_MOST ? realloc(thread->base, wanted * sizeof *base) : NULL;
    if (!base)
        return false;
    thread->base = base;
    thread->top = base + used;
    thread->limit = base + wanted;
    return true;
}

/* The first call of the thread since it began, or since a hook was started. */
static void thread_renew(hook_thread *thread) {
    if (!thread->generation && thread_key_made)
        pthread_setspecific(thread_key, thread);
    if (!thread->stack_low)
        stack_look(thread);
    thread->top = thread->base;
    thread->generation = hook_generation;
}

bool open_room(hook_thread *thread) {
    if (thread->generation != hook_generation)
        thread_renew(thread);
    if (thread->top != thread->limit || thread_grow(thread))
        return true;
    hook_count(&hook_counts.memory);
    return false;
}

hook_thread *hook_thread_here(void) {
    hook_thread *thread = &hook_here;
    if (UNLIKELY(thread->generation != hook_generation))
        thread_renew(thread);
    return thread->base || thread_grow(thread) ? thread : NULL;
}

/* -------------------------------------------------------------- open calls */

/* Where a greenlet was switched away, or an end was not seen, calls stand above the one that ends now. They
 * are left with it; when they end themselves, nobody knows them any more. */
void open_left_late(hook_thread *thread, const void *mark, call_end end, PyObject *value) {
    if (thread->generation != hook_generation)
        return;
    open_call *call = thread->top;
    while (call > thread->base && call[-1].frame != mark)
        call--;
    if (call-- == thread->base)
        return; /* it began before the hook, or found no room */
    for (; thread->top - 1 > call; thread->top--) {
        hook_count(&hook_counts.unnested);
        call_left(thread, thread->top - 1, CALL_LOST, NULL);
    }
    call_left(thread, call, end, value);
    thread->top = call;
}

/* The yields of an asynchronous generator are wrapped by CPython (Objects/genobject.c,
 * _PyAsyncGenWrappedValue: the value follows the object's head); what is not wrapped comes from something that
 * it awaits. */
call_end end_of_asynchronous(const PyCodeObject *code, PyObject **value) {
    static PyTypeObject *wrapped; /* all interpreters have the same */
    if (code->co_flags & CO_ASYNC_GENERATOR) {
        PyTypeObject *type = Py_TYPE(*value);
        if (!__atomic_load_n(&wrapped, __ATOMIC_RELAXED) &&
            !strcmp(type->tp_name, "async_generator_wrapped_value"))
            __atomic_store_n(&wrapped, type, __ATOMIC_RELAXED);
        if (type == __atomic_load_n(&wrapped, __ATOMIC_RELAXED)) {
            *value = *(PyObject **)(*value + 1);
            return CALL_YIELDED;
        }
    }
    *value = NULL;
    return CALL_AWAITS;
}

/* -------------------------------------------------------------------- code */

static void code_gone(void *extra) {
    hook_code *known = extra;
    if (!known)
        return;
    if (known->site)
        call_site_gone(known->site);
    free(known);
}

/* Gives code what is known of it, unless another thread was quicker. What counts is returned; NULL: memory is
 * short. */
static hook_code *code_keep(hook *h, PyCodeObject *code, hook_code *made) {
    void *there = NULL;
    LOCK(hooks_mutex); /* held across no call that could wait for another thread */
    code_get_extra((PyObject *)code, h->extra, &there);
    if (!there && code_set_extra((PyObject *)code, h->extra, made) == 0)
        there = made;
    UNLOCK(hooks_mutex);
    if (there != made)
        code_gone(made);
    PyErr_Clear();
    return there;
}

/* Asks the recorder. NULL: memory is short. */
static hook_code *code_answer(hook *h, PyCodeObject *code, PyObject *globals, hook_code *known) {
    uint32_t epoch = h->epoch;
    if (!known) {
        hook_code *made = calloc(1, sizeof *made);
        known = made ? code_keep(h, code, made) : NULL;
    }
    if (!known)
        return NULL;
    hook_thread *thread = hook_thread_here();
    if (!thread)
        return NULL;
    thread->busy = true;
    call_site *before = __atomic_load_n(&known->site, __ATOMIC_ACQUIRE), *site = before;
    known->wanted = call_wanted(h->state, code, globals, &site);
    if (site != before && !__atomic_compare_exchange_n(&known->site, &before, site, false,
                                                       __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        call_site_gone(site); /* another thread asked at the same time */
    thread->busy = false;
    __atomic_store_n(&known->epoch, epoch, __ATOMIC_RELEASE);
    return known;
}

/* The program may have an exception at hand: one that is thrown into a generator, whose code is new here. */
hook_code *code_ask(hook *h, PyCodeObject *code, PyObject *globals, hook_code *known) {
    error_aside error;
    error_hide(&error);
    known = code_answer(h, code, globals, known);
    error_show(&error);
    return known;
}

/* ---------------------------------------------------------- start and stop */

static hook *hooks; /* of all interpreters; only ever longer */

static hook *hook_make(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, once_a_process);
    Py_ssize_t extra = code_request_extra(code_gone);
    hook *h = extra >= 0 ? calloc(1, sizeof *h) : NULL;
    if (!h) {
        PyErr_SetString(PyExc_RuntimeError,
                        "calls cannot be seen: code objects have no place left (co_extra)");
        return NULL;
    }
    h->extra = extra;
    h->epoch = 1;
    h->interpreter = PyInterpreterState_Get();
    LOCK(hooks_mutex);
    h->next = hooks;
    __atomic_store_n(&hooks, h, __ATOMIC_RELEASE);
    UNLOCK(hooks_mutex);
    return h;
}

hook *hook_of(PyInterpreterState *interpreter) {
    hook *h = __atomic_load_n(&hooks, __ATOMIC_ACQUIRE);
    while (h && h->interpreter != interpreter)
        h = h->next;
    return h;
}

/* The interpreter's hook, made where there is none, for the module of that state. NULL with an exception. It
 * is never freed: another evaluator may call into it as long as the interpreter lives. */
static hook *hook_take(face_state *state) {
    hook *h = hook_of(PyInterpreterState_Get());
    if (!h && !(h = hook_make()))
        return NULL;
    if (h->state != state && h->users) {
        PyErr_SetString(PyExc_RuntimeError, "calls are seen by another copy of marey already");
        return NULL;
    }
    if (h->state != state)
        h->epoch++;
    h->state = state;
    return h;
}

static int hook_on(hook *h) {
    LOCK(hooks_mutex);
    if (!hooks_on++)
        __atomic_add_fetch(&hook_generation, 1, __ATOMIC_RELAXED);
    UNLOCK(hooks_mutex);
    h->on = true;
    if (hook_install(h) == 0) {
        if (h->asked_while_off)
            hook_see_again(h);
        h->asked_while_off = false;
        return 0;
    }
    h->on = false;
    LOCK(hooks_mutex);
    hooks_on--;
    UNLOCK(hooks_mutex);
    return -1;
}

static void hook_off(hook *h) {
    h->on = false;
    hook_remove(h);
    LOCK(hooks_mutex);
    hooks_on--;
    UNLOCK(hooks_mutex);
}

static void stop(hook *h, bool c_calls) {
    error_aside error;
    error_hide(&error);
    if (c_calls && h->c_users && !--h->c_users)
        hook_c_calls(h, false);
    if (!--h->users)
        hook_off(h);
    PyErr_Clear();
    error_show(&error);
}

static int start(face_state *state, hook_options options) {
    hook *h = hook_take(state);
    if (!h || (!h->users && hook_on(h) < 0))
        return -1;
    h->users++;
    if (options.c_calls && !h->c_users++ && hook_c_calls(h, true) < 0) {
        h->c_users--;
        stop(h, false);
        return -1;
    }
    return 0;
}

int hook_start(face_state *state, hook_options options) {
    USERS_LOCK();
    int result = start(state, options);
    USERS_UNLOCK();
    return result;
}

/* The hook that this module has taken, or NULL. */
static hook *hook_taken(const face_state *state) {
    hook *h = hook_of(PyInterpreterState_Get());
    return h && h->state == state ? h : NULL;
}

void hook_stop(face_state *state, hook_options options) {
    hook *h = hook_taken(state);
    USERS_LOCK();
    if (h && h->users)
        stop(h, options.c_calls);
    USERS_UNLOCK();
}

void hook_ask_again(face_state *state) {
    hook *h = hook_taken(state);
    if (!h)
        return;
    USERS_LOCK();
    h->epoch += h->epoch == UINT32_MAX ? 2 : 1; /* 0 is no answer */
    if (h->on)
        hook_see_again(h);
    else /* code that is turned off stays so, also while the hook is off */
        h->asked_while_off = true;
    USERS_UNLOCK();
}

void hook_fini(face_state *state) {
    hook *h = hook_taken(state);
    if (!h)
        return;
    if (h->users) {
        h->users = 1;
        stop(h, h->c_users != 0);
    }
    h->c_users = 0;
    h->interpreter = NULL; /* another one may come to stand at its address */
}

/* --------------------------------------------------------------- arguments */

PyObject *hook_argument_name(PyCodeObject *code, int index) {
#if PY_VERSION_HEX >= 0x030B0000
    PyObject *names = code->co_localsplusnames; /* the arguments come first */
#else
    PyObject *names = code->co_varnames;
#endif
    return PyTuple_GET_ITEM(names, index);
}
