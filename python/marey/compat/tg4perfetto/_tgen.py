"""A trace of made-up tracks at made-up times: TraceGenerator.

Packets are those of Perfetto's TracePacket (protos/perfetto/trace/trace_packet.proto), written as
they come. Times are whatever the user says, so they need no order; viewers sort.
"""

from __future__ import annotations

import builtins
import struct
from typing import Any

from ..._varint import varint
from ._values import LIST_MAX, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os

_INT64 = range(-(1 << 63), 1 << 63)


# ------------------------------------------------------------------------------ protobuf


def _number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def _fixed(field: int, value: int) -> bytes:
    return varint(field << 3 | 1) + struct.pack("<Q", value & (1 << 64) - 1)


def _double(field: int, value: float) -> bytes:
    return varint(field << 3 | 1) + struct.pack("<d", value)


def _bytes(field: int, value: bytes) -> bytes:
    return varint(field << 3 | 2) + varint(len(value)) + value


def _text(field: int, value: str) -> bytes:
    return _bytes(field, value.encode("utf-8", "replace"))


def _value(value: Any) -> bytes:
    """What `shown` left of a value, as fields of a DebugAnnotation."""
    if isinstance(value, bool):
        return _number(2, value)
    if isinstance(value, int):
        return _number(4, value) if value in _INT64 else _text(6, hex(value))
    if isinstance(value, float):
        return _double(5, value)
    if isinstance(value, dict):
        return b"".join(_bytes(11, _text(10, key) + _value(item)) for key, item in value.items())
    if isinstance(value, list):
        return b"".join(_bytes(12, _value(item)) for item in value)
    return _text(6, str(value))


# -------------------------------------------------------------------------------- tracks

_BEGIN, _END, _INSTANT, _COUNTER = 1, 2, 3, 4  # TrackEvent.Type


class CounterTrack:
    """A counter."""

    def __init__(self, parent: TraceGenerator, uuid: int) -> None:
        self._parent, self._uuid = parent, uuid

    def count(self, ts: int, value: float) -> CounterTrack:
        """Its value from that time (ns) on."""
        is_whole = isinstance(value, int) and value in _INT64
        field = _number(30, value) if is_whole else _double(44, float(value))  # type: ignore[arg-type]
        self._parent._event(self._uuid, ts, _COUNTER, field)
        return self


class NormalTrack:
    """A track of spans and instants. Times are nanoseconds, in any order."""

    def __init__(self, parent: TraceGenerator, uuid: int) -> None:
        self._parent, self._uuid = parent, uuid

    def open(
        self, ts: int, annotation: str, kwargs: dict[Any, Any] | None = None, flow: Any = ()
    ) -> NormalTrack:
        """Begin a span. kwargs: shown with it. flow: ids of arrows."""
        self._parent._named(self._uuid, ts, _BEGIN, annotation, kwargs, flow)
        return self

    def close(self, ts: int, flow: Any = ()) -> NormalTrack:
        """End the latest span that is open."""
        self._parent._event(self._uuid, ts, _END, b"", flow)
        return self

    def instant(
        self, ts: int, annotation: str, kwargs: dict[Any, Any] | None = None, flow: Any = ()
    ) -> NormalTrack:
        """Something that happened."""
        self._parent._named(self._uuid, ts, _INSTANT, annotation, kwargs, flow)
        return self


class GroupTrack:
    """Tracks below a group, of its name where they are given no other."""

    def __init__(self, parent: TraceGenerator, uuid: int, name: str) -> None:
        self._parent, self._uuid, self._name = parent, uuid, name

    def create_track(self, track_name: str | None = None) -> NormalTrack:
        """One more of them."""
        name = self._name if track_name is None else track_name
        return NormalTrack(self._parent, self._parent._track(name, self._uuid))

    def create_counter_track(self, track_name: str) -> CounterTrack:
        """A counter below the group."""
        return CounterTrack(self._parent, self._parent._track(track_name, self._uuid, counter=True))


class Group:
    """A process, which is a track itself, and its tracks."""

    def __init__(self, parent: TraceGenerator, uuid: int) -> None:
        self._parent, self._uuid = parent, uuid
        self._own = NormalTrack(parent, uuid)

    def create_track(self, track_name: str) -> NormalTrack:
        """A track of spans and instants."""
        return NormalTrack(self._parent, self._parent._track(track_name, self._uuid))

    def create_counter_track(self, track_name: str) -> CounterTrack:
        """A counter of this group."""
        return CounterTrack(self._parent, self._parent._track(track_name, self._uuid, counter=True))

    def create_group(self, track_name: str) -> GroupTrack:
        """A group of tracks of one name."""
        return GroupTrack(self._parent, self._parent._track(track_name, self._uuid), track_name)

    def open(
        self, ts: int, annotation: str, kwargs: dict[Any, Any] | None = None, flow: Any = ()
    ) -> None:
        """Begin a span of the group itself."""
        self._own.open(ts, annotation, kwargs, flow)

    def close(self, ts: int, flow: Any = ()) -> None:
        """End the latest span that is open."""
        self._own.close(ts, flow)

    def instant(
        self, ts: int, annotation: str, kwargs: dict[Any, Any] | None = None, flow: Any = ()
    ) -> None:
        """Something that happened."""
        self._own.instant(ts, annotation, kwargs, flow)


class TraceGenerator:
    """Write a trace file by hand. Packets go out every `flush_threshold`, at flush(), at close(),
    and when a `with` of it ends.
    """

    flush_threshold = 10_000

    def __init__(self, filename: str | bytes | os.PathLike[str]) -> None:
        self.list_max_size = LIST_MAX
        self._file = builtins.open(filename, "wb")  # noqa: SIM115  closed by close()
        self._packets: list[bytes] = []
        self._uuids = 1234567
        self._pids = 0
        self._names: dict[str, int] = {}
        clocks = b"".join(_bytes(1, _number(1, clock) + _number(2, 0)) for clock in range(1, 7))
        self._packet(_bytes(6, clocks + _number(2, 6)) + _number(10, 1))
        defaults = _number(58, 1) + _bytes(11, _number(11, 1))
        self._packet(_number(10, 2) + _number(13, 1) + _bytes(59, defaults))

    def create_group(self, process_name: str, track_name: str | None = None) -> Group:
        """A process, and a track of it (track_name)."""
        self._pids += 1
        process = _bytes(3, _number(1, self._pids) + _text(6, process_name))
        name = process_name if track_name is None else track_name
        return Group(self, self._descriptor(_text(2, name) + process))

    def create_counter_track(self, track_name: str) -> CounterTrack:
        """A counter of the whole trace."""
        return CounterTrack(self, self._track(track_name, 0, counter=True))

    def flush(self) -> None:
        """Write what has gathered."""
        self._file.write(b"".join(self._packets))
        self._packets.clear()
        self._file.flush()

    def close(self) -> None:
        """Write what has gathered, and close the file. More than once is harmless."""
        if not self._file.closed:
            try:
                self.flush()
            finally:
                self._file.close()

    def __enter__(self) -> TraceGenerator:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __del__(self) -> None:
        if hasattr(self, "_file"):
            self.close()

    # ---------------------------------------------------------------- packets

    def _packet(self, body: bytes) -> None:
        self._packets.append(_bytes(1, body))
        if len(self._packets) > self.flush_threshold:
            self.flush()

    def _descriptor(self, fields: bytes) -> int:
        uuid = self._uuids
        self._uuids += 1
        descriptor = _bytes(60, _number(1, uuid) + fields)
        self._packet(_number(8, 0) + _number(10, 2) + _number(13, 2) + descriptor)
        return uuid

    def _track(self, name: str, parent: int, counter: bool = False) -> int:
        fields = _text(2, name)
        if parent:
            fields += _number(5, parent)
        return self._descriptor(fields + (_bytes(8, b"") if counter else b""))

    def _event(
        self, uuid: int, ts: int, kind: int, fields: bytes, flow: Any = (), interned: bytes = b""
    ) -> None:
        flows = b"".join(_fixed(47, number) for number in flow)
        event = _bytes(11, _number(9, kind) + _number(11, uuid) + fields + flows)
        self._packet(_number(8, ts) + _number(10, 2) + _number(13, 2) + event + interned)

    def _named(
        self, uuid: int, ts: int, kind: int, name: str, kwargs: dict[Any, Any] | None, flow: Any
    ) -> None:
        number, interned = self._names.get(name), b""
        if number is None:
            number = self._names[name] = len(self._names) + 1
            interned = _bytes(12, _bytes(2, _number(1, number) + _text(2, name)))
        fields = _number(10, number)
        if kwargs:
            for key, value in shown(kwargs, self.list_max_size).items():
                fields += _bytes(4, _text(10, key) + _value(value))
        self._event(uuid, ts, kind, fields, flow, interned)
