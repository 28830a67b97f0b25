"""What a trace holds, as objects: processes, threads, tracks, spans, samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, overload

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ._trace import Trace

_NONE = (1 << 32) - 1  # MAP_NONE of src/model/map.h


class Process(NamedTuple):
    """A process of a trace. spans, samples: how many, of all its threads."""

    pid: int
    name: str
    command_line: str
    spans: int
    samples: int


class Thread(NamedTuple):
    """A thread of a trace. process: its place in Trace.processes."""

    pid: int
    tid: int
    name: str
    process: int
    spans: int
    samples: int


class Track(NamedTuple):
    """Where events stand: a thread, a process, a counter, a task or another track of its own.

    kind: "thread", "process", "counter", "custom" or "unknown". process, parent: places in
    Trace.processes and Trace.tracks, or None. unit: of a counter.
    """

    name: str
    kind: str
    process: int | None
    parent: int | None
    tid: int
    spans: int
    unit: str


class Frame(NamedTuple):
    """A function on a stack. line: that runs, or that the call is in; 0 where it is not known.

    kind: "python", or of a marker "native", "gc", "task".
    """

    function: str
    file: str
    line: int
    first_line: int
    kind: str


class Instant(NamedTuple):
    """Something that happened at one moment. time: seconds since the trace's begin."""

    time: float
    name: str
    category: str
    arguments: dict[str, Any]
    track: Track


class Span:
    """A span, looked up in its trace. Times are seconds, but for those in _ns."""

    __slots__ = ("_place", "_trace")

    def __init__(self, trace: Trace, place: int) -> None:
        self._trace, self._place = trace, place

    @property
    def name(self) -> str:
        """The span's name."""
        return self._trace._text(self._trace._spans["name"][self._place])

    @property
    def category(self) -> str:
        """Its category; "" for none."""
        return self._trace._text(self._trace._spans["category"][self._place])

    @property
    def begin_ns(self) -> int:
        """Nanoseconds of the trace's clock, as marey.now() gives them."""
        return self._trace._spans["begin_ns"][self._place]

    @property
    def duration_ns(self) -> int | None:
        """Nanoseconds; None where it has no end."""
        ns = self._trace._spans["duration_ns"][self._place]
        return None if ns < 0 else ns

    @property
    def begin(self) -> float:
        """Seconds since the trace's begin."""
        return (self.begin_ns - self._trace.first_ns) / 1e9

    @property
    def duration(self) -> float | None:
        """Seconds; None where it has no end."""
        ns = self.duration_ns
        return None if ns is None else ns / 1e9

    @property
    def depth(self) -> int:
        """How many spans of its track are around it."""
        return self._trace._spans["depth"][self._place]

    @property
    def failed(self) -> bool:
        """Whether an exception ended it."""
        return bool(self._trace._spans["failed"][self._place])

    @property
    def track(self) -> Track:
        """Where it stands."""
        return self._trace.tracks[self._trace._spans["track"][self._place]]

    @property
    def process(self) -> Process | None:
        """The process that it is of."""
        place = self.track.process
        return None if place is None else self._trace.processes[place]

    @property
    def parent(self) -> Span | None:
        """The span around it."""
        place = self._trace._spans["parent"][self._place]
        return None if place == _NONE else Span(self._trace, place)

    @property
    def arguments(self) -> dict[str, Any]:
        """What was said with it, at its begin and at its end (result, exception)."""
        return self._trace._reading.arguments(self._place)

    @property
    def source(self) -> tuple[str, int, str] | None:
        """File, line, function where it was begun; None where that is not known."""
        return self._trace._reading.source(self._place)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Span):
            return NotImplemented
        return other._trace is self._trace and other._place == self._place

    def __hash__(self) -> int:
        return hash((id(self._trace), self._place))

    def __repr__(self) -> str:
        duration = "open" if self.duration is None else f"{self.duration:.6f} s"
        return f"<span {self.name!r} at {self.begin:.6f} s, {duration}>"


class Sample:
    """Where a thread was at one moment, or at several in a row that were alike."""

    __slots__ = ("_place", "_trace")

    def __init__(self, trace: Trace, place: int) -> None:
        self._trace, self._place = trace, place

    @property
    def time_ns(self) -> int:
        """Of the first of those that were alike, nanoseconds of the trace's clock."""
        return self._trace._samples["time_ns"][self._place]

    @property
    def time(self) -> float:
        """The same, in seconds since the trace's begin."""
        return (self.time_ns - self._trace.first_ns) / 1e9

    @property
    def count(self) -> int:
        """How many were alike."""
        return self._trace._samples["count"][self._place]

    @property
    def weights_ns(self) -> dict[str, int]:
        """Nanoseconds that it stands for: wall, and of those cpu, gil and gil_wait."""
        names = ("wall", "cpu", "gil", "gil_wait")
        return {name: self._trace._samples[f"{name}_ns"][self._place] for name in names}

    @property
    def thread(self) -> Thread:
        """Whose stack it is."""
        return self._trace._thread_of_sample(self._place)

    @property
    def task(self) -> str | None:
        """The asyncio task's name, where it is a task's stack."""
        return self._trace._text(self._trace._samples["task"][self._place]) or None

    @property
    def stack(self) -> tuple[Frame, ...]:
        """Outermost first."""
        return self._trace._stack(self._trace._samples["stack"][self._place])

    def __repr__(self) -> str:
        innermost = self.stack[-1].function if self.stack else "no stack"
        return f"<sample of {innermost} at {self.time:.6f} s>"


class _Chosen(Sequence):  # type: ignore[type-arg]
    """Some of a trace's spans or samples, each made when it is asked for."""

    _item: Any

    def __init__(self, trace: Trace, places: memoryview | range) -> None:
        self._trace, self._places = trace, places

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, at: Any) -> Any:
        if isinstance(at, slice):
            return type(self)(self._trace, self._places[at])
        return self._item(self._trace, self._places[at])

    def __iter__(self) -> Iterator[Any]:
        return (self._item(self._trace, place) for place in self._places)

    def _picked(self, column: memoryview) -> Any:
        """Of a column the rows that are here: the column itself where that is all of them."""
        if isinstance(self._places, range) and len(self._places) == len(column):
            return column
        return [column[place] for place in self._places]

    def _texts(self, column: memoryview) -> list[str]:
        return [self._trace._text(number) for number in self._picked(column)]


class Spans(_Chosen):
    """Spans of a trace, track by track, in the order in which they began."""

    _item = Span

    if TYPE_CHECKING:

        @overload
        def __getitem__(self, at: int) -> Span: ...
        @overload
        def __getitem__(self, at: slice) -> Spans: ...
        def __getitem__(self, at: int | slice) -> Any: ...
        def __iter__(self) -> Iterator[Span]: ...

    def columns(self, *, arguments: bool = False) -> dict[str, Any]:
        """The spans as columns of equal length, for `pandas.DataFrame(spans.columns())`.

        Numbers are memory of the trace itself where all spans are wanted (NumPy takes them without
        a copy), else lists: begin_ns, duration_ns (-1: no end), depth, failed. name, category and
        track are str; process is the pid, tid the thread's, 0 where it is none's.
        arguments: one more column of dicts.
        """
        trace, spans = self._trace, self._trace._spans
        tracks = [trace.tracks[place] for place in self._picked(spans["track"])]
        found: dict[str, Any] = {
            "name": self._texts(spans["name"]),
            "category": self._texts(spans["category"]),
            "begin_ns": self._picked(spans["begin_ns"]),
            "duration_ns": self._picked(spans["duration_ns"]),
            "depth": self._picked(spans["depth"]),
            "failed": self._picked(spans["failed"]),
            "track": [track.name for track in tracks],
            "process": [trace._pid_of(track) for track in tracks],
            "tid": [track.tid for track in tracks],
        }
        if arguments:
            found["arguments"] = [trace._reading.arguments(place) for place in self._places]
        return found

    def rows(self) -> Iterator[dict[str, Any]]:
        """The same row by row, with the arguments, each made when it is asked for."""
        for span in self:
            track = span.track
            yield {
                "name": span.name,
                "category": span.category,
                "begin_ns": span.begin_ns,
                "duration_ns": span.duration_ns,
                "depth": span.depth,
                "failed": span.failed,
                "track": track.name,
                "process": self._trace._pid_of(track),
                "tid": track.tid,
                "arguments": span.arguments,
            }


class Samples(_Chosen):
    """Samples of a trace, by time; those in a row that were alike are one."""

    _item = Sample

    if TYPE_CHECKING:

        @overload
        def __getitem__(self, at: int) -> Sample: ...
        @overload
        def __getitem__(self, at: slice) -> Samples: ...
        def __getitem__(self, at: int | slice) -> Any: ...
        def __iter__(self) -> Iterator[Sample]: ...

    @property
    def total(self) -> int:
        """How many samples, those that were alike counted each."""
        return sum(self._picked(self._trace._samples["count"]))

    def columns(self) -> dict[str, Any]:
        """The samples as columns of equal length, for pandas: time_ns, count, wall_ns, cpu_ns,
        gil_ns, gil_wait_ns, pid, tid, thread, task, function, file, line (innermost frame) and
        stack (functions from the outermost on, joined by ";").
        """
        trace, samples = self._trace, self._trace._samples
        stacks = [trace._stack(number) for number in self._picked(samples["stack"])]
        threads = [trace._thread_of_sample(place) for place in self._places]
        nowhere = Frame("", "", 0, 0, "python")
        innermost = [stack[-1] if stack else nowhere for stack in stacks]
        numbers = ("time_ns", "count", "wall_ns", "cpu_ns", "gil_ns", "gil_wait_ns")
        found: dict[str, Any] = {name: self._picked(samples[name]) for name in numbers}
        found["pid"] = [thread.pid for thread in threads]
        found["tid"] = [thread.tid for thread in threads]
        found["thread"] = [thread.name for thread in threads]
        found["task"] = self._texts(samples["task"])
        found["function"] = [frame.function for frame in innermost]
        found["file"] = [frame.file for frame in innermost]
        found["line"] = [frame.line for frame in innermost]
        found["stack"] = [";".join(frame.function for frame in stack) for stack in stacks]
        return found
