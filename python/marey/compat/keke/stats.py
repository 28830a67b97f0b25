"""keke.stats: counters of the process, taken by threads of their own."""

from __future__ import annotations

import contextlib
import os
import time
from threading import Thread
from typing import Any, Callable

from .. import keke

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

AVAILABLE_STATS = ("cpu", "fd")
DEFAULT_STATS = ("cpu", "fd")


def start(which: Iterable[str] = DEFAULT_STATS, delay: float = 0.5) -> None:
    """Count from now on, each `delay` seconds: "cpu" (proc_cpu_pct), "fd" (num_fds). KeyError for
    any other.
    """
    for run in [_THREADS[name] for name in which]:
        Thread(target=_until_stopped, args=(run, delay), daemon=True).start()


def get_fd_count() -> int:
    """How many descriptors are open."""
    return len(os.listdir("/proc/self/fd"))


def _until_stopped(run: Callable[[float], Any], delay: float) -> None:
    with contextlib.suppress(StopIteration):  # tests end it so
        run(delay)


def _cpu_stats_thread(delay: float) -> None:
    before_wall, before_cpu = time.time(), time.process_time()
    while True:
        time.sleep(delay)
        wall, cpu = time.time(), time.process_time()
        if wall > before_wall:
            percent = 100 * (cpu - before_cpu) / (wall - before_wall)
            keke.kcount("proc_cpu_pct", int(percent))
        before_wall, before_cpu = wall, cpu


def _fd_stats_thread(delay: float) -> None:
    while True:
        keke.kcount("num_fds", get_fd_count())
        time.sleep(delay)


_THREADS = {"cpu": _cpu_stats_thread, "fd": _fd_stats_thread}
