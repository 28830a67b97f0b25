"""`marey convert` of a part of a trace: the same as of all of it, in the part's memory; that it is
empty is said."""

import json
import subprocess

import chrome_json
import pytest
import tracecheck
from command import find_marey, peak_memory
from rich_traces import RichTrace
from sampled_traces import Sample, SampledTrace
from tracemaker import TraceMaker

START = 10**12
MS = 1_000_000
BY_TIME = ("perfetto", "chrome", "speedscope", "firefox", "csv")
FORMATS = (*BY_TIME, "pprof", "callgrind", "folded", "svg", "html")


def convert(path, *options):
    """What is written, and what is said."""
    done = subprocess.run(
        [find_marey(), "convert", path, "-o", "-", *options], capture_output=True, timeout=60
    )
    assert done.returncode == 0, done
    return done.stdout, done.stderr.decode()


@pytest.fixture
def spans(tmp_path):
    """10 ms of spans, 80 of nothing, 10 of spans: of a thread, and an instant."""
    maker = TraceMaker()
    maker.clocks(realtime=17 * 10**17, monotonic=START, boottime=START)
    maker.process(10, "app")
    thread = maker.thread(10, 11, "main")
    writer = maker.sequence(anchor=START, track=thread)
    for number in (*range(10), *range(90, 100)):
        writer.begin(thread, START + number * MS, "span")
        writer.end(thread, START + number * MS + MS // 2)
    writer.instant(maker.thread(10, 12, "ticker"), START + 100 * MS, "tick")
    path = tmp_path / "spans.perfetto-trace"
    path.write_bytes(maker.data())
    return path


@pytest.fixture
def samples(tmp_path):
    maker = SampledTrace()
    maker.process(10, "app", ["app"])
    maker.thread(10, 11, "main")
    maker.sample(Sample(START, 10, 11, (("main", "/a.py", 1),), count=3))
    path = tmp_path / "samples.perfetto-trace"
    path.write_bytes(maker.data())
    return path


NOTHING = {
    "thread": ["--thread", "nobody"],
    "process": ["--process", "99"],
    "time": ["--from", "20ms", "--to", "80ms"],
}


@pytest.mark.parametrize("to", FORMATS)
def test_a_part_without_anything_is_said_to_be_empty(spans, to):
    for options in NOTHING.values():
        assert convert(spans, "--to", to, *options)[1] == (
            f"marey convert: {spans}: nothing of that: what is written is empty; "
            "'marey info' shows which processes and threads there are\n"
        )
    assert convert(spans, "--to", to, "--thread", "main", "--from", "5ms", "--to", "20ms")[1] == ""
    assert convert(spans, "--to", to)[1] == ""


@pytest.mark.parametrize("to", ["perfetto", "chrome", "firefox", "html"])
def test_an_instant_is_something(spans, to):
    assert convert(spans, "--to", to, "--thread", "ticker")[1] == ""


@pytest.mark.parametrize("to", ["csv", "folded", "speedscope"])
def test_an_instant_is_nothing_where_it_has_no_place(spans, to):
    assert "nothing of that" in convert(spans, "--to", to, "--thread", "ticker")[1]


def test_what_a_format_has_no_place_for_is_said(spans, samples):
    for to in BY_TIME[2:4]:
        assert convert(samples, "--to", to)[1] == ""
    assert "it has no spans: what is written is empty" in convert(samples, "--to", "csv")[1]
    assert "that the format chrome has a place for" in convert(samples, "--to", "chrome")[1]
    for to in ("csv", "folded", "speedscope"):
        said = convert(spans, "--to", to, "--of", "samples")[1]
        assert "it has no samples: what is written is empty" in said
    assert "it has no spans" in convert(samples, "--to", "folded", "--of", "spans")[1]


def test_an_empty_cut_is_said(spans, tmp_path):
    out = tmp_path / "out.perfetto-trace"
    for options in NOTHING.values():
        command = [find_marey(), "cut", spans, "-o", out, *options]
        done = subprocess.run(command, capture_output=True, timeout=60, text=True)
        assert done.returncode == 0
        assert f"marey cut: {spans}: nothing of that: what is written is empty" in done.stderr


PARTS = {
    "middle": ["--from", "{third}us", "--to", "{half}us"],
    "end": ["--from", "-{third}us"],
    "threads": ["--thread", "*[13579]"],
    "all": ["--process", "*"],
}


def meaning(to, data, path):
    """Which numbers names have, and whether spans that nest in the part are written as complete
    ones, depends on what else was read."""
    if to == "perfetto":
        path.write_bytes(data)
        trace = tracecheck.load(path)
        return trace.spans, trace.instants, trace.counters, trace.flows
    if to == "chrome":
        trace = chrome_json.load(data.decode())
        flows = {flow: sorted(map(repr, steps)) for flow, steps in trace.flows.items()}
        return sorted(map(repr, trace.spans)), trace.instants, trace.counters, flows
    return data


@pytest.mark.parametrize("to", BY_TIME)
@pytest.mark.parametrize("seed", range(4))
def test_a_part_is_read_alone_as_it_is_read_with_all(tmp_path, seed, to):
    """A pipe cannot be read twice: all of it is kept."""
    path = tmp_path / "rich.perfetto-trace"
    path.write_bytes(RichTrace(seed).data())
    info = subprocess.run([find_marey(), "info", "--json", path], capture_output=True, check=True)
    length_us = json.loads(info.stdout)["duration_ns"] // 1000
    for name, options in PARTS.items():
        words = [word.format(third=length_us // 3, half=length_us // 2) for word in options]
        command = [find_marey(), "convert", "--to", to, "-o", "-", *words, "--title", "t"]
        alone = subprocess.run([*command, path], capture_output=True, timeout=60, check=True)
        whole = subprocess.run(
            [*command, "-"], input=path.read_bytes(), capture_output=True, timeout=60, check=True
        )
        out = tmp_path / "out"
        assert meaning(to, alone.stdout, out) == meaning(to, whole.stdout, out), name


def test_a_moment_of_a_large_file_takes_little_memory(tmp_path):
    maker = TraceMaker()
    thread = maker.thread(10, 11, "main")
    writer = maker.sequence()
    for number in range(40_000):
        writer.begin(thread, START + 2000 * number, f"{number:01000}")
        writer.end(thread, START + 2000 * number + 1000)
    source, target = tmp_path / "large", tmp_path / "moment.csv"
    source.write_bytes(maker.data())
    assert source.stat().st_size > 40_000_000
    moment = ["--from", "50ms", "--to", "50100us"]
    assert peak_memory("convert", *moment, source, "-o", target) < 20_000_000
    assert len(target.read_text().splitlines()) == 51
