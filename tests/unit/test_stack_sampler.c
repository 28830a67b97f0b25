/* The sampler: its schedule, what it keeps, how it finds children, and the whole of it on real programs. Those that need
 * a Python run the python3 that is on the path; without one they are passed over. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "marey.h"
#include "stack/children.h"
#include "stack/functions.h"
#include "stack/run.h"
#include "stack/sampler.h"
#include "stack/schedule.h"
#include "stack/stops.h"
#include "stack/thread_look.h"

static void sleep_ms(long ms) {
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

/* ---- the schedule */

enum { INTERVAL_NS = 1000 };

static void each_interval_has_one_deadline(void **state) {
    (void)state;
    struct schedule schedule;
    struct schedule_tick tick;
    uint64_t quarters[4] = {0}, ticks = 0;
    schedule_init(&schedule, INTERVAL_NS);
    schedule_begin(&schedule, 0);
    for (uint64_t now = 0; now < 4000 * INTERVAL_NS; now += 10)
        if (schedule_due(&schedule, now, &tick)) {
            assert_int_equal(now / INTERVAL_NS - (tick.late_ns > now % INTERVAL_NS), ticks);
            assert_int_equal(tick.stands_for_ns, INTERVAL_NS);
            assert_int_equal(tick.missed, 0);
            assert_true(tick.late_ns < 20);
            quarters[now % INTERVAL_NS / 250]++;
            ticks++;
        }
    assert_in_range(ticks, 3999, 4000);
    for (int i = 0; i < 4; i++) /* anywhere in the interval: 1000 and five standard deviations */
        assert_in_range(quarters[i], 860, 1140);
}

static void what_is_late_is_missed_and_stood_for(void **state) {
    (void)state;
    struct schedule schedule;
    struct schedule_tick tick;
    schedule_init(&schedule, INTERVAL_NS);
    schedule_begin(&schedule, 0);
    assert_true(schedule_due(&schedule, 10 * INTERVAL_NS + 500, &tick));
    assert_int_equal(tick.missed, 0); /* the first one, which is late */
    assert_true(tick.late_ns > 9 * INTERVAL_NS);
    uint64_t now = 11 * INTERVAL_NS, stood_for = tick.stands_for_ns, missed = 0, ticks = 1;
    for (; now < 20 * INTERVAL_NS; now++) /* each moment: the last deadline may be at the end */
        if (schedule_due(&schedule, now, &tick)) {
            stood_for += tick.stands_for_ns;
            missed += tick.missed;
            ticks++;
        }
    assert_in_range(missed, 9, 10);
    assert_int_equal(ticks + missed, 20);
    assert_int_equal(stood_for, 20 * INTERVAL_NS);
}

static void without_interval_each_moment_is_due(void **state) {
    (void)state;
    struct schedule schedule;
    struct schedule_tick tick;
    schedule_init(&schedule, 0);
    schedule_begin(&schedule, 100);
    assert_true(schedule_due(&schedule, 150, &tick));
    assert_int_equal(tick.stands_for_ns, 50);
    assert_true(schedule_due(&schedule, 170, &tick));
    assert_int_equal(tick.stands_for_ns, 20);
}

static void *stop_soon(void *schedule) {
    sleep_ms(50);
    schedule_stop(schedule);
    return NULL;
}

static void another_thread_ends_a_sleep(void **state) {
    (void)state;
    struct schedule schedule;
    pthread_t thread;
    schedule_init(&schedule, UINT64_C(10000000000));
    uint64_t start = schedule_now_ns();
    schedule_begin(&schedule, start);
    schedule.deadline_ns = start + UINT64_C(9000000000);
    pthread_create(&thread, NULL, stop_soon, &schedule);
    while (!atomic_load(&schedule.stopped))
        schedule_sleep(&schedule, schedule_now_ns(), start + UINT64_C(9000000000));
    pthread_join(thread, NULL);
    assert_true(schedule_now_ns() - start < UINT64_C(5000000000));
}

static void a_new_interval_holds_from_the_next_tick_on(void **state) {
    (void)state;
    struct schedule schedule;
    struct schedule_tick tick;
    schedule_init(&schedule, UINT64_C(10000000000));
    schedule_begin(&schedule, 0);
    schedule_set_interval(&schedule, INTERVAL_NS);
    assert_false(schedule_due(&schedule, 0, &tick) && tick.stands_for_ns != INTERVAL_NS);
    assert_true(schedule_due(&schedule, 2 * INTERVAL_NS, &tick));
}

/* ---- functions and runs */

static void functions_are_told_apart_by_all(void **state) {
    (void)state;
    struct functions functions;
    functions_init(&functions);
    uint64_t a = functions_find(&functions, "f", "a.py", 1, SAMPLE_PYTHON)->number;
    assert_int_equal(functions_find(&functions, "f", "a.py", 1, SAMPLE_PYTHON)->number, a);
    assert_int_not_equal(functions_find(&functions, "g", "a.py", 1, SAMPLE_PYTHON)->number, a);
    assert_int_not_equal(functions_find(&functions, "f", "b.py", 1, SAMPLE_PYTHON)->number, a);
    assert_int_not_equal(functions_find(&functions, "f", "a.py", 2, SAMPLE_PYTHON)->number, a);
    assert_int_not_equal(functions_find(&functions, "f", "a.py", 1, SAMPLE_NATIVE)->number, a);
    assert_string_equal(functions_get(&functions, a)->name, "f");
    functions_fini(&functions);
}

static void numbers_of_functions_are_not_given_again(void **state) {
    (void)state;
    struct functions functions;
    char name[32];
    functions_init(&functions);
    for (int i = 0; !functions_full(&functions); i++) {
        snprintf(name, sizeof name, "f%d", i);
        assert_int_equal(functions_find(&functions, name, "a.py", 1, SAMPLE_PYTHON)->number, i + 1);
    }
    assert_true(functions.count <= FUNCTIONS_MAX);
    functions_clear(&functions);
    assert_null(functions_get(&functions, 1));
    assert_true(functions_find(&functions, "f0", "a.py", 1, SAMPLE_PYTHON)->number > FUNCTIONS_MAX);
    functions_fini(&functions);
}

static bool run_differs(struct run *run, struct naming *naming, struct stack *stack,
                        struct markers markers) {
    static const struct layout layout = {.lines = LINES_TABLE};
    bool differs;
    assert_int_equal(run_compare(run, naming, &layout, stack, markers, &differs), 0);
    if (differs) {
        assert_int_equal(run_begin(run, naming, stack, markers), 0);
        run->count = 1;
    }
    return differs;
}

static void a_run_is_of_one_stack_by_function_and_line(void **state) {
    (void)state;
    char name_outer[] = "outer", name_inner[] = "inner", file[] = "a.py";
    uint8_t lines[] = {4, 0, 4, 1}; /* 3.10: bytes 0 to 3 are line 10, 4 to 7 line 11 */
    struct code outer = {.id = 1,
                         .name = name_outer,
                         .file = file,
                         .lines = lines,
                         .lines_bytes = sizeof lines,
                         .identity = {.first_line = 10}};
    struct code inner = outer;
    inner.id = 2;
    inner.name = name_inner;
    struct frame frames[] = {{.code = &inner, .code_id = 2, .index = 0},
                             {.code = &outer, .code_id = 1, .index = 0}};
    struct stack stack = {.frames = frames, .depth = 2};
    struct markers none = {0, 0}, native = {0, SAMPLE_NATIVE}, task = {SAMPLE_TASK, 0};
    struct naming naming;
    struct run run = {0};
    assert_int_equal(naming_init(&naming, false), 0);
    assert_true(run_differs(&run, &naming, &stack, none));
    assert_string_equal(run.frames[0].name, "outer");
    assert_string_equal(run.frames[1].name, "inner");
    assert_int_equal(run.frames[1].line, 10);
    frames[0].index = 2; /* another instruction of the same line */
    assert_false(run_differs(&run, &naming, &stack, none));
    frames[0].index = 4;
    assert_true(run_differs(&run, &naming, &stack, none));
    assert_int_equal(run.frames[1].line, 11);
    assert_true(run_differs(&run, &naming, &stack, native));
    assert_int_equal(run.frames[2].kind, SAMPLE_NATIVE);
    assert_true(run_differs(&run, &naming, &stack, task));
    assert_int_equal(run.frames[0].kind, SAMPLE_TASK);
    assert_string_equal(run.frames[2].name, "inner");
    stack.depth = 1;
    stack.frames = frames + 1;
    assert_true(run_differs(&run, &naming, &stack, none));
    assert_int_equal(run.depth, 1);
    run_fini(&run);
    naming_fini(&naming);
}

static void without_lines_a_run_goes_on(void **state) {
    (void)state;
    char name[] = "f", file[] = "a.py";
    struct code code = {.id = 1, .name = name, .file = file, .identity = {.first_line = 10}};
    struct frame frame = {.code = &code, .code_id = 1};
    struct stack stack = {.frames = &frame, .depth = 1};
    struct naming naming;
    struct run run = {0};
    assert_int_equal(naming_init(&naming, true), 0);
    assert_true(run_differs(&run, &naming, &stack, (struct markers){0, 0}));
    frame.index = 100;
    assert_false(run_differs(&run, &naming, &stack, (struct markers){0, 0}));
    assert_int_equal(run.frames[0].line, 0);
    run_fini(&run);
    naming_fini(&naming);
}

/* ---- threads */

struct worker {
    atomic_int tid, spins;
    int fd;
};

static void *spin_and_wait(void *context) {
    struct worker *worker = context;
    char byte;
    atomic_store(&worker->tid, (int)syscall(SYS_gettid));
    while (atomic_load(&worker->spins))
        continue;
    return read(worker->fd, &byte, 1) == 1 ? worker : NULL;
}

/* Soon, as the machine allows. */
static bool comes_to(enum thread_doing doing, struct thread_look *look,
                     struct thread_files *files) {
    uint64_t futex;
    for (int i = 0; i < 2000; i++) {
        if (thread_look_state(look, files, &futex) == doing)
            return futex == 0;
        sleep_ms(10);
    }
    return false;
}

static void a_thread_runs_or_sleeps_or_is_gone(void **state) {
    (void)state;
    struct thread_files files;
    struct thread_look look;
    struct worker worker = {0, 1, 0};
    int ends[2];
    uint64_t futex, cpu_ns = 0;
    pthread_t thread;
    thread_files_init(&files);
    int left = files.left;
    assert_int_equal(pipe(ends), 0);
    worker.fd = ends[0];
    pthread_create(&thread, NULL, spin_and_wait, &worker);
    while (!atomic_load(&worker.tid))
        sleep_ms(1);
    thread_look_init(&look, getpid(), atomic_load(&worker.tid));
    assert_int_equal(thread_look_state(&look, &files, &futex), THREAD_RUNS);
    sleep_ms(100);
    if (thread_look_cpu_ns(&look, &files, &cpu_ns))
        assert_true(cpu_ns > 0);
    uint64_t ran_ns = thread_look_ran_ns(&look);
    assert_true(ran_ns > 0);
    atomic_store(&worker.spins, 0);
    assert_true(comes_to(THREAD_SLEEPS, &look, &files));
    assert_true(thread_look_ran_ns(&look) > ran_ns);
    ran_ns = thread_look_ran_ns(&look);
    sleep_ms(1);
    assert_true(thread_look_ran_ns(&look) == ran_ns);
    assert_int_equal(write(ends[1], "x", 1), 1);
    pthread_join(thread, NULL);
    assert_true(comes_to(THREAD_GONE, &look, &files));
    assert_true(thread_look_ran_ns(&look) == 0);
    thread_look_fini(&look, &files);
    assert_int_equal(files.left, left);
    thread_look_init(&look, getppid(), getppid());
    assert_true(thread_look_ran_ns(&look) == 0); /* another process's */
    close(ends[0]);
    close(ends[1]);
}

/* ---- children */

struct family {
    pid_t list[64];
    int count;
};

static bool family_has(void *context, pid_t pid) {
    struct family *family = context;
    for (int i = 0; i < family->count; i++)
        if (family->list[i] == pid)
            return true;
    return false;
}

static void family_add(void *context, pid_t pid, pid_t parent) {
    struct family *family = context;
    assert_true(family_has(family, parent));
    if (family->count < 64)
        family->list[family->count++] = pid;
}

static pid_t family_member(void *context, int i) {
    struct family *family = context;
    return i < family->count ? family->list[i] : 0;
}

static pid_t start_child(void) {
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        pause();
        _exit(0);
    }
    return pid;
}

static void end_child(pid_t pid) {
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static void children_are_found_by_number_and_by_list(void **state) {
    (void)state;
    struct family known = {{getpid()}, 1};
    struct children_family family = {&known, family_has, family_add, family_member};
    struct children children;
    pid_t before = start_child();
    children_init(&children);
    children_look(&children, &family, schedule_now_ns());
    assert_true(family_has(&known, before));
    pid_t after = start_child();
    for (int i = 0; i < 20 && !family_has(&known, after);
         i++) { /* sooner than the lists are read */
        sleep_ms(6);
        children_look(&children, &family, schedule_now_ns());
    }
    assert_true(family_has(&known, after));
    assert_int_equal(known.count, 3);
    children_fini(&children);
    end_child(before);
    end_child(after);
}

/* ---- the whole */

struct seen {
    uint64_t samples, wall_ns, bad;
    int processes, ended;
};

static void take(void *context, const struct sample *sample) {
    struct seen *seen = context;
    seen->samples += sample->count;
    seen->wall_ns += sample->weights_ns[SAMPLE_WALL];
    seen->bad += !sample->depth || !sample->frames[0].name || !sample->frames[0].file ||
                 sample->weights_ns[SAMPLE_CPU] > sample->weights_ns[SAMPLE_WALL];
}

static void take_process(void *context, const struct sampled_process *process) {
    struct seen *seen = context;
    seen->processes += !process->error;
}

static void take_end(void *context, pid_t pid) {
    struct seen *seen = context;
    seen->ended += pid > 0;
}

static struct sampler *open_sampler(struct seen *seen, struct sampler_options options) {
    struct sampler_sink sink = {
        .context = seen, .take = take, .process = take_process, .process_ended = take_end};
    struct sampler *sampler;
    *seen = (struct seen){0};
    assert_int_equal(sampler_open(&sampler, &options, &sink), 0);
    return sampler;
}

static void what_is_no_option_is_refused(void **state) {
    (void)state;
    struct sampler *sampler;
    struct sampler_sink none = {0}, sink = {.take = take};
    struct sampler_options good = {.interval_ns = 1000000}, fast = {.interval_ns = 9999};
    struct sampler_options slow = {.interval_ns = UINT64_C(10000000001)};
    struct sampler_options mode = {.mode = (enum sampler_mode)7};
    assert_int_equal(sampler_open(&sampler, &good, &none), MAREY_EINVAL);
    assert_int_equal(sampler_open(&sampler, &fast, &sink), MAREY_EINVAL);
    assert_int_equal(sampler_open(&sampler, &slow, &sink), MAREY_EINVAL);
    assert_int_equal(sampler_open(&sampler, &mode, &sink), MAREY_EINVAL);
    assert_int_equal(sampler_open(&sampler, NULL, &sink), MAREY_EINVAL);
}

static void what_is_no_python_is_refused_or_waited_for(void **state) {
    (void)state;
    struct seen seen;
    struct sampler *sampler = open_sampler(&seen, (struct sampler_options){.interval_ns = 1000000});
    pid_t child = start_child();
    assert_int_equal(sampler_add(sampler, -1, true), MAREY_ENOPROCESS);
    assert_int_equal(sampler_add(sampler, child, false), MAREY_ENOTPYTHON);
    assert_int_equal(sampler_run(sampler, 0), MAREY_ENOPROCESS);
    assert_int_equal(sampler_add(sampler, child, true), 0);
    assert_int_equal(sampler_run(sampler, schedule_now_ns() + 50000000), 0);
    end_child(child);
    assert_int_equal(sampler_run(sampler, 0), MAREY_ENOPROCESS); /* its end is seen */
    assert_int_equal(seen.samples + (uint64_t)seen.processes + (uint64_t)seen.ended, 0);
    sampler_close(sampler);
}

static uint64_t ticks_and_missed(struct sampler *sampler) {
    struct sampler_counts counts;
    sampler_counts(sampler, &counts);
    return counts.ticks + counts.missed;
}

static void deadlines_go_on_between_runs(void **state) {
    (void)state;
    struct seen seen;
    struct sampler_counts counts;
    struct sampler *sampler = open_sampler(&seen, (struct sampler_options){.interval_ns = 1000000});
    pid_t child = start_child();
    assert_int_equal(sampler_add(sampler, child, true), 0);
    assert_int_equal(sampler_run(sampler, schedule_now_ns() + 5000000), 0);

    sleep_ms(100);
    sampler_stop(sampler);
    uint64_t before = ticks_and_missed(sampler);
    assert_int_equal(sampler_run(sampler, 0), 0); /* one is due, and a stop does not keep it off */
    assert_true(ticks_and_missed(sampler) > before);
    sampler_again(sampler);
    assert_int_equal(sampler_run(sampler, schedule_now_ns() + 20000000), 0);
    sampler_counts(sampler, &counts);
    assert_true(counts.missed >= 95);

    sleep_ms(100);
    sampler_leave_out(sampler);
    before = ticks_and_missed(sampler);
    uint64_t begin_ns = schedule_now_ns();
    assert_int_equal(sampler_run(sampler, begin_ns + 5000000), 0);
    uint64_t took_ns = schedule_now_ns() - begin_ns;
    assert_true(ticks_and_missed(sampler) - before <= took_ns / 1000000 + 1);
    end_child(child);
    sampler_close(sampler);
}

static void the_own_process_cannot_be_stopped(void **state) {
    (void)state;
    struct seen seen;
    struct sampler *sampler =
        open_sampler(&seen, (struct sampler_options){.interval_ns = 1000000, .blocking = true});
    assert_int_equal(sampler_add(sampler, getpid(), true), MAREY_EINVAL);
    sampler_close(sampler);
}

static const char program[] = "def work():\n"
                              "    for i in range(1000): pass\n"
                              "while True: work()\n";

/* A Python that works; 0: there is none. */
static pid_t start_python(void) {
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        execlp("python3", "python3", "-c", program, (char *)NULL);
        _exit(127);
    }
    sleep_ms(50);
    if (waitpid(pid, NULL, WNOHANG) == pid)
        return 0;
    return pid;
}

static void sample_python(struct sampler_options options, struct seen *seen) {
    struct sampler_counts counts;
    pid_t pid = start_python();
    if (!pid)
        skip();
    struct sampler *sampler = open_sampler(seen, options);
    assert_int_equal(sampler_add(sampler, pid, true), 0);
    uint64_t end_ns = schedule_now_ns() + UINT64_C(20000000000);
    do
        assert_int_equal(sampler_run(sampler, schedule_now_ns() + 200000000), 0);
    while (seen->samples < 50 && schedule_now_ns() < end_ns);
    sampler_counts(sampler, &counts);
    assert_int_equal(counts.samples, seen->samples);
    assert_int_equal(counts.processes, 1);
    assert_true(counts.ticks > 0 && counts.cpu_ns > 0);
    end_child(pid);
    assert_int_equal(sampler_run(sampler, schedule_now_ns() + UINT64_C(20000000000)),
                     MAREY_ENOPROCESS);
    sampler_close(sampler);
    assert_true(seen->samples >= 50);
    assert_int_equal(seen->bad, 0);
    assert_int_equal(seen->processes, 1);
    assert_int_equal(seen->ended, 1);
}

static void a_python_is_sampled_until_it_is_killed(void **state) {
    (void)state;
    struct seen seen;
    sample_python((struct sampler_options){.interval_ns = 1000000, .children = true}, &seen);
}

static void a_python_is_sampled_with_everything(void **state) {
    (void)state;
    struct seen seen;
    sample_python((struct sampler_options){.interval_ns = 500000,
                                           .idle = true,
                                           .functions = true,
                                           .native_marker = true,
                                           .tasks = true},
                  &seen);
}

static void a_python_is_sampled_while_it_is_stopped(void **state) {
    (void)state;
    struct seen seen;
    sample_python((struct sampler_options){.interval_ns = 2000000, .blocking = true}, &seen);
}

static void *watch(void *sampler) {
    struct sampler_counts counts;
    for (int i = 0; i < 100; i++) {
        sampler_counts(sampler, &counts);
        sampler_set_interval(sampler, i % 2 ? 1000000 : 200000);
        sleep_ms(2);
    }
    sampler_stop(sampler);
    return NULL;
}

static void other_threads_watch_and_stop_it(void **state) {
    (void)state;
    struct seen seen;
    pthread_t thread;
    pid_t pid = start_python();
    if (!pid)
        skip();
    struct sampler *sampler = open_sampler(&seen, (struct sampler_options){.interval_ns = 1000000});
    assert_int_equal(sampler_add(sampler, pid, true), 0);
    pthread_create(&thread, NULL, watch, sampler);
    assert_int_equal(sampler_run(sampler, 0), 0);
    pthread_join(thread, NULL);
    sampler_close(sampler);
    assert_int_equal(seen.ended, 0); /* it lives on */
    end_child(pid);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_interval_has_one_deadline),
        cmocka_unit_test(what_is_late_is_missed_and_stood_for),
        cmocka_unit_test(without_interval_each_moment_is_due),
        cmocka_unit_test(another_thread_ends_a_sleep),
        cmocka_unit_test(a_new_interval_holds_from_the_next_tick_on),
        cmocka_unit_test(functions_are_told_apart_by_all),
        cmocka_unit_test(numbers_of_functions_are_not_given_again),
        cmocka_unit_test(a_run_is_of_one_stack_by_function_and_line),
        cmocka_unit_test(without_lines_a_run_goes_on),
        cmocka_unit_test(a_thread_runs_or_sleeps_or_is_gone),
        cmocka_unit_test(children_are_found_by_number_and_by_list),
        cmocka_unit_test(what_is_no_option_is_refused),
        cmocka_unit_test(what_is_no_python_is_refused_or_waited_for),
        cmocka_unit_test(deadlines_go_on_between_runs),
        cmocka_unit_test(the_own_process_cannot_be_stopped),
        cmocka_unit_test(a_python_is_sampled_until_it_is_killed),
        cmocka_unit_test(a_python_is_sampled_with_everything),
        cmocka_unit_test(a_python_is_sampled_while_it_is_stopped),
        cmocka_unit_test(other_threads_watch_and_stop_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
