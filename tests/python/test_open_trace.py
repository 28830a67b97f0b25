"""marey.open_trace: what a trace holds, held against what the program did."""

import gzip
import subprocess
import sys
from datetime import datetime, timezone

import pytest
from sampled_traces import START, Sample, SampledTrace

import marey


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """A recording of each kind of event, of this process and of a child."""
    path = tmp_path_factory.mktemp("open") / "app.perfetto-trace"
    child = "import marey\nwith marey.span('child', n=1): pass"
    with marey.record(path, children=True):
        for number in range(100):
            with marey.span("load", number=number, where={"a": [1, None]}) as span:
                with marey.span("inner"):
                    pass
                span.set(rows=number * 2)
        with pytest.raises(ValueError, match="no"), marey.span("bad"):
            raise ValueError("no")
        for value in (3, 1, 4):
            marey.counter("queue", unit="items").set(value)
        marey.instant("retry", attempt=2)
        lane = marey.track("lane")
        lane.begin("open")
        subprocess.run([sys.executable, "-c", child], check=True)
    return path


@pytest.fixture(scope="module")
def trace(path):
    return marey.open_trace(path)


def test_spans_are_what_was_recorded(trace):
    loads = trace.spans("load")
    assert [span.arguments["number"] for span in loads] == list(range(100))
    assert loads[7].arguments == {"number": 7, "where": {"a": [1, "None"]}, "rows": 14}
    assert [span.name for span in trace.spans("inner")] == ["inner"] * 100
    inner = trace.spans("inner")[3]
    assert inner.parent == loads[3]
    assert inner.depth == 1
    assert inner.begin >= loads[3].begin
    assert inner.begin + inner.duration <= loads[3].begin + loads[3].duration
    assert inner.track.kind == "thread"
    assert inner.process.pid == loads[0].process.pid


def test_a_failed_span_and_an_open_one(trace):
    (bad,) = trace.spans("bad")
    assert bad.failed
    assert bad.arguments["exception"] == "ValueError: no"
    (still,) = trace.spans("open")
    assert (still.duration, still.duration_ns) == (None, None)
    assert still.track.name == "lane"


def test_processes_and_threads(trace):
    (child,) = trace.spans("child")
    (load, *_) = trace.spans("load")
    assert {p.pid for p in trace.processes} >= {child.process.pid, load.process.pid}
    assert child.process.pid != load.process.pid
    assert sum(t.spans for t in trace.threads if t.pid == child.process.pid) >= 1


def test_filters(trace):
    (child,) = trace.spans("child")
    everything = len(trace.spans())
    of_child = trace.spans(process=child.process.pid)
    assert child in of_child
    assert {span.process.pid for span in of_child} == {child.process.pid}
    assert len(trace.spans(["load", "bad"])) == 101
    assert len(trace.spans("!load")) == 0  # a name, not a filter
    middle = trace.spans("load")[50]
    before = trace.spans(end=middle.begin)
    since = trace.spans(start=middle.begin)
    assert middle in since
    assert middle not in before
    assert len(before) + len(since) >= everything
    slow = trace.spans(min_time=child.duration)
    assert all(span.duration >= child.duration for span in slow)
    assert child in slow


def test_counters_and_instants(trace):
    assert "queue" in trace.counters
    assert [value for _, value in trace.counter("queue")] == [3, 1, 4]
    times = [time for time, _ in trace.counter("queue")]
    assert times == sorted(times)
    (retry,) = trace.instants("re*")
    assert (retry.name, retry.arguments) == ("retry", {"attempt": 2})
    assert trace.instants("nothing*") == []
    with pytest.raises(KeyError):
        trace.counter("none")


def test_columns_are_the_rows(trace):
    for chosen in (trace.spans(), trace.spans("load")):
        columns = chosen.columns(arguments=True)
        assert {len(column) for column in columns.values()} == {len(chosen)}
        for row, *values in zip(chosen.rows(), *columns.values()):
            found = dict(zip(columns, values))
            if row["duration_ns"] is None:
                row["duration_ns"] = -1
            assert found == row


def test_a_column_is_the_memory_of_the_trace(trace):
    column = trace.spans().columns()["duration_ns"]
    assert isinstance(column, memoryview)
    assert column.readonly
    assert column.strides[0] > column.itemsize
    assert column.tolist() == [
        -1 if span.duration_ns is None else span.duration_ns for span in trace.spans()
    ]


def test_columns_outlive_the_trace(path):
    column = marey.open_trace(path).spans().columns()["begin_ns"]
    assert column[0] > 0
    assert list(column) == [span.begin_ns for span in marey.open_trace(path).spans()]


def test_slices_are_lazy(trace):
    loads = trace.spans("load")
    assert [span.arguments["number"] for span in loads[10:20:3]] == [10, 13, 16, 19]
    assert loads[-1].arguments["number"] == 99
    with pytest.raises(IndexError):
        loads[100]


def test_when_it_was(trace):
    assert abs((datetime.now(timezone.utc) - trace.began_at).total_seconds()) < 3600
    assert 0 < trace.duration < 3600
    assert trace.attributes["marey"] == marey.__version__
    assert trace.damage == []
    assert trace.losses == {}


def test_the_tree(trace):
    assert "load" in trace.tree(rows=None)
    assert trace.calls().call_count == 0  # spans only


def test_samples(tmp_path):
    path = tmp_path / "samples.perfetto-trace"
    program = tmp_path / "busy.py"
    program.write_text(
        "import time\n"
        "def busy():\n"
        "    end = time.process_time() + 0.5\n"
        "    while time.process_time() < end:\n"
        "        sum(range(100))\n"
        "busy()\n"
    )
    command = [sys.executable, "-m", "marey", "run", "-o", path, program]
    subprocess.run(command, check=True, capture_output=True)
    trace = marey.open_trace(path)
    samples = trace.samples()
    assert samples.total == sum(sample.count for sample in samples) > 50
    busy = [sample for sample in samples if any(f.function == "busy" for f in sample.stack)]
    assert sum(sample.count for sample in busy) > samples.total / 2
    frame = next(f for f in busy[0].stack if f.function == "busy")
    assert (frame.file, frame.kind) == (str(program), "python")
    assert 2 <= frame.line <= 5
    thread = busy[0].thread
    assert len(trace.samples(thread=thread.tid)) >= len(busy)
    assert busy[0].weights_ns["wall"] > 0
    columns = samples.columns()
    assert {len(column) for column in columns.values()} == {len(samples)}
    assert any(stack.endswith("busy") for stack in columns["stack"])
    assert len(trace.samples(start=trace.duration + 1)) == 0


def test_without_arguments(path):
    (bad,) = marey.open_trace(path, arguments=False).spans("bad")
    assert bad.arguments == {}
    assert bad.failed


def test_a_gzipped_file(path, tmp_path, trace):
    packed = tmp_path / "app.perfetto-trace.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert len(marey.open_trace(packed).spans()) == len(trace.spans())


def test_samples_without_stacks(tmp_path):
    maker = SampledTrace()
    maker.process(10, "app", ["app"])
    maker.sample(Sample(START, 10, 10, ()))
    (tmp_path / "a").write_bytes(maker.data())
    (sample,) = marey.open_trace(tmp_path / "a").samples(end=8e9)
    assert sample.stack == ()
    assert repr(sample).startswith("<sample of no stack")


def test_damage_without_a_place(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('[{"ph": "X", "name": "a", "pid": 1, "tid": 1, "ts": -5, "dur": 1}]')
    assert marey.open_trace(path).damage == ["2 x event before the clock's beginning"]


def test_a_cut_file_says_so(path, tmp_path):
    cut = tmp_path / "cut.perfetto-trace"
    cut.write_bytes(path.read_bytes()[:5000])
    trace = marey.open_trace(cut)
    assert any("cut off" in line for line in trace.damage)


@pytest.mark.parametrize(
    ("content", "error"),
    [(None, FileNotFoundError), (b"", marey.Error), (b"hello, world\n" * 9, marey.Error)],
    ids=["missing", "empty", "text"],
)
def test_what_is_no_trace(tmp_path, content, error):
    path = tmp_path / "x.perfetto-trace"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(error, match=r"x\.perfetto-trace"):
        marey.open_trace(path)


def test_wrong_use(trace, tmp_path):
    with pytest.raises(IsADirectoryError):
        marey.open_trace(tmp_path)
    with pytest.raises(ValueError, match="NUL"):
        marey.open_trace("a\0b")
    with pytest.raises(TypeError):
        trace.spans(7)
    with pytest.raises(ValueError, match="start"):
        trace.spans(start=-1)
    with pytest.raises(TypeError):
        marey.open_trace(3)
