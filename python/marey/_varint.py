"""Numbers of the trace format, as protobuf has them (protobuf.dev, "Encoding")."""


def varint(number: int) -> bytes:
    """Seven bits a byte, the lowest first; negative ones are 64 bits of two's complement."""
    number &= (1 << 64) - 1
    made = bytearray()
    while number > 0x7F:
        made.append(number & 0x7F | 0x80)
        number >>= 7
    made.append(number)
    return bytes(made)
