"""The reader against the official protos: random traces, made as different writers make them."""

import gzip
import json
import random
import subprocess

import protoread
import pytest
from command import find_marey
from tracemaker import BOOTTIME, MONOTONIC, TraceMaker, filler

BASE = 10**12
NAMES = ("a", "b", "c\u00e9", "\U0001f389 x")
CATEGORIES = ((), ("k",), ("k", "l"))


class RandomTrace:
    """Five tracks and a counter, each written by a sequence with manners of its own."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.maker = TraceMaker()
        self.clocks_late = self.chance(0.3)
        if not self.clocks_late:
            self.add_clocks()
        process = self.maker.process(100, "proc", ["a", "b"])
        self.tracks = [self.maker.thread(100, 100 + i, f"t{i}") for i in range(3)]
        self.tracks += [self.maker.describe(name=f"c{i}", parent_uuid=process) for i in range(2)]
        self.counter = self.maker.counter("q", process, unit_name="items")
        self.writers = [self.writer() for _ in self.tracks]
        self.now = [BASE + 10**6] * len(self.tracks)
        for _ in range(self.random.randrange(10, 500)):
            self.step()
        if self.clocks_late:
            self.add_clocks()

    def chance(self, of_one):
        return self.random.random() < of_one

    def add_clocks(self):
        self.maker.clocks(realtime=17 * 10**17, monotonic=BASE - 5, boottime=BASE + 10**9)

    def writer(self):
        return self.maker.sequence(
            deltas=self.chance(0.6),
            interned=self.chance(0.6),
            flags=self.chance(0.4),
            clock=self.random.choice((MONOTONIC, BOOTTIME)),
            anchor=BASE,
            track=self.random.choice([0, *self.tracks]),
        )

    def step(self):
        i = self.random.randrange(len(self.tracks))
        self.now[i] += self.random.choice((0, 1, 50, 10**6))
        track, writer, now = self.tracks[i], self.writers[i], self.now[i]
        if self.chance(0.02):
            writer.start()
        if self.chance(0.1):
            self.maker.raw(filler(self.random.choice((5, 100, 9000))))
        kind = self.random.random()
        if kind < 0.5:
            choose = self.random.choice
            writer.begin(track, now, choose(NAMES), choose(CATEGORIES))
        elif kind < 0.85:
            writer.end(track, now, args={"exception": "x"} if self.chance(0.1) else {})
        elif kind < 0.9:
            writer.instant(track, now, "inst", flows=[self.random.randrange(5) + 1])
        else:
            writer.value(self.counter, now, self.random.choice((1, -5, 2.5)))

    def data(self):
        packing = self.random.random()
        if packing < 0.2:
            return gzip.compress(self.maker.data())
        return self.maker.compressed() if packing < 0.4 else self.maker.data()


def info_of(path):
    done = subprocess.run([find_marey(), "info", "--json", path], capture_output=True, check=True)
    return json.loads(done.stdout)


def table_of(info):
    columns = ("count", "no_end", "errors", "total_ns", "mean_ns", "p50_ns", "p99_ns", "max_ns")
    return {
        (row["name"], row.get("category")): {column: row[column] for column in columns}
        for row in info["span_table"]
    }


@pytest.mark.parametrize("seed", range(60))
def test_as_the_official_protos_have_it(seed, tmp_path):
    data = RandomTrace(seed).data()
    path = tmp_path / "random.perfetto-trace"
    path.write_bytes(data)
    expected, info = protoread.load(data), info_of(path)
    assert table_of(info) == expected.table()
    assert info["events"] == expected.events
    assert info["instants"] == expected.instants
    assert info["flows"] == len(expected.flows)
    assert info["damage"] == []
    values = [value for values in expected.counters.values() for _, value in values]
    if values:
        (counter,) = info["counters"]
        assert (counter["events"], counter["last"]) == (len(values), values[-1])
        assert (counter["least"], counter["most"]) == (min(values), max(values))


@pytest.mark.parametrize("seed", range(20))
def test_damage_only_takes_away(seed, tmp_path):
    """Where bytes are overwritten, what is still shown was there, with its times."""
    rng = random.Random(seed)
    maker = TraceMaker()
    maker.clocks(realtime=17 * 10**17, monotonic=BASE, boottime=BASE)
    thread = maker.thread(1, 1, "main")
    writer = maker.sequence(deltas=True, interned=True, anchor=BASE, track=thread)
    for i in range(400):
        if i % 40 == 0:
            writer.start()
        writer.begin(thread, BASE + i * 1000, f"span {i}")
        writer.end(thread, BASE + i * 1000 + i + 1)
    data = bytearray(maker.data())
    size, at = rng.randrange(1, 200), rng.randrange(300, len(data) - 200)
    data[at : at + size] = b"\xff" * size  # what no packet can hold
    path = tmp_path / "damaged.perfetto-trace"
    path.write_bytes(data)
    info = info_of(path)
    assert info["damage"]
    ended = [row for row in info["span_table"] if row["total_ns"] is not None and row["name"]]
    assert len(ended) >= 400 - 2 * 40 - 8
    wrong = [row for row in ended if row["total_ns"] != int(row["name"].split()[1]) + 1]
    # A lost end leaves its span open, and a later one closes it: at most once a damaged chunk.
    assert len(wrong) <= 2
