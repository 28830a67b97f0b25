"""marey merge: several traces as one, decoded by the official protos and by tracecheck."""

import gzip
import io
import json
import subprocess
import sys
import tarfile
from collections import Counter

import pytest
import tracecheck
from command import find_marey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from perfetto.protos.perfetto.trace import perfetto_trace_pb2 as protos
from sampled_traces import Sample, SampledTrace
from tracemaker import MONOTONIC, TraceMaker

REALTIME, BOOTTIME = 1, 6
SECOND = 10**9
NOW = 1_700_000_000 * SECOND


def merge(folder, *inputs, options=(), status=0):
    """The path of what `marey merge` makes of these; inputs are bytes or paths."""
    paths = []
    for number, data in enumerate(inputs):
        path = data
        if isinstance(data, bytes):
            path = folder / f"in{number}.perfetto-trace"
            path.write_bytes(data)
        paths.append(path)
    out = folder / "out.perfetto-trace"
    done = subprocess.run(
        [find_marey(), "merge", *paths, "-o", out, *options],
        capture_output=True,
        check=False,
        timeout=60,
        text=True,
    )
    assert done.returncode == status, done.stderr
    (folder / "said").write_text(done.stderr)
    return out


def said(folder):
    """What the last merge said of the files."""
    return (folder / "said").read_text()


def shown(path):
    """What our own reader makes of it."""
    done = subprocess.run([find_marey(), "info", "--json", path], capture_output=True, check=True)
    return json.loads(done.stdout)


def wall_offset(path):
    """Wall-clock time minus the trace's, by the first snapshot that has both."""
    data = path.read_bytes()
    for packet in protos.Trace.FromString(
        gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    ).packet:
        times = {c.clock_id: c.timestamp for c in packet.clock_snapshot.clocks}
        if REALTIME in times:
            return times[REALTIME] - times[BOOTTIME]
    raise AssertionError("no wall-clock time")


def spans_at_wall_time(path):
    """(name, begin, end, arguments), times since 1970."""
    trace = tracecheck.load(path)
    assert not trace.problems
    offset = wall_offset(path)
    return Counter(
        (span["name"], span["ts"] + offset, span["dur"], span["depth"], str(span["args"]))
        for span in trace.spans
    )


def host(wall, boot, spans, pid=10, clock=0, name="host", tracks=1, flow=None):
    """A host whose boot clock says `boot` at `wall`: spans (begin, length) after that."""
    maker = TraceMaker()
    maker.clocks(realtime=wall, monotonic=boot - 5, boottime=boot)
    if name:
        maker.attributes(host=name)
    maker.process(pid, "app")
    anchor = boot - 5 if clock == MONOTONIC else boot
    threads = [maker.thread(pid, pid + i, f"thread {i}") for i in range(tracks)]
    for number, thread in enumerate(threads):
        writer = maker.sequence(
            deltas=number % 2 == 0, interned=True, anchor=anchor, clock=clock, track=thread
        )
        for begin, length in spans:
            flows = [flow] if flow else []
            writer.begin(
                thread, anchor + begin, f"span {begin % 7}", args={"n": begin}, flows=flows
            )
            writer.end(thread, anchor + begin + length)
    return maker.data()


SPANS = [(0, 10), (20, 5), (30, 1000)]


def test_spans_of_two_hosts_are_at_the_right_time(tmp_path):
    a = host(NOW, 100 * SECOND, SPANS, name="a")
    b = host(NOW + 3 * SECOND, 7 * SECOND, SPANS, name="b", clock=MONOTONIC)
    out = merge(tmp_path, a, b)
    expected = sum(
        (spans_at_wall_time(tmp_path / f"in{i}.perfetto-trace") for i in (0, 1)), Counter()
    )
    assert spans_at_wall_time(out) == expected
    assert sum(expected.values()) == 6
    assert "in1.perfetto-trace: shifted by +96.0s, machine 1" in said(tmp_path)


def test_one_snapshot_for_each_machine_and_none_goes_back(tmp_path):
    a = host(NOW, 100 * SECOND, SPANS, name="a")
    b = host(NOW - 5000 * SECOND, 7 * SECOND, SPANS, name="b")
    out = merge(tmp_path, a, b)
    packets = protos.Trace.FromString(out.read_bytes()).packet
    whole = [p for p in packets if p.clock_snapshot.clocks and not p.trusted_packet_sequence_id]
    assert [p.machine_id for p in whole] == [0, 1]
    assert len({p.clock_snapshot.SerializeToString() for p in whole}) == 1
    assert sum(spans_at_wall_time(out).values()) == 6
    assert all(span["ts"] >= 0 for span in tracecheck.load(out).spans)


def test_ids_are_unique(tmp_path):
    one = host(NOW, 100 * SECOND, SPANS, tracks=3, flow=7)
    out = merge(tmp_path, one, one, one)
    packets = protos.Trace.FromString(out.read_bytes()).packet
    owners = {}
    for packet in packets:
        if packet.trusted_packet_sequence_id:
            owners.setdefault(packet.trusted_packet_sequence_id, set()).add(packet.machine_id)
    assert len(owners) == 9
    assert all(len(machines) == 1 for machines in owners.values())
    assert max(owners) <= 127
    uuids = [p.track_descriptor.uuid for p in packets if p.HasField("track_descriptor")]
    assert len(uuids) == len(set(uuids)) == 12
    assert len(tracecheck.load(out).flows) == 3
    info = shown(out)
    assert [process["pid"] for process in info["processes"]] == [10, 10, 10]
    assert info["spans"] == 27


def test_flows_join_where_that_is_asked_for(tmp_path):
    one = host(NOW, 100 * SECOND, SPANS, flow=7)
    out = merge(tmp_path, one, one, options=["--join-flows"])
    assert len(tracecheck.load(out).flows) == 1


def test_processes_of_one_host_stay_on_it(tmp_path):
    a = host(NOW, 100 * SECOND, SPANS, pid=10)
    b = host(NOW + 2 * SECOND + 400, 102 * SECOND, SPANS, pid=20)
    out = merge(tmp_path, a, b)
    packets = protos.Trace.FromString(out.read_bytes()).packet
    assert not any(packet.machine_id for packet in packets)
    begins = [span["ts"] for span in tracecheck.load(out).spans if span["name"] == "span 0"]
    assert max(begins) - min(begins) == 2 * SECOND
    assert "of the same clock as" in said(tmp_path)


def test_files_that_name_no_host_are_kept_apart(tmp_path):
    """They may be of any: whether they share a process id must not decide it."""
    files = [host(NOW, 100 * SECOND, SPANS, pid=pid, name=None) for pid in (10, 20, 10)]
    named = host(NOW, 100 * SECOND, SPANS, pid=30, name="a")
    out = merge(tmp_path, *files, named, named.replace(b"app", b"ape"))
    machines = {}
    for packet in protos.Trace.FromString(out.read_bytes()).packet:
        if packet.track_descriptor.HasField("process"):
            machines[packet.machine_id] = packet.track_descriptor.process.pid
    assert machines == {0: 10, 1: 20, 2: 10, 3: 30, 4: 30}


def test_a_file_without_wall_clock_time_is_said(tmp_path):
    maker = TraceMaker()
    track = maker.thread(1, 1, "t")
    writer = maker.sequence()
    writer.begin(track, 50, "foreign")
    writer.end(track, 80)
    other = host(NOW, 100 * SECOND, SPANS)
    out = merge(tmp_path, other, maker.data(), options=["-q"])
    assert "no wall-clock time" in said(tmp_path)
    assert {span["name"] for span in tracecheck.load(out).spans} >= {"foreign", "span 0"}
    out = merge(tmp_path, other, maker.data(), options=["--align"])
    times = {span["name"]: span["ts"] for span in tracecheck.load(out).spans}
    assert times["foreign"] == times["span 0"]


def test_events_on_no_track_do_not_mix(tmp_path):
    def nowhere(name):
        maker = TraceMaker()
        maker.clocks(realtime=NOW, monotonic=SECOND, boottime=SECOND)
        packet = protos.TracePacket(trusted_packet_sequence_id=1, sequence_flags=1)
        maker.add(packet)
        for kind, time in ((1, 10), (2, 30)):
            packet = protos.TracePacket(trusted_packet_sequence_id=1, timestamp=SECOND + time)
            packet.track_event.type = kind
            if kind == 1:
                packet.track_event.name = name
            maker.add(packet)
        return maker.data()

    out = merge(tmp_path, nowhere("a"), nowhere("b"))
    spans = tracecheck.load(out).spans
    assert [(span["name"], span["dur"], span["depth"]) for span in spans] == [
        ("a", 20, 0),
        ("b", 20, 0),
    ]


def test_labels(tmp_path):
    one = host(NOW, 100 * SECOND, SPANS)
    out = merge(
        tmp_path,
        one,
        one,
        options=["--label", "in0.perfetto-trace=web1", "-l", f"{tmp_path}/in1.perfetto-trace=web2"],
    )
    info = shown(out)
    assert [process["name"] for process in info["processes"]] == ["web1: app", "web2: app"]
    assert set(info["attributes"]) == {"web1: host", "web2: host"}


@pytest.mark.parametrize("letters", range(4))
def test_long_labels_are_cut_between_characters(tmp_path, letters):
    label = "n" * letters + "\N{SNOWMAN WITHOUT SNOW}" * 200
    one = host(NOW, 100 * SECOND, SPANS)
    options = ["--label", f"in1.perfetto-trace={label}"]
    names = [
        process["name"]
        for process in shown(merge(tmp_path, one, one, options=options))["processes"]
    ]
    assert names[1].startswith(label[:80]) and names[1].endswith(": app")
    assert "\ufffd" not in names[1]


def test_samples_stay_with_their_process(tmp_path):
    def sampled(name):
        maker = SampledTrace()
        maker.process(100, name, [name])
        maker.thread(100, 100, "main")
        maker.sample(Sample(1_000_000_000, 100, 100, ((name, "/a.py", 1),), count=3))
        return maker.data()

    out = merge(tmp_path, sampled("a"), sampled("b"))
    info = shown(out)
    assert [(process["name"], process["samples"]) for process in info["processes"]] == [
        ("a", 3),
        ("b", 3),
    ]
    stacks = [sample["stack"][0]["function"] for sample in tracecheck.load(out).samples]
    assert stacks == ["a", "b"]


def test_packed_and_gzipped_files(tmp_path):
    a = TraceMaker()
    a.raw(host(NOW, 100 * SECOND, SPANS))
    b = gzip.compress(host(NOW, 100 * SECOND, SPANS, pid=90))
    out = merge(tmp_path, a.compressed(), b)
    assert sum(spans_at_wall_time(out).values()) == 6


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    hosts=st.lists(
        st.tuples(
            st.integers(-(10**12), 10**12),
            st.integers(10**6, 10**13),
            st.lists(st.tuples(st.integers(1, 50), st.integers(0, 50)), max_size=8),
            st.integers(1, 3),
            st.sampled_from([0, MONOTONIC]),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_merging_keeps_every_span(tmp_path, hosts):
    expected, inputs = Counter(), []
    for number, (wall, boot, steps, tracks, clock) in enumerate(hosts):
        spans, time = [], 0
        for gap, length in steps:
            spans.append((time, length))
            time += gap + length
        data = host(NOW + wall, boot, spans, name=f"host {number}", tracks=tracks, clock=clock)
        inputs.append(data)
        path = tmp_path / "one"
        path.write_bytes(data)
        expected += spans_at_wall_time(path)
    assert spans_at_wall_time(merge(tmp_path, *inputs)) == expected


RECORDED = """
import os, sys, threading, time, marey
with marey.record(sys.argv[1]):
    def work(name):
        for i in range(300):
            with marey.span(name, i=i):
                with marey.span("inner"):
                    pass
    for n in range(3):
        threading.Thread(target=work, args=(f"thread {n}",)).start()
    child = os.fork()
    if child == 0:
        work("child")
        os._exit(0)
    os.waitpid(child, 0)
"""


def test_recordings_of_several_processes(tmp_path):
    paths = [tmp_path / "one.perfetto-trace", tmp_path / "two.perfetto-trace"]
    for path in paths:
        subprocess.run([sys.executable, "-c", RECORDED, path], check=True, timeout=60)
    expected = spans_at_wall_time(paths[0]) + spans_at_wall_time(paths[1])
    out = merge(tmp_path, *paths, options=["--align"])
    assert sum(spans_at_wall_time(out).values()) == sum(expected.values())
    out = merge(tmp_path, *paths)
    merged = spans_at_wall_time(out)
    assert Counter(one[0] for one in merged.elements()) == Counter(
        one[0] for one in expected.elements()
    )
    # One clock: what is between two spans does not change by how the wall clock was set meanwhile.
    drift = min(one[1] for one in merged) - min(one[1] for one in expected)
    assert abs(drift) < 10**6
    assert len(shown(out)["processes"]) == 4


def test_a_tar_of_the_files_as_they_are(tmp_path):
    a = host(NOW, 100 * SECOND, SPANS)
    out = merge(tmp_path, a, gzip.compress(a), options=["--tar"])
    with tarfile.open(out) as tar:
        names = tar.getnames()
        manifest = json.load(tar.extractfile("perfetto_manifest.json"))["perfetto_manifest"]
        assert tar.extractfile(names[1]).read() == a
        assert tar.extractfile(names[2]).read() == a
    assert manifest["version"] == 1
    assert [one["path"] for one in manifest["files"]] == names[1:]
    assert len({one["machine"]["name"] for one in manifest["files"]}) == 2


def sparse(path, data, room):
    """A recording that has not used all of its room: what follows was never written."""
    path.write_bytes(data)
    with path.open("r+b") as file:
        file.truncate(room)
    return path


def test_what_was_never_written_takes_no_space_in_a_tar(tmp_path):
    data, room = host(NOW, 100 * SECOND, SPANS), 300 << 20
    out = merge(tmp_path, sparse(tmp_path / "room", data, room), data, options=["--tar"])
    assert out.stat().st_size > room
    assert out.stat().st_blocks * 512 < 10 << 20
    with tarfile.open(out) as tar:
        names = tar.getnames()
        assert tar.getmember(names[1]).size == room
        assert tar.extractfile(names[1]).read(len(data) + 9) == data + bytes(9)
        assert tar.extractfile(names[2]).read() == data


def test_holes_are_zeros_in_a_pipe(tmp_path):
    data, room = host(NOW, 100 * SECOND, SPANS), (1 << 20) + 5
    path = sparse(tmp_path / "room", data, room)
    command = [find_marey(), "merge", "--tar", "-o", "-", path]
    piped = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=60).stdout
    with tarfile.open(fileobj=io.BytesIO(piped)) as tar:
        assert tar.extractfile(tar.getnames()[1]).read() == data + bytes(room - len(data))


def test_a_damaged_file_gives_what_is_whole(tmp_path):
    whole = host(NOW, 100 * SECOND, SPANS)
    out = merge(tmp_path, whole, whole[:-4] + b"\xff" * 30, status=1)
    assert "marey merge:" in said(tmp_path)
    assert "in1.perfetto-trace" in said(tmp_path)
    assert tracecheck.load(out).problems == {}
    assert len(tracecheck.load(out).spans) == 6


@pytest.mark.parametrize("tool", ["tg4perfetto", "viztracer"])
def test_traces_of_other_tools(tmp_path, tool):
    """One sequence, names as they are, no clock snapshot, random track ids."""
    maker = TraceMaker()
    big = 0xF234_5678_9ABC_DEF0
    track = maker.describe(big, name="main", thread={"pid": 5, "tid": 5, "thread_name": tool})
    writer = maker.sequence(number=big & 0xFFFFFFF)
    for i in range(5):
        writer.begin(track, 1000 + i * 10, f"{tool} {i}", [tool])
        writer.end(track, 1005 + i * 10)
    out = merge(tmp_path, maker.data(), maker.data(), options=["--align"])
    assert Counter(span["name"] for span in tracecheck.load(out).spans) == {
        f"{tool} {i}": 2 for i in range(5)
    }
    assert len(shown(out)["processes"]) == 2
