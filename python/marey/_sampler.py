"""Sampling from inside: which functions this process spends its time in, seen by a thread that
never takes the GIL.
"""

from __future__ import annotations

import os
import weakref
from typing import ClassVar, NamedTuple

from . import _marey
from ._record import Error, _script_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType
    from typing import Union

    from typing_extensions import Literal, Self

    Path = Union[str, bytes, os.PathLike[str], os.PathLike[bytes]]
    Mode = Literal["wall", "cpu", "gil"]
    AfterFork = Literal["restart", "off"]
    Window = Union[Literal[60, 3600], None]

_BUSY, _NO_MEMORY, _NO_PROCESS = -8, -6, -15  # enum marey_error of marey.h
_MODES = {"wall": 0, "cpu": 1, "gil": 2}  # enum sampler_mode of src/stack/sampler.h
_AFTER_FORK = ("restart", "off")
_WINDOWS = (None, 60, 3600)  # enum profiler_window of src/python/profiler.h
_HZ_MIN, _HZ_MAX = 0.1, 100_000
_NODES_MIN, _NODES_MAX = 16, 1 << 22
_IDLE, _LINES, _NATIVE, _TASKS, _RECORD = 1, 2, 4, 8, 16  # src/python/sampler.c


class Hot(NamedTuple):
    """One function of Sampler.hot()."""

    #: Qualified from Python 3.11 on.
    function: str
    file: str
    #: Where the function begins.
    line: int
    #: Samples in which it was running itself, and in which it was on the stack at all (once each,
    #: however often it called itself).
    self_samples: int
    total_samples: int
    #: The same as shares of all samples, 0 to 1.
    self_share: float
    total_share: float
    #: The line that it was running most often; None without lines=True.
    hot_line: int | None


class HotList(list[Hot]):
    """What Sampler.hot() returns: a list whose str() is a table."""

    def __str__(self) -> str:
        rows = [f"{'SELF':>7} {'TOTAL':>7}  FUNCTION"]
        for row in self:
            place = f" ({row.file}:{row.hot_line or row.line})" if row.file else ""
            rows.append(
                f"{row.self_share:7.1%} {row.total_share:7.1%}  "
                + "".join(c if c.isprintable() else "?" for c in row.function + place)
            )
        return "\n".join(rows)


class Stats(NamedTuple):
    """What a sampler did since its start or its last clear(). Times in seconds."""

    #: Samples a second of each thread: asked for, and achieved while it was on.
    hz: float
    achieved_hz: float
    #: How late samples began after their deadlines: on the average, and at most since the start.
    jitter: float
    jitter_max: float
    #: How far from the mean the time between two samples was: its standard deviation. Each is taken
    #: at a random moment of its interval, so two fifths of that are as it should be.
    spread: float
    #: Deadlines that were kept, and those that passed unused, because the one before took too long.
    ticks: int
    missed: int
    #: What became of each thread at each tick. Samples: stacks that are in the profile. Idle: it
    #: was passed over, because it slept, is none that the mode takes, or runs no Python. Torn: its
    #: stack was given up, because it changed each time that it was read. Unread: it could not be
    #: read. Lost: samples without their innermost functions, as the profile was full (max_nodes).
    samples: int
    idle: int
    torn: int
    unread: int
    lost: int
    #: How long it was on, not counting pauses; CPU time of the sampling thread, and its share of
    #: one core.
    duration: float
    cpu_time: float
    cost: float
    #: Threads that are sampled now; nodes and functions of the profile.
    threads: int
    nodes: int
    functions: int


def _deviation(count: int, total: int, squares: int) -> float:
    """Of so many numbers, by their sum and that of their squares."""
    return max(0.0, squares / count - (total / count) ** 2) ** 0.5 if count else 0.0


def _option(name: str, given: object, known: Sequence[str]) -> None:
    if given not in known:
        words = ", ".join(f'"{word}"' for word in known)
        raise ValueError(f"{name} is one of {words}, not {given!r}")


def _interval_ns(name: str, given: object, hz: float) -> int:
    """Nanoseconds of a rate."""
    if not _HZ_MIN <= hz <= _HZ_MAX:  # also false for a NaN
        limits = f"{_HZ_MIN} to {_HZ_MAX:,} samples a second"
        if name == "seconds":
            limits = f"{1 / _HZ_MAX:.5f} to {1 / _HZ_MIN:g}"
        raise ValueError(f"{name} is from {limits}, not {given!r}")
    return round(1e9 / hz)


def _window(given: Window) -> int:
    """The number of a window."""
    if given not in _WINDOWS or isinstance(given, bool):
        raise ValueError(f"window is 60 or 3600 seconds, or None for all, not {given!r}")
    return _WINDOWS.index(given)


def _number(name: str, given: object) -> float:
    if isinstance(given, bool) or not isinstance(given, (int, float)):
        raise TypeError(f"{name} is a number, not {type(given).__name__}")
    return float(given)


class Sampler:
    """Samples the stacks of all threads of this process, and adds them up. As a context manager
    (also of `async with`), or by start() and stop().

    hz: how often a second each thread is looked at, 0.1 to 100,000.
    mode: which threads are: "wall", those that do not sleep; "cpu", those that run on a CPU; "gil",
    those that have the GIL.
    idle: with "wall", also threads that sleep or wait.
    lines: tell lines of a function apart, and say which one is hot; takes more memory.
    native: a thread that is in C code, or collects garbage, gets a frame "<native>" or "<GC>".
    tasks: asyncio tasks have stacks of their own, below a frame "<task>": one that runs, without
    the event loop; one that waits, with all that it awaits.
    record: while this process records, each sample goes into the trace as well; None: unless
    `marey run` samples it already.
    after_fork: in a forked child it is on again, with an empty profile ("restart"), or "off".
    max_nodes: so many nodes the tree of calls may have, some 100 bytes each; beyond them samples
    are counted under the callers that are there. It stays on for weeks.

    The sampling is done by a native thread, "marey sampler". It reads the process from within as
    `marey attach` does from outside: without the GIL, without stopping anybody. It is none of
    threading's threads, handles no signals, and keeps no process alive.

    Raises ValueError and TypeError that name the option. start() raises marey.Error where it is on
    already, or where this process may not be read, and MemoryError where there is no memory or
    thread for it.
    """

    _all: ClassVar[weakref.WeakSet[Sampler]] = weakref.WeakSet()

    def __init__(
        self,
        hz: float = 100,
        mode: Mode = "wall",
        *,
        idle: bool = False,
        lines: bool = False,
        native: bool = False,
        tasks: bool = False,
        record: bool | None = None,
        after_fork: AfterFork = "restart",
        max_nodes: int = 1 << 18,
    ) -> None:
        interval_ns = _interval_ns("hz", hz, _number("hz", hz))
        _option("mode", mode, tuple(_MODES))
        _option("after_fork", after_fork, _AFTER_FORK)
        if not isinstance(max_nodes, int) or isinstance(max_nodes, bool):
            raise TypeError(f"max_nodes is an int, not {type(max_nodes).__name__}")
        if not _NODES_MIN <= max_nodes <= _NODES_MAX:
            raise ValueError(f"max_nodes is from {_NODES_MIN} to {_NODES_MAX:,}, not {max_nodes!r}")
        if record is None:
            record = "MAREY_SAMPLED" not in os.environ
        flags = (
            (_IDLE if idle else 0)
            | (_LINES if lines else 0)
            | (_NATIVE if native else 0)
            | (_TASKS if tasks else 0)
            | (_RECORD if record else 0)
        )
        self._core = _marey.Sampler(interval_ns, _MODES[mode], flags, max_nodes)
        self._restarts = after_fork == "restart"
        self.mode = mode
        Sampler._all.add(self)

    # ---- on and off

    def start(self) -> Self:
        """Begin to sample, or go on after stop(): what was seen before stays. Returns itself."""
        outcome = self._core.start()
        if outcome is None:
            return self
        if outcome[0] == _BUSY:
            raise Error("this sampler is on already")
        if outcome[0] == _NO_MEMORY:
            raise MemoryError("no memory, or no more threads, for a sampler")
        if outcome[0] == _NO_PROCESS:
            raise Error("this process cannot be sampled: /proc is not there, or cannot be read")
        raise Error(f"this process cannot be sampled: {outcome[1]}; {outcome[2]}")

    def stop(self) -> None:
        """End the sampling; what was seen stays. Waits for the sample that is being taken, no
        longer. Where it is not on: nothing.
        """
        self._core.stop()

    def pause(self) -> None:
        """Sample nothing until resume(). Raises marey.Error where it is not on."""
        if not self._core.pause():
            raise Error("this sampler is not on: it cannot be paused")

    def resume(self) -> None:
        """Go on after pause(). Raises marey.Error where it is not on."""
        if not self._core.resume():
            raise Error("this sampler is not on: it cannot be resumed")

    @property
    def state(self) -> str:
        """ "off", "on" or "paused"."""
        return self._core.state()

    def set_interval(self, seconds: float) -> None:
        """Look at each thread after so many seconds from now on, 0.00001 to 10."""
        value = _number("seconds", seconds)
        hz = 1 / value if value > 0 else 0.0
        self._core.set_interval(_interval_ns("seconds", seconds, hz))

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        return self.start()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _after_fork(self) -> None:
        before = self._core.before_fork()
        if self._restarts and before != "off" and self._core.start() is None and before == "paused":
            self._core.pause()

    # ---- what was seen

    def hot(
        self,
        n: int | None = 20,
        by: Literal["self", "total"] = "self",
        *,
        window: Window = None,
    ) -> HotList:
        """The n functions (None: all) that were running most often; by="total": that were on the
        stack most often. window: in the last 60 or 3600 seconds; None: so far.
        """
        _option("by", by, ("self", "total"))
        if n is not None and (isinstance(n, bool) or not isinstance(n, int)):
            raise TypeError(f"n is an int or None, not {type(n).__name__}")
        if n is not None and n < 0:
            raise ValueError(f"n is at least 0, not {n!r}")
        most = 0xFFFFFFFF if n is None else min(n, 0xFFFFFFFF)
        samples, rows = self._core.hot(most, by == "total", _window(window))
        return HotList(
            Hot(function, file, line, own, total, own / samples, total / samples, hot_line or None)
            for function, file, line, own, total, hot_line, _ in rows
        )

    def folded(self, places: bool = False, *, window: Window = None) -> str:
        """Folded stacks, as flamegraph.pl, speedscope and others read them: a line "a;b;c 12" for
        each stack, the outermost function first, and how many samples. places: "c (file.py:3)" in
        place of "c". window: of the last 60 or 3600 seconds; None: all.
        """
        return self._core.folded(bool(places), _window(window))

    def tree(
        self, min_share: float = 0.01, depth: int | None = None, *, window: Window = None
    ) -> str:
        """The tree of calls as text, each function below its caller, with its share of all samples
        in and below it, and in itself. min_share: what has less is left out. depth: levels. window:
        of the last 60 or 3600 seconds; None: all.
        """
        share = _number("min_share", min_share)
        if not 0 <= share <= 1:
            raise ValueError(f"min_share is from 0 to 1, not {min_share!r}")
        if depth is not None and (isinstance(depth, bool) or not isinstance(depth, int)):
            raise TypeError(f"depth is an int or None, not {type(depth).__name__}")
        if depth is not None and not 0 < depth < 1 << 32:
            raise ValueError(f"depth is at least 1, not {depth!r}")
        return self._core.tree(share, depth or 0, _window(window))

    def stats(self) -> Stats:
        """What the sampler did itself, see Stats."""
        s = self._core.stats()
        running = s["running_ns"] / 1e9
        cpu = s["cpu_ns"] / 1e9
        return Stats(
            hz=1e9 / s["interval_ns"],
            achieved_hz=s["ticks"] / running if running else 0.0,
            jitter=s["late_ns"] / s["ticks"] / 1e9 if s["ticks"] else 0.0,
            jitter_max=s["late_max_ns"] / 1e9,
            spread=_deviation(s["ticks"], s["gaps_us"], s["gaps_us2"]) / 1e6,
            ticks=s["ticks"],
            missed=s["missed"],
            samples=s["samples"],
            idle=s["idle"],
            torn=s["torn"],
            unread=s["unread"],
            lost=s["lost"],
            duration=running,
            cpu_time=cpu,
            cost=cpu / running if running else 0.0,
            threads=s["threads"],
            nodes=s["nodes"],
            functions=s["functions"],
        )

    def save(self, path: Path, *, window: Window = None) -> None:
        """Write what was seen as a Perfetto trace, for ui.perfetto.dev and `marey report`. An old
        file is replaced as a whole. It has all samples at one time: for samples on a timeline, see
        record. window: what was seen in the last 60 or 3600 seconds; None: all.

        Raises OSError of the fitting kind with the path.
        """
        _write(os.fsdecode(path), self._core.trace(_script_name(), _window(window), 1))

    def clear(self) -> None:
        """Forget what was seen and counted so far, on or off."""
        self._core.clear()

    def __repr__(self) -> str:
        s = self.stats()
        return f"<marey.Sampler {self.mode} {s.hz:g} Hz, {self.state}, {s.samples} samples>"


#: To be read as a sentence: `with marey.sample(hz=1000) as s: work()`, then `print(s.hot())`.
sample = Sampler


def _write(path: str, content: bytes) -> None:
    """Replace a file as a whole, with mode 0600."""
    import tempfile  # and all that it needs: for who only samples that is too much

    if os.path.isdir(path):
        raise IsADirectoryError(21, "is a directory", path)
    folder, name = os.path.split(os.path.abspath(path))
    try:
        number, made = tempfile.mkstemp(prefix=f".{name}.", dir=folder)
    except OSError as error:
        error.filename = path
        raise
    try:
        with open(number, "wb") as file:
            file.write(content)
        os.replace(made, path)
    except BaseException as error:
        os.unlink(made)
        if isinstance(error, OSError):
            error.filename = path
        raise


def _restart_all() -> None:
    for sampler in list(Sampler._all):
        sampler._after_fork()


os.register_at_fork(after_in_child=_restart_all)
