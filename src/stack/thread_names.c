#include "stack/thread_names.h"

#include <stdlib.h>
#include <string.h>

#include "marey.h"
#include "stack/object.h"
#include "stack/pages.h"
#include "stack/text.h"

struct thread_names {
    struct pages pages;
    struct objects objects;
    struct object_entries entries;
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
    object_entries_free(&names->entries);
    pages_fini(&names->pages);
    free(names);
}

/* threading._active has each thread under its pthread_t. */
static uint64_t find_thread(struct thread_names *names, const struct thread *thread) {
    uint64_t active = object_global(&names->objects, thread->interpreter, "threading", "_active");
    if (!active || object_dict(&names->objects, active, PROCESS_THREADS_MAX, &names->entries) != 0)
        return 0;
    for (uint32_t i = 0; i < names->entries.count; i++) {
        int64_t ident;
        if (object_integer(&names->objects, names->entries.list[i].key, &ident) &&
            (uint64_t)ident == thread->pthread)
            return names->entries.list[i].value;
    }
    return 0;
}

int thread_names_find(struct thread_names *names, const struct thread *thread, char *name) {
    name[0] = '\0';
    pages_forget(&names->pages);
    objects_tick(&names->objects);
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
