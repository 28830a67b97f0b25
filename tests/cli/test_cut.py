"""marey cut: a part of a trace as a trace, decoded by tracecheck."""

import subprocess
from collections import Counter

import tracecheck
from command import find_marey, peak_memory
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sampled_traces import Sample, SampledTrace
from tracemaker import TraceMaker

START = 10**12
US = 1000


def cut(folder, data, *options):
    source, target = folder / "in.perfetto-trace", folder / "out.perfetto-trace"
    source.write_bytes(data)
    command = [find_marey(), "cut", "-o", target, *options]
    subprocess.run([*command, source], check=True, timeout=60)
    trace = tracecheck.load(target)
    assert not trace.problems
    # A pipe cannot be read twice.
    subprocess.run([*command, "-"], input=data, check=True, timeout=60)
    piped = tracecheck.load(target)
    assert (piped.spans, piped.counters) == (trace.spans, trace.counters)
    return trace


def made(steps, chunk=5, interned=True, turned=False):
    """Spans of a thread, nested at random, in chunks; a counter and a loss.

    turned: the later chunks come first, as in a ring."""
    maker = TraceMaker()
    maker.clocks(realtime=17 * 10**17, monotonic=START, boottime=START)
    process = maker.process(10, "app")
    thread = maker.thread(10, 11, "main")
    queue = maker.counter("queue", process)
    lost = maker.counter("marey lost: disk")
    head = len(maker.data())
    writer = maker.sequence(deltas=True, interned=interned, anchor=START, track=thread)
    time, depth, starts = START + 1, 0, [head]
    writer.instant(thread, time, "first")
    for number, (gap, down) in enumerate(steps):
        if number % chunk == 0:
            starts.append(len(maker.data()))
            writer.start()
        time += gap * US
        if down or not depth:
            writer.begin(thread, time, f"span {number}", args={"n": number})
            depth += 1
        else:
            writer.end(thread, time, args={"ended": number})
            depth -= 1
        writer.value(queue, time, number)
    writer.value(lost, time, 3)
    data, middle = maker.data(), starts[len(starts) // 2]
    if turned:
        data = data[:head] + data[middle:] + data[head:middle]
    return data, (time - START - 1) // US


def check_clippings(whole, cut):
    """Spans that were clipped say by how much; those that were not say nothing."""
    lengths = {span["args"]["n"]: (span["ts"], span["dur"]) for span in whole}
    for span in cut:
        begin, length = lengths[span["args"]["n"]]
        assert span["args"].get("cut_before_ns", 0) == span["ts"] - begin
        if span["dur"] >= 0 and length >= 0:
            after = begin + length - span["ts"] - span["dur"]
            assert span["args"].get("cut_after_ns", 0) == after


STEPS = st.lists(st.tuples(st.integers(1, 50), st.booleans()), min_size=1, max_size=60)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    steps=STEPS,
    begin=st.integers(0, 100),
    length=st.integers(1, 100),
    interned=st.booleans(),
    turned=st.booleans(),
)
def test_a_cut_is_the_whole_filtered(tmp_path, steps, begin, length, interned, turned):
    data, total = made(steps, interned=interned, turned=turned)
    low = total * begin // 101
    options = ["--from", f"{low}us", "--to", f"{low + length}us"]
    low, high = low * US, (low + length) * US
    path = tmp_path / "whole"
    path.write_bytes(data)
    expected = Counter()
    for span in tracecheck.load(path).spans:
        first = span["ts"] - START - 1
        last = first + span["dur"] if span["dur"] >= 0 else None
        if first < high and (last is None or last > low or (last == first == low)):
            clipped = max(first, low)
            open_end = last is None and high > total * US
            last = high if last is None else last
            expected[span["name"], clipped, None if open_end else min(last, high) - clipped] += 1
    part = cut(tmp_path, data, *options)
    check_clippings(tracecheck.load(path).spans, part.spans)
    found = Counter(
        (span["name"], span["ts"] - START - 1, None if span["dur"] < 0 else span["dur"])
        for span in part.spans
    )
    assert found == expected


def test_a_part_of_a_part_says_all_that_was_cut_off(tmp_path):
    data, _ = made([(1, True), (1, True), (40, False), (1, False)])
    options = ["--from", "10us", "--to", "30us"]
    cut(tmp_path, data, *options)
    once = (tmp_path / "out.perfetto-trace").read_bytes()
    twice = cut(tmp_path, once, "--from", "15us", "--to", "18us")
    outer, inner = sorted(twice.spans, key=lambda span: span["depth"])
    assert outer["args"] == {"n": 0, "ended": 3, "cut_before_ns": 24000, "cut_after_ns": 15000}
    assert inner["args"] == {"n": 1, "ended": 2, "cut_before_ns": 23000, "cut_after_ns": 14000}


def test_counters_begin_with_what_they_were_and_losses_stay(tmp_path):
    data, _ = made([(10, True), (10, False)] * 10)
    part = cut(tmp_path, data, "--from", "55us", "--to", "75us")
    values = [(c["name"], c["ts"] - START - 1, c["value"]) for c in part.counters]
    assert values == [
        ("queue", 55 * US, 4),
        ("queue", 60 * US, 5),
        ("queue", 70 * US, 6),
        ("marey lost: disk", 75 * US - 1, 3),
    ]


def test_a_process_and_its_samples(tmp_path):
    maker = SampledTrace()
    for pid in (100, 200):
        maker.process(pid, f"p{pid}", [f"p{pid}"])
        maker.thread(pid, pid, "main")
    for pid in (100, 200, 100):
        maker.sample(Sample(START + pid, pid, pid, ((f"f{pid}", "/a.py", 1),), count=2))
    part = cut(tmp_path, maker.data(), "--process", "200")
    assert [sample["stack"][0]["function"] for sample in part.samples] == ["f200"]


def test_a_moment_of_a_large_file_takes_little_memory(tmp_path):
    maker = TraceMaker()
    maker.clocks(realtime=17 * 10**17, monotonic=START, boottime=START)
    thread = maker.thread(10, 11, "main")
    writer = maker.sequence()
    for number in range(40_000):
        writer.begin(thread, START + 2 * number * US, f"{number:01000}", args={"n": f"{number}"})
        writer.end(thread, START + (2 * number + 1) * US)
    source, target = tmp_path / "large", tmp_path / "moment"
    source.write_bytes(maker.data())
    assert source.stat().st_size > 40_000_000
    assert (
        peak_memory("cut", "--from", "50ms", "--to", "50100us", source, "-o", target) < 20_000_000
    )
    assert len(tracecheck.load(target).spans) == 50


def test_tracks_by_name(tmp_path):
    """A track and those below it; counters are tracks, too. What was lost is told in any case."""
    data, _ = made([(1, True), (1, True), (1, False), (1, False)])
    queue = cut(tmp_path, data, "--track", "que*")
    assert not queue.spans
    assert {counter["name"] for counter in queue.counters} == {"queue", "marey lost: disk"}
    main = cut(tmp_path, data, "--track", "main", "--track", "nothing")
    assert len(main.spans) == 2
    assert {counter["name"] for counter in main.counters} == {"marey lost: disk"}
