/* Any bytes as the memory of a process: its layout, threads, stacks and code objects are read from it. No crash, no
 * endless loop, and no more reads than a real stack could need.
 *
 * The input: byte 0 the version, byte 1 what addresses mean (bit 0: every one is valid, and wraps around), the rest the
 * memory from BASE on. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "marey.h"
#include "stack/unwind.h"

enum { BASE = 0x100000, READS_MAX = 400000, ROUNDS = 3 };

struct image {
    const uint8_t *bytes;
    size_t size;
    bool wraps;
};

static int read_image(struct memory *memory, const struct piece *pieces, int count) {
    const struct image *image = memory->image;
    if (memory->reads > READS_MAX)
        abort();
    for (int i = 0; i < count; i++) {
        uint64_t at = pieces[i].address - BASE;
        if (image->wraps) {
            for (size_t b = 0; b < pieces[i].bytes; b++)
                ((uint8_t *)pieces[i].into)[b] = image->bytes[(at + b) % image->size];
            continue;
        }
        if (at > image->size || pieces[i].bytes > image->size - at)
            return MAREY_EADDRESS;
        memcpy(pieces[i].into, image->bytes + at, pieces[i].bytes);
    }
    return 0;
}

static void use(const struct layout *layout, const struct stack *stack) {
    size_t sum = 0;
    for (int i = 0; i < stack->depth; i++) {
        const struct frame *frame = &stack->frames[i];
        sum += strlen(frame->code->name) + strlen(frame->code->file);
        sum += (size_t)code_line(layout, frame->code, frame->index);
    }
    if (stack->depth > STACK_FRAMES_MAX || sum == SIZE_MAX)
        abort();
}

static void read_stack(struct unwinder *unwinder, const struct thread *thread) {
    struct thread_reader reader;
    struct stack stack;
    thread_reader_init(&reader, unwinder, thread);
    for (int i = 0; i < ROUNDS; i++) {
        if (unwind_thread(unwinder, &reader, &stack) == 0)
            use(&unwinder->process->layout, &stack);
        unwinder_tick(unwinder);
    }
    thread_reader_fini(&reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 32)
        return 0;
    struct image image = {data + 2, size - 2, data[1] & 1};
    struct process process = {.runtime = BASE};
    process.memory =
        (struct memory){.pid = getpid(), .fd = -1, .read = read_image, .image = &image};
    uint32_t version = 0x0309 + data[0] % 8; /* up to one that is not known */
    if (layout_find(&process.layout, &process.memory, BASE, version) && version > 0x030c)
        return 0;
    struct thread_list list = {0};
    struct unwinder unwinder;
    unwinder_init(&unwinder, &process);
    process.memory.reads = 0;
    struct thread forced = {.address = BASE, .interpreter = BASE};
    memcpy(&forced.interpreter, image.bytes + 8, sizeof forced.interpreter);
    read_stack(&unwinder, &forced);
    process.memory.reads = 0;
    if (process_threads(&process, &list) == 0 && list.count)
        read_stack(&unwinder, &list.threads[0]);
    thread_list_free(&list);
    unwinder_fini(&unwinder);
    return 0;
}
