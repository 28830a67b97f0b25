"""`marey convert` to folded stacks, pprof, callgrind and flame graphs: each read by the tool that
it is for (go tool pprof, callgrind_annotate, an XML parser), and held against the samples and
calls that the trace was made of."""

import collections
import json
import os
import random
import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree

import call_traces
import pytest
from command import find_marey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sampled_traces import START, Sample, SampledTrace
from tracemaker import TraceMaker

MS = 1_000_000
MAREY = find_marey()
WEIGHTS = ("wall", "cpu", "gil", "gil-wait")
FIELDS = {"wall": "wall", "cpu": "cpu", "gil": "gil", "gil-wait": "wait"}
SVG = "{http://www.w3.org/2000/svg}"


def run(*words, folder=None, **more):
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    if not shutil.which(words[0]):
        pytest.skip(f"no {words[0]} here")
    done = subprocess.run(
        [str(word) for word in words],
        capture_output=True,
        check=False,
        timeout=120,
        cwd=folder,
        env=environment,
        **more,
    )
    assert done.returncode == 0, done
    return done.stdout


def convert(path, to, *options):
    return run(MAREY, "convert", "--to", to, *options, path)


def report(path, *options):
    return json.loads(run(MAREY, "report", "--json", "--rows", "0", *options, path))


# ---- what traces are made of


def random_samples(count=400, seed=3):
    """Of two processes, three threads and a task, with recursion, direct and by way of others."""
    chance = random.Random(seed)
    samples = []
    for number in range(count):
        tid = chance.choice((100, 101, 200))
        stack = [("<module>", "/app/main.py", 1)]
        for level in range(chance.randint(0, 9)):
            function = chance.randint(0, 3)
            stack.append((f"f{function}", f"/app/m{function % 2}.py", level % 3 + 10 * function))
        if chance.random() < 0.2:
            stack.append(("<native>", "", 0))
        weights = {field: chance.randint(1, 9) * MS for field in ("wall", "cpu", "gil", "wait")}
        samples.append(
            Sample(
                time=START + number * MS,
                pid=200 if tid == 200 else 100,
                tid=tid,
                stack=tuple(stack),
                count=chance.randint(1, 3),
                task="Task-7" if tid == 101 and number % 2 else "",
                **weights,
            )
        )
    return samples


def trace_of(samples, path):
    maker = SampledTrace()
    maker.process(100, "app", ["app", "--fast"])
    maker.process(200, "child", ["child"])
    for pid, tid, name in ((100, 100, "MainThread"), (100, 101, "reader"), (200, 200, "main")):
        maker.thread(pid, tid, name)
    maker.counter("marey samples", ((START, 0), (START + 10**9, len(samples))))
    maker.counter("marey sampling interval", ((START, MS), (START + 10**9, MS)))
    for sample in samples:
        maker.sample(sample)
    path.write_bytes(maker.data())
    return path


@pytest.fixture(scope="module")
def sampled(tmp_path_factory):
    samples = random_samples()
    path = tmp_path_factory.mktemp("sampled") / "s.perfetto-trace"
    return trace_of(samples, path), samples


@pytest.fixture(scope="module", params=["handle", "coroutines", "shop", "killed"])
def called(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("called") / "c.perfetto-trace"
    path.write_bytes(getattr(call_traces, request.param)())
    return path


def stacks_of(samples, value, name=lambda frame: frame[0]):
    """What each stack of names has in all."""
    sums = collections.Counter()
    for sample in samples:
        sums[tuple(name(frame) for frame in sample.stack)] += value(sample)
    return {stack: total for stack, total in sums.items() if total}


def functions_of(samples, value):
    """Of each function: what it has itself, and with what it calls, each sample once."""
    own, total = collections.Counter(), collections.Counter()
    for sample in samples:
        places = [frame[:2] for frame in sample.stack]
        own[places[-1]] += value(sample)
        for place in set(places):
            total[place] += value(sample)
    return own, total


# ---- folded


def parse_folded(data):
    stacks = {}
    for line in data.decode().splitlines():
        names, weight = line.rsplit(" ", 1)
        stack = tuple(names.split(";"))
        assert stack not in stacks or stack == ("(none)",)
        stacks[stack] = int(weight)
    return stacks


@pytest.mark.parametrize("weight", WEIGHTS)
def test_folded_stacks_have_the_weight_that_is_asked_for(sampled, weight):
    path, samples = sampled
    found = parse_folded(convert(path, "folded", "--weight", weight))
    assert found == stacks_of(samples, lambda sample: getattr(sample, FIELDS[weight]))


def test_folded_stacks_of_lines(sampled):
    path, samples = sampled
    found = parse_folded(convert(path, "folded", "--lines"))

    def name(frame):
        return f"{frame[0]} ({frame[1]}:{frame[2]})" if frame[1] else frame[0]

    assert found == stacks_of(samples, lambda sample: sample.wall, name)


def test_samples_without_times_are_counted(tmp_path):
    samples = [Sample(START + i, 100, 100, (("f", "f.py", 1),), wall=0, count=i) for i in (1, 2, 4)]
    path = trace_of(samples, tmp_path / "t")
    assert parse_folded(convert(path, "folded")) == {("f",): 7}
    assert b"7 samples" in convert(path, "svg")
    assert b"events: Samples\nsummary: 7\n" in convert(path, "callgrind")


def test_only_what_is_wanted(sampled):
    path, samples = sampled
    wanted = [sample for sample in samples if sample.tid == 101]
    found = parse_folded(convert(path, "folded", "--thread", "reader"))
    assert found == stacks_of(wanted, lambda sample: sample.wall)
    early = [sample for sample in samples if sample.time + sample.wall <= START + 50 * MS]
    late = [sample for sample in samples if sample.time >= START + 50 * MS]
    part = parse_folded(convert(path, "folded", "--to", "50ms"))
    assert sum(part.values()) <= sum(sample.wall for sample in samples if sample not in late)
    assert sum(part.values()) >= sum(sample.wall for sample in early)


def test_own_times_of_calls_add_up_as_report_has_them(called):
    found = collections.Counter()
    for stack, weight in parse_folded(convert(called, "folded")).items():
        found[stack[-1]] += weight
    expected = collections.Counter()
    for function in report(called)["call_table"]:
        expected[function["name"]] += function["self_ns"]
    spans = {name for name in found if name not in expected}
    assert {name: found[name] for name in found if name not in spans} == +expected
    assert expected


def spans_trace(path):
    maker = TraceMaker()
    maker.clocks(realtime=17 * 10**17, monotonic=START, boottime=START)
    maker.process(1, "app")
    track = maker.thread(1, 1, "main")
    writer = maker.sequence()
    for begin in (0, 1000):
        writer.begin(track, START + begin * MS, "request")
        writer.begin(track, START + (begin + 100) * MS, "parse")
        writer.end(track, START + (begin + 300) * MS)
        writer.end(track, START + (begin + 350) * MS)
    writer.begin(track, START + 5000 * MS, "request")
    writer.instant(track, START + 5600 * MS, "last")
    path.write_bytes(maker.data())
    return path


def test_spans_weigh_their_own_time(tmp_path):
    path = spans_trace(tmp_path / "t")
    expected = {("request",): (300 + 600) * MS, ("request", "parse"): 400 * MS}
    assert parse_folded(convert(path, "folded")) == expected
    part = parse_folded(convert(path, "folded", "--from", "200ms", "--to", "1150ms"))
    assert part == {("request",): (50 + 100) * MS, ("request", "parse"): (100 + 50) * MS}


# ---- pprof


def parse_pprof(data, folder):
    """Types, and of each sample its stack (outermost first: name, file, line), values, labels."""
    path = folder / "p.pb.gz"
    path.write_bytes(data)
    lines = run("go", "tool", "pprof", "-raw", path).decode().splitlines()
    at = lines.index("Samples:")
    types = [word.partition("[")[0] for word in lines[at + 1].split()]
    locations = {}
    for line in lines[lines.index("Locations") + 1 :]:
        if line == "Mappings":
            break
        number, rest = line.strip().split(": 0x0 ", 1)
        name, file, line_number, start = re.fullmatch(
            r"M=1 (.*?) ?([^ ]*):(\d+):0 s=(\d+)(?:\(\))?", rest
        ).groups()
        locations[number] = (name, file, int(line_number), int(start))
    samples = []
    for line in lines[at + 2 : lines.index("Locations")]:
        if re.match(r"\s*\d[\d ]*: ", line):
            values, _, stack = line.partition(": ")
            frames = tuple(locations[number] for number in reversed(stack.split()))
            samples.append((frames, tuple(map(int, values.split())), {}))
        else:
            samples[-1][2].update(re.findall(r"(\w+):\[(.*?)\]", line))
    return types, samples


def test_pprof_has_every_weight_and_whose_it_is(sampled, tmp_path):
    path, samples = sampled
    types, found = parse_pprof(convert(path, "pprof"), tmp_path)
    units = ["samples/count", *(f"{name}/nanoseconds" for name in ("wall", "cpu", "gil"))]
    assert types == [*units, "gil_wait/nanoseconds"]
    names = {100: ("app", "MainThread"), 101: ("app", "reader"), 200: ("child", "main")}
    expected = collections.defaultdict(lambda: [0] * 5)
    for sample in samples:
        process, thread = names[sample.tid]
        key = (sample.stack, process, thread, str(sample.tid), sample.task)
        for i, value in enumerate((sample.count, sample.wall, sample.cpu, sample.gil, sample.wait)):
            expected[key][i] += value
    got = {}
    for frames, values, labels in found:
        stack = tuple((name, file, line) for name, file, line, _ in frames)
        task = labels.get("task", "")
        key = (stack, labels["process"], labels["thread"], labels["tid"], task)
        assert key not in got, "equal stacks are one sample"
        got[key] = list(values)
    assert got == dict(expected)


def test_pprof_says_when_and_how(sampled, tmp_path):
    path, _ = sampled
    target = tmp_path / "p.pb.gz"
    target.write_bytes(convert(path, "pprof", "--title", "A title"))
    raw = run("go", "tool", "pprof", "-raw", target).decode()
    assert "PeriodType: wall nanoseconds\nPeriod: 1000000\n" in raw
    assert "Time: 2023-11-14 22:13:20 +0000 UTC" in raw
    assert "Comment: A title" in raw
    assert "wall/nanoseconds[dflt]" in raw
    target.write_bytes(convert(path, "pprof", "--weight", "gil"))
    assert "gil/nanoseconds[dflt]" in run("go", "tool", "pprof", "-raw", target).decode()


def top_of(target, *options):
    """What `pprof -top` says of each function: flat and cumulative, in nanoseconds."""
    rows = {}
    text = run("go", "tool", "pprof", "-top", "-unit=ns", "-nodecount=0", "-nodefraction=0",
               *options, target).decode()  # fmt: skip
    for line in text.partition("cum%\n")[2].splitlines():
        flat, _, _, cumulated, _, name = line.split(None, 5)
        rows[name.replace(" (inline)", "")] = tuple(
            int(number.removesuffix("ns")) for number in (flat, cumulated)
        )
    return rows


def test_pprof_and_report_have_the_same_totals(sampled, tmp_path):
    path, _ = sampled
    target = tmp_path / "p.pb.gz"
    target.write_bytes(convert(path, "pprof"))
    expected = {
        row["name"]: (row["self"]["wall_ns"], row["total"]["wall_ns"])
        for row in report(path)["function_table"]
    }
    assert top_of(target) == expected


def test_pprof_of_calls(called, tmp_path):
    types, found = parse_pprof(convert(called, "pprof"), tmp_path)
    assert types == ["calls/count", "time/nanoseconds"]
    calls, own = collections.Counter(), collections.Counter()
    for frames, (count, time), labels in found:
        calls[frames[-1][0]] += count
        own[frames[-1][0]] += time
        assert labels["process"] == "app"
    rows = report(called)["call_table"]
    for name in {row["name"] for row in rows}:
        assert calls[name] == sum(row["calls"] for row in rows if row["name"] == name)
        assert own[name] == sum(row["self_ns"] for row in rows if row["name"] == name)
    for frames, _, _ in found:
        for name, file, line, _ in frames:
            assert any((name, file, line) == (row["name"], row["file"], row["line"])
                       for row in rows if row["name"] == name) or not file  # fmt: skip


# ---- callgrind


def annotated(data, folder, *options):
    """What callgrind_annotate says of each (function, file): its first event. The whole is ""."""
    path = folder / "c.callgrind"
    path.write_bytes(data)
    text = run("callgrind_annotate", "--auto=no", "--threshold=100", *options, path,
               folder=folder).decode()  # fmt: skip
    rows = {}
    for line in text.splitlines():
        match = re.match(r"\s*([\d,]+) \([ \d.]+%\)(?:\s+(?:[\d,]+ \([ \d.]+%\)|0))*\s+(.*)", line)
        if not match:
            continue
        amount, what = int(match[1].replace(",", "")), match[2]
        file, _, name = what.rpartition(":")
        rows["" if what == "PROGRAM TOTALS" else (name, file)] = amount
    return rows


def without_recursion(rows):
    """Own amounts of a function: those of its first and its further calls are one."""
    sums = collections.Counter()
    for key, amount in rows.items():
        if key:
            sums[(key[0].removesuffix("'2"), key[1].replace("???", ""))] += amount
    return sums


@pytest.mark.parametrize("weight", WEIGHTS)
def test_callgrind_annotate_agrees_with_the_samples(sampled, tmp_path, weight):
    path, samples = sampled
    own, total = functions_of(samples, lambda sample: getattr(sample, FIELDS[weight]))
    data = convert(path, "callgrind", "--weight", weight)
    rows = annotated(data, tmp_path)
    assert rows[""] == sum(own.values())
    assert without_recursion(rows) == +own
    inclusive = annotated(data, tmp_path, "--inclusive=yes")
    found = {
        (name, file.replace("???", "")): amount
        for (name, file), amount in ((key, n) for key, n in inclusive.items() if key)
        if not name.endswith("'2")
    }
    assert found == dict(total)


def test_callgrind_of_calls(called, tmp_path):
    data = convert(called, "callgrind")
    rows = without_recursion(annotated(data, tmp_path))
    for function in report(called)["call_table"]:
        if function["self_ns"]:
            assert rows[(function["name"], function["file"])] >= function["self_ns"]
    assert b"events: Time Calls\n" in data


def parse_callgrind(data):
    """Of each function its own costs by line, and its calls: (callee, how often, costs)."""
    names, own, calls = {}, collections.defaultdict(dict), collections.defaultdict(list)
    function = callee = count = None

    def named(kind, text):
        number, _, name = text.partition(" ")
        return names.setdefault((kind, number), name)

    for line in data.decode().splitlines():
        if line.startswith("fn="):
            function = named("fn", line[3:])
        elif line.startswith("cfn="):
            callee = named("fn", line[4:])
        elif line.startswith("calls="):
            count = int(line[6:].split()[0])
        elif re.match(r"\d+ ", line):
            place, *costs = map(int, line.split())
            if callee:
                calls[function].append((callee, count, tuple(costs)))
                callee = None
            else:
                own[function][place] = tuple(costs)
    return own, calls


def test_callgrind_has_lines_callers_and_counts(tmp_path):
    maker = call_traces.CallMaker()
    with maker.call("main", us=10, line=1):
        for _ in range(3):
            with maker.call("fib", us=2, line=5), maker.call("fib", us=4, line=5):
                maker.leaf("fib", us=1, line=5)
    path = tmp_path / "t"
    path.write_bytes(maker.data())
    own, calls = parse_callgrind(convert(path, "callgrind"))
    assert own["main"] == {1: (10_000, 1)}
    assert own["fib"] == {5: (6_000, 3)}
    assert own["fib'2"] == {5: (15_000, 6)}
    assert calls["main"] == [("fib", 3, (21_000, 9))]
    assert calls["fib"] == [("fib'2", 3, (15_000, 6))]
    assert calls["fib'2"] == [("fib'2", 3, (0, 0))]


# ---- SVG


def read_svg(data):
    """Frames with their titles' lines, level and place, as drawn."""
    root = ElementTree.fromstring(data)
    head, row = int(root.get("data-head")), int(root.get("data-row"))
    frames = []
    for group in root.find(f"{SVG}g[@class='frames']"):
        rect, title = group.find(f"{SVG}rect"), group.find(f"{SVG}title").text
        assert (int(rect.get("y")) - head) % row == 0
        level = (int(rect.get("y")) - head) // row
        place = (float(rect.get("x")), float(rect.get("width")))
        frames.append((title.split("\n"), level, *place))
    return root, frames


def test_a_flame_graph_is_as_wide_as_what_it_shows(sampled):
    path, samples = sampled
    _, frames = read_svg(convert(path, "svg"))
    whole = sum(sample.wall for sample in samples)
    expected = collections.Counter()
    for sample in samples:
        for depth in range(len(sample.stack) + 1):
            expected[("all", *(name for name, _, _ in sample.stack[:depth]))] += sample.wall
    found, stack = {}, []
    for lines, level, x, width in frames:
        del stack[level:]
        if stack:  # within its caller
            assert stack[-1][1] - 0.01 <= x
            assert x + width <= stack[-1][1] + stack[-1][2] + 0.01
        stack.append((lines[0], x, width))
        found[tuple(name for name, _, _ in stack)] = width
    assert found.keys() == expected.keys()
    for names, width in found.items():
        assert width == pytest.approx(1200 * expected[names] / whole, abs=0.001)


def test_texts_fit_into_their_frames(sampled):
    root, _ = read_svg(convert(sampled[0], "svg"))
    texts = 0
    for group in root.find(f"{SVG}g[@class='frames']"):
        text = group.find(f"{SVG}text")
        if text is not None:
            texts += 1
            assert len(text.text) * 7.3 <= float(group.find(f"{SVG}rect").get("width"))
    assert texts > 10


def test_an_svg_asks_for_nothing_from_elsewhere(sampled):
    data = convert(sampled[0], "svg", "--title", "<script>alert(1)</script>").decode()
    assert "&lt;script&gt;alert(1)" in data
    assert data.count("<script") == 1
    addresses = set(re.findall(r"https?://[^\"'\s)]+", data))
    assert addresses == {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xhtml"}
    assert not re.search(r"@import|url\(|href|fetch\(|XMLHttp|innerHTML|eval\(", data)


def test_what_is_too_narrow_is_left_out_and_said(tmp_path):
    samples = [
        Sample(START + i, 100, 100, (("main", "m.py", 1), (f"f{i}", "m.py", 2)), wall=10)
        for i in range(20_000)
    ]
    samples.append(Sample(START, 100, 100, (("main", "m.py", 1), ("wide", "m.py", 3)), wall=10**6))
    root, frames = read_svg(convert(trace_of(samples, tmp_path / "t"), "svg"))
    assert [lines[0] for lines, *_ in frames] == ["all", "main", "wide"]
    about = root.find(f"{SVG}text[@class='about']").text
    assert "Left out: 20,000 frames of less than 0.0083%" in about


# ---- any names, and any depth

NAMES = st.one_of(
    st.text(max_size=30),
    st.binary(max_size=30).map(lambda data: data.decode(errors="surrogateescape")),
    st.sampled_from(
        [
            "a;b", "<b>&amp;\"'", "]]></script>", "\x1b[2J", "two\nlines", "tab\there", "(1) x", "",
            " ", "fn=(2) y", "\u202egnp", "🎉" * 40, "日本語", "calls=1 2", "\ufffe", "x 12", "#",
        ]
    ),
)  # fmt: skip


def is_harmless(data):
    """UTF-8 without controls, but for the ends of lines."""
    return not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", data.decode())


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(names=st.lists(NAMES, min_size=1, max_size=5), file=NAMES)
def test_any_name_is_harmless(names, file, tmp_path_factory):
    folder = tmp_path_factory.mktemp("names")
    file = file.encode(errors="replace").decode(errors="replace")
    samples = [
        Sample(START + i, 100, 100, tuple((name, file, 1) for name in names[: i + 1]))
        for i in range(len(names))
    ]
    path = trace_of(samples, folder / "t")
    folded = convert(path, "folded")
    assert is_harmless(folded)
    assert sum(parse_folded_sums(folded).values()) == len(names) * MS
    assert all(len(stack) <= len(names) for stack in parse_folded_sums(folded))
    svg = convert(path, "svg")
    assert is_harmless(svg)
    _, frames = read_svg(svg)
    assert len(frames) == len(names) + 1
    callgrind = convert(path, "callgrind")
    assert is_harmless(callgrind)
    own, _ = parse_callgrind(callgrind)
    assert sum(costs[0] for lines in own.values() for costs in lines.values()) == len(names) * MS


def parse_folded_sums(data):
    sums = collections.Counter()
    for line in data.decode().splitlines():
        names, weight = line.rsplit(" ", 1)
        sums[tuple(names.split(";"))] += int(weight)
    return sums


HOSTILE = ("a;b", "<b>&\"'", "\x1b[2J", "two\nlines", "(1) x", "🎉", "\u202egnp", "b\udcff\udcc3(")


def test_tools_read_hostile_names(tmp_path):
    stack = tuple((name, f"{number}.py", 1) for number, name in enumerate(HOSTILE))
    samples = [Sample(START + i, 100, 100, stack[: i + 1]) for i in range(len(stack))]
    path = trace_of(samples, tmp_path / "t")
    assert annotated(convert(path, "callgrind"), tmp_path)[""] == len(stack) * MS
    target = tmp_path / "p.pb.gz"
    target.write_bytes(convert(path, "pprof"))
    text = run("go", "tool", "pprof", "-top", "-nodecount=0", target)
    assert is_harmless(text.replace(b"\t", b" "))
    assert "<b>&\"'" in text.decode()
    assert len(top_of(target)) == len(stack)


def test_the_deepest_stack(tmp_path):
    depth = 4096
    stack = tuple((f"f{i}", "deep.py", 1) for i in range(depth))
    path = trace_of([Sample(START, 100, 100, stack)], tmp_path / "t")
    assert parse_folded(convert(path, "folded")) == {tuple(f"f{i}" for i in range(depth)): MS}
    _, frames = read_svg(convert(path, "svg"))
    assert [level for _, level, *_ in frames] == list(range(depth + 1))
    own, calls = parse_callgrind(convert(path, "callgrind"))
    assert len(own) == depth
    assert calls["f0"][0][0] == "f1"
    _, samples = parse_pprof(convert(path, "pprof"), tmp_path)
    assert len(samples[0][0]) == depth


@pytest.mark.parametrize("to", ["folded", "pprof", "callgrind", "svg"])
def test_a_trace_with_nothing_in_it(tmp_path, to):
    maker = TraceMaker()
    maker.clocks(realtime=1, monotonic=1, boottime=1)
    path = tmp_path / "t"
    path.write_bytes(maker.data())
    data = convert(path, to)
    if to == "svg":
        assert len(read_svg(data)[1]) == 1
    elif to == "callgrind":
        assert b"totals: 0 0\n" in data
    elif to == "pprof":
        assert parse_pprof_empty(data, tmp_path)
    else:
        assert data == b""


def parse_pprof_empty(data, folder):
    path = folder / "p.pb.gz"
    path.write_bytes(data)
    return b"time/nanoseconds" in run("go", "tool", "pprof", "-raw", path)
