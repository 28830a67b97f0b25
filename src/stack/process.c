#define _GNU_SOURCE
#include "stack/process.h"

#include <stdlib.h>
#include <string.h>

#include "marey.h"
#include "stack/locate.h"
#include "stack/raw_frame.h"

int process_open(struct process *process, pid_t pid) {
    *process = (struct process){0};
    pid_t owner = proc_of_thread(pid);
    if (owner && owner != pid)
        return MAREY_ENOPROCESS;
    int error = memory_open(&process->memory, pid);
    if (error)
        return error;
    process->start_time = proc_start_time(pid);
    process->nested = proc_is_nested(pid);
    error = locate_runtime(process);
    if (error)
        process_close(process);
    return error;
}

void process_close(struct process *process) {
    memory_close(&process->memory);
}

/* ---- interpreters */

static uint32_t least(uint32_t a, uint32_t b) {
    return a < b ? a : b;
}

static uint32_t most(uint32_t a, uint32_t b) {
    return a > b ? a : b;
}

/* What interpreter_read reads. */
struct interpreter_state {
    int32_t collecting, locked, enabled;
    uint64_t gil, holder;
};

/* Before the pointer to the newest thread stands how many were made (3.11 and later: struct pythreads,
 * Include/internal/pycore_interp.h): that changes also where the newest has ended and the next one is at its address. */
static uint64_t address_of_births(const struct process *process,
                                  const struct interpreter *interpreter) {
    return interpreter->address + process->layout.interp_threads - 8;
}

static int read_state(struct process *process, struct interpreter *interpreter, uint64_t gil,
                      struct interpreter_state *state) {
    const struct layout *layout = &process->layout;
    struct piece pieces[8];
    *state = (struct interpreter_state){.gil = gil, .enabled = 1};
    int count = 0;
    pieces[count++] = (struct piece){address_of_births(process, interpreter), interpreter->births,
                                     2 * sizeof *interpreter->births};
    pieces[count++] = (struct piece){process->runtime + layout->runtime_interpreters,
                                     &interpreter->births[2], sizeof *interpreter->births};
    pieces[count++] = (struct piece){interpreter->address + layout->interp_collecting,
                                     &state->collecting, sizeof state->collecting};
    if (layout->runtime_gil == LAYOUT_NONE)
        pieces[count++] = (struct piece){interpreter->address + layout->interp_gil, &state->gil,
                                         sizeof state->gil};
    if (gil) {
        pieces[count++] =
            (struct piece){gil + layout->gil_locked, &state->locked, sizeof state->locked};
        pieces[count++] =
            (struct piece){gil + layout->gil_holder, &state->holder, sizeof state->holder};
        /* Free-threaded: without the field of 3.13's tables there is a GIL. */
        if (layout->gil_enabled != LAYOUT_NONE)
            pieces[count++] =
                (struct piece){gil + layout->gil_enabled, &state->enabled, sizeof state->enabled};
    }
    return memory_read_pieces(&process->memory, pieces, count);
}

int interpreter_read(struct process *process, struct interpreter *interpreter) {
    const struct layout *layout = &process->layout;
    struct interpreter_state state;
    bool fixed = layout->runtime_gil != LAYOUT_NONE;
    uint64_t gil = fixed ? process->runtime + layout->runtime_gil : interpreter->gil;
    int error = read_state(process, interpreter, gil, &state);
    if (error == MAREY_EADDRESS && gil && !fixed)
        error = read_state(process, interpreter, gil = 0, &state);
    if (!error && state.gil != gil)
        error = read_state(process, interpreter, gil = state.gil, &state);
    if (error)
        return error;
    interpreter->gil = gil;
    interpreter->gil_holder = state.locked == 1 && state.enabled ? state.holder : 0;
    interpreter->gil_is_off = !state.enabled;
    interpreter->collecting = state.collecting != 0;
    return 0;
}

bool glance_begin(struct glance *glance, const struct process *process,
                  const struct interpreter *interpreter, bool collecting) {
    const struct layout *layout = &process->layout;
    uint32_t locked = layout->gil_locked, holder = layout->gil_holder;
    uint32_t enabled = layout->gil_enabled != LAYOUT_NONE ? layout->gil_enabled : locked;
    uint32_t from = least(locked, least(holder, enabled));
    uint32_t last = most(locked, most(holder, enabled)) - from;
    if (last > GIL_WINDOW - sizeof interpreter->gil_holder)
        return false;
    int count = 0;
    glance->gil_from = from;
    glance->collects = 0;
    glance->pieces[count++] = (struct piece){address_of_births(process, interpreter),
                                             glance->births, sizeof glance->births};
    if (interpreter->gil)
        glance->pieces[count++] = (struct piece){interpreter->gil + from, glance->gil,
                                                 last + sizeof interpreter->gil_holder};
    if (collecting)
        glance->pieces[count++] = (struct piece){interpreter->address + layout->interp_collecting,
                                                 &glance->collects, sizeof glance->collects};
    glance->count = count;
    return true;
}

void glance_end(const struct glance *glance, const struct process *process,
                struct interpreter *interpreter) {
    const struct layout *layout = &process->layout;
    const uint8_t *gil = glance->gil;
    uint32_t from = glance->gil_from;
    bool has_switch = layout->gil_enabled != LAYOUT_NONE;
    bool held = interpreter->gil && get32(gil + (layout->gil_locked - from)) == 1 &&
                (!has_switch || get32(gil + (layout->gil_enabled - from)));
    memcpy(interpreter->births, glance->births, sizeof glance->births);
    interpreter->collecting = glance->collects != 0;
    interpreter->gil_holder = held ? get64(gil + (layout->gil_holder - from)) : 0;
}

int interpreter_glance(struct process *process, struct interpreter *interpreter, bool collecting) {
    struct glance glance;
    if (!glance_begin(&glance, process, interpreter, collecting))
        return interpreter_read(process, interpreter);
    int error = memory_read_pieces(&process->memory, glance.pieces, glance.count);
    if (!error)
        glance_end(&glance, process, interpreter);
    return error;
}

static bool waits_within(uint64_t address, uint64_t start, uint64_t bytes) {
    return address >= start && address < start + bytes;
}

bool thread_waits_for_gil(const struct process *process, const struct interpreter *interpreter,
                          const struct thread *thread) {
    if (!interpreter->gil || !thread->tid)
        return false;
    uint64_t futex = proc_thread_futex(process->memory.pid, thread->tid);
    return waits_within(futex, interpreter->gil, process->layout.gil_bytes);
}

/* ---- threads */

/* Room for one more in a list whose room doubles up to `max`; NULL where there is none. */
static void *room_for(void *list, int count, int *room, int max, size_t size) {
    if (count < *room)
        return list;
    int wanted = *room ? 2 * *room : 16;
    if (count >= max)
        return NULL;
    void *grown = realloc(list, (size_t)wanted * size);
    if (grown)
        *room = wanted;
    return grown;
}

static int add_interpreter(struct thread_list *list, const struct interpreter *interpreter) {
    void *grown = room_for(list->interpreters, list->interpreters_count, &list->interpreters_room,
                           PROCESS_INTERPRETERS_MAX, sizeof *interpreter);
    if (!grown)
        return list->interpreters_count < PROCESS_INTERPRETERS_MAX ? MAREY_ENOMEM : MAREY_ETORN;
    list->interpreters = grown;
    list->interpreters[list->interpreters_count++] = *interpreter;
    return 0;
}

static int add_thread(struct thread_list *list, const struct thread *thread) {
    void *grown =
        room_for(list->threads, list->count, &list->room, PROCESS_THREADS_MAX, sizeof *thread);
    if (!grown)
        return list->count < PROCESS_THREADS_MAX ? MAREY_ENOMEM : MAREY_ETORN;
    list->threads = grown;
    list->threads[list->count++] = *thread;
    return 0;
}

/* The kernel's ids, as seen from here and from within. */
struct ids {
    struct proc_thread *list;
    int count;
    bool outer; /* there is no list: they are the same */
};

/* Where a thread says its own number, and that is ours for it, too, nothing has to be looked up. */
static int ids_read(struct ids *ids, const struct process *process) {
    pid_t pid = process->memory.pid;
    ids->outer = !process->nested && process->layout.thread_native_id != LAYOUT_NONE;
    if (ids->outer)
        return 0;
    ids->list = malloc(PROCESS_THREADS_MAX * sizeof *ids->list);
    if (!ids->list)
        return MAREY_ENOMEM;
    ids->count = proc_threads(pid, ids->list, PROCESS_THREADS_MAX, process->nested);
    if (ids->count > PROCESS_THREADS_MAX)
        ids->count = PROCESS_THREADS_MAX;
    return ids->count ? 0 : MAREY_ENOPROCESS;
}

static pid_t outer_tid(const struct ids *ids, uint64_t inner) {
    if (ids->outer)
        return inner <= INT32_MAX ? (pid_t)inner : 0;
    for (int i = 0; i < ids->count; i++)
        if ((uint64_t)ids->list[i].inner_tid == inner)
            return ids->list[i].tid;
    return 0;
}

enum {
    PTHREAD_BYTES = 1024,
    /* Where the C libraries keep the kernel's id in what a pthread_t points to: glibc on x86-64 and on aarch64, musl. */
    GLIBC_X86_TID = 720,
    GLIBC_ARM_TID = 208,
    MUSL_TID = 48,
};

/* 3.9 and 3.10 know threads by their pthread_t alone, which points to the C library's record of the thread: the number
 * there is the kernel's id where it is one of a thread of this process. */
static pid_t tid_of_pthread(struct process *process, const struct ids *ids, uint64_t pthread) {
    int32_t words[PTHREAD_BYTES / 4];
    const uint32_t usual[] = {process->tid_at, GLIBC_X86_TID, GLIBC_ARM_TID, MUSL_TID};
    if (memory_read(&process->memory, pthread, words, sizeof words))
        return 0;
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) {
        int32_t value = words[usual[i] / 4];
        pid_t tid = usual[i] && value > 0 ? outer_tid(ids, (uint64_t)value) : 0;
        if (tid) {
            process->tid_at = usual[i];
            return tid;
        }
    }
    return 0;
}

static int read_thread(struct process *process, const struct ids *ids,
                       const struct interpreter *interpreter, struct thread *thread,
                       uint64_t *next) {
    const struct layout *layout = &process->layout;
    uint64_t interp = 0, pthread = 0, native = 0;
    struct piece pieces[] = {{thread->address + layout->thread_interp, &interp, sizeof interp},
                             {thread->address + layout->thread_next, next, sizeof *next},
                             {thread->address + layout->thread_id, &pthread, sizeof pthread},
                             {thread->address + layout->thread_native_id, &native, sizeof native}};
    bool has_native = layout->thread_native_id != LAYOUT_NONE;
    if (memory_read_pieces(&process->memory, pieces, has_native ? 4 : 3) ||
        interp != interpreter->address)
        return MAREY_ETORN;
    thread->interpreter = interp;
    thread->pthread = pthread;
    thread->tid = has_native ? outer_tid(ids, native) : tid_of_pthread(process, ids, pthread);
    thread->holds_gil = interpreter->gil_holder == thread->address;
    thread->collecting = thread->holds_gil && interpreter->collecting;
    return 0;
}

enum { STARTING_MAX = 32 }; /* threads that are being started, of an interpreter: the others wait */

/* Before 3.12 a thread that is being started has the numbers of the one that starts it, until it runs (new_threadstate in
 * Python/pystate.c): it has none of its own yet. The newest threads stand first. */
static void forget_borrowed_ids(struct thread_list *list, int first) {
    int last = list->count - first > STARTING_MAX ? first + STARTING_MAX : list->count;
    for (int i = first; i < last; i++)
        for (int older = i + 1; older < list->count; older++)
            if (list->threads[i].pthread &&
                list->threads[older].pthread == list->threads[i].pthread)
                list->threads[i].tid = 0;
}

static int read_threads(struct process *process, const struct ids *ids,
                        const struct interpreter *interpreter, struct thread_list *list) {
    int first = list->count;
    uint64_t address =
        memory_pointer(&process->memory, interpreter->address + process->layout.interp_threads);
    while (address) {
        struct thread thread = {.address = address};
        int error = address % 8 ? MAREY_ETORN : 0;
        if (!error)
            error = read_thread(process, ids, interpreter, &thread, &address);
        if (!error)
            error = add_thread(list, &thread); /* a circle ends at the list's limit */
        if (error)
            return error;
    }
    forget_borrowed_ids(list, first);
    return 0;
}

/* A process that C code has forked, as uWSGI's workers are, knows the thread that did so by its number in the parent, for
 * nobody has told Python: here it is the main thread. The oldest threads stand last. */
static void mend_forked_id(const struct process *process, struct thread_list *list) {
    pid_t pid = process->memory.pid, gone = 0;
    for (int i = 0; i < list->count; i++)
        if (list->threads[i].tid == pid)
            return;
    for (int i = list->count; i-- && !gone;)
        if (list->threads[i].tid && proc_thread_state(pid, list->threads[i].tid) == PROC_UNKNOWN)
            gone = list->threads[i].tid;
    for (int i = 0; i < list->count && gone; i++)
        if (list->threads[i].tid == gone)
            list->threads[i].tid = pid;
}

static int read_all(struct process *process, const struct ids *ids, struct thread_list *list) {
    const struct layout *layout = &process->layout;
    uint64_t address =
        memory_pointer(&process->memory, process->runtime + layout->runtime_interpreters);
    int error = address ? 0 : MAREY_ENOTYET;
    while (address && !error) {
        struct interpreter interpreter = {.address = address};
        if (address % 8 || interpreter_read(process, &interpreter) ||
            memory_read(&process->memory, address + layout->interp_id, &interpreter.id,
                        sizeof interpreter.id) ||
            memory_read(&process->memory, address + layout->interp_next, &address, sizeof address))
            return MAREY_ETORN;
        error = add_interpreter(list, &interpreter);
        if (!error)
            error = read_threads(process, ids, &interpreter, list);
    }
    return error;
}

int process_threads(struct process *process, struct thread_list *list) {
    struct ids ids = {0};
    list->count = list->interpreters_count = 0;
    int error = ids_read(&ids, process);
    if (!error)
        error = read_all(process, &ids, list);
    if (!error && ids.outer)
        mend_forked_id(process, list);
    free(ids.list);
    if (error)
        list->count = list->interpreters_count = 0;
    return error;
}

void thread_list_free(struct thread_list *list) {
    free(list->threads);
    free(list->interpreters);
    *list = (struct thread_list){0};
}

bool thread_list_without_gil(const struct thread_list *list) {
    for (int i = 0; i < list->interpreters_count; i++)
        if (!list->interpreters[i].gil_is_off)
            return false;
    return list->interpreters_count > 0;
}
