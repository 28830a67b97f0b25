"""Programs that die: every span whose begin had returned is in the file, and the file is whole."""

import concurrent.futures
import ctypes
import itertools
import os
import random
import signal
import subprocess
import time

import pytest
from crash.look import BEGIN, END, INSTANT, environment, look, program

PROCESSES, THREADS, THINGS = 4, 8, 1 << 16
END_THING, INSTANT_THING, COUNTER_THING, TRACK_THING = 255, 254, 253, 252
KILLS = 200


class Notes(ctypes.Structure):
    """As in tree.c."""

    _fields_ = [
        ("pid", ctypes.c_int32),
        ("tid", ctypes.c_int32),
        ("done", ctypes.c_uint32),
        ("things", ctypes.c_uint8 * THINGS),
    ]


def start(folder, how="go on", after=-1, **options):
    trace, notes = folder / "t.perfetto-trace", folder / "notes"
    notes.write_bytes(b"")
    os.truncate(notes, PROCESSES * THREADS * ctypes.sizeof(Notes))
    process = subprocess.Popen(
        [program("tree"), trace, notes, how, str(after)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
        start_new_session=True,
        **options,
    )
    return process, trace, notes


def kill_all(process):
    """All four, and waits until they are gone: then nobody has the pipe any more."""
    os.killpg(process.pid, signal.SIGKILL)
    process.stdout.read()
    process.communicate()


def read_notes(path):
    all_notes = (Notes * (PROCESSES * THREADS)).from_buffer_copy(path.read_bytes())
    return [
        (index // THREADS, index % THREADS, note, bytes(note.things[: note.done]))
        for index, note in enumerate(all_notes)
        if note.done
    ]


def thing_of(event):
    _, kind, name, args, _ = event
    if kind == END:
        assert args in ({}, {"result": "done", "share": 0.5})
        return END_THING
    if kind == INSTANT:
        return INSTANT_THING
    assert kind == BEGIN
    assert args.get("name", name) == name
    return int(name[1:])


def check_thread(seen, process, thread, note, things):
    """What was noted is there, in order, and at most one thing more, not noted yet."""
    own = [thing for thing in things if thing not in (COUNTER_THING, TRACK_THING)]
    if own:
        track = seen.threads(note.pid)[note.tid]
        recorded = [thing_of(event) for event in track.events]
        assert recorded[: len(own)] == own
        assert len(recorded) <= len(own) + 1
        assert track.unmatched_ends == 0
    tracks = [t for t in seen.tracks.values() if t.name == f"of {process}.{thread}"]
    values = [value for t in tracks for value in t.values()]
    at = [index for index, thing in enumerate(things) if thing == COUNTER_THING]
    assert values[: len(at)] == at
    assert len(values) <= len(at) + 1
    spans = [span for t in tracks for span in t.spans]
    at = [index for index, thing in enumerate(things) if thing == TRACK_THING]
    assert [span.args["done"] for span in spans][: len(at)] == at
    assert all(span.end for span in spans[: len(at)])


def check(trace, notes):
    """Returns how many things had been noted."""
    noted = read_notes(notes)
    if not trace.exists():
        assert not noted
        return 0
    seen = look(trace)
    for process, thread, note, things in noted:
        check_thread(seen, process, thread, note, things)
    assert seen.pids() >= {note.pid for _, _, note, _ in noted}
    return sum(len(things) for _, _, _, things in noted)


def kill_once(folder, number):
    dice = random.Random(number)
    process, trace, notes = start(folder)
    if number % 4:
        process.stdout.readline()  # "started"
    time.sleep(dice.uniform(0, 0.008))
    kill_all(process)
    return check(trace, notes)


def kill_many(folder, numbers):
    return [kill_once(folder, number) for number in numbers]


def test_kill_at_random_instants(tmp_path):
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder in folders:
        folder.mkdir()
    with concurrent.futures.ProcessPoolExecutor(2) as pool:
        halves = [range(0, KILLS, 2), range(1, KILLS, 2)]
        noted = [*itertools.chain(*pool.map(kill_many, folders, halves))]
    assert len(noted) == KILLS
    busy = [count for count in noted if count > 100]
    assert len(busy) > KILLS / 2, "most of them were killed before they did anything"


@pytest.mark.parametrize("how", ["segv", "abort", "_exit", "exit"])
@pytest.mark.parametrize("after", [0, 1, 17, 160, 700])
def test_other_deaths(tmp_path, how, after):
    process, trace, notes = start(tmp_path, how, after)
    process.stdout.read()  # ends when the last of the four is gone
    _, errors = process.communicate()
    expected = {"segv": -signal.SIGSEGV, "abort": -signal.SIGABRT, "_exit": 0, "exit": 0}[how]
    assert process.returncode == expected, errors
    assert check(trace, notes) >= 4 * (after + 1)


class MemoryGroup:
    """A memory cgroup of its own, version 2 or 1, for `limit` bytes."""

    def __init__(self, limit):
        unified, old = "/sys/fs/cgroup", "/sys/fs/cgroup/memory"
        version_2 = os.path.exists(unified + "/cgroup.controllers")
        self.path = f"{unified if version_2 else old}/marey-test-{os.getpid()}"
        name = "memory.max" if version_2 else "memory.limit_in_bytes"
        try:
            os.mkdir(self.path)
            with open(f"{self.path}/{name}", "w") as file:
                file.write(str(limit))
        except OSError as error:
            self.close()
            pytest.skip(f"no memory cgroup to be had: {error}")

    def enter(self):
        with open(f"{self.path}/cgroup.procs", "w") as file:
            file.write(str(os.getpid()))

    def close(self):
        for _ in range(100):
            try:
                os.rmdir(self.path)
            except FileNotFoundError:
                return
            except OSError:
                time.sleep(0.01)
            else:
                return


def test_out_of_memory_in_a_cgroup(tmp_path):
    group = MemoryGroup(24 << 20)
    try:
        process, trace, notes = start(tmp_path, "oom", 100, preexec_fn=group.enter)
        process.wait(timeout=60)
        assert process.returncode == -signal.SIGKILL
        kill_all(process)
    finally:
        group.close()
    assert check(trace, notes) > 100
