"""What the sampler says about programs of which everything is known."""

import os
import pathlib
import signal
import subprocess
import time

import pytest
import stack_oracle

SECONDS = 2
HZ = 1000
SHARES = {"seventy": 0.7, "twenty": 0.2, "ten": 0.1}
WITHIN = 0.06  # five standard deviations of 0.7 seen 2,000 times
ENOPROCESS, ENOTPYTHON, ENOGIL = -15, -18, -23


def assert_shares(seen):
    for name, share in SHARES.items():
        assert seen.share(name) == pytest.approx(share, abs=seen.within(share, WITHIN))


def sample_until(sample, enough, *arguments):
    """What is seen at last, of several times where a busy machine did not let the program do it."""
    for _ in range(5):
        seen = sample(*arguments)
        if enough(seen):
            break
    return seen


def test_shares_of_one_thread(run, sample, has_gil):
    seen = sample(run("shares.py").pid, SECONDS, HZ)
    assert_shares(seen)
    assert sum(s.count for s in seen.samples) == seen.counts["samples"]
    assert seen.all_ticks_are_told(HZ)
    # what ticks were missed for is part of the next sample: all time is accounted for
    passed = (seen.counts["ticks"] + seen.counts["missed"]) * 1e9 / HZ
    assert seen.wall_ns() == pytest.approx(passed, rel=0.02)
    held = seen.wall_ns() if has_gil else 0
    assert sum(s.gil_ns for s in seen.samples) == pytest.approx(held, rel=0.02)
    assert all(s.cpu_ns <= s.wall_ns for s in seen.samples)


def test_shares_of_many_threads(run, sample, has_gil):
    def all_are_there(seen):
        return len({s.tid for s in seen.samples}) == 8

    seen = sample_until(sample, all_are_there, run("shares.py", 8).pid, SECONDS, HZ)
    assert_shares(seen)
    assert all_are_there(seen)
    # one thread at a time has the GIL, and most of the others wait for it
    held = sum(s.gil_ns for s in seen.samples)
    waited = sum(s.gil_wait_ns for s in seen.samples)
    if not has_gil:
        assert held == waited == 0
        return
    # who is told that it may have it waits for a processor first, where others are busy
    assert 0.5 * seen.lasted_ns < held < 1.05 * seen.lasted_ns
    assert waited > held


def written_after(path, when):
    """The numbers in a file whose first one is the time when they were written."""
    end = time.monotonic() + 60
    while True:
        text = path.read_text() if path.exists() else ""  # the program may not have begun
        written, *numbers = [float(number) for number in text.split()] or [0.0]
        if written >= when or time.monotonic() > end:
            return numbers
        time.sleep(0.01)


@pytest.mark.parametrize("hz", [1000, 500, 333])
def test_a_program_with_the_period_of_the_sampler(interpreter, run, sample, tmp_path, hz):
    if interpreter[0] == "chroot":
        pytest.skip("the file is not in that root")
    spent = tmp_path / "spent"
    running = run("periodic.py", spent)
    before = written_after(spent, time.monotonic())
    seen = sample(running.pid, SECONDS, hz)
    after = written_after(spent, time.monotonic())
    took = [b - a for a, b in zip(before, after)]
    for name, seconds in zip(SHARES, took):
        share = seconds / sum(took)
        within = max(WITHIN, 0.02 + 5 * seen.deviation(share, hz))
        assert seen.share(name) == pytest.approx(share, abs=within)


def test_samples_that_are_alike_are_one(run, sample):
    seen = sample(run("shares.py").pid, SECONDS, 10_000, "functions")
    assert {frame.line for s in seen.samples for frame in s.frames} == {0}
    assert len(seen.samples) < seen.counts["samples"]
    longest = max(s.wall_ns for s in seen.samples)
    assert longest < 300e6  # a run is handed over after 100 ms


def test_functions_have_one_number(run, sample):
    seen = sample(run("shares.py").pid, SECONDS, HZ)
    frames = {(f.function, f.name, f.file, f.first_line) for s in seen.samples for f in s.frames}
    assert len({number for number, *_ in frames}) == len(frames)
    assert len({tuple(names) for _, *names in frames}) == len(frames)


def test_only_legal_stacks_with_true_lines(run, sample):
    running = run("recursion.py")
    seen = sample(running.pid, SECONDS, 20_000)
    program = stack_oracle.Program(pathlib.Path(__file__).parent / "programs/recursion.py")
    program.path = str(running.seen_path)
    wrong = 0
    for s in seen.samples:
        frames = [stack_oracle.Frame(n, f.file, f.line) for n, f in zip(s.names, s.frames)]
        wrong += bool(program.complaint(frames))
    assert wrong <= 0.0005 * seen.counts["samples"]
    assert {"fib", "even", "odd"} <= {name for s in seen.samples for name in s.names}


STATES = ("sleeper", "locked_out", "computer", "hasher")


def of_work(seen, name):
    """Samples of the thread that runs this function (threads have no names before 3.14)."""
    return [s for s in seen.samples if name in s.names]


def test_threads_that_sleep_are_passed_over(run, sample, has_gil):
    seen = sample(run("states.py").pid, SECONDS, HZ)
    lasted = seen.lasted_ns
    wall = {name: sum(s.wall_ns for s in of_work(seen, name)) / lasted for name in STATES}
    # who is woken waits for a processor, and does not sleep then
    assert wall["sleeper"] < 0.4 and wall["locked_out"] < 0.05
    assert wall["computer"] > 0.9 and wall["hasher"] > 0.9
    if has_gil:
        assert sum(s.gil_ns for s in of_work(seen, "computer")) > 0.5 * lasted
        assert sum(s.gil_ns for s in of_work(seen, "hasher")) < 0.5 * lasted


def test_all_threads(run, sample):
    seen = sample(run("states.py").pid, SECONDS, HZ, "idle")
    for name in STATES:
        assert sum(s.wall_ns for s in of_work(seen, name)) > 0.9 * seen.lasted_ns
    assert sum(s.cpu_ns for s in of_work(seen, "sleeper")) < 0.05 * 1e9


@pytest.mark.parametrize(("hz", "busy"), [(100, 0), (1000, 0), (100, 10)])
def test_each_thread_has_a_sample_at_each_tick(run, sample, has_gil, hz, busy):
    seen = sample(run("sleepers.py", busy).pid, SECONDS, hz, "idle")
    counts, interval = seen.counts, 1e9 / hz
    threads = {s.tid: [] for s in seen.samples}
    for s in seen.samples:
        threads[s.tid].append(s)
    assert len(threads) == 21 + busy
    passed = (counts["ticks"] + counts["missed"]) * interval
    for samples in threads.values():
        taken = sum(s.count for s in samples)
        assert counts["ticks"] - counts["torn"] <= taken <= counts["ticks"]
        if taken == counts["ticks"]:  # what is given up is part of the next one
            assert sum(s.wall_ns for s in samples) == pytest.approx(passed, abs=interval)
    assert counts["torn"] < 0.01 * counts["samples"]
    assert seen.all_ticks_are_told(hz)
    if busy:
        waited = sum(s.gil_wait_ns for s in seen.having("computes"))
        assert waited == pytest.approx((busy - 1) * passed if has_gil else 0, rel=0.2)
        return
    # the same function sleeps at the same place of the stack, called from two lines
    lines = {}
    for s in seen.having("here_and_there"):
        line = next(f.line for f in s.frames if f.name == "here_and_there")
        lines[line] = lines.get(line, 0) + s.wall_ns
    # each is over the later the longer a busy machine takes to wake who slept
    assert 0.52 < max(lines.values()) / sum(lines.values()) < 0.7 + WITHIN


def test_holders_of_the_gil_alone(run, sample, has_gil):
    seen = sample(run("states.py").pid, SECONDS, HZ, "gil")
    if not has_gil:
        assert (seen.counts["error"], seen.samples) == (ENOGIL, [])
        return
    assert sum(s.wall_ns for s in of_work(seen, "computer")) > 0.6 * SECONDS * 1e9
    assert all(s.gil_ns == s.wall_ns for s in seen.samples)


def test_threads_on_a_cpu_alone(run, sample):
    seen = sample(run("states.py").pid, SECONDS, HZ, "cpu")
    assert {"computer", "hasher"} <= {name for s in seen.samples for name in s.names}
    assert sum(s.wall_ns for s in of_work(seen, "sleeper")) < 0.2 * 1e9


def test_native_code_is_marked(run, sample, has_gil):
    seen = sample(run("states.py").pid, SECONDS, HZ, "native", "idle")
    for name in ("sleeper", "locked_out"):
        samples = of_work(seen, name)
        marked = sum(s.wall_ns for s in samples if s.frames[-1].kind == 1)
        assert marked > 0.7 * sum(s.wall_ns for s in samples)
    if has_gil:  # that it runs without one tells that it is in native code
        assert any(s.frames[-1].kind == 1 for s in of_work(seen, "hasher"))


def test_children_and_theirs(run, sample):
    running = run("family.py")
    seen = sample(running.pid, 20, HZ, "children")
    work = ("forked", "grandchild", "start_again", "after_exec", "by_shell")
    for name in work:
        assert 0.1e9 < seen.wall_ns(name) < 0.8e9, name  # 0.5 s; a busy machine starts it late
    pids = {name: {s.pid for s in seen.having(name)} for name in work}
    assert all(len(of_name) == 1 for of_name in pids.values())
    assert pids["start_again"] == pids["after_exec"]
    assert len(set.union(*pids.values())) == 4
    told = [p for p in seen.processes if p.pid in pids["after_exec"]]
    assert [p.command[-1] for p in told][-1] == "after_exec"  # told again when it has exec'd
    assert {p.pid for p in seen.processes} == set(seen.ended)
    assert seen.counts["processes"] == 0


def test_children_are_left_alone_if_not_wanted(run, sample):
    running = run("family.py")
    seen = sample(running.pid, 20, HZ)
    assert {p.pid for p in seen.processes} == {running.pid}


def test_a_program_that_is_about_to_exec(interpreter, sample, tmp_path):
    script = tmp_path / "spin.py"
    script.write_text("def spin():\n    for i in range(20_000_000): pass\nspin()\n")
    if interpreter[0] == "chroot":
        pytest.skip("the script is not in that root")
    with subprocess.Popen(["sh", "-c", f"sleep 0.5; exec {interpreter[0]} {script}"]) as shell:
        seen = sample(shell.pid, 20, HZ, "wait")
        shell.wait()
    assert seen.wall_ns("spin") > 0.1e9
    assert len(seen.processes) == 1


def test_a_program_without_python(sample):
    with subprocess.Popen(["sleep", "60"]) as sleep:
        try:
            seen = sample(sleep.pid, 1, HZ)
            assert seen.counts["error"] == ENOTPYTHON
            sampler = sample.start(sleep.pid, 20, HZ, "wait")
            time.sleep(0.5)
        finally:
            sleep.kill()
        seen = sampler.result()
    assert (seen.counts["error"], seen.samples) == (0, []) or seen.counts["error"] == ENOPROCESS
    assert seen.counts["cpu_ns"] < 0.1e9  # waiting costs nothing


def test_no_such_process(sample):
    assert sample(4_000_000, 1, HZ).counts["error"] == ENOPROCESS


def test_a_process_that_is_killed(run, sample):
    running = run("shares.py", 4)
    sampler = sample.start(running.pid, 20, HZ)
    time.sleep(1)
    running.stop()
    seen = sampler.result()
    assert seen.ended == [running.pid]
    assert seen.counts["wall_ns"] < 5e9
    assert seen.samples


def test_a_sampler_that_is_stopped(run, sample):
    running = run("shares.py")
    sampler = sample.start(running.pid, 20, 0.2)  # it sleeps for seconds
    time.sleep(0.5)
    start = time.monotonic()
    sampler.stop()
    assert sampler.result().status == 0
    assert time.monotonic() - start < 1


def test_a_process_that_is_stopped_and_goes_on(run, sample):
    running = run("shares.py")
    sampler = sample.start(running.pid, 3, HZ)
    time.sleep(0.7)
    os.kill(running.pid, signal.SIGSTOP)
    time.sleep(1)
    os.kill(running.pid, signal.SIGCONT)
    seen = sampler.result()
    on_cpu = sum(s.cpu_ns for s in seen.samples)
    assert on_cpu < 2.3e9
    assert running.process.poll() is None


def test_two_samplers_of_one_process(run, sample):
    running = run("shares.py")
    samplers = [sample.start(running.pid, SECONDS, HZ) for _ in range(2)]
    for sampler in samplers:
        assert_shares(sampler.result())


@pytest.mark.parametrize("what", ["threads", "processes"])
def test_what_comes_and_goes(run, sample, what):
    def those_who_go_are_seen(seen):
        return bool(seen.having("short")) or what == "processes"

    running = run("churn.py", what)
    wanted = (running.pid, SECONDS, HZ, "children", "idle")
    seen = sample_until(sample, those_who_go_are_seen, *wanted)
    assert seen.status == 0
    assert seen.having(what)
    assert those_who_go_are_seen(seen)
    assert running.process.poll() is None
    assert seen.counts["torn"] < 0.1 * seen.counts["samples"]


def test_tasks(run, sample):
    seen = sample(run("server.py").pid, SECONDS, HZ, "tasks")
    names = {number: name for (_, number), name in seen.tasks.items()}
    by_name = {}
    for s in seen.samples:
        if s.task:
            assert (s.frames[0].name, s.frames[0].kind) == ("<task>", 3)
            by_name.setdefault(names[s.task], []).append(s)
    assert {f"waits-{i}" for i in range(20)} <= by_name.keys()
    assert by_name["waits-3"][-1].names[1:3] == ["waiting", "inner"]
    assert sum(s.wall_ns for s in by_name["waits-3"]) > 0.5 * seen.lasted_ns
    computed = [s for s in by_name["computes"] if "compute" in s.names]
    assert sum(s.wall_ns for s in computed) > 0.3 * seen.lasted_ns
    assert all(s.names[1] == "computing" for s in computed)  # nothing of the loop
