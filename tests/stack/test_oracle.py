"""Every stack that the unwinder hands out is one that the program can have: the oracle."""

import pathlib
import re

import pytest
import stack_oracle

PROGRAMS = pathlib.Path(__file__).parent / "programs"
ROUNDS = 20_000
READINGS_MOST = 50  # one may be over before a busy machine lets the program go on
# Of all stacks; a program that does nothing but call, on a machine that is busy with other things.
TORN_MOST = 0.02
TORN_MOST_SPREAD = 0.05  # where frames are in several places: generators


def program_as_seen(name, running):
    program = stack_oracle.Program(PROGRAMS / name)
    program.path = str(running.seen_path)
    return program


def check_counts(seen, most=TORN_MOST):
    share = seen.torn / (seen.read + seen.torn)
    print(f"{seen.version}: {seen.read} stacks, torn {share:.4%}, read again {seen.retries}")
    assert share <= most


@pytest.mark.parametrize(
    ("name", "functions"),
    [
        (
            "alternating.py",
            {"main", "branch_a", "middle_a", "leaf_a", "branch_b", "middle_b", "leaf_b", "short_c"},
        ),
        ("recursion.py", {"main", "fib", "even", "odd"}),
        ("exceptions.py", {"catch_a", "raise_a", "catch_b", "raise_b"}),
        ("returns.py", {"call_a", "leaf_a", "call_b", "leaf_b"}),
        (
            "generators.py",
            {"numbers_a", "leaf_a", "numbers_b", "leaf_b", "inner", "outer", "key_a"},
        ),
        ("deep.py", {"down", "leaf_a", "leaf_b"}),
        ("chains.py", {"main", "a_0", "b_0"}),
    ],
)
def test_only_legal_stacks(run, outside, name, functions):
    running = run(name)
    program = program_as_seen(name, running)
    names = set()
    for _ in range(READINGS_MOST):
        seen = outside(running.pid, ROUNDS if name != "deep.py" else ROUNDS // 4)
        assert not seen.error
        complaints = [program.complaint(frames) for _, _, frames in seen.stacks]
        wrong = sum(times for complaint, times in zip(complaints, seen.times) if complaint)
        print(f"{seen.version}: {wrong} of {seen.read} wrong: {set(complaints) - {None}}")
        assert wrong == 0
        check_counts(seen, TORN_MOST_SPREAD if name == "generators.py" else TORN_MOST)
        names |= seen.names
        if functions <= names:
            break
    assert functions <= names  # all that happens is seen


def test_branches_through_the_same_functions_do_not_mix(run, outside):
    seen = outside(run("shared.py").pid, ROUNDS)
    assert not seen.error
    assert {"main", "branch_a", "branch_b"} & seen.names
    for _, _, frames in seen.stacks:
        names = {frame.name for frame in frames}
        assert not {"branch_a", "leaf_b"} <= names
        assert not {"branch_b", "leaf_a"} <= names
    check_counts(seen)


def test_threads_do_not_mix(run, outside):
    running = run("threads.py")
    seen = outside(running.pid, ROUNDS)
    program = program_as_seen("threads.py", running)
    roots = {"worker-a": "thread_a", "worker-b": "thread_b", "waiter": "waiter"}
    for _, thread, frames in seen.stacks:
        own = [frame for frame in frames if frame.file == program.path]
        assert program.complaint(own, (roots.get(thread, "<module>"),)) is None
        if thread in roots:
            assert [frame.name for frame in frames[:3]] == ["_bootstrap", "_bootstrap_inner", "run"]
    assert roots.keys() <= {thread for _, thread, _ in seen.stacks}
    check_counts(seen)


def test_who_has_the_gil_and_who_waits(run, outside, has_gil):
    running = run("threads.py")
    seen = outside(running.pid, ROUNDS)
    threads = {name: str(tid) for tid, name, _ in seen.stacks}
    states = [state for state in seen.states if state[0] == threads["waiter"]]
    assert {(gil, cpu) for _, gil, cpu, _ in states} == {("-", "idle")}
    busy = [state for state in seen.states if state[0] != threads["waiter"]]
    if not has_gil:
        assert {gil for _, gil, _, _ in busy} == {"-"}
        assert "running" in {cpu for _, _, cpu, _ in busy}
        return
    assert "holds" in {gil for _, gil, _, _ in busy}
    assert ("waits", "idle") in {(gil, cpu) for _, gil, cpu, _ in busy}
    waiting = [cpu for _, gil, cpu, _ in busy if gil == "waits"]
    assert waiting.count("idle") >= 0.5 * len(waiting)  # one may have it a moment later


def test_names_that_the_program_gives_to_its_threads(run, outside):
    seen = outside(run("threads.py").pid, 1000)
    of_system = {tid: name for tid, name, _ in seen.stacks}
    named = {of_system[tid]: name for tid, name in seen.thread_names.items() if tid in of_system}
    assert named["worker-a"] == "näme of thread_a"
    assert named["worker-b"] == "näme of thread_b"
    assert named["waiter"] == "näme of waiter"
    assert "MainThread" in named.values()


def test_code_objects_that_take_each_others_place(run, outside):
    running = run("replaced.py")
    made = 0
    for _ in range(READINGS_MOST):
        seen = outside(running.pid, ROUNDS)
        for _, _, frames in seen.stacks:
            for frame in frames:
                number = re.fullmatch(r"made_(\d+)\.py", frame.file)
                if number:
                    made += 1
                    assert frame.name in (f"made_{number[1]}", "<module>")
                    assert frame.line in (0, 1, 2)
        check_counts(seen)
        if made > 10:
            break
    assert made > 10
