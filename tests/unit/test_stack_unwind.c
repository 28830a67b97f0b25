/* Stacks of a process that the test makes up: true ones are read, torn and hostile ones are not handed out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "marey.h"
#include "stack/still.h"
#include "stack_image.h"

struct fixture {
    struct image image;
    struct unwinder unwinder;
    struct thread_reader reader;
    struct stack stack;
};

static struct fixture f;
static int moves;

static int set_up(void **state) {
    (void)state;
    memset(&f, 0, sizeof f);
    image_init(&f.image);
    for (int i = 0; i < 8; i++)
        image_code(&f.image, i);
    int error =
        layout_find(&f.image.process.layout, &f.image.process.memory, IMAGE_RUNTIME, 0x030c);
    struct thread thread = {.address = IMAGE_THREAD, .interpreter = IMAGE_INTERP};
    unwinder_init(&f.unwinder, &f.image.process);
    thread_reader_init(&f.reader, &f.unwinder, &thread);
    return error;
}

static int tear_down(void **state) {
    (void)state;
    thread_reader_fini(&f.reader);
    unwinder_fini(&f.unwinder);
    return 0;
}

/* At once after the last time, however busy the machine is. */
static int unwind(void) {
    f.reader.read_ns = UINT64_MAX / 2;
    return unwind_thread(&f.unwinder, &f.reader, &f.stack);
}

/* A stack of `depth` functions 0, 1, ...; each calls the next at its third instruction. */
static void three_calls(int depth) {
    uint64_t top = 0;
    for (int i = 0; i < depth; i++)
        top = image_frame(&f.image, i, i, i == depth - 1 ? 1 : 2, i == depth - 1);
    image_top(&f.image, top);
}

static void assert_frame(int from_top, int function, int line) {
    char name[32];
    const struct frame *frame = &f.stack.frames[from_top];
    snprintf(name, sizeof name, "function%d", function);
    assert_string_equal(frame->code->name, name);
    assert_int_equal(code_line(&f.image.process.layout, frame->code, frame->index), line);
}

static void a_stack_has_names_and_lines(void **state) {
    (void)state;
    three_calls(3);
    assert_int_equal(unwind(), 0);
    assert_int_equal(f.stack.depth, 3);
    assert_frame(0, 2, 20);
    assert_frame(1, 1, 11);
    assert_frame(2, 0, 1);
    assert_string_equal(f.stack.frames[0].code->file, "file2.py");
    assert_false(f.stack.cut);
}

static void the_same_stack_is_told(void **state) {
    (void)state;
    three_calls(3);
    assert_int_equal(unwind(), 0);
    assert_false(f.stack.repeated);
    assert_int_equal(unwind(), 0);
    assert_true(f.stack.repeated);
    image_frame(&f.image, 2, 2, 3, true);
    assert_int_equal(unwind(), 0);
    assert_false(f.stack.repeated);
    assert_frame(0, 2, 21);
}

static bool is_still(void) {
    static struct still still;
    struct memory *memory = &f.image.process.memory;
    uint64_t reads = memory->reads;
    bool first, second;
    still_ask(&still, memory, &f.reader, &first);
    still_ask(&still, memory, &f.reader, &second); /* as if it were two threads */
    still_read(&still, memory);
    still_fini(&still);
    assert_true(memory->reads - reads <= 1);
    assert_int_equal(first, second);
    return first;
}

static void what_has_not_moved_is_still(void **state) {
    (void)state;
    three_calls(3);
    assert_false(is_still()); /* no stack was read yet */
    assert_int_equal(unwind(), 0);
    assert_true(is_still());
    image_frame(&f.image, 0, 0, 3, false); /* the outermost went on */
    assert_false(is_still());
    image_frame(&f.image, 0, 0, 2, false);
    assert_true(is_still());
    image_frame(&f.image, 2, 2, 1, false);
    uint64_t caller = image_frame(&f.image, 1, 1, 1, true);
    image_top(&f.image, caller); /* the top has returned */
    assert_false(is_still());
    assert_int_equal(unwind(), 0);
    assert_int_equal(f.stack.depth, 2);
    assert_true(is_still());
}

static void what_cannot_be_read_is_not_still(void **state) {
    (void)state;
    three_calls(3);
    assert_int_equal(unwind(), 0);
    f.reader.head[0].address = 8; /* its state was freed */
    assert_false(is_still());
    f.reader.head[0].address = IMAGE_THREAD;
    image_set64(&f.image, IMAGE_FRAMES + IMAGE_FRAME_BYTES + f.image.process.layout.frame_previous,
                8);
    assert_int_not_equal(unwind(), 0);
    assert_false(is_still()); /* the last try gave no stack */
}

static void a_known_stack_takes_one_read(void **state) {
    (void)state;
    three_calls(5);
    assert_int_equal(unwind(), 0);
    uint64_t reads = f.image.process.memory.reads;
    for (int i = 0; i < 100; i++) {
        f.reader.usual_ns[0] = UINT64_MAX / 8; /* one that was interrupted would be taken again */
        assert_int_equal(unwind(), 0);
    }
    assert_int_equal(f.image.process.memory.reads - reads, 100);
}

static int copies; /* of the main part */

static void go_on_after_the_first_copy(struct image *image, uint64_t address) {
    if (address != IMAGE_FRAMES)
        return;
    if (++copies == 2)
        image_frame(image, 2, 2, 3, true);
}

/* Copying what is in no cache takes a while: only what is copied after that counts. */
static void after_a_pause_the_frames_are_copied_once_more(void **state) {
    (void)state;
    three_calls(3);
    assert_int_equal(unwind(), 0);
    assert_int_equal(unwind(), 0);
    assert_frame(0, 2, 20);
    uint64_t reads = f.image.process.memory.reads;
    f.reader.usual_ns[1] = UINT64_MAX / 8;
    f.reader.read_ns = 0;
    f.image.before_piece = go_on_after_the_first_copy;
    copies = 0;
    assert_int_equal(unwind_thread(&f.unwinder, &f.reader, &f.stack), 0);
    assert_frame(0, 2, 21);
    assert_int_equal(copies, 2);
    assert_int_equal(f.image.process.memory.reads - reads, 1);
}

static void a_thread_without_python_has_no_frames(void **state) {
    (void)state;
    assert_int_equal(unwind(), 0);
    assert_int_equal(f.stack.depth, 0);
}

static void a_thread_that_ended_is_an_error(void **state) {
    (void)state;
    three_calls(2);
    assert_int_equal(unwind(), 0);
    image_set64(&f.image, IMAGE_THREAD + f.image.process.layout.thread_interp, 0);
    assert_int_equal(unwind(), MAREY_EADDRESS);
}

static void an_instruction_outside_its_code_is_torn(void **state) {
    (void)state;
    three_calls(3);
    image_frame(&f.image, 1, 1, 4, false);
    assert_int_equal(unwind(), MAREY_ETORN);
    assert_int_equal(f.unwinder.counts.torn, 1);
    assert_int_equal(f.unwinder.counts.stacks, 0);
}

static void a_circle_is_torn(void **state) {
    (void)state;
    three_calls(3);
    image_set64(&f.image, IMAGE_FRAMES + f.image.process.layout.frame_previous,
                IMAGE_FRAMES + 2 * IMAGE_FRAME_BYTES);
    assert_int_equal(unwind(), MAREY_ETORN);
}

static void a_chain_that_ends_without_a_shim_is_torn(void **state) {
    (void)state;
    three_calls(3);
    image_set64(&f.image, IMAGE_FRAMES + f.image.process.layout.frame_previous, 0);
    assert_int_equal(unwind(), MAREY_ETORN);
}

static void a_frame_of_an_unknown_owner_is_torn(void **state) {
    (void)state;
    three_calls(3);
    f.image.bytes[IMAGE_FRAMES - IMAGE_BASE + f.image.process.layout.frame_owner] = 77;
    assert_int_equal(unwind(), MAREY_ETORN);
}

static void pointers_to_nowhere_are_torn(void **state) {
    (void)state;
    const uint64_t bad[] = {
        1, 8, IMAGE_BASE - 8, IMAGE_BASE + IMAGE_BYTES - 8, UINT64_MAX - 7, (uint64_t)1 << 63};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        three_calls(3);
        image_set64(&f.image,
                    IMAGE_FRAMES + IMAGE_FRAME_BYTES + f.image.process.layout.frame_previous,
                    bad[i]);
        assert_int_equal(unwind(), MAREY_ETORN);
    }
}

/* The thread says that function 2 runs, which has returned by the time when the frames are read. */
static void what_has_returned_is_not_on_top(void **state) {
    (void)state;
    three_calls(3);
    image_set32(&f.image, IMAGE_FRAMES + 2 * IMAGE_FRAME_BYTES + f.image.process.layout.frame_live,
                0);
    image_frame(&f.image, 1, 1, 3, true);
    assert_int_equal(unwind(), 0);
    assert_int_equal(f.stack.depth, 2);
    assert_frame(0, 1, 11);
}

static int pieces_of_unwind(void) {
    int before = f.image.pieces;
    f.reader.usual_ns[0] = UINT64_MAX / 8; /* one that was interrupted would be taken again */
    assert_int_equal(unwind(), 0);
    return f.image.pieces - before;
}

/* Which frame is on top is asked once: then the marks tell what was called and what has returned. */
static void marks_tell_what_runs(void **state) {
    (void)state;
    three_calls(3);
    assert_int_equal(unwind(), 0);
    assert_int_equal(pieces_of_unwind(), 2); /* the thread and its frames */
    image_top(&f.image, 8);                  /* nobody looks at it */
    for (int round = 0; round < 4; round++)
        for (int depth = 1; depth <= 5; depth++) {
            for (int i = 0; i < 5; i++)
                image_frame(&f.image, i, i, 2, i == depth - 1);
            assert_int_equal(unwind(), 0);
            assert_int_equal(f.stack.depth, depth);
            assert_frame(0, depth - 1, 10 * (depth - 1) + 1);
        }
    assert_int_equal(f.reader.unmarked, 0);
}

/* A function written in C has called back: the frames above are those of another loop. */
static void another_loop_says_what_is_on_top(void **state) {
    (void)state;
    const struct layout *layout = &f.image.process.layout;
    const uint64_t cframe = IMAGE_CFRAME + 64;
    three_calls(3);
    assert_int_equal(unwind(), 0);
    assert_int_equal(unwind(), 0);
    uint64_t inner = image_frame(&f.image, 3, 3, 1, true);
    image_set64(&f.image, cframe + layout->cframe_frame, inner);
    image_set64(&f.image, IMAGE_THREAD + layout->thread_frame, cframe);
    assert_int_equal(unwind(), 0);
    assert_frame(0, 3, 30);
}

/* The one before is as it was when it let go, and the next one stands on the C stack where that one stood. */
static void a_greenlet_has_frames_of_its_own(void **state) {
    (void)state;
    const struct layout *layout = &f.image.process.layout;
    three_calls(3);
    for (int i = 0; i < 2; i++) { /* the second one by marks */
        assert_int_equal(unwind(), 0);
        assert_frame(0, 2, 20);
    }
    image_top(&f.image, image_frame(&f.image, 10, 1, 1, true));
    image_set64(&f.image, IMAGE_FRAMES + 10 * IMAGE_FRAME_BYTES + layout->frame_previous,
                IMAGE_SHIM);
    image_set64(&f.image, IMAGE_THREAD + layout->thread_datastack, IMAGE_FRAMES);
    assert_int_equal(unwind(), 0);
    assert_int_equal(f.stack.depth, 1);
    assert_frame(0, 1, 10);
}

/* Nothing is marked as running, as while a trace function runs: the thread is asked, and doubted. */
static void without_marks_the_thread_is_asked(void **state) {
    (void)state;
    three_calls(3);
    assert_int_equal(unwind(), 0);
    assert_int_equal(unwind(), 0);
    image_frame(&f.image, 2, 2, 1, false);
    uint64_t retries = f.unwinder.counts.retries;
    assert_int_equal(unwind(), 0);
    assert_int_equal(f.stack.depth, 3);
    assert_int_equal(f.unwinder.counts.retries - retries, UNWIND_STILL - 1);
    assert_true(f.reader.unmarked > 0);
    three_calls(3);
    for (int i = 0; i < UNWIND_UNMARKED; i++)
        assert_int_equal(unwind(), 0);
    assert_int_equal(f.reader.unmarked, 0);
    assert_int_equal(pieces_of_unwind(), 2); /* they are marked again */
}

/* A caller that runs something itself does not call: that is doubted, until it does not change. */
static void unusual_marks_have_to_stand_still(void **state) {
    (void)state;
    three_calls(3);
    image_frame(&f.image, 0, 0, 2, true);
    assert_int_equal(unwind(), 0);
    assert_int_equal(f.unwinder.counts.retries, UNWIND_STILL_ODD - 1);
    assert_int_equal(unwind(), 0); /* its calls are known now */
    assert_int_equal(f.unwinder.counts.retries, UNWIND_STILL_ODD - 1 + UNWIND_STILL - 1);
}

/* The head of the thread is the first piece of each read. */
static bool begins_read(const struct image *image, uint64_t address) {
    return address == IMAGE_THREAD + image->process.layout.thread_interp;
}

static void three_calls_that(void (*change)(struct image *, uint64_t)) {
    three_calls(3);
    moves = 0;
    f.image.before_piece = change;
}

/* When the thread says what is on top, function 2 runs. When its frames are read, that has ended and function 1, which
 * went on to its last instruction, returns: for the marks it calls. So it is met for eight reads in a row, then while
 * function 2 runs for four. */
static void return_below_what_has_ended(struct image *image, uint64_t address) {
    if (!begins_read(image, address))
        return;
    bool returns = moves++ % 12 < 8;
    image_frame(image, 1, 1, returns ? 3 : 2, false);
    image_frame(image, 2, 2, 1, !returns);
}

static void what_returns_does_not_call(void **state) {
    (void)state;
    three_calls_that(return_below_what_has_ended);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(unwind(), 0);
        assert_int_equal(f.stack.depth, 3);
        assert_int_equal(f.stack.frames[1].index, 2 * 2);
    }
}

/* Between two reads the thread goes to and fro between two stacks of which no mixture is true. */
static void move(struct image *image, uint64_t address) {
    if (!begins_read(image, address))
        return;
    int other = moves++ % 2 ? 4 : 0;
    image_frame(image, 0, other, 2, false);
    image_frame(image, 1, other + 1, 2, false);
    image_frame(image, 2, other + 2, 1, true);
}

static void stacks_that_alternate_do_not_mix(void **state) {
    (void)state;
    three_calls_that(move);
    for (int i = 0; i < 1000; i++) {
        if (unwind() != 0)
            continue;
        assert_int_equal(f.stack.depth, 3);
        int bottom = f.stack.frames[2].code_address == image_code_at(4) ? 4 : 0;
        for (int k = 0; k < 3; k++)
            assert_int_equal(f.stack.frames[k].code_address, image_code_at(bottom + 2 - k));
    }
    assert_true(f.unwinder.counts.stacks > 900);
}

enum { MISTAKES = 5, BETWEEN_MISTAKES = 50 };

/* Reads that are of two moments, now and then: another instruction of function 1 seems to call function 2. */
static void be_mistaken(struct image *image, uint64_t address) {
    if (!begins_read(image, address))
        return;
    bool mistaken = ++moves % BETWEEN_MISTAKES == 0 && moves <= MISTAKES * BETWEEN_MISTAKES;
    image_frame(image, 1, 1, mistaken ? 3 : 2, false);
}

static void mistakes_are_not_learned(void **state) {
    (void)state;
    three_calls_that(be_mistaken);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(unwind(), 0);
        assert_int_equal(f.stack.frames[1].index, 2 * 2);
    }
}

/* ---- shims */

enum { INNER_SHIM = IMAGE_SHIM + 0x80 };

static void write_inner_shim(struct image *image, uint64_t code, uint64_t previous) {
    const struct layout *layout = &image->process.layout;
    image_set64(image, INNER_SHIM + layout->frame_code, code);
    image_set64(image, INNER_SHIM + layout->frame_previous, previous);
    image->bytes[INNER_SHIM - IMAGE_BASE + layout->frame_owner] = 3;
}

/* Function 1 is called by C code that function 0 has called. At one of ten reads that code has returned when the C stack is
 * read, and what was a shim is half overwritten. */
static void return_from_c(struct image *image, uint64_t address) {
    if (!begins_read(image, address))
        return;
    bool returned = moves++ % 10 == 0;
    write_inner_shim(image, returned ? IMAGE_TYPE : IMAGE_SHIM_CODE, returned ? 0 : IMAGE_FRAMES);
}

static void what_was_a_shim_is_not_the_end(void **state) {
    (void)state;
    const struct layout *layout = &f.image.process.layout;
    three_calls(2);
    image_set64(&f.image, IMAGE_FRAMES + IMAGE_FRAME_BYTES + layout->frame_previous, INNER_SHIM);
    moves = 0; /* the first one that is seen is none */
    f.image.before_piece = return_from_c;
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(unwind(), 0);
        assert_int_equal(f.stack.depth, 2);
    }
}

/* ---- threads that never rest */

/* At each read another loop of the interpreter runs: a generator that C code resumes, and that code's caller. */
static void change_loops(struct image *image, uint64_t address) {
    const struct layout *layout = &image->process.layout;
    if (address == IMAGE_THREAD + layout->thread_interp)
        image_set64(image, IMAGE_THREAD + layout->thread_frame,
                    IMAGE_CFRAME + (uint64_t)(moves++ % 3) * 64);
}

static void loops_that_take_turns_are_read(void **state) {
    (void)state;
    const struct layout *layout = &f.image.process.layout;
    three_calls(3);
    for (uint64_t i = 1; i < 3; i++)
        image_set64(&f.image, IMAGE_CFRAME + i * 64 + layout->cframe_frame,
                    IMAGE_FRAMES + 2 * IMAGE_FRAME_BYTES);
    f.image.before_piece = change_loops;
    for (int i = 0; i < 100; i++) {
        assert_int_equal(unwind(), 0);
        assert_int_equal(f.stack.depth, 3);
    }
}

static void a_thread_that_leaves_python_has_no_frames(void **state) {
    (void)state;
    three_calls(3);
    for (int i = 0; i < 2; i++)
        assert_int_equal(unwind(), 0);
    image_set64(&f.image, IMAGE_THREAD + f.image.process.layout.thread_frame, 0);
    assert_int_equal(unwind(), 0);
    assert_int_equal(f.stack.depth, 0);
}

static int restless; /* number of the frame on top */

/* Each read finds another function on top. */
static void turn(struct image *image, uint64_t address) {
    if (address == IMAGE_THREAD + image->process.layout.thread_interp)
        image_frame(image, restless, moves++ % 3, 1, true);
}

/* All its calls are new and none is like another. */
static void a_deep_stack_that_never_rests_is_read(void **state) {
    (void)state;
    enum { CALLS = 30 };
    for (int start = 0; start < 16; start++) {
        tear_down(NULL);
        set_up(NULL);
        for (int i = 0; i < CALLS; i++)
            image_frame(&f.image, i, (start + i) % 8, (start / 8 + i / 8) % 4, false);
        restless = CALLS;
        image_top(&f.image, image_frame(&f.image, restless, 0, 1, true));
        f.image.before_piece = turn;
        assert_int_equal(unwind(), 0);
        assert_int_equal(f.stack.depth, CALLS + 1);
    }
}

enum { ELSEWHERE = IMAGE_BASE + 0xe000 };

/* Frame 1 is in another part of memory, as a generator's. */
static void put_elsewhere(struct image *image) {
    const struct layout *layout = &image->process.layout;
    uint64_t frame = IMAGE_FRAMES + IMAGE_FRAME_BYTES;
    memcpy(image->bytes + (ELSEWHERE - IMAGE_BASE), image->bytes + (frame - IMAGE_BASE),
           IMAGE_FRAME_BYTES);
    image_set64(image, frame + IMAGE_FRAME_BYTES + layout->frame_previous, ELSEWHERE);
}

static void a_generator_that_never_rests_is_read(void **state) {
    (void)state;
    three_calls(4);
    put_elsewhere(&f.image);
    restless = 3;
    f.image.before_piece = turn;
    assert_int_equal(unwind(), 0);
    assert_int_equal(f.stack.depth, 4);
    assert_int_equal(f.stack.frames[2].address, ELSEWHERE);
}

static bool between; /* the first copy and the second */

enum { CALM = 2 * UNWIND_SEEN_APART };

/* After a while, at every second read the thread is in another function just while the main part is copied. */
static void leave_and_come_back(struct image *image, uint64_t address) {
    if (address == IMAGE_THREAD + image->process.layout.thread_interp) {
        moves++;
        between = false;
    } else if (address >= ELSEWHERE) {
        between = !between; /* the main part comes between its two copies */
    }
    bool left = between && moves > CALM && moves % 2;
    image_frame(image, 0, left ? 4 : 0, 2, false);
    put_elsewhere(image);
}

static void a_generator_is_not_called_by_others(void **state) {
    (void)state;
    three_calls(3);
    put_elsewhere(&f.image);
    f.image.before_piece = leave_and_come_back;
    moves = 0;
    for (int i = 0; i < 1000; i++)
        if (unwind() == 0)
            assert_int_equal(f.stack.frames[2].code_address, image_code_at(0));
    assert_true(f.unwinder.counts.stacks > 900);
}

/* Another code object at the same address is noticed at the next tick. */
static void a_replaced_code_object_is_noticed(void **state) {
    (void)state;
    three_calls(2);
    assert_int_equal(unwind(), 0);
    uint64_t id = f.stack.frames[0].code_id;
    uint64_t name = image_get64(&f.image, image_code_at(1) + f.image.process.layout.code_qualname);
    memcpy(f.image.bytes + (name - IMAGE_BASE) + f.image.process.layout.str_ascii_data, "replaced0",
           9);
    unwinder_tick(&f.unwinder);
    assert_int_equal(unwind(), 0);
    assert_string_equal(f.stack.frames[0].code->name, "replaced0");
    assert_int_not_equal(f.stack.frames[0].code_id, id);
    assert_int_equal(f.unwinder.codes.changed, 1);
}

/* From 3.12 on each has a number of its own (co_version), six ints behind its first line. */
static void a_code_object_with_another_number_is_another(void **state) {
    (void)state;
    uint64_t number = image_code_at(1) + f.image.process.layout.code_first_line + 24;
    three_calls(2);
    for (uint32_t i = 1; i <= 3; i++) {
        image_set32(&f.image, number, i);
        unwinder_tick(&f.unwinder);
        assert_int_equal(unwind(), 0);
        assert_int_equal(f.unwinder.codes.changed, i - 1);
        uint64_t id = f.stack.frames[0].code_id;
        unwinder_tick(&f.unwinder);
        assert_int_equal(unwind(), 0);
        assert_int_equal(f.stack.frames[0].code_id, id);
    }
}

/* A runtime that says where it keeps things may say anything. */
static void a_gil_with_fields_far_apart_is_not_glanced_at(void **state) {
    (void)state;
    struct glance glance;
    struct process *process = &f.image.process;
    struct interpreter interpreter = {.address = IMAGE_INTERP, .gil = IMAGE_RUNTIME};
    assert_true(glance_begin(&glance, process, &interpreter, false));
    uint32_t holder = process->layout.gil_holder;
    const uint32_t far[] = {holder + GIL_WINDOW, UINT32_MAX - 1, UINT32_MAX - 8};
    for (size_t i = 0; i < sizeof far / sizeof *far; i++) {
        process->layout.gil_locked = far[i];
        assert_false(glance_begin(&glance, process, &interpreter, true));
    }
}

/* A free-threaded Python, which may switch its GIL on: 3.13 and later. */
static void a_gil_may_be_switched_off(void **state) {
    (void)state;
    struct thread_list list = {0};
    struct process *process = &f.image.process;
    const uint64_t gil = IMAGE_INTERP + 0x1000;
    image_set64(&f.image, IMAGE_INTERP + process->layout.interp_gil, gil);
    process->layout.gil_enabled = process->layout.gil_holder + 8;
    for (uint64_t enabled = 0; enabled < 2; enabled++) {
        image_set64(&f.image, gil + process->layout.gil_enabled, enabled);
        assert_int_equal(process_threads(process, &list), 0);
        assert_int_equal(thread_list_without_gil(&list), !enabled);
    }
    thread_list_free(&list);
    assert_false(thread_list_without_gil(&list)); /* nothing was read yet */
}

static void the_threads_are_listed(void **state) {
    (void)state;
    struct thread_list list = {0};
    assert_int_equal(process_threads(&f.image.process, &list), 0);
    assert_int_equal(list.count, 1);
    assert_int_equal(list.interpreters_count, 1);
    assert_int_equal(list.threads[0].address, IMAGE_THREAD);
    assert_int_equal(list.threads[0].tid, f.image.process.memory.pid);
    /* A circle of threads ends. */
    image_set64(&f.image, IMAGE_THREAD + f.image.process.layout.thread_next, IMAGE_THREAD);
    assert_int_equal(process_threads(&f.image.process, &list), MAREY_ETORN);
    assert_int_equal(list.count, 0);
    thread_list_free(&list);
}

/* Python 3.11 gives it the numbers of the thread that starts it, until it runs. */
static void a_thread_that_is_being_started_is_not_its_starter(void **state) {
    (void)state;
    enum { STARTED = IMAGE_THREAD + 0x400 };
    const struct layout *layout = &f.image.process.layout;
    struct thread_list list = {0};
    memcpy(f.image.bytes + (STARTED - IMAGE_BASE), f.image.bytes + (IMAGE_THREAD - IMAGE_BASE),
           0x400);
    image_set64(&f.image, IMAGE_THREAD + layout->thread_id, 4711);
    image_set64(&f.image, STARTED + layout->thread_id, 4711);
    image_set64(&f.image, STARTED + layout->thread_next, IMAGE_THREAD);
    image_set64(&f.image, IMAGE_INTERP + layout->interp_threads, STARTED);
    assert_int_equal(process_threads(&f.image.process, &list), 0);
    assert_int_equal(list.count, 2);
    assert_int_equal(list.threads[0].tid, 0);
    assert_int_equal(list.threads[1].tid, f.image.process.memory.pid);
    image_set64(&f.image, STARTED + layout->thread_id, 4712);
    assert_int_equal(process_threads(&f.image.process, &list), 0);
    assert_int_equal(list.threads[0].tid, f.image.process.memory.pid);
    thread_list_free(&list);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_stack_has_names_and_lines),
        TEST(the_same_stack_is_told),
        TEST(what_has_not_moved_is_still),
        TEST(what_cannot_be_read_is_not_still),
        TEST(a_known_stack_takes_one_read),
        TEST(after_a_pause_the_frames_are_copied_once_more),
        TEST(a_thread_without_python_has_no_frames),
        TEST(a_thread_that_ended_is_an_error),
        TEST(an_instruction_outside_its_code_is_torn),
        TEST(a_circle_is_torn),
        TEST(a_chain_that_ends_without_a_shim_is_torn),
        TEST(a_frame_of_an_unknown_owner_is_torn),
        TEST(pointers_to_nowhere_are_torn),
        TEST(what_has_returned_is_not_on_top),
        TEST(marks_tell_what_runs),
        TEST(another_loop_says_what_is_on_top),
        TEST(a_greenlet_has_frames_of_its_own),
        TEST(without_marks_the_thread_is_asked),
        TEST(unusual_marks_have_to_stand_still),
        TEST(what_returns_does_not_call),
        TEST(mistakes_are_not_learned),
        TEST(stacks_that_alternate_do_not_mix),
        TEST(what_was_a_shim_is_not_the_end),
        TEST(loops_that_take_turns_are_read),
        TEST(a_thread_that_leaves_python_has_no_frames),
        TEST(a_deep_stack_that_never_rests_is_read),
        TEST(a_generator_that_never_rests_is_read),
        TEST(a_generator_is_not_called_by_others),
        TEST(a_replaced_code_object_is_noticed),
        TEST(a_code_object_with_another_number_is_another),
        TEST(a_gil_with_fields_far_apart_is_not_glanced_at),
        TEST(a_gil_may_be_switched_off),
        TEST(the_threads_are_listed),
        TEST(a_thread_that_is_being_started_is_not_its_starter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
