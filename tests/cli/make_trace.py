#!/usr/bin/env python3
"""make_trace.py NAME: writes the trace of that name to the standard output.

Made with the official protos."""

import gzip
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import call_traces
import report_traces
from sampled_traces import Sample, SampledTrace
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


def sampled():
    """A second of two processes: one parses, by its own code and the library's; one waits."""
    maker = SampledTrace()
    maker.process(100, "app", ["app", "app.py", "--fast"])
    maker.process(200, "child", ["child"])
    maker.thread(100, 100, "MainThread")
    maker.thread(100, 101, "reader")
    maker.thread(200, 200, "MainThread")
    main = ("<module>", "/home/me/app.py", 40)
    load = ("load", "/home/me/package/loader.py", 12)
    decode = ("JSONDecoder.decode", "/usr/lib/python3.11/json/decoder.py", 337)
    wait = ("wait", "/usr/lib/python3.11/threading.py", 320)
    template = ("render", "/home/me/.venv/lib/python3.11/site-packages/jinja2/environment.py", 1301)
    shares = {
        (main, load, decode): 55,
        (main, load): 20,
        (main, ("load", "/home/me/package/loader.py", 14)): 5,
        (main, template): 12,
        (main, ("<native>", "", 0)): 8,
    }
    time = START
    for stack, count in shares.items():
        for _ in range(count):
            time += 10_000_000
            maker.sample(Sample(time, 100, 100, stack, 10_000_000, 9_000_000, 8_000_000))
    for number in range(10):
        time = START + number * 100_000_000
        maker.sample(Sample(time, 100, 101, (wait,), 100_000_000, wait=50_000_000, count=10))
    maker.sample(Sample(START, 200, 200, (("serve", "/home/me/child.py", 7), wait), 10_000_000))
    for name, first, last in (
        ("marey samples", 0, 201),
        ("marey samples torn", 0, 1),
        ("marey samples missed", 0, 2),
        ("marey sampling CPU time", 0, 4_000_000),
        ("marey sampling interval", 10_000_000, 10_000_000),
    ):
        maker.counter(name, ((START, first), (START + 1_000_000_000, last)))
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
    "sampled": sampled,
    "gzip": lambda: gzip.compress(demo(), 9, mtime=0),
    "gzip_cut": lambda: gzip.compress(demo(), 9, mtime=0)[:-40],
    "hostile": hostile,
    "chunks": chunks,
    "damaged": damaged,
    "cut": lambda: chunks()[:-5],
    "zeros": lambda: chunks() + bytes(4096),
    "old_kinds": old_kinds,
    **call_traces.TRACES,
    **report_traces.TRACES,
}

if __name__ == "__main__":
    sys.stdout.buffer.write(TRACES[sys.argv[1]]())
    sys.stdout.flush()
    # A debug build of Python complains at its end about the official protos, which are built for
    # all Pythons and count references to what is immortal.
    os._exit(0)
