#!/usr/bin/env python3
"""make_trace.py NAME: writes the trace of that name to the standard output.

Made with the official protos."""

import gzip
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import call_traces
from tracemaker import TraceMaker, filler

START = 1_000_000_000_000
WALL = 1_700_000_000_000_000_000


def maker_with_clocks():
    maker = TraceMaker()
    maker.clocks(realtime=WALL, monotonic=START, boottime=START)
    return maker


def demo():
    """Two processes, three threads, a track, a counter, a flow, a loss, errors, an open span."""
    maker = maker_with_clocks()
    maker.attributes(command="app.py --fast", host="workstation", run=42)
    app = maker.process(100, "app", ["python3", "app.py", "--fast"])
    main = maker.thread(100, 100, "main")
    worker = maker.thread(100, 101, "worker-1")
    maker.process(200, "child")
    child = maker.thread(200, 200, "child")
    device = maker.describe(name="device", parent_uuid=app)
    queue = maker.counter("queue", app, unit_name="items")
    lost = maker.counter("marey lost: limit")
    writers = {}
    for track in (main, worker, child, device):
        writers[track] = maker.sequence(deltas=True, interned=True, anchor=START, track=track)
    for i in range(100):
        time = START + i * 10_000_000
        writers[main].begin(main, time, "request")
        writers[main].begin(main, time + 1_000, "parse", ["io"])
        writers[main].end(main, time + 50_000 + i * 1_000)
        failure = {"exception": "KeyError"} if i % 50 == 7 else {}
        writers[main].end(main, time + 5_000_000, args=failure)
        writers[worker].begin(worker, time + 7, "compute")
        writers[worker].end(worker, time + 9_000_007)
        writers[device].value(queue, time, i % 7)
    writers[child].begin(child, START + 1_000, "serve", flows=[1])
    writers[main].instant(main, START + 1_000_000_000, "done", terminating_flow_ids=[1])
    writers[device].begin(device, START + 5, "kernel")
    writers[device].end(device, START + 2_500_000_005)
    writers[device].value(lost, START + 2_600_000_000, 12)
    maker.raw(filler(4096))
    return maker.data()


def hostile():
    """Names that would take over a terminal, or that are no text at all."""
    maker = maker_with_clocks()
    maker.attributes(note="\x1b]0;owned\x07")
    process = maker.process(1, "\x1b[31mred\x1b[0m", ["a\nb", "\u202egnp.exe"])
    thread = maker.thread(1, 1, "café 日本語 🎉")
    writer = maker.sequence()
    for name in ("\x1b[2J", "two\nlines", "\u202eright to left", '<b>&amp;"quotes"\\', "🎉" * 40):
        writer.begin(thread, START, name)
        writer.end(thread, START + 1_000)
    bad = b"bad: \xff\xfe\xc3("
    writer.begin(thread, START + 2_000, "X" * len(bad))
    writer.end(thread, START + 3_000)
    assert process
    return maker.data().replace(b"X" * len(bad), bad)


def chunks():
    """One thread, three chunks of 50 spans each."""
    maker = maker_with_clocks()
    thread = maker.thread(1, 1, "main")
    writer = maker.sequence(deltas=True, interned=True, anchor=START, track=thread)
    for chunk in range(3):
        if chunk:
            writer.start()
        for i in range(50):
            time = START + (chunk * 100 + i) * 1_000
            writer.begin(thread, time, f"chunk {chunk}")
            writer.end(thread, time + 500)
    return maker.data()


def damaged():
    """chunks, with 16 bytes of the second chunk overwritten."""
    data = bytearray(chunks())
    middle = len(data) // 2
    data[middle : middle + 16] = b"\xff" * 16
    return bytes(data)


def old_kinds():
    """What is whole, but not shown: too deep, old events, a value on a track that is no counter."""
    maker = maker_with_clocks()
    thread = maker.thread(1, 1, "main")
    writer = maker.sequence()
    for i in range(514):
        writer.begin(thread, START + i, "deep")
    for i in range(514):
        writer.end(thread, START + 1_000 + i)
    writer.value(thread, START + 2_000, 1)
    packet = writer.packet()
    packet.timestamp = START
    packet.track_event.legacy_event.phase = ord("X")
    maker.add(packet)
    return maker.data()


def other_writer():
    """As some libraries write: times from 0, one clock for all, a category that is never given."""
    maker = TraceMaker()
    maker.add_snapshot(dict.fromkeys((1, 2, 3, 4, 5, 6), 0), primary=6)
    process = maker.describe(1234567, name="group", process={"pid": 1, "process_name": "group"})
    track = maker.describe(1234568, name="track", parent_uuid=process)
    writer = maker.sequence(interned=True, flags=True, clock=1, track=1)
    writer.begin(track, 100, "a", category_iids=[9])
    writer.begin(track, 150, "b")
    writer.end(track, 200)
    writer.end(track, 300)
    return maker.data()


TRACES = {
    "other_writer": other_writer,
    "demo": demo,
    "gzip": lambda: gzip.compress(demo(), mtime=0),
    "gzip_cut": lambda: gzip.compress(demo(), mtime=0)[:-40],
    "hostile": hostile,
    "chunks": chunks,
    "damaged": damaged,
    "cut": lambda: chunks()[:-5],
    "zeros": lambda: chunks() + bytes(4096),
    "old_kinds": old_kinds,
    **call_traces.TRACES,
}

if __name__ == "__main__":
    sys.stdout.buffer.write(TRACES[sys.argv[1]]())
