"""Makes Perfetto traces with the official protos, in the ways in which different writers do it.

    maker = TraceMaker()
    maker.clocks(realtime=..., monotonic=..., boottime=...)
    thread = maker.thread(pid=10, tid=11, name="main")
    writer = maker.sequence(deltas=True, interned=True)
    writer.begin(thread, 1_000, "load")
    writer.end(thread, 2_000)
    data = maker.data()

Times are nanoseconds of the clock that the sequence uses. No part of Marey is used here."""

import zlib

from perfetto.protos.perfetto.trace import perfetto_trace_pb2 as protos

REALTIME, MONOTONIC, BOOTTIME, DELTAS = 1, 3, 6, 64
CLEARED, NEEDS_STATE = 1, 2
BEGIN, END, INSTANT, COUNTER = 1, 2, 3, 4
FILLER_TAG = b"\x7a"  # root field 15, length-delimited


def varint(value, width=0):
    """`value` as a varint of at least `width` bytes."""
    out = bytearray()
    while value >= 0x80 or len(out) + 1 < width:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def framed(packet):
    """A packet (message or bytes) as it stands in a file."""
    body = packet if isinstance(packet, bytes) else packet.SerializeToString()
    return b"\x0a" + varint(len(body)) + body


def filler(size):
    """Unused space of `size` bytes (at least 5) as Marey writes it."""
    return FILLER_TAG + varint(size - 5, width=4) + b"\xa5" * (size - 5)


def set_value(annotation, value):
    """A value of an argument, by its type; what is no number, list or dict is a text."""
    if isinstance(value, bool):
        annotation.bool_value = value
    elif isinstance(value, int):
        annotation.int_value = value
    elif isinstance(value, float):
        annotation.double_value = value
    elif isinstance(value, dict):
        for key, inner in value.items():
            set_value(annotation.dict_entries.add(name=key), inner)
    elif isinstance(value, list):
        for inner in value:
            set_value(annotation.array_values.add(), inner)
    else:
        annotation.string_value = str(value)


class TraceMaker:
    def __init__(self):
        self.pieces = []
        self.last_uuid = 0
        self.last_sequence = 0

    def add(self, packet):
        self.pieces.append(framed(packet))
        return packet

    def raw(self, data):
        self.pieces.append(data)

    def data(self):
        return b"".join(self.pieces)

    def compressed(self):
        """All so far as one packet of compressed packets."""
        packet = protos.TracePacket()
        packet.compressed_packets = zlib.compress(self.data())
        return framed(packet)

    def add_snapshot(self, times, primary=None):
        """times: clock id -> nanoseconds."""
        packet = protos.TracePacket()
        for clock, time in times.items():
            packet.clock_snapshot.clocks.add(clock_id=clock, timestamp=time)
        if primary is not None:
            packet.clock_snapshot.primary_trace_clock = primary
        return self.add(packet)

    def clocks(self, realtime, monotonic, boottime):
        self.add_snapshot({REALTIME: realtime, MONOTONIC: monotonic, BOOTTIME: boottime})

    def attributes(self, **values):
        packet = protos.TracePacket()
        for key, value in values.items():
            attribute = packet.trace_attributes.attribute.add(key=key)
            if isinstance(value, int):
                attribute.long_value = value
            else:
                attribute.string_value = value
        self.add(packet)

    def describe(self, uuid=None, **fields):
        """A track descriptor; returns its uuid. fields by name; dicts for messages within."""
        self.last_uuid += 1
        packet = protos.TracePacket()
        packet.track_descriptor.uuid = uuid or self.last_uuid
        for key, value in fields.items():
            if isinstance(value, dict):
                inner = getattr(packet.track_descriptor, key)
                inner.SetInParent()
                for inner_key, inner_value in value.items():
                    if isinstance(inner_value, list):
                        getattr(inner, inner_key).extend(inner_value)
                    else:
                        setattr(inner, inner_key, inner_value)
            else:
                setattr(packet.track_descriptor, key, value)
        self.add(packet)
        return packet.track_descriptor.uuid

    def process(self, pid, name="", command=(), uuid=None):
        return self.describe(
            uuid, process={"pid": pid, "process_name": name, "cmdline": list(command)}
        )

    def thread(self, pid, tid, name="", uuid=None):
        return self.describe(uuid, thread={"pid": pid, "tid": tid, "thread_name": name})

    def counter(self, name, parent=0, **fields):
        return self.describe(name=name, parent_uuid=parent, counter=fields)

    def sequence(self, **options):
        self.last_sequence += 1
        return SequenceMaker(self, options.pop("number", self.last_sequence), **options)


class SequenceMaker:
    """One writer's packets.

    deltas: times as differences on a clock of the sequence's own, anchored at `anchor` of `clock`.
    interned: names and categories by number. flags: each event says that it needs the state.
    track: the default track."""

    def __init__(
        self, maker, number, deltas=False, interned=False, flags=False, clock=0, anchor=0, track=0
    ):
        self.maker, self.number = maker, number
        self.deltas, self.interned, self.flags = deltas, interned, flags
        self.clock, self.anchor, self.track = clock, anchor, track
        self.start()

    def start(self):
        """Opens a chunk: state cleared, clock anchored, names forgotten."""
        self.last, self.names, self.categories, self.keys = self.anchor, {}, {}, {}
        self.places = {}
        packet = self.packet()
        packet.sequence_flags = CLEARED
        if self.deltas:
            packet.clock_snapshot.clocks.add(clock_id=self.clock or BOOTTIME, timestamp=self.anchor)
            packet.clock_snapshot.clocks.add(clock_id=DELTAS, timestamp=0, is_incremental=True)
        if self.deltas or self.clock:
            clock = DELTAS if self.deltas else self.clock
            packet.trace_packet_defaults.timestamp_clock_id = clock
        if self.track:
            packet.trace_packet_defaults.track_event_defaults.track_uuid = self.track
        self.maker.add(packet)

    def packet(self):
        packet = protos.TracePacket()
        packet.trusted_packet_sequence_id = self.number
        return packet

    def _intern(self, packet, table, kind, text):
        if text not in table:
            table[text] = len(table) + 1
            getattr(packet.interned_data, kind).add(iid=table[text], name=text)
        return table[text]

    def _place(self, packet, file, function, line):
        """A source location: by number, or as it is."""
        place = {"file_name": file, "function_name": function, "line_number": line}
        if not self.interned:
            packet.track_event.source_location.MergeFrom(protos.SourceLocation(**place))
            return
        known = self.places.setdefault((file, function, line), len(self.places) + 1)
        if known == len(self.places):
            packet.interned_data.source_locations.add(iid=known, **place)
        packet.track_event.source_location_iid = known

    def event(
        self,
        kind,
        track,
        time,
        name=None,
        categories=(),
        flows=(),
        args=(),
        source=None,
        **fields,
    ):
        packet = self.packet()
        packet.timestamp = (time - self.last) % (1 << 64) if self.deltas else time
        self.last = time
        event = packet.track_event
        event.type = kind
        if track != self.track:
            event.track_uuid = track
        if name is not None and self.interned:
            event.name_iid = self._intern(packet, self.names, "event_names", name)
        elif name is not None:
            event.name = name
        for category in categories:
            if self.interned:
                iid = self._intern(packet, self.categories, "event_categories", category)
                event.category_iids.append(iid)
            else:
                event.categories.append(category)
        if source:
            self._place(packet, *source)
        for key, value in dict(args).items():
            annotation = event.debug_annotations.add()
            set_value(annotation, value)
            if self.interned:
                table = "debug_annotation_names"
                annotation.name_iid = self._intern(packet, self.keys, table, key)
            else:
                annotation.name = key
        event.flow_ids.extend(flows)
        for key, value in fields.items():
            if isinstance(value, list):
                getattr(event, key).extend(value)
            else:
                setattr(event, key, value)
        if self.flags:
            packet.sequence_flags = NEEDS_STATE
        self.maker.add(packet)

    def begin(self, track, time, name, categories=(), **more):
        self.event(BEGIN, track, time, name, categories, **more)

    def end(self, track, time, **more):
        self.event(END, track, time, **more)

    def instant(self, track, time, name, **more):
        self.event(INSTANT, track, time, name, **more)

    def value(self, track, time, value):
        if isinstance(value, float):
            self.event(COUNTER, track, time, double_counter_value=value)
        else:
            self.event(COUNTER, track, time, counter_value=value)
