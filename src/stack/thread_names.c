#include "stack/thread_names.h"

#include <stdlib.h>
#include <string.h>

#include "marey.h"
#include "stack/object.h"
#include "stack/pages.h"
#include "stack/text.h"

/* An entry of threading._active: a pthread_t, and the address of the Thread. */
struct active {
    int64_t ident;
    uint64_t object;
};

struct thread_names {
    struct pages pages;
    struct objects objects;
    uint64_t interpreter;  /* whose threads are listed; 0: none yet */
    struct active *active; /* by ident */
    uint32_t count;
};

int thread_names_open(struct thread_names **out, struct process *process) {
    struct thread_names *names = calloc(1, sizeof *names);
    *out = NULL;
    if (!names)
        return MAREY_ENOMEM;
    if (pages_init(&names->pages, &process->memory)) {
        free(names);
        return MAREY_ENOMEM;
    }
    objects_init(&names->objects, &process->layout, &names->pages.memory);
    *out = names;
    return 0;
}

void thread_names_close(struct thread_names *names) {
    if (!names)
        return;
    free(names->active);
    pages_fini(&names->pages);
    free(names);
}

static int by_ident(const void *a, const void *b) {
    int64_t first = ((const struct active *)a)->ident, second = ((const struct active *)b)->ident;
    return (first > second) - (first < second);
}

static void take_active(struct thread_names *names, const struct object_entries *entries) {
    names->active = calloc((size_t)entries->count + 1, sizeof *names->active);
    for (uint32_t i = 0; names->active && i < entries->count; i++) {
        struct active *to = &names->active[names->count];
        to->object = entries->list[i].value;
        names->count += object_integer(&names->objects, entries->list[i].key, &to->ident);
    }
    if (names->active)
        qsort(names->active, names->count, sizeof *names->active, by_ident);
}

/* Once for all threads of an interpreter: a look through the dict for each would grow with their square. */
static void list_active(struct thread_names *names, uint64_t interpreter) {
    struct object_entries entries = {0};
    free(names->active);
    names->active = NULL;
    names->count = 0;
    names->interpreter = interpreter;
    uint64_t active = object_global(&names->objects, interpreter, "threading", "_active");
    if (active && object_dict(&names->objects, active, PROCESS_THREADS_MAX, &entries) == 0)
        take_active(names, &entries);
    object_entries_free(&entries);
}

static uint64_t find_thread(struct thread_names *names, const struct thread *thread) {
    struct active wanted = {.ident = (int64_t)thread->pthread};
    if (names->interpreter != thread->interpreter)
        list_active(names, thread->interpreter);
    const struct active *found =
        names->count ? bsearch(&wanted, names->active, names->count, sizeof wanted, by_ident)
                     : NULL;
    return found ? found->object : 0;
}

int thread_names_find(struct thread_names *names, const struct thread *thread, char *name) {
    name[0] = '\0';
    uint64_t object = find_thread(names, thread);
    uint64_t str = object ? object_attribute(&names->objects, object, "_name") : 0;
    char *text;
    if (object_kind(&names->objects, str) != OBJECT_STR ||
        text_read(&names->pages.memory, names->objects.layout, str, THREAD_NAME_BYTES - 1, &text))
        return MAREY_ENOENT;
    strcpy(name, text); /* NOLINT: text_read keeps to the size */
    free(text);
    return *name ? 0 : MAREY_ENOENT;
}
