"""A trace by the official protos, as the trees that a viewer shows: nothing of Marey's reads it.

    trace = traces.load(path)
    trace.tree("MainThread")    [("load", [("parse", [])])]: names, and what is inside, by time
    trace.span("load").args     {"path": "x", "rows": 5}
    trace.spans, .instants, .tracks, .attributes, .flows, .counters

Each file is also read by tracecheck, which says what a viewer would lose or show wrongly: that must
be nothing.
"""

import contextlib
import dataclasses
from collections import defaultdict

import tracecheck
from perfetto.protos.perfetto.trace import perfetto_trace_pb2 as protos

import marey

CLEARED = 1  # SEQ_INCREMENTAL_STATE_CLEARED
MONOTONIC, REALTIME, BOOTTIME = 3, 1, 6
BEGIN, END, INSTANT, COUNTER = 1, 2, 3, 4


@dataclasses.dataclass
class Track:
    uuid: int
    name: str = ""
    parent: int = 0
    kind: str = "custom"  # process, thread, counter, custom
    pid: int = 0
    tid: int = 0
    unit: str = ""


@dataclasses.dataclass(eq=False)
class Event:
    """A span, an instant or a value. Times: nanoseconds of CLOCK_MONOTONIC, or of CLOCK_BOOTTIME
    where the trace is a part of one; end None: open.
    """

    track: Track
    name: str
    category: str
    begin: int
    args: dict
    flows: list
    location: tuple = ()
    end: int = None
    parent: "Event" = None
    children: list = dataclasses.field(default_factory=list)
    value: float = None
    flow_ends: list = dataclasses.field(default_factory=list)

    def tree(self):
        return self.name, [child.tree() for child in self.children]


class Sequence:
    """What a packet sequence has said so far."""

    def __init__(self, clocks):
        self.cleared = False
        self.clocks = clocks  # of the whole trace: as self.origin
        self.last = {}  # incremental clock -> its time in nanoseconds of CLOCK_MONOTONIC
        self.origin = {MONOTONIC: 0}  # other clock -> what it counts from
        self.clear()

    def clear(self):
        self.interned = defaultdict(dict)
        self.track = self.clock = 0

    def take(self, packet):
        if packet.sequence_flags & CLEARED:
            self.clear()
            self.cleared = True
        data = packet.interned_data
        for kind in (
            "event_names",
            "event_categories",
            "debug_annotation_names",
            "source_locations",
            "debug_annotation_string_values",
        ):
            for entry in getattr(data, kind):
                assert self.cleared
                self.interned[kind].setdefault(entry.iid, entry)
        if packet.HasField("trace_packet_defaults"):
            self.clock = packet.trace_packet_defaults.timestamp_clock_id
            self.track = packet.trace_packet_defaults.track_event_defaults.track_uuid
        clocks = {clock.clock_id: clock for clock in packet.clock_snapshot.clocks}
        reference = clocks.get(MONOTONIC) or clocks.get(
            BOOTTIME
        )  # a part of a trace has the latter
        for number, clock in clocks.items():
            if clock.is_incremental:
                self.last[number] = reference.timestamp
            else:
                known = self.origin if number >= 64 else self.clocks
                known[number] = reference.timestamp - clock.timestamp

    def time(self, packet):
        clock = packet.timestamp_clock_id or self.clock
        if clock in self.last:
            self.last[clock] += packet.timestamp
            return self.last[clock]
        return self.origin.get(clock, self.clocks.get(clock)) + packet.timestamp

    def text(self, kind, iid):
        return self.interned[kind][iid].name  # KeyError: the file is wrong


class Trace:
    def __init__(self, data):
        self.message = protos.Trace.FromString(data)
        self.tracks, self.attributes = {}, {}
        self.spans, self.instants, self.counters = [], [], []
        self.flows = defaultdict(list)  # id -> events, in order of time
        clocks = {}
        self._events, self._sequences = [], defaultdict(lambda: Sequence(clocks))
        for packet in self.message.packet:
            self._packet(packet)
        self._assemble()

    # ------------------------------------------------------------- packets

    def _packet(self, packet):
        sequence = self._sequences[packet.trusted_packet_sequence_id]
        sequence.take(packet)
        for attribute in packet.trace_attributes.attribute:
            number = attribute.WhichOneof("value") == "long_value"
            self.attributes[attribute.key] = (
                attribute.long_value if number else attribute.string_value
            )
        time = sequence.time(packet) if packet.HasField("timestamp") else 0
        if packet.HasField("track_descriptor"):
            self._describe(packet.track_descriptor)
        if packet.HasField("track_event"):
            assert packet.trusted_packet_sequence_id
            self._events.append(
                (
                    time,
                    sequence,
                    packet.track_event,
                    dict(self._texts(sequence, packet.track_event)),
                )
            )

    def _describe(self, it):
        track = self.tracks.setdefault(it.uuid, Track(it.uuid))
        track.name = it.name or it.static_name or track.name
        track.parent = it.parent_uuid or track.parent
        if it.HasField("thread"):
            track.kind, track.pid, track.tid = "thread", it.thread.pid, it.thread.tid
            track.name = it.thread.thread_name or track.name
        elif it.HasField("process"):
            track.kind, track.pid = "process", it.process.pid
            track.name = it.process.process_name or track.name
        elif it.HasField("counter"):
            track.kind, track.unit = "counter", it.counter.unit_name

    def _texts(self, sequence, event):
        """What an event's interned numbers mean where it stands: later, they may mean others."""
        yield "track", event.track_uuid or sequence.track
        yield "name", sequence.text("event_names", event.name_iid) if event.name_iid else event.name
        yield (
            "category",
            ",".join(
                [sequence.text("event_categories", iid) for iid in event.category_iids]
                + list(event.categories)
            ),
        )
        yield "args", dict(self._annotation(sequence, one) for one in event.debug_annotations)
        location = sequence.interned["source_locations"].get(event.source_location_iid)
        yield (
            "location",
            (
                (location.file_name, location.function_name, location.line_number)
                if location
                else ()
            ),
        )

    def _annotation(self, sequence, one):
        name = sequence.text("debug_annotation_names", one.name_iid) if one.name_iid else one.name
        return name, self._value(sequence, one)

    def _value(self, sequence, one):
        if one.dict_entries:
            return dict(self._annotation(sequence, entry) for entry in one.dict_entries)
        if one.array_values:
            return [self._value(sequence, entry) for entry in one.array_values]
        kind = one.WhichOneof("value")
        assert kind is not None, f"an argument without a value: {one}"
        value = getattr(one, kind)
        if kind == "string_value_iid":
            return sequence.interned["debug_annotation_string_values"][value].str.decode()
        return value

    # ------------------------------------------------------------ assembly

    def _assemble(self):
        stacks = defaultdict(list)
        self._events.sort(key=lambda event: event[0])  # stable: equal times keep the file's order
        for time, _, message, texts in self._events:
            track = self.tracks[texts["track"]]
            if message.type == END:
                self._end(stacks[track.uuid], time, texts["args"], message)
                continue
            event = Event(
                track, texts["name"], texts["category"], time, texts["args"], list(message.flow_ids)
            )
            event.location, event.flow_ends = texts["location"], list(message.terminating_flow_ids)
            if message.type == BEGIN:
                self._begin(stacks[track.uuid], event)
            elif message.type == INSTANT:
                self.instants.append(event)
            elif message.type == COUNTER:
                kind = message.WhichOneof("counter_value_field")
                event.value, event.name = getattr(message, kind), track.name
                self.counters.append(event)
            for flow in event.flows + event.flow_ends:
                self.flows[flow].append(event)

    def _begin(self, stack, event):
        assert len(stack) < 512, "deeper than a viewer shows"
        if stack:
            event.parent = stack[-1]
            stack[-1].children.append(event)
        stack.append(event)
        self.spans.append(event)

    def _end(self, stack, time, args, message):
        assert stack, "an end without a begin"
        event = stack.pop()
        event.end = time
        event.args.update(args)
        for flow in list(message.flow_ids) + list(message.terminating_flow_ids):
            self.flows[flow].append(event)

    # ----------------------------------------------------------------- ask

    def track(self, name, **wanted):
        """The one track of that name."""
        found = [
            track
            for track in self.tracks.values()
            if track.name == name
            and all(getattr(track, key) == value for key, value in wanted.items())
        ]
        assert len(found) == 1, f"{name!r}: {found} of {[t.name for t in self.tracks.values()]}"
        return found[0]

    def parents(self, track):
        """The names of what a track stands below, from the nearest."""
        names = []
        while track.parent:
            track = self.tracks[track.parent]
            names.append(track.name)
        return names

    def roots(self, track=None):
        track = self.track(track) if isinstance(track, str) else track
        return [s for s in self.spans if s.parent is None and track in (None, s.track)]

    def tree(self, track=None):
        return [span.tree() for span in self.roots(track)]

    def named(self, name):
        return [span for span in self.spans if span.name == name]

    def span(self, name):
        found = self.named(name)
        assert len(found) == 1, (
            f"{len(found)} spans {name!r} of {sorted({s.name for s in self.spans})}"
        )
        return found[0]

    def instant(self, name):
        found = [instant for instant in self.instants if instant.name == name]
        assert len(found) == 1, f"{len(found)} instants {name!r}"
        return found[0]

    def values(self, name):
        return [event.value for event in self.counters if event.name == name]


def load(path, problems=()):
    """The trace, once both readers found it right; `problems`: what tracecheck may say of it."""
    with open(path, "rb") as file:
        trace = Trace(file.read())
    said = [
        what for what in tracecheck.load(str(path)).problems if not any(p in what for p in problems)
    ]
    assert not said, said
    return trace


@contextlib.contextmanager
def recorded(path, **options):
    """Record what is in the block; the object has .record meanwhile, and .trace afterwards."""
    options.setdefault("gc", False)
    box = dataclasses.make_dataclass(
        "Recorded", [("record", object, None), ("trace", object, None)]
    )()
    with marey.record(path, **options) as box.record:
        yield box
    box.trace = load(path)
