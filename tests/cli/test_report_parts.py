"""`marey report` of a part of a trace, and of samples by span: held against sums made by hand."""

import collections
import json
import random
import subprocess

import pytest
from command import find_marey
from sampled_traces import START, Sample, SampledTrace

MS = 1_000_000
MAREY = find_marey()
LENGTH = 1000 * MS


def random_trace(seed):
    """Nested spans of two threads, sampled at random moments. Returns the trace's bytes, its spans
    as (thread, begin, end, name) and its samples as (thread, time)."""
    chance = random.Random(seed)
    trace = SampledTrace()
    maker = trace.maker
    maker.process(100, "app", ["app"])
    spans, samples = [], []
    for tid in (100, 101):
        track = maker.thread(100, tid, f"thread {tid}")
        write = maker.sequence(deltas=True, interned=True, anchor=START, track=track)
        time, stack = 0, []
        while time < LENGTH:
            time += chance.randint(1, 20) * MS
            if stack and (len(stack) > 5 or chance.random() < 0.5):
                name, begin = stack.pop()
                write.end(track, START + time)
                spans.append((tid, begin, time, name))
            else:
                name = chance.choice("abcd")
                stack.append((name, time))
                write.begin(track, START + time, name)
        while stack:
            time += MS
            name, begin = stack.pop()
            write.end(track, START + time)
            spans.append((tid, begin, time, name))
    for _ in range(2000):
        tid, time = chance.choice((100, 101)), chance.randrange(LENGTH)
        samples.append((tid, time))
    for tid, time in sorted(samples, key=lambda sample: sample[1]):
        trace.sample(Sample(START + time, 100, tid, (("f", "f.py", 1),), MS, cpu=MS // 2))
    return trace.data(), spans, samples


@pytest.fixture(params=[1, 2, 3])
def trace(request, tmp_path):
    data, spans, samples = random_trace(request.param)
    path = tmp_path / "t.perfetto-trace"
    path.write_bytes(data)
    return path, spans, samples


def report(path, *options):
    done = subprocess.run(
        [MAREY, "report", "--json", "--rows", "0", *options, str(path)],
        capture_output=True,
        check=True,
        timeout=60,
    )
    return json.loads(done.stdout)


def test_samples_count_for_the_spans_that_were_open(trace):
    path, spans, samples = trace
    own, all_in = collections.Counter(), collections.Counter()
    for tid, time in samples:
        around = [span for span in spans if span[0] == tid and span[1] <= time < span[2]]
        own[max(around, key=lambda span: span[1])[3] if around else None] += 1
        all_in.update({span[3] for span in around} or {None})
    rows = report(path, "--by", "span")["sampled_spans"]
    assert {row["name"]: row["self"]["samples"] for row in rows} == own
    assert {row["name"]: row["total"]["samples"] for row in rows} == all_in
    assert all(row["self"]["cpu_ns"] == own[row["name"]] * MS // 2 for row in rows)


def overlap(span, begin, end):
    return max(0, min(span[2], end) - max(span[1], begin))


@pytest.mark.parametrize(("begin", "end"), [(0, 300), (300, 700), (123, 124), (700, 2000)])
def test_a_part_is_what_lies_within(trace, begin, end):
    path, spans, samples = trace
    first = min(min(span[1] for span in spans), min(time for _, time in samples))
    begin, end = begin * MS, end * MS
    said = report(path, "--from", f"{begin // 1000}us", "--to", f"{end // 1000}us")
    begin, end = begin + first, end + first
    within = [span for span in spans if overlap(span, begin, end) > 0]
    counts = collections.Counter(span[3] for span in within)
    totals = collections.Counter()
    for span in within:
        totals[span[3]] += overlap(span, begin, end)
    table = said["span_table"]
    assert {row["name"]: row["count"] for row in table} == counts
    assert {row["name"]: row["total_ns"] for row in table} == totals
    assert said["sampling"]["times"]["samples"] == sum(begin <= time < end for _, time in samples)


def test_parts_add_up(trace):
    path, _, _ = trace
    whole = report(path)
    parts = [report(path, "--to", "400ms"), report(path, "--from", "400ms")]
    for key in ("samples", "wall_ns", "cpu_ns"):
        assert (
            sum(part["sampling"]["times"][key] for part in parts)
            == (whole["sampling"]["times"][key])
        )
    total = collections.Counter()
    for part in parts:
        total.update({row["name"]: row["total_ns"] for row in part["span_table"]})
    assert total == {row["name"]: row["total_ns"] for row in whole["span_table"]}


def test_slowest_spans_are_the_longest(trace):
    path, spans, _ = trace
    slowest = report(path, "--slowest", "20")["slowest_spans"]
    lengths = sorted((span[2] - span[1] for span in spans), reverse=True)[:20]
    assert [row["duration_ns"] for row in slowest] == lengths
    assert len({(row["tid"], row["begin_ns"]) for row in slowest}) == 20
