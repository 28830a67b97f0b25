"""The asyncio tasks of a program: which there are, what each awaits, and who awaits it."""

import pathlib
import re
import subprocess
import time

import pytest

PROGRAMS = pathlib.Path(__file__).parent / "programs"
READY_SECONDS = 30


class Tasks:
    def __init__(self, text):
        lines = text.splitlines()
        self.list = []
        for line in lines:
            if line.startswith("T "):
                name, state, awaiters, chain = line[2:].split("\t")
                frames = [
                    re.fullmatch(r"(.*)@(.*):(-?\d+)", f).groups() for f in chain.split(";") if f
                ]
                self.list.append((name, state, awaiters, frames))
        self.by_name = {task[0]: task for task in self.list}
        self.count, self.torn, self.fastest_us = (int(n) for n in lines[-1].split()[1:])

    def state(self, name):
        return self.by_name[name][1]

    def awaited_by(self, name):
        return set(self.by_name[name][2].split(",")) - {""}

    def chain(self, name):
        """Without the classes that names have from 3.11 on, and without what is in asyncio."""
        return [f[0].split(".")[-1] for f in self.by_name[name][3] if "/asyncio/" not in f[1]]


# When a program has come so far that there is something to see, however busy the machine is.
READY = {
    "tasks.py": lambda seen: "runs" in seen.by_name and seen.state("runs") == "running",
    "tasks_moving.py": lambda seen: seen.count > 50,
    "recursion.py": lambda seen: True,
}


@pytest.fixture
def tasks(build, run):
    def read_once(pid, rounds):
        done = subprocess.run(
            [str(build / "tasks"), str(pid), str(rounds)],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.stderr == ""
        return Tasks(done.stdout) if done.returncode == 0 else None

    def read(name, rounds=1):
        running = run(name)
        deadline = time.monotonic() + READY_SECONDS
        seen = read_once(running.pid, 1)
        while not (seen and READY[name](seen)) and time.monotonic() < deadline:
            time.sleep(0.1)
            seen = read_once(running.pid, 1)
        seen = read_once(running.pid, rounds)
        assert seen
        return seen

    return read


def test_each_way_of_waiting(tasks):
    seen = tasks("tasks.py", 3)
    chains = {
        "Task-1": ["main"],
        "sleeper": ["sleeper"],
        "derived": ["sleeper"],
        "written": ["sleeper"],
        "näme": ["sleeper"],
        "gathers": ["gathers"],
        "child-1": ["gathered", "leaf"],
        "child-2": ["gathered", "leaf"],
        "awaits-task": ["awaits_task"],
        "awaited": ["leaf"],
        "iterates": ["iterates", "numbers", "leaf"],
        "takes": ["takes"],
        "awaits-object": ["awaits_object", "__await__", "leaf"],
        "awaits-old-style": ["awaits_old_style", "old_style"],
        "in-thread": ["in_thread"],
    }
    assert {name: seen.chain(name) for name in chains} == chains
    assert {seen.state(name) for name in chains} == {"waiting"}
    assert seen.torn == 0


def test_the_line_is_the_one_that_waits(tasks):
    seen = tasks("tasks.py")
    text = (PROGRAMS / "tasks.py").read_text().splitlines()
    frames = [frame for frame in seen.by_name["iterates"][3] if frame[1].endswith("tasks.py")]
    lines = [text[int(line) - 1].strip() for _, file, line in frames if "/asyncio/" not in file]
    assert lines == ["async for _ in numbers(event):", "await leaf(event)", "await event.wait()"]


def test_what_runs_has_its_part_of_the_threads_stack(tasks):
    seen = tasks("tasks.py")
    assert seen.state("runs") == "running"
    assert seen.chain("runs") == ["runs", "spin"]
    assert [state for _, state, _, _ in seen.list].count("running") == 1


def test_who_awaits_whom(tasks):
    seen = tasks("tasks.py")
    assert seen.awaited_by("child-1") == seen.awaited_by("child-2") == {"gathers"}
    assert seen.awaited_by("awaited") == {"awaits-task"}
    assert seen.awaited_by("sleeper") == {"Task-1"}
    assert seen.awaited_by("Task-1") == set()


def test_members_of_a_group_are_awaited_by_it(tasks, interpreter):
    ask = "import sys; print(sys.version_info[1])"
    minor = subprocess.run(
        [*interpreter, "-c", ask], capture_output=True, text=True, check=True
    ).stdout
    if int(minor) < 14:
        pytest.skip("before 3.14 a task does not know that a group waits for it")
    assert tasks("tasks.py").awaited_by("member") == {"grouped"}


def test_chains_of_tasks_that_move_do_not_mix(tasks):
    legal = {(), ("main",), ("starter",), ("short",), ("worker",)}
    for kind in "ab":
        legal |= {("worker", f"middle_{kind}"), ("worker", f"middle_{kind}", f"leaf_{kind}")}
    met = set()
    seen = tasks("tasks_moving.py", 200)
    for name, state, _, frames in seen.list:
        chain = tuple(f[0] for f in frames if "/asyncio/" not in f[1])
        assert state == "running" or chain in legal, (name, state, frames)
        met.add(chain)
    print(f"{len(seen.list)} tasks, {seen.torn} torn")
    assert seen.torn < 0.2 * len(seen.list)  # tasks that ended after they were listed
    assert 50 <= seen.count <= 75
    assert ("worker", "middle_a", "leaf_a") in met
    assert ("worker", "middle_b", "leaf_b") in met


def test_a_program_without_tasks(tasks):
    seen = tasks("recursion.py")
    assert (seen.list, seen.torn) == ([], 0)
