"""verify.py FILE TYPE=COUNT...: counts the events of a trace with the official Perfetto protos;
fails, with both counts, where it does not hold exactly these. TYPE: begin, end, instant, counter.

A program of its own, because tg4perfetto brings protos of the same names: no process can have both.
"""

import subprocess
import sys
from collections import Counter
from pathlib import Path

TYPES = {1: "begin", 2: "end", 3: "instant", 4: "counter"}


def count_events(path: "str | Path") -> "Counter[str]":
    """How many events of each type the trace holds. Raises google.protobuf.message.DecodeError
    where it is damaged."""
    from perfetto.protos.perfetto.trace import perfetto_trace_pb2

    trace = perfetto_trace_pb2.Trace()
    trace.ParseFromString(Path(path).read_bytes())
    counts: Counter[str] = Counter()
    for packet in trace.packet:
        if packet.HasField("track_event"):
            counts[TYPES.get(packet.track_event.type, "other")] += 1
    return counts


def expect(path: "str | Path", **expected: int) -> None:
    """Ends this program where the trace does not hold exactly these events; another one counts."""
    counts = [f"{kind}={count}" for kind, count in expected.items()]
    if subprocess.run([sys.executable, __file__, str(path), *counts]).returncode:
        sys.exit(1)


def main() -> None:
    path, *counts = sys.argv[1:]
    expected = {kind: int(count) for kind, count in (c.split("=") for c in counts)}
    found = count_events(path)
    if found != Counter(expected):
        sys.exit(f"bench: {path} should hold {expected}, and holds {dict(found)}")


if __name__ == "__main__":
    main()
