"""What is known of a trace that was kept, as its first packet: attributes of the trace, which any
reader shows, and which a list of the folder finds without reading the traces.

The packet is Trace.packet (1) of TracePacket.trace_attributes (126) of TraceAttributes.attribute
(1): key (1), long_value (2), string_value (3), as in perfetto/trace/trace_attributes.proto.
"""

from __future__ import annotations

from ._varint import varint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Union

    Fact = Union[int, str]
    Facts = Mapping[str, Fact]

_PACKET_MAX = 16_384
_TEXT_MAX = 500  # characters of a value
# Tags: a field's number and its wire type (0: a varint, 2: bytes).
_PACKET = _ATTRIBUTE = _KEY = b"\x0a"
_TRACE_ATTRIBUTES = b"\xf2\x07"
_NUMBER, _TEXT = b"\x10", b"\x1a"


class _Damaged(Exception):
    pass


def _field(tag: bytes, content: bytes) -> bytes:
    return tag + varint(len(content)) + content


def _attribute(key: str, value: Fact) -> bytes:
    content = _field(_KEY, key.encode())
    if isinstance(value, int):
        content += _NUMBER + varint(value)
    else:
        content += _field(_TEXT, value[:_TEXT_MAX].encode("utf-8", "replace"))
    return _field(_ATTRIBUTE, content)


def packet(facts: Facts) -> bytes:
    """These facts, numbers from 0 to 2**63 and texts, as a packet."""
    attributes = b"".join(_attribute(key, value) for key, value in facts.items())
    return _field(_PACKET, _field(_TRACE_ATTRIBUTES, attributes))


def read(path: str) -> dict[str, Fact]:
    """The facts that the file begins with; none where it begins otherwise. Raises OSError."""
    with open(path, "rb") as file:
        start = file.read(_PACKET_MAX)
    try:
        return dict(_attributes(start))
    except (_Damaged, UnicodeDecodeError):
        return {}


def _attributes(start: bytes) -> Iterator[tuple[str, Fact]]:
    content, _ = _take(start, 0, _PACKET)
    content, _ = _take(content, 0, _TRACE_ATTRIBUTES)
    at = 0
    while at < len(content):
        attribute, at = _take(content, at, _ATTRIBUTE)
        key, value_at = _take(attribute, 0, _KEY)
        if attribute.startswith(_NUMBER, value_at):
            yield key.decode(), _read_varint(attribute, value_at + 1)[0]
        else:
            yield key.decode(), _take(attribute, value_at, _TEXT)[0].decode()


def _take(data: bytes, at: int, tag: bytes) -> tuple[bytes, int]:
    """The field that has to stand at `at`, and where it ends."""
    if not data.startswith(tag, at):
        raise _Damaged
    length, at = _read_varint(data, at + len(tag))
    if length > len(data) - at:
        raise _Damaged
    return data[at : at + length], at + length


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 64, 7):
        if at >= len(data):
            break
        value |= (data[at] & 0x7F) << shift
        at += 1
        if not data[at - 1] & 0x80:
            return value, at
    raise _Damaged
