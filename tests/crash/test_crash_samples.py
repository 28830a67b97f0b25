"""Samples in a trace, decoded by the official protos: each that was written, with its stack, its
thread and its weights, whatever order they came in and wherever a chunk ended."""

import collections
import dataclasses
from collections import Counter

import pytest
import tracecheck
from crash.look import environment, protos, run, sanitized

FOLLOWERS = ["cpu", "gil", "samples", "gil wait"]
KINDS = {3: 0, 1: 1, 5: 2, 6: 3}  # Frame.Kind -> enum sample_kind


@dataclasses.dataclass(frozen=True)
class Sample:
    time: int
    pid: int
    tid: int
    task: str
    count: int
    weights: tuple  # wall, cpu, gil, gil wait
    stack: tuple  # (kind, name, file, line, first line), outermost first


class Sequence:
    def __init__(self):
        self.value, self.origin = 0, None
        self.clear()

    def clear(self):
        self.tables = collections.defaultdict(dict)
        self.clock, self.defaults = 0, None

    def take(self, packet):
        if packet.sequence_flags & 1:
            self.clear()
        for field, entries in packet.interned_data.ListFields():
            for entry in entries:
                assert self.tables[field.name].setdefault(entry.iid, entry) is entry
        if packet.HasField("trace_packet_defaults"):
            self.defaults = packet.trace_packet_defaults
            self.clock = self.defaults.timestamp_clock_id
        for clock in packet.clock_snapshot.clocks:
            if clock.clock_id == 3:
                self.origin = clock.timestamp
            elif clock.clock_id == 64:
                self.value = clock.timestamp

    def time(self, packet):
        """Nanoseconds of CLOCK_MONOTONIC."""
        clock = packet.timestamp_clock_id or self.clock
        if clock != 64:
            assert clock in (3, 65)
            return packet.timestamp
        self.value += packet.timestamp
        return self.origin + self.value

    def text(self, table, iid):
        return self.tables[table][iid].str.decode() if iid else ""

    def frame(self, iid):
        frame = self.tables["frames"][iid]
        return (
            KINDS.get(frame.kind),
            self.text("function_names", frame.function_name_id),
            self.text("source_paths", frame.source_path_iid),
            frame.line_number,
            frame.rel_pc,
        )

    def stack(self, iid):
        frames = self.tables["callstacks"][iid].frame_ids if iid else ()
        return tuple(self.frame(frame) for frame in frames)


def stack_sample(sequence, packet):
    sample, defaults = packet.stack_sample, sequence.defaults.stack_sample_defaults
    assert defaults.source == "marey"
    assert (defaults.primary_descriptor.name, defaults.primary_descriptor.unit) == ("wall", 1)
    assert [follower.name for follower in defaults.follower_descriptors] == FOLLOWERS
    context = sequence.tables["stack_sample_task_contexts"][sample.task_context_iid]
    tasks = sequence.tables["stack_sample_async_context_descriptors"]
    task = tasks[context.async_id].name if context.async_id else ""
    cpu, gil, count, *wait = sample.follower_weights
    weights = (sample.primary_weight, cpu, gil, wait[0] if wait else 0)
    stack = sequence.stack(sample.callstack_iid)
    return Sample(sequence.time(packet), context.pid, context.tid, task, count, weights, stack)


class Seen:
    """A trace: samples in the order of the file, who was described, counters by name."""

    def __init__(self, path):
        self.data = path.read_bytes()
        self.samples, self.names, self.threads = [], {}, {}
        self.sequences, self.perf, self.chunks = set(), [], 0
        self.counters, tracks = {}, {}
        state = collections.defaultdict(Sequence)
        for packet in protos.Trace.FromString(self.data).packet:
            sequence = state[packet.trusted_packet_sequence_id]
            sequence.take(packet)
            self.tree(packet.process_tree)
            track = packet.track_descriptor
            tracks.setdefault(track.uuid, track.name)
            if packet.HasField("stack_sample"):
                self.sequences.add(packet.trusted_packet_sequence_id)
                sample = stack_sample(sequence, packet)
                assert sample.tid in self.threads
                self.samples.append(sample)
            elif packet.HasField("perf_sample"):
                self.perf.append((sequence.time(packet), packet.perf_sample, sequence))
                self.perf[-1] += (sequence.stack(packet.perf_sample.callstack_iid),)
            elif packet.HasField("timestamp") and not packet.HasField("clock_snapshot"):
                sequence.time(packet)
            if packet.track_event.type == 4:
                name = tracks[packet.track_event.track_uuid]
                self.counters[name] = packet.track_event.counter_value
        self.check = tracecheck.load(path)
        assert not self.check.problems

    def tree(self, tree):
        for process in tree.processes:
            self.names[process.pid] = list(process.cmdline)
        for thread in tree.threads:
            self.threads[thread.tid] = (thread.tgid, thread.name)


def expected(path, tasks):
    for line in path.read_text().splitlines():
        head, *frames = line.split("\t")
        time, pid, tid, task, count, *weights = map(int, head.split())
        stack = []
        for frame in frames:
            kind, name, file, source_line, first_line = frame.split("|")
            stack.append((int(kind), name, file, int(source_line), int(first_line)))
        task = tasks.get(task, "") if task else ""
        yield Sample(time, pid, tid, task, count, tuple(weights), tuple(stack))


TASKS = {0x7F0000001234: "handle request"}


@pytest.fixture
def paths(tmp_path):
    return tmp_path / "t.perfetto-trace", tmp_path / "expected"


@pytest.mark.parametrize("deepest", [3, 15, 60, 2000])
def test_every_sample(paths, deepest):
    count = 5000 if deepest < 100 else 300
    done = run("samples", "many", *paths, count, deepest, 0, 0)
    assert set(done.said.values()) == {0}
    seen = Seen(paths[0])
    assert seen.samples == list(expected(paths[1], TASKS))
    assert len(seen.sequences) == 1
    assert [sample["tid"] for sample in seen.check.samples] == [s.tid for s in seen.samples]
    counted = (count - 1) // 100 * 100 + 1  # each 100th time
    assert seen.counters["marey samples"] == sum(s.count for s in seen.samples[:counted])
    assert seen.counters["marey samples torn"] == 3
    assert seen.counters["marey samples missed"] == 1


def test_who_was_sampled(paths):
    run("samples", "many", *paths, 2000, 5, 0, 0)
    seen = Seen(paths[0])
    assert seen.names == {500: ["server", "-m", "server", "--port", "80"], 501: ["worker"]}
    assert seen.threads == {
        600 + i: (500 + i % 2, "" if i == 7 else f"thread {i}") for i in range(12)
    }
    # No tracks: the same processes may have some of their own, which viewers would not join.
    assert {track["pid"] for track in seen.check.tracks.values()} & {500, 501} == set()


@pytest.mark.parametrize(
    ("name", "words", "shown"),
    [
        ("python3", "python3 app.py", "app.py"),
        ("python3.13", "/usr/bin/python3.13 -X dev -W ignore -u /srv/app.py --fast", "app.py"),
        ("python3", "python3 -m http.server 80", "http.server"),
        ("python3", "python3 -mhttp.server", "http.server"),
        ("python3", "python3 -Im pip list", "pip"),
        ("python3", "python3 -c pass", "python3"),
        ("python3", "python3 -", "python3"),
        ("python3", "python3 -m", "python3"),
        ("python3", "python3 -X", "python3"),
        ("python3", "python3", "python3"),
        ("server", "python3 app.py", "server"),
        ("gunicorn: master", "gunicorn: master", "gunicorn: master"),
        ("python3", "python3 /srv/" + "x" * 500, "x" * 63),
    ],
)
def test_names_of_processes(tmp_path, name, words, shown):
    run("samples", "names", tmp_path / "t", name, *words.split(" "))
    line = Seen(tmp_path / "t").names[700]
    if len(shown) < 60:
        assert line[0] == shown
        assert line[1:] == words.split(" ")[1 : len(line)]
    else:
        assert shown.startswith(line[0])


def test_each_chunk_stands_alone(paths):
    """A ring keeps the last chunks only, and nothing in them needs those that are gone."""
    done = run("samples", "many", *paths, 20_000, 15, 0, 256 << 10)
    assert done.said["ring"] > 0
    seen = Seen(paths[0])
    written = list(expected(paths[1], TASKS))
    kept = Counter(seen.samples)
    assert not kept - Counter(written)
    assert kept[written[-1]] >= 1
    assert len(seen.samples) > 500
    assert set(written[-len(seen.samples) :]) == set(seen.samples), "a gap"


@pytest.mark.parametrize(("deepest", "count", "least"), [(15, 3000, 1000), (1000, 300, 3)])
def test_no_room(paths, deepest, count, least):
    """What finds no room is counted, and what is there stands in the order in which it came."""
    done = run("samples", "many", *paths, count, deepest, 0, 0, env=environment(LIMIT="200000"))
    seen = Seen(paths[0])
    written = list(expected(paths[1], TASKS))
    assert least <= len(seen.samples) < count
    assert seen.samples[:least] == written[:least]
    assert not Counter(seen.samples) - Counter(written)
    lost = done.said["disk"] + done.said["limit"]
    counted = len([c for c in seen.check.counters if c["name"].startswith("marey sampl")])
    calls = 1 + count // 100  # of marey__samples_counts, each of five counters
    assert lost == count - len(seen.samples) + 5 * calls - counted


def test_old_viewers(paths):
    run("samples", "many", *paths, 5000, 15, 1, 0)
    seen = Seen(paths[0])
    assert not seen.samples
    assert len(seen.perf) == 5000
    places = {}
    for sample, (time, perf, sequence, stack) in zip(expected(paths[1], TASKS), seen.perf):
        assert (time, perf.pid, perf.tid) == (sample.time, sample.pid, sample.tid)
        assert perf.timebase_count == sample.weights[0]
        assert [frame[:4] for frame in stack] == [frame[:4] for frame in sample.stack]
        assert sequence.defaults.perf_sample_defaults.timebase.name == "wall"
        for frame in stack:  # who has the same place has the same frame, in all chunks
            assert places.setdefault(frame[4], frame) == frame
    for frame in seen.perf[-1][2].tables["frames"].values():
        assert seen.perf[-1][2].tables["mappings"][frame.mapping_id].path_string_ids == [1]


def test_odd_stacks(paths):
    done = run("samples", "odd", *paths)
    assert set(done.said.values()) == {0}
    seen = Seen(paths[0])
    bare, bad, long, old, ahead, huge, deep = seen.samples
    assert bare.stack == ()
    assert bad.stack == ((0, "bad \ufffd\ufffd", "caf\ufffd.py", 0, 0),)
    assert len(long.stack[0][1]) == len(long.stack[0][2]) == 512
    assert long.stack[0][1].endswith("n...")
    assert [bare, old, ahead, huge] == list(expected(paths[1], {}))
    assert huge.weights == (2**64 - 1,) * 4
    assert len(deep.stack) == 4096
    assert deep.stack[4095][3] == 4096


def test_more_threads_than_are_remembered(paths):
    run("samples", "crowd", *paths)
    seen = Seen(paths[0])
    assert seen.samples == list(expected(paths[1], {30000 + i: f"p {i}" for i in range(6000)}))
    assert seen.threads[25999] == (15999, "p 5999")
    assert seen.names[15999] == ["p 5999"]


@pytest.mark.skipif(sanitized(), reason="the sanitizer reports the kill")
def test_killed(paths):
    run("samples", "killed", *paths, status=-9)
    assert Seen(paths[0]).samples == list(expected(paths[1], {}))


def test_one_log_in_several_recordings(paths, tmp_path):
    more = tmp_path / "second", tmp_path / "more"
    run("samples", "sessions", *paths, *more)
    for trace, written in (paths, more):
        seen = Seen(trace)
        assert seen.samples == list(expected(written, {}))
        assert seen.threads == {600: (500, "before")}


@pytest.mark.skipif(sanitized(), reason="sizes are what they are")
def test_bytes_a_sample(paths):
    """Where the stacks are those of a program: some new ones, and most seen before."""
    run("samples", "many", *paths, 10_000, 15, 0, 0)
    seen = Seen(paths[0])
    filler = seen.check.filler_bytes
    assert (len(seen.data) - filler) / 10_000 < 90
