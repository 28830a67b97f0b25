#!/usr/bin/env python3
"""Writes the seeds of fuzz_reader, fuzz_tree, fuzz_page, fuzz_follow, fuzz_cut and
fuzz_source into their folders in tests/fuzz: a small trace for each thing they meet.

tests/fuzz/make_seeds.py        (needs the package perfetto)"""

import gzip
import struct
import sys
import zlib
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import call_traces  # noqa: E402
from sampled_traces import START, STYLES, Sample, SampledTrace  # noqa: E402
from tracemaker import MONOTONIC, TraceMaker, filler  # noqa: E402

BASE = 10**12


def plain(**options):
    maker = TraceMaker()
    maker.clocks(realtime=17 * 10**17, monotonic=BASE, boottime=BASE + 10**9)
    maker.attributes(host="h", run=7)
    process = maker.process(100, "p", ["a", "b"])
    thread = maker.thread(100, 101, "main")
    custom = maker.describe(name="device", parent_uuid=process)
    counter = maker.counter("queue", process, unit_name="items", is_incremental=True)
    writer = maker.sequence(anchor=BASE, **options)
    writer.begin(thread, BASE + 10, "outer", ["io", "db"])
    writer.begin(thread, BASE + 20, "inner", args={"path": "/x"}, flows=[5])
    writer.value(counter, BASE + 25, 3)
    writer.value(counter, BASE + 26, 2.5)
    writer.instant(custom, BASE + 27, "tick", terminating_flow_ids=[5])
    writer.end(thread, BASE + 30, args={"exception": "E"})
    writer.start()
    writer.end(thread, BASE + 40)
    writer.begin(custom, BASE + 50, "outer")
    return maker


def damaged():
    data = plain(deltas=True, interned=True, track=2).data()
    return data[:150] + b"\xff" * 9 + data[150:]


def with_fillers():
    maker = plain()
    maker.raw(filler(40))
    maker.sequence().begin(2, BASE + 60, "late")
    maker.raw(filler(5))
    return maker.data()


def sampled(style):
    maker = SampledTrace(style, chunk=2)
    maker.process(10, "p", ["p", "-v"])
    maker.thread(10, 11, "t")
    for number in range(3):
        stack = (("main", "/a.py", 1), (f"f{number % 2}", "/b.py", 2 + number))
        maker.sample(Sample(START - number, 10, 11, stack, count=2, task="job"))
    return maker.data()


SEEDS = {
    "absolute": lambda: plain().data(),
    "deltas": lambda: plain(deltas=True, interned=True, track=2).data(),
    "deltas_monotonic": lambda: plain(deltas=True, clock=MONOTONIC).data(),
    "flags": lambda: plain(interned=True, flags=True, clock=MONOTONIC).data(),
    "compressed": lambda: plain(interned=True).compressed(),
    "fillers": with_fillers,
    "damaged": damaged,
    "cut": lambda: plain(interned=True).data()[:-3],
    "zeros": lambda: plain().data() + bytes(64),
    **{f"samples_{style}": lambda style=style: sampled(style) for style in STYLES},
}


CALLS = ("handle", "shop", "limited", "coroutines", "killed", "strange")


# A question about a trace, with a NUL between.
QUESTIONS = {
    "timeline": "api/timeline?width=300&tracks=0,1,2&from=-5&to=90000",
    "functions": "api/functions?of=spans&threads=0",
    "flame": "api/flame?limit=4&weight=count",
    "table": "api/span-table?from=10&to=70000",
    "slices": "api/slices?name=load&category=call&sort=begin&offset=1&limit=2",
    "span": "api/span?id=1",
    "instant": "api/instant?id=0",
    "flows": "api/flows?limit=3",
    "tree": "api/tree?parent=0&min=1&limit=5",
    "top": "api/tree?parent=-2",
    "samples": "api/tree?of=samples",
    "search": "api/search?q=%61&limit=7",
    "format": "convert?format=csv",
    "html": "convert?format=html&from=0&to=90000",
}


def asked(name, question):
    trace = sampled(STYLES[0]) if name in ("flame", "samples") else call_traces.TRACES["shop"]()
    return question.encode() + b"\0" + trace


# Steps of a file that is followed: see fuzz_follow.c.
APPEND, WRITE, ZEROS, CUT, LOOK = range(5)
SOON = 0x80


def step(what, place=0, count=0, data=b""):
    return struct.pack("<BHB", what, place, count or len(data)) + data


def grown(data, what=APPEND, looks=3):
    """Steps that append data, with looks between."""
    pieces = [data[at : at + 255] for at in range(0, len(data), 255)]
    every = max(1, len(pieces) // looks)
    steps = []
    for number, piece in enumerate(pieces):
        steps.append(step(what, data=piece))
        if number % every == 0:
            steps.append(step(LOOK))
    return b"".join(steps)


def filled():
    """A filler becomes a packet and a smaller filler, again and again."""
    maker = plain()
    first = len(maker.data())
    maker.raw(filler(200))
    steps = [b"\0", grown(maker.data()), step(LOOK)]
    late = TraceMaker()
    writer = late.sequence(number=9, anchor=BASE)
    for number in range(4):
        before = len(late.data())
        writer.instant(2, BASE + 100 + number, f"late {number}")
        after = len(late.data())
        rest = filler(200 - after)
        steps += [step(WRITE, first + before, data=late.data()[before:] + rest), step(LOOK)]
    return b"".join(steps)


def large():
    """A packet that is longer than what is read at once, cut off while it is looked at."""
    head = b"\x0a" + bytes([0x80 | 80 * 4096 & 0x7F, 0x80 | 80 * 4096 >> 7 & 0x7F, 80 * 4096 >> 14])
    steps = [step(APPEND, data=head), step(ZEROS, count=90), step(LOOK), step(CUT | SOON, 7)]
    return b"\0" + b"".join(steps)


FOLLOWED = {
    "grown": lambda: b"\0" + grown(plain().data(), looks=5),
    "json": lambda: b"\1" + grown(plain(interned=True, deltas=True, track=2).data()),
    "few": lambda: b"\2" + grown(call_traces.TRACES["shop"]()),
    "filtered": lambda: b"\4" + grown(plain(interned=True).data()),
    "compressed": lambda: b"\0" + grown(plain(interned=True).compressed()),
    "cut": lambda: b"\0" + grown(plain().data()) + step(CUT, 90) + step(LOOK),
    "while_looking": lambda: (
        b"\0" + grown(plain().data()) + grown(plain(deltas=True).data(), APPEND | SOON)
    ),
    "filled": filled,
    "large": large,
}


def gzipped(level=9):
    return gzip.compress(plain(interned=True).data(), level, mtime=0)


def named():
    """With every optional part of gzip's head: RFC 1952, 2.3."""
    head = b"\x1f\x8b\x08\x1e\0\0\0\0\2\3" + b"\4\0ab\0\0" + b"name\0" + b"comment\0"
    return head + struct.pack("<H", zlib.crc32(head) & 0xFFFF) + gzipped()[10:]


def changed(place):
    data = bytearray(gzipped())
    data[place] ^= 0x55
    return bytes(data)


PACKED = {
    "gzipped": gzipped,
    "stored": lambda: gzipped(level=0),
    "named": named,
    "members": lambda: gzipped() + gzip.compress(b"", mtime=0) + gzipped(),
    "behind": lambda: gzipped() + b"behind",
    "cut": lambda: gzipped()[:-9],
    "wrong_sum": lambda: changed(-8),
    "wrong_middle": lambda: changed(200),
    "json": lambda: gzip.compress(b'[{"ph":"X","ts":1,"dur":2,"name":"n"}]', mtime=0),
    "plain": lambda: plain().data(),
}


def write(folder, seeds):
    folder.mkdir(exist_ok=True)
    for name, make in seeds.items():
        (folder / name).write_bytes(make())


def main():
    write(HERE / "reader", SEEDS)
    write(HERE / "follow", FOLLOWED)
    write(HERE / "cut", {name: SEEDS[name] for name in ("absolute", "deltas", "flags", "fillers")})
    write(HERE / "source", PACKED)
    write(HERE / "tree", {name: call_traces.TRACES[name] for name in CALLS})
    write(
        HERE / "page",
        {name: lambda name=name, text=text: asked(name, text) for name, text in QUESTIONS.items()},
    )


if __name__ == "__main__":
    main()
