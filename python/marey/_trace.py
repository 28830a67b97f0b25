"""A trace, read: what `marey.open_trace` returns. Spans, samples, counters are looked up where they
lie; nothing is copied before it is asked for.
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta, timezone

from . import _marey
from ._call_results import CallResults, _nanoseconds, _patterns, _raise_outcome
from ._trace_items import Frame, Instant, Process, Samples, Spans, Thread, Track

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._call_results import Path, Patterns

_KINDS = ("python", "native", "gc", "task")  # enum sample_kind of src/base/sample.h
_LAST_NS = 2**63 - 1


class Trace:
    """A trace file, read. See marey.open_trace."""

    def __init__(self, path: str, reading: _marey.Reading) -> None:
        self.path = path
        self._reading = reading
        counts = reading.counts
        #: The first and last moment of the trace, in nanoseconds of its clock.
        self.first_ns, self.last_ns = counts[:2]
        self._counts = counts
        span_columns = ("begin_ns", "duration_ns", "name", "category", "track", "parent", "depth")
        self._spans = {name: reading.span_column(name) for name in (*span_columns, "failed")}
        sample_columns = ("time_ns", "thread", "task", "stack", "count")
        weights = ("wall_ns", "cpu_ns", "gil_ns", "gil_wait_ns")
        self._samples = {name: reading.sample_column(name) for name in (*sample_columns, *weights)}
        self._known_texts: dict[int, str] = {}
        self._known_stacks: dict[int, tuple[Frame, ...]] = {}
        self.processes = [Process(*row) for row in reading.processes]
        self.threads = [Thread(*row) for row in reading.threads]
        self.tracks = [
            Track(name, kind, _or_none(process), _or_none(parent), tid, spans, unit)
            for name, kind, process, parent, tid, spans, _, unit in reading.tracks
        ]
        self._sampled = reading.sampled

    # ------------------------------------------------------------- what it is

    @property
    def duration(self) -> float:
        """Seconds from the first event to the last."""
        return (self.last_ns - self.first_ns) / 1e9

    @property
    def attributes(self) -> dict[str, int | str]:
        """Facts about the trace: what `marey.tag` and the recorder said."""
        return dict(self._reading.attributes)

    @property
    def began_at(self) -> datetime | None:
        """When the trace begins, in UTC; None where it does not say."""
        ns = self._reading.realtime_ns
        if ns is None:
            return None
        return datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(microseconds=ns // 1000)

    @property
    def losses(self) -> dict[str, float]:
        """What the recorder could not keep, and how many; empty: nothing is missing."""
        return dict(self._reading.losses)

    @property
    def damage(self) -> list[str]:
        """What is wrong with the file; empty: it is whole."""
        return [
            f"{count:,} x {text}" + ("" if place is None else f" (at byte {place})")
            for harm, text, count, place in self._reading.damage
            if count and harm == "damage"
        ]

    # ---------------------------------------------------------- what it holds

    def spans(
        self,
        name: Patterns = None,
        *,
        category: Patterns = None,
        process: Patterns | int = None,
        thread: Patterns | int = None,
        start: float | None = None,
        end: float | None = None,
        min_time: float = 0.0,
    ) -> Spans:
        """The spans, or those that are like this.

        name, category: patterns of fnmatch, one or several. process, thread: ids, or patterns of
        names. start, end: seconds since the trace's begin; a span of which some lies between is
        there. min_time: seconds that it took at least; one without an end is left out then.
        """
        asked = (name, category, process, thread, start, end)
        if not min_time and all(value is None for value in asked):
            return Spans(self, range(self._counts[2]))
        places = self._reading.choose_spans(
            *self._part(process, thread, start, end),
            _patterns(name, "name"),
            _patterns(category, "category"),
            _nanoseconds(min_time, "min_time"),
        )
        return Spans(self, memoryview(places).cast("I"))

    def samples(
        self,
        *,
        process: Patterns | int = None,
        thread: Patterns | int = None,
        start: float | None = None,
        end: float | None = None,
    ) -> Samples:
        """The samples, or those of some processes, threads, or of some time, as for spans."""
        if all(value is None for value in (process, thread, start, end)):
            return Samples(self, range(self._counts[7]))
        places = self._reading.choose_samples(*self._part(process, thread, start, end), (), (), 0)
        return Samples(self, memoryview(places).cast("I"))

    def counter(self, name: str) -> list[tuple[float, float]]:
        """(seconds since the trace's begin, value) of the counter of that name, of all processes
        by time. KeyError where there is none.
        """
        found = [
            place
            for place, track in enumerate(self.tracks)
            if track.kind == "counter" and track.name == name
        ]
        if not found:
            raise KeyError(name)
        events = [event for place in found for event in self._reading.events(place)]
        return [((time_ns - self.first_ns) / 1e9, value) for time_ns, value in sorted(events)]

    @property
    def counters(self) -> list[str]:
        """The names of the counters."""
        return list(dict.fromkeys(t.name for t in self.tracks if t.kind == "counter"))

    def instants(self, name: Patterns = None) -> list[Instant]:
        """The instants by time, or those whose name is like this."""
        from fnmatch import fnmatchcase

        patterns = [pattern.decode("utf-8", "replace") for pattern in _patterns(name, "name")]
        found = [
            (time_ns, text, category, arguments, place)
            for place, track in enumerate(self.tracks)
            if track.kind != "counter"
            for time_ns, text, category, arguments in self._reading.events(place)
            if not patterns or any(fnmatchcase(text, pattern) for pattern in patterns)
        ]
        found.sort(key=lambda row: row[0])
        return [
            Instant((time_ns - self.first_ns) / 1e9, text, category, arguments, self.tracks[place])
            for time_ns, text, category, arguments, place in found
        ]

    def calls(self) -> CallResults:
        """The calls as a tree: what `marey.calls.load` gives. Reads the file once more."""
        return CallResults._load(self.path)

    def tree(self, **options: Any) -> str:
        """Spans and calls as a tree, as `marey tree` shows it: see CallResults.tree."""
        return self.calls().tree(**options)

    # ----------------------------------------------------------------- inside

    def _part(
        self, process: Any, thread: Any, start: float | None, end: float | None
    ) -> tuple[tuple[bytes, ...], tuple[bytes, ...], int, int]:
        def moment(seconds: float | None, what: str) -> int:
            return min(self.first_ns + _nanoseconds(seconds, what), _LAST_NS)

        return (
            _patterns(_as_text(process), "process"),
            _patterns(_as_text(thread), "thread"),
            moment(start, "start"),
            0 if end is None else moment(end, "end"),
        )

    def _text(self, number: int) -> str:
        text = self._known_texts.get(number)
        if text is None:
            text = self._known_texts[number] = self._reading.text(number)
        return text

    def _stack(self, number: int) -> tuple[Frame, ...]:
        stack = self._known_stacks.get(number)
        if stack is None:
            stack = self._known_stacks[number] = tuple(
                Frame(name, file, line, first, _KINDS[kind])
                for name, file, line, first, kind in self._reading.stack(number)
            )
        return stack

    def _thread_of_sample(self, place: int) -> Thread:
        return self.threads[self._sampled[self._samples["thread"][place]]]

    def _pid_of(self, track: Track) -> int:
        return 0 if track.process is None else self.processes[track.process].pid

    def __repr__(self) -> str:
        return f"<trace {self.path!r}: {self._counts[2]:,} spans, {self._counts[6]:,} samples>"


def _or_none(place: int) -> int | None:
    return None if place < 0 else place


def _as_text(given: Any) -> Any:
    """Ids are written as text for a filter, which compares both."""
    return str(given) if isinstance(given, int) and not isinstance(given, bool) else given


def open_trace(path: Path, *, arguments: bool = True) -> Trace:
    """Read a trace file: of Marey or another writer of Perfetto's track events, plain or gzip'ed.

        trace = marey.open_trace("app.perfetto-trace")
        slow = [span for span in trace.spans("GET *", min_time=0.5)]
        frame = pandas.DataFrame(trace.spans().columns())

    arguments: whether what spans and instants say beside their names is kept, which takes most of
    the memory. A file that is still being written is read as it stands. What is damaged is skipped,
    and stands in `Trace.damage`. Raises OSError where it cannot be read, marey.Error where it is no
    trace.
    """
    name = os.fsdecode(path)
    if "\0" in name:
        raise ValueError(f"no NUL in a path: {name!r}")
    reading = _marey.load_trace(None, os.fsencode(name), arguments)
    if isinstance(reading, tuple):
        _raise_outcome(reading, name)
    return Trace(name, reading)
