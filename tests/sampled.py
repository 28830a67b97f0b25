"""What the test program tests/stack/sampler.c writes: who was sampled, and what; and when a program
is ready for it."""

import collections
import json
import math
import os
import pathlib
import subprocess
import tempfile
import time
from dataclasses import dataclass, field

Process = collections.namedtuple("Process", "pid parent version error name command")
Frame = collections.namedtuple("Frame", "function name file line first_line kind")
PYTHON, NATIVE, GC, TASK = range(4)
SETTLE_SECONDS = float(os.environ.get("MAREY_TEST_SETTLE", "0.3"))


@dataclass
class Sample:
    pid: int
    tid: int
    task: int
    count: int
    time_ns: int
    wall_ns: int
    cpu_ns: int
    gil_ns: int
    gil_wait_ns: int
    frames: list

    @property
    def names(self):
        """The functions, the outermost first, without the names of their classes."""
        return [frame.name.rpartition(".")[2] for frame in self.frames]


@dataclass
class Seen:
    processes: list = field(default_factory=list)
    threads: dict = field(default_factory=dict)  # (pid, tid): name
    tasks: dict = field(default_factory=dict)
    ended: list = field(default_factory=list)
    samples: list = field(default_factory=list)
    counts: dict = field(default_factory=dict)
    status: int = 0

    @property
    def lasted_ns(self):
        """How long it was sampled."""
        return self.counts["wall_ns"]

    def all_ticks_are_told(self, hz):
        """Those that were kept and those that were missed are as many as there were; the first may
        have been late."""
        ticks = self.counts["ticks"] + self.counts["missed"]
        return abs(ticks - self.lasted_ns * hz / 1e9) < self.counts["late_max_ns"] * hz / 1e9 + 3

    def wall_ns(self, having=None):
        """Of all samples, or of those that have this function."""
        return sum(s.wall_ns for s in self.samples if having is None or having in s.names)

    def share(self, name):
        return self.wall_ns(name) / self.wall_ns()

    def deviation(self, share, hz):
        """The standard deviation of a share that these samples show. One that came late stands for
        all the time since the one before, and is one look at it all the same."""
        interval = 1e9 / hz
        squares = sum(
            (s.wall_ns - (s.count - 1) * interval) ** 2 + (s.count - 1) * interval**2
            for s in self.samples
        )
        return math.sqrt(share * (1 - share) * squares) / self.wall_ns()

    def within(self, share, least):
        """How far off a share of a program that computes may be, at the least so much: a busy
        machine lets it run for some 4 ms at a time, and so many looks are worth one."""
        slices = sum(s.cpu_ns for s in self.samples) / 4e6
        return max(least, 5 * math.sqrt(share * (1 - share) / max(slices, 1)))

    def of_thread(self, name):
        return [s for s in self.samples if self.threads.get((s.pid, s.tid)) == name]

    def having(self, name):
        return [s for s in self.samples if name in s.names]


def parse(text):
    seen = Seen()
    for line in text.splitlines():
        record = json.loads(line)
        if "sample" in record:
            frames = [Frame(*frame) for frame in record["frames"]]
            seen.samples.append(Sample(*record["sample"], *record["ns"], frames))
        elif "process" in record:
            process = Process(*record["process"], record["name"], record["command"])
            seen.processes.append(process)
        elif "thread" in record:
            seen.threads[tuple(record["thread"])] = record["name"]
        elif "task" in record:
            seen.tasks[tuple(record["task"])] = record["name"]
        elif "ended" in record:
            seen.ended.append(record["ended"])
        else:
            seen.counts = record["counts"]
    return seen


def state_and_cpu(pid):
    """Its main thread's state, and the CPU time of all, in ticks of 10 ms."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return fields[0], int(fields[11]) + int(fields[12])


def settle(pid):
    """Until the program has computed for a while, or has slept for as long: then it is where it
    wants to be, however long a busy machine took to start it."""
    end, before, quiet = time.monotonic() + 60, 0, 0
    while quiet < 100 * SETTLE_SECONDS and time.monotonic() < end:
        state, cpu = state_and_cpu(pid)
        if cpu >= 100 * SETTLE_SECONDS or state in "ZX":
            return
        quiet = quiet + 1 if state == "S" and cpu == before else 0
        before = cpu
        time.sleep(0.01)


class Sampler:
    """The sampler at work on a process; `stop` ends it early, `result` waits for its end."""

    def __init__(self, program, pid, seconds, hz, *options):
        command = [program, pid, seconds, hz, *options]
        # A pipe would stop it when it is full, and threads that it has stopped with it.
        self.output = tempfile.TemporaryFile("w+")  # noqa: SIM115 (closed by result)
        self.process = subprocess.Popen([str(part) for part in command], stdout=self.output)
        self.deadline = time.monotonic() + seconds + 60

    def stop(self):
        self.process.terminate()

    def result(self):
        try:
            self.process.wait(timeout=self.deadline - time.monotonic())
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        with self.output:
            self.output.seek(0)
            seen = parse(self.output.read())
        seen.status = self.process.returncode
        return seen
