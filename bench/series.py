"""How the Python programs of the bench measure and report; series.h is its twin in C.

A contestant does its thing n times in a function of its own. Rounds are interleaved: all
contestants, then all again, so that what else the machine does hits them alike. Each contestant
becomes one line of JSON on standard output, in nanoseconds for one time of the thing, one entry a
round:
{"group": ..., "who": ..., "count": n, "thread_ns": [...], "process_ns": [...], "wall_ns": [...]}
"""

import json
import os
import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable

QUICK = bool(os.environ.get("QUICK"))  # one round of each: to see that all works, not for figures
CLOCKS = ("thread_ns", "process_ns", "wall_ns")


@dataclass
class Contestant:
    """who: its name. run(n): does the thing n times. count: that n. around(): entered before the
    clocks start and left after they stopped; for tools that cannot stay on while others run."""

    who: str
    run: Callable[[int], Any]
    count: int
    around: Callable[[], AbstractContextManager[Any]] = nullcontext
    rounds: list = field(default_factory=list)

    def turn(self) -> None:
        """One turn: its three times are kept."""
        with self.around():
            start = clocks()
            self.run(self.count)
            stop = clocks()
        self.rounds.append([(b - a) / self.count for a, b in zip(start, stop)])


def clocks() -> tuple[int, int, int]:
    """CPU time of the thread, CPU time of the process and wall time, in nanoseconds."""
    return time.thread_time_ns(), time.process_time_ns(), time.perf_counter_ns()


def emit(**fields: Any) -> None:
    """One line of JSON."""
    print(json.dumps(fields), flush=True)


def warm_memory(folder: Path, size: int = 400 << 20) -> None:
    """Uses and gives back as much of the machine's memory as a race takes, by way of a file there:
    under a hypervisor a page that the guest has not used for seconds costs many microseconds, which
    no program can help."""
    path = folder / "warm"
    block = bytes(1 << 20)
    with path.open("wb", buffering=0) as file:
        for _ in range(size // len(block)):
            file.write(block)
    path.unlink()


def race(group: str, contestants: list[Contestant], rounds: int) -> None:
    """Lets them all run `rounds` times, in turns, after one turn that does not count, and emits
    their series."""
    for contestant in contestants:
        contestant.turn()
        contestant.rounds.clear()
    for _ in range(1 if QUICK else rounds):
        for contestant in contestants:
            contestant.turn()
    for contestant in contestants:
        series = dict(zip(CLOCKS, map(list, zip(*contestant.rounds))))
        emit(group=group, who=contestant.who, count=contestant.count, **series)
