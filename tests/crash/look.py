"""A trace as the tests of this folder see it: decoded strictly by the official protos, its spans
rebuilt, and read once more by tracecheck, which says what a viewer would lose."""

import collections
import dataclasses
import os
import subprocess
from pathlib import Path

import pytest
import tracecheck
from perfetto.protos.perfetto.trace import perfetto_trace_pb2 as protos

BEGIN, END, INSTANT, COUNTER = 1, 2, 3, 4
BUILD = Path(os.environ.get("MAREY_BUILD", Path(__file__).parents[2] / "build" / "dev"))
PROGRAMS = BUILD / "tests" / "crash"


def sanitized():
    """Whether the programs were built with a sanitizer, which has its own ideas of memory."""
    cache = BUILD / "CMakeCache.txt"
    return any(
        line.startswith("MAREY_SANITIZE:") and not line.endswith("=")
        for line in cache.read_text().splitlines()
    )


def program(name):
    path = PROGRAMS / name
    if not path.exists():
        pytest.fail(f"{path} is not built: make dev")
    return str(path)


def environment(**more):
    """Without a recording of the tests themselves."""
    clean = {key: value for key, value in os.environ.items() if key != "MAREY_TRACE"}
    return {**clean, **more}


@dataclasses.dataclass
class Done:
    """What a program said: its `key value` lines, its errors, its status."""

    said: dict
    errors: str
    status: int


def parse_said(text):
    said = {}
    for line in text.splitlines():
        key, value = line.rsplit(" ", 1)
        said[key] = int(value)
    return said


def run(name, *words, status=0, **options):
    """Runs a program to its end, which is to be `status` (None: any)."""
    command = [program(name), *map(str, words)]
    options.setdefault("env", environment())
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=30, check=False, **options
    )
    assert status is None or done.returncode == status, f"{command}: {done}"
    return Done(parse_said(done.stdout), done.stderr, done.returncode)


@dataclasses.dataclass(eq=False)
class Span:
    name: str
    begin: int
    end: int = None
    args: dict = dataclasses.field(default_factory=dict)
    children: list = dataclasses.field(default_factory=list)

    def tree(self):
        """(name, open or not, children)"""
        return (self.name, self.end is None, [child.tree() for child in self.children])


@dataclasses.dataclass
class Track:
    descriptor: object
    events: list = dataclasses.field(default_factory=list)  # (time, kind, name, args, value)
    spans: list = dataclasses.field(default_factory=list)  # as they began
    roots: list = dataclasses.field(default_factory=list)
    unmatched_ends: int = 0

    @property
    def name(self):
        thread = self.descriptor.thread
        return thread.thread_name if self.is_thread else self.descriptor.name

    @property
    def is_thread(self):
        return self.descriptor.HasField("thread")

    def trees(self):
        return [span.tree() for span in self.roots]

    def instants(self):
        return [name for _, kind, name, _, _ in self.events if kind == INSTANT]

    def values(self):
        return [value for _, kind, _, _, value in self.events if kind == COUNTER]


class Look:
    """tracks: by uuid, those that have events; descriptors: all."""

    def __init__(self, data):
        self.trace = protos.Trace.FromString(data)
        self.descriptors, self.tracks, self.attributes = {}, {}, {}
        self._read()
        for track in self.tracks.values():
            self._nest(track)

    def threads(self, pid=None):
        """Tracks of threads that have events, by thread id."""
        return {
            track.descriptor.thread.tid: track
            for track in self.tracks.values()
            if track.is_thread and pid in (None, track.descriptor.thread.pid)
        }

    def pids(self):
        return {d.process.pid for d in self.descriptors.values() if d.HasField("process")}

    def named(self, name):
        """The one track of that name."""
        found = [track for track in self.tracks.values() if track.name == name]
        assert len(found) == 1, f"{len(found)} tracks {name!r}"
        return found[0]

    def only_thread(self):
        (track,) = self.threads().values()
        return track

    def spans(self):
        return [span for track in self.tracks.values() for span in track.spans]

    def names(self):
        return collections.Counter(span.name for span in self.spans())

    def lost(self):
        """The last value of each counter of losses: {"disk": 5}"""
        prefix = "marey lost: "
        return {
            track.name[len(prefix) :]: int(track.values()[-1])
            for track in self.tracks.values()
            if track.name.startswith(prefix)
        }

    def _read(self):
        state = collections.defaultdict(_Sequence)
        for packet in self.trace.packet:
            sequence = state[packet.trusted_packet_sequence_id]
            sequence.take(packet)
            if packet.HasField("track_descriptor"):
                descriptor = packet.track_descriptor
                self.descriptors.setdefault(descriptor.uuid, descriptor).MergeFrom(descriptor)
            for attribute in packet.trace_attributes.attribute:
                self.attributes[attribute.key] = attribute.string_value or attribute.long_value
            if packet.HasField("track_event"):
                self._event(packet.track_event, sequence, sequence.time_of(packet))
            elif packet.HasField("timestamp"):
                sequence.time_of(packet)

    def _event(self, event, sequence, time):
        uuid = event.track_uuid or sequence.track
        track = self.tracks.get(uuid)
        if track is None:
            assert uuid in self.descriptors, "an event before its track's descriptor"
            track = self.tracks[uuid] = Track(self.descriptors[uuid])
        name = sequence.names[event.name_iid] if event.name_iid else None
        args = {sequence.key(note): value_of(note, sequence) for note in event.debug_annotations}
        is_double = event.HasField("double_counter_value")
        value = event.double_counter_value if is_double else event.counter_value
        track.events.append((time, event.type, name, args, value))

    @staticmethod
    def _nest(track):
        track.events.sort(key=lambda event: event[0])
        stack = []
        for time, kind, name, args, _ in track.events:
            if kind == BEGIN:
                span = Span(name, time, None, args)
                track.spans.append(span)
                (stack[-1].children if stack else track.roots).append(span)
                stack.append(span)
            elif kind == END and stack:
                span = stack.pop()
                span.end = time
                span.args = {**span.args, **args}
            elif kind == END:
                track.unmatched_ends += 1


class _Sequence:
    """What a packet sequence has said so far."""

    def __init__(self):
        self.track = self.clock = self.time = 0
        self.names, self.keys = {}, {}

    def take(self, packet):
        if packet.sequence_flags & 1:
            self.__init__()
        if packet.HasField("trace_packet_defaults"):
            self.clock = packet.trace_packet_defaults.timestamp_clock_id
            self.track = packet.trace_packet_defaults.track_event_defaults.track_uuid
        clocks = {clock.clock_id: clock.timestamp for clock in packet.clock_snapshot.clocks}
        for clock in (64, 65):
            if clock in clocks:
                self.time = self.origin = clocks[3]
        for entry in packet.interned_data.event_names:
            assert self.names.setdefault(entry.iid, entry.name) == entry.name
        for entry in packet.interned_data.debug_annotation_names:
            assert self.keys.setdefault(entry.iid, entry.name) == entry.name

    def time_of(self, packet):
        clock = packet.timestamp_clock_id or self.clock
        if clock == 64:
            self.time += packet.timestamp
            return self.time
        return packet.timestamp + (self.origin if clock == 65 else 0)

    def key(self, note):
        return self.keys[note.name_iid] if note.name_iid else note.name


def value_of(note, sequence):
    if note.dict_entries:
        return {sequence.key(entry): value_of(entry, sequence) for entry in note.dict_entries}
    if note.array_values:
        return [value_of(entry, sequence) for entry in note.array_values]
    kind = note.WhichOneof("value")
    return getattr(note, kind) if kind else None


def look(path, may_overlap=False):
    """Reads a trace that must be whole, and of which no reader may lose anything."""
    data = Path(path).read_bytes()
    assert data, f"{path} is empty"
    seen = Look(data)
    check = tracecheck.load(path)
    assert not check.problems, dict(check.problems)
    assert check.zero_bytes == 0
    allowed = {"END closes a span below the innermost one: spans overlap on one track"}
    unexpected = {note for note in check.notes if "END without a BEGIN" not in note}
    assert unexpected <= (allowed if may_overlap else set()), dict(check.notes)
    return seen
