"""What a trace holds, by the official protos: the tests' own reader, with no part of Marey in it.

trace = protoread.load(data)
trace.spans      Span(track, name, category, begin, duration (None: no end), failed)
trace.counters   track uuid -> [(time, value)] in order of time
trace.tracks     uuid -> TrackDescriptor, merged
Follows trace_processor: names by number per sequence, deltas in file order, then all by time; an
end closes the innermost span of its track that has the name and category which it gives."""

import collections
import gzip
import math
import zlib

from perfetto.protos.perfetto.trace import perfetto_trace_pb2 as protos

Span = collections.namedtuple("Span", "track name category begin duration failed")
FAILED = ("error", "exception")


class Loaded:
    def __init__(self):
        self.spans, self.tracks, self.attributes = [], {}, {}
        self.counters = collections.defaultdict(list)
        self.instants = self.events = 0
        self.flows = set()

    def table(self):
        """(name, category) -> what a row of the table of spans has."""
        rows = collections.defaultdict(list)
        for span in self.spans:
            rows[span.name or "", span.category or None].append(span)
        return {key: table_row(spans) for key, spans in rows.items()}


def nearest_rank(values, percent):
    return values[max(math.ceil(len(values) * percent / 100), 1) - 1]


def table_row(spans):
    ended = sorted(span.duration for span in spans if span.duration is not None)
    times = {}
    for key, value in (
        ("total_ns", lambda: sum(ended)),
        ("mean_ns", lambda: sum(ended) // len(ended)),
        ("p50_ns", lambda: nearest_rank(ended, 50)),
        ("p99_ns", lambda: nearest_rank(ended, 99)),
        ("max_ns", lambda: ended[-1]),
    ):
        times[key] = value() if ended else None
    return {
        "count": len(spans),
        "no_end": len(spans) - len(ended),
        "errors": sum(span.failed for span in spans),
        **times,
    }


class _Sequence:
    def __init__(self):
        self.names, self.categories, self.keys = {}, {}, {}
        self.clock = self.track = 0
        self.value, self.partner, self.offset = {}, {}, {}


def packets_of(data):
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    for packet in protos.Trace.FromString(data).packet:
        if packet.HasField("compressed_packets"):
            yield from packets_of(zlib.decompress(packet.compressed_packets))
        else:
            yield packet


def _clocks(packet, sequence, offsets):
    """offsets: clock id -> what to add for BOOTTIME."""
    times = {clock.clock_id: clock for clock in packet.clock_snapshot.clocks}
    if 6 in times:
        for clock, reading in times.items():
            offsets.setdefault(clock, times[6].timestamp - reading.timestamp)
    own = times.get(64)
    if own:
        partner = next(clock for clock in times if clock < 64)
        sequence.value[64], sequence.partner[64] = own.timestamp, partner
        sequence.offset[64] = times[partner].timestamp - own.timestamp


def _time(packet, sequence, offsets):
    clock, time = packet.timestamp_clock_id or sequence.clock, packet.timestamp
    if clock == 64:
        sequence.value[64] = (sequence.value[64] + time) % (1 << 64)
        clock, time = sequence.partner[64], sequence.value[64] + sequence.offset[64]
    return time + (offsets.get(clock, 0) if clock else 0)


def _state(packet, sequence):
    if packet.sequence_flags & 1:
        sequence.names, sequence.categories, sequence.keys = {}, {}, {}
        sequence.clock = sequence.track = 0
    interned = packet.interned_data
    for table, entries in (
        (sequence.names, interned.event_names),
        (sequence.categories, interned.event_categories),
        (sequence.keys, interned.debug_annotation_names),
    ):
        for entry in entries:
            table.setdefault(entry.iid, entry.name)
    if packet.HasField("trace_packet_defaults"):
        sequence.clock = packet.trace_packet_defaults.timestamp_clock_id
        sequence.track = packet.trace_packet_defaults.track_event_defaults.track_uuid


def _describe(loaded, descriptor):
    known = loaded.tracks.get(descriptor.uuid)
    if known:
        known.MergeFrom(descriptor)
    else:
        loaded.tracks[descriptor.uuid] = descriptor


def _event(loaded, packet, sequence, time):
    event = packet.track_event
    name = event.name if event.HasField("name") else sequence.names.get(event.name_iid)
    categories = [sequence.categories[iid] for iid in event.category_iids] + list(event.categories)
    keys = [note.name or sequence.keys.get(note.name_iid) for note in event.debug_annotations]
    track = event.track_uuid if event.HasField("track_uuid") else sequence.track
    value = (
        event.double_counter_value
        if event.HasField("double_counter_value")
        else event.counter_value
    )
    loaded.events += 1
    loaded.flows.update(event.flow_ids, event.terminating_flow_ids)
    failed = any(key in FAILED for key in keys)
    return time, track, event.type, name, ",".join(categories), failed, value


def _assemble(loaded, events):
    stacks = collections.defaultdict(list)
    for time, track, kind, name, category, failed, value in sorted(events, key=lambda e: e[0]):
        stack = stacks[track]
        if kind == 1:
            stack.append(len(loaded.spans))
            loaded.spans.append(Span(track, name, category, time, None, failed))
        elif kind == 2:
            for at in reversed(range(len(stack))):
                span = loaded.spans[stack[at]]
                if name in (None, span.name) and category in ("", span.category):
                    duration, failed = time - span.begin, failed or span.failed
                    loaded.spans[stack[at]] = span._replace(duration=duration, failed=failed)
                    del stack[at]
                    break
        elif kind == 3:
            loaded.instants += 1
        elif kind == 4:
            loaded.counters[track].append((time, value))


def load(data):
    loaded, events, offsets = Loaded(), [], {}
    sequences = collections.defaultdict(_Sequence)
    packets = list(packets_of(data))
    for packet in packets:  # a snapshot counts wherever it stands
        if packet.HasField("clock_snapshot"):
            _clocks(packet, _Sequence(), offsets)
    for packet in packets:
        sequence = sequences[packet.trusted_packet_sequence_id]
        _state(packet, sequence)
        if packet.HasField("clock_snapshot"):
            _clocks(packet, sequence, offsets)
            continue
        time = _time(packet, sequence, offsets) if packet.HasField("timestamp") else None
        if packet.HasField("track_descriptor"):
            _describe(loaded, packet.track_descriptor)
        for attribute in packet.trace_attributes.attribute:
            text = attribute.HasField("string_value")
            value = attribute.string_value if text else attribute.long_value
            loaded.attributes[attribute.key] = value
        if packet.HasField("track_event"):
            events.append(_event(loaded, packet, sequence, time))
    _assemble(loaded, events)
    return loaded
