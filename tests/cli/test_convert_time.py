"""`marey convert` to formats that hold time: each read by the program that it is for, or by the
rules of that program's importer, and held against what the official protos say of the trace."""

import csv
import gzip
import io
import json
import os
import pty
import re
import shutil
import subprocess
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path

import chrome_json
import pytest
import tracecheck
from command import find_marey
from google.protobuf.internal import decoder, encoder
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich_traces import RichTrace
from sampled_traces import START, STYLES, Sample, SampledTrace
from tracemaker import TraceMaker

FORMATS = Path(__file__).resolve().parent.parent / "formats"
PROFILER = FORMATS / "node_modules/@firefox-devtools/profiler-cli/dist/profiler-cli.js"
MAREY = find_marey()
SEEDS = range(6)
MS = 1_000_000


def run(*words, **more):
    words = [str(word) for word in words]
    done = subprocess.run(words, capture_output=True, check=False, timeout=120, **more)
    assert done.returncode == 0, done
    return done.stdout


def convert(path, to, *options):
    return run(MAREY, "convert", "--to", to, *options, path)


@pytest.fixture
def rich(tmp_path, request):
    path = tmp_path / "rich.perfetto-trace"
    path.write_bytes(RichTrace(request.param).data())
    return path


each_seed = pytest.mark.parametrize("rich", SEEDS, indirect=True)


def sampled(folder, style="interned"):
    """Of two threads and a task that waits, for 300 ms."""
    maker = SampledTrace(style=style)
    maker.process(10, "app", ["app", "-v"])
    maker.thread(10, 10, "MainThread")
    maker.thread(10, 11, "reader")
    main = ("<module>", "/src/app.py", 40)
    stacks = [(main, ("load", "/src/app.py", 7)), (main, ("load", "/src/app.py", 8)), (main,)]
    for i in range(300):
        more = {} if style == "perf" else {"cpu": 900_000, "gil": 800_000}
        maker.sample(Sample(START + i * MS, 10, 10, stacks[i % 3], **more))
        if i % 10 == 0 and style != "perf":
            wait = (("wait", "/lib/threading.py", 320),)
            maker.sample(Sample(START + i * MS, 10, 11, wait, wall=10 * MS, count=10))
            maker.sample(Sample(START + i * MS, 10, 10, wait, wall=10 * MS, task="Task-1"))
    path = folder / "sampled.perfetto-trace"
    path.write_bytes(maker.data())
    return path


# ---- Perfetto


def owner(trace, uuid):
    """What a track is called, and whose it is: what stays when its number does not."""
    track = trace.tracks.get(uuid, {})
    above = owner(trace, track["parent"]) if track.get("parent") else ()
    return (track.get("pid"), track.get("tid"), track.get("name"), *above)


def essence(path):
    """All that a trace says, whatever the packets."""
    trace = tracecheck.load(str(path))
    assert not trace.problems
    spans = Counter(
        repr((owner(trace, s["track"]), s["name"], ",".join(s["categories"]), s["ts"], s["dur"],
              s["depth"], sorted(s["args"].items()), s["location"]))
        for s in trace.spans
    )  # fmt: skip
    instants = Counter(
        repr((owner(trace, i["track"]), i["name"], i["ts"], sorted(i["args"].items())))
        for i in trace.instants
    )
    counters = Counter(
        (owner(trace, c["track"]), c["ts"], float(c["value"])) for c in trace.counters
    )
    flows = {
        flow: Counter((event["name"], event["ts"]) for event in events)
        for flow, events in trace.flows.items()
    }
    samples = Counter(repr(sorted(sample.items(), key=str)) for sample in trace.samples)
    names = (trace.processes, trace.threads)
    return {
        "spans": spans,
        "instants": instants,
        "counters": counters,
        "flows": flows,
        "samples": samples,
        "names": names,
    }


@each_seed
def test_a_perfetto_trace_anew_says_the_same(rich, tmp_path):
    again = tmp_path / "again.perfetto-trace"
    run(MAREY, "convert", rich, "-o", again)
    assert essence(again) == essence(rich)
    assert run(MAREY, "check", again)
    packed = tmp_path / "rich.gz"
    packed.write_bytes(gzip.compress(rich.read_bytes()))
    assert convert(packed, "perfetto") == again.read_bytes()


@pytest.mark.parametrize("style", STYLES)
def test_samples_stay_samples(style, tmp_path):
    path = sampled(tmp_path, style)
    again = tmp_path / "again.perfetto-trace"
    run(MAREY, "convert", path, "-o", again)
    for options in (["--by", "line"], ["--by", "thread"]):
        before, after = (
            json.loads(run(MAREY, "report", "--json", *options, file)) for file in (path, again)
        )
        for changed in ("file", "packets", "size_bytes", "file_bytes"):
            before.pop(changed, None), after.pop(changed, None)
        assert after == before
    if style != "perf":
        assert essence(again)["samples"] == essence(path)["samples"]


@each_seed
def test_a_part_by_time(rich, tmp_path):
    """From 100 to 300 ms: spans are cut, what lies outside is gone, but for what counters were."""
    part = tmp_path / "part.perfetto-trace"
    run(MAREY, "convert", "--from", "100ms", "--to", "300ms", rich, "-o", part)
    whole, cut = tracecheck.load(str(rich)), tracecheck.load(str(part))
    first = min(e["ts"] for e in whole.spans + whole.instants + whole.counters)
    begin, end = first + 100 * MS, first + 300 * MS
    wanted = []
    for span in whole.spans:
        until = end + 1 if span["dur"] < 0 else span["ts"] + span["dur"]
        if span["ts"] < end and until > begin:
            wanted.append((span["name"], max(span["ts"], begin), min(until, end)))
    there = [(s["name"], s["ts"], s["ts"] + s["dur"]) for s in cut.spans]
    assert Counter(there) == Counter(wanted)
    moments = [c["ts"] for c in whole.counters if begin <= c["ts"] < end]
    earlier = {c["track"] for c in whole.counters if c["ts"] < begin}
    moments += [begin] * len(earlier)  # what each counter was
    losses = [c["ts"] for c in whole.counters if c["name"].startswith("marey lost: ")]
    moments += [end - 1 for ts in losses if ts >= end]
    assert sorted(c["ts"] for c in cut.counters) == sorted(moments)


# ---- Chrome's JSON


def check_spans(trace, chrome, first):
    """Names, times, arguments; a category where all of an asynchronous track have the same."""
    wanted, there = [], []
    for span in trace.spans:
        end = None if span["dur"] < 0 else span["ts"] + span["dur"] - first
        wanted.append((span["name"], span["ts"] - first, end))
    for span in chrome.spans:
        there.append((span.name, span.begin, span.end))
    assert Counter(there) == Counter(wanted)


def flat(value, key):
    """Arguments as tracecheck has them, from JSON's."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from flat(inner, f"{key}.{name}" if key else name)
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from flat(inner, f"{key}[{place}]")
    else:
        yield key, value


@each_seed
def test_chrome_json_by_the_importers_rules(rich):
    trace = tracecheck.load(str(rich))
    chrome = chrome_json.load(convert(rich, "chrome").decode())
    first = min(e["ts"] for e in trace.spans + trace.instants + trace.counters)
    check_spans(trace, chrome, first)
    assert Counter((name, ts) for _, name, ts in chrome.instants) == Counter(
        (i["name"], i["ts"] - first) for i in trace.instants
    )
    values = sorted(value for series in chrome.counters.values() for value in series)
    assert values == sorted((c["ts"] - first, c["value"]) for c in trace.counters)
    assert len(chrome.counters) == 3
    assert set(chrome.processes.values()) == {"app", "child", "(no process)"}
    assert set(chrome.threads.values()) == {"main", "worker", "child"}
    assert len({s.track for s in chrome.spans}) == len({s["track"] for s in trace.spans})


@each_seed
def test_flows_of_chrome_json(rich):
    """A flow goes on from its first step to its last; each step is bound to its span. A span on a
    task's track is bound to one flow at most."""
    trace = tracecheck.load(str(rich))
    chrome = chrome_json.load(convert(rich, "chrome").decode())
    first = min(e["ts"] for e in trace.spans + trace.instants + trace.counters)
    asynchronous = {uuid for uuid, t in trace.tracks.items() if not t.get("thread")}
    lost = 0
    for flow, events in trace.flows.items():
        wanted = sorted((e["name"], e["ts"] - first) for e in events)
        there = sorted((span.name, ts) for _, ts, span in chrome.flows.get(flow, []))
        if there != wanted:
            assert any(e["track"] in asynchronous for e in events)
            lost += len(wanted) - len(there)
        phases = [phase for phase, _, _ in sorted(chrome.flows[flow], key=lambda s: s[1])]
        assert phases.count("s") <= 1 and "s" not in phases[1:]
    steps = sum(len(events) for events in trace.flows.values())
    assert lost <= steps / 2


def test_arguments_of_chrome_json(tmp_path):
    maker = TraceMaker()
    track = maker.thread(1, 1, "main")
    args = {"n": 2**63 - 1, "x": 0.1, "s": "\U0001f600", "l": [1, {"k": "v"}], "b": True}
    writer = maker.sequence(track=track)
    writer.begin(track, 10, "load", ["a", "b"], args=args, source=("/a.py", "load", 3))
    writer.end(track, 20, args={"result": -1, "x": 0.2})
    path = tmp_path / "args.perfetto-trace"
    path.write_bytes(maker.data())
    [span] = chrome_json.load(convert(path, "chrome").decode()).spans
    assert span.args == {**args, "x": 0.2, "result": -1, "(source)": "/a.py:3"}
    assert (span.category, span.begin, span.end) == ("a,b", 0, 10)


def test_ids_that_chrome_would_fuse(tmp_path):
    """A thread id from a pointer, and one that two threads have, one after the other."""
    maker = TraceMaker()
    for tid in (0x7F0000001700, 0x7F0100001700, 5, 5):
        track = maker.thread(5, tid, f"t{tid}")
        writer = maker.sequence(track=track)
        writer.begin(track, 10, "x")
        writer.end(track, 20)
    path = tmp_path / "ids.perfetto-trace"
    path.write_bytes(maker.data())
    chrome = chrome_json.load(convert(path, "chrome").decode())
    assert len({span.track for span in chrome.spans}) == 4


# ---- speedscope


def speedscope(folder, path, *options):
    """What speedscope's own importer makes of it."""
    assert (FORMATS / "node_modules").is_dir(), "make setup"
    file = folder / "out.speedscope.json"
    run(MAREY, "convert", path, "-o", file, *options)
    return json.loads(run("node", FORMATS / "speedscope.mjs", file))


def durations(calls):
    """[name, begin, end] of each call; calls nest, or speedscope would not have taken them."""
    stack, done = [], []
    for kind, name, _, _, when in calls:
        if kind == "O":
            stack.append((name, when))
        else:
            opened, begin = stack.pop()
            assert opened == name
            done.append((name, begin, when))
    assert not stack
    return done


def test_speedscope_reads_spans_and_calls(tmp_path):
    maker = TraceMaker()
    main, task = maker.thread(1, 1, "main"), maker.describe(name="Task-1", parent_uuid=9)
    maker.process(1, "app", uuid=9)
    writer = maker.sequence()
    writer.begin(main, 100, "load", source=("/a.py", "load", 3))
    writer.begin(main, 200, "parse")
    writer.end(main, 300)
    writer.begin(main, 300, "parse")
    writer.end(main, 400)
    writer.end(main, 500)
    writer.begin(task, 150, "never ends")
    writer.begin(task, 200, "a")
    writer.begin(task, 250, "ends after a")
    writer.end(task, 300, name="a")
    writer.end(task, 350, name="ends after a")
    path = tmp_path / "spans.perfetto-trace"
    path.write_bytes(maker.data())
    by_name = {profile["name"]: profile for profile in speedscope(tmp_path, path)["profiles"]}
    assert by_name["app 1: main 1"]["calls"] == [
        ["O", "load", "/a.py", 3, 0],
        ["O", "parse", "", 0, 100],
        ["C", "parse", "", 0, 200],
        ["O", "parse", "", 0, 200],
        ["C", "parse", "", 0, 300],
        ["C", "load", "/a.py", 3, 400],
    ]
    assert sorted(durations(by_name["app 1: Task-1"]["calls"])) == [
        ("a", 50, 150),
        ("ends after a", 100, 150),
        ("never ends", 0, 350),
    ]


@each_seed
def test_speedscope_takes_any_trace(rich, tmp_path):
    trace = tracecheck.load(str(rich))
    read = speedscope(tmp_path, rich)
    spans = Counter(name for p in read["profiles"] for name, _, _ in durations(p["calls"]))
    assert spans == Counter(span["name"] for span in trace.spans)
    begins = defaultdict(list)
    for profile in read["profiles"]:
        for kind, name, _, _, when in profile["calls"]:
            if kind == "O":
                begins[name].append(when - profile["calls"][0][4])
    first = {}
    for span in trace.spans:
        first[span["track"]] = min(first.get(span["track"], span["ts"]), span["ts"])
    for name, times in begins.items():
        wanted = [s["ts"] - first[s["track"]] for s in trace.spans if s["name"] == name]
        assert sorted(times) == sorted(wanted)


def test_speedscope_reads_samples(tmp_path):
    path = sampled(tmp_path)
    by_name = {profile["name"]: profile for profile in speedscope(tmp_path, path)["profiles"]}
    assert set(by_name) == {
        "app 10: MainThread 10 (samples)",
        "app 10: MainThread 10 (tasks that wait)",
        "app 10: reader 11 (samples)",
    }
    main = by_name["app 10: MainThread 10 (samples)"]
    assert (main["unit"], main["weight"]) == ("nanoseconds", 300 * MS)
    inside = sum(end - begin for name, begin, end in durations(main["calls"]) if name == "load")
    assert inside == 200 * MS
    cpu = speedscope(tmp_path, path, "--weight", "cpu", "--thread", "MainThread", "--lines")
    assert cpu["profiles"][0]["weight"] == 300 * 900_000
    assert {line for _, name, _, line, _ in cpu["profiles"][0]["calls"] if name == "load"} == {7, 8}
    part = speedscope(tmp_path, path, "--of", "samples", "--from", "100ms", "--to", "200ms")
    assert part["profiles"][0]["weight"] == 100 * MS


# ---- the Firefox Profiler


@pytest.fixture
def firefox(tmp_path):
    """The profiler itself, on a file: a daemon that answers in JSON what it is asked."""
    assert PROFILER.exists(), "make setup"
    session = Path(tempfile.mkdtemp(prefix="marey-"))  # a socket's path is short
    environment = {**os.environ, "PROFILER_CLI_SESSION_DIR": str(session)}
    daemons = []

    def is_loaded():
        log = session / "test.log"
        return log.exists() and "Profile loaded successfully" in log.read_text()

    def load(path, *options):
        file = tmp_path / "out.firefox.json"
        run(MAREY, "convert", path, "-o", file, *options)
        words = ["node", PROFILER, "--daemon", file, "--session", "test"]
        daemons.append(subprocess.Popen(words, env=environment, stdin=subprocess.DEVNULL))
        deadline = time.monotonic() + 60
        while not is_loaded():
            assert daemons[0].poll() is None and time.monotonic() < deadline
            time.sleep(0.05)
        ask = ["node", PROFILER]
        more = ["--session", "test", "--json"]
        return lambda *words: json.loads(run(*ask, *words, *more, env=environment))

    yield load
    for daemon in daemons:
        daemon.terminate()
        daemon.wait()
    shutil.rmtree(session)


def test_the_firefox_profiler_reads_samples(tmp_path, firefox):
    ask = firefox(sampled(tmp_path))
    names = [(thread["name"], thread["pid"]) for thread in ask("thread", "list")["threads"]]
    assert names == [("MainThread", "10"), ("reader", "10")]
    tree = ask("thread", "samples-top-down", "--thread", "t-0", "--include-idle")
    assert tree["weightType"] == "tracing-ms"
    [module] = tree["regularCallTree"]["children"]
    assert (module["name"], module["totalSamples"], module["selfSamples"]) == ("<module>", 300, 100)
    [load] = module["children"]
    assert (load["name"], load["totalSamples"]) == ("load", 200)


def test_the_firefox_profiler_reads_spans(tmp_path, firefox):
    path = tmp_path / "rich.perfetto-trace"
    path.write_bytes(RichTrace(1).data())
    trace = tracecheck.load(str(path))
    ask = firefox(path)
    threads = {t["name"]: t for t in ask("thread", "list")["threads"]}
    assert set(threads) == {"main", "worker", "child", "Task-1", "device"}
    counted = Counter(e["track"] for e in trace.spans + trace.instants)
    for uuid, track in trace.tracks.items():
        name = track.get("thread_name") or track.get("name")
        if name in threads:
            assert threads[name]["markerCount"] == counted[uuid]
    info = json.dumps(ask("profile", "info", "--all"))
    assert "queue" in info and "app" in info


# ---- CSV


@each_seed
def test_rows_of_spans(rich):
    trace = tracecheck.load(str(rich))
    rows = list(csv.DictReader(io.StringIO(convert(rich, "csv").decode(), newline="")))
    first = min(e["ts"] for e in trace.spans + trace.instants + trace.counters)
    there = [
        (r["name"], r["category"], int(r["begin_ns"]), r["duration_ns"], int(r["depth"]))
        for r in rows
    ]
    wanted = [
        (s["name"], ",".join(s["categories"]), s["ts"] - first,
         "" if s["dur"] < 0 else str(s["dur"]), s["depth"])
        for s in trace.spans
    ]  # fmt: skip
    assert Counter(there) == Counter(wanted)
    for row in rows:
        assert row["process"] in ("app", "child") and row["pid"] in ("100", "200")
        assert row["thread"] or row["track"]
        json.loads(row["args"] or "{}")


def test_rows_of_samples(tmp_path):
    text = convert(sampled(tmp_path), "csv", "--of", "samples").decode()
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert sum(int(row["wall_ns"]) for row in rows) == 900 * MS
    assert Counter(row["task"] for row in rows) == {"": 330, "Task-1": 30}
    assert rows[0]["stack"] == "<module>; load" and rows[0]["line"] == "7"


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "=cmd|' /C calc'!A0"])
def test_no_cell_is_a_formula(cell, tmp_path):
    maker = TraceMaker()
    track = maker.thread(1, 1, cell)
    writer = maker.sequence(track=track)
    writer.begin(track, 10, cell, [cell])
    writer.end(track, 20)
    path = tmp_path / "formula.perfetto-trace"
    path.write_bytes(maker.data())
    [row] = csv.DictReader(io.StringIO(convert(path, "csv").decode()))
    assert row["name"] == row["thread"] == row["category"] == "'" + cell


# ---- how far it has come


def fed_slowly(command, data, terminal):
    """What a command says on its standard error that is given its input in more than a second."""
    master, slave = pty.openpty()
    said = slave if terminal else subprocess.PIPE
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=said) as child:
        os.close(slave)
        child.stdin.write(data[:-100])
        child.stdin.flush()
        time.sleep(1.3)
        child.stdin.write(data[-100:])
        child.stdin.close()
        assert child.wait(timeout=60) == 0
        shown = os.read(master, 1 << 16) if terminal else child.stderr.read()
    os.close(master)
    return shown


@pytest.mark.parametrize("terminal", [True, False])
def test_progress_is_for_terminals(terminal, tmp_path):
    """After a second; the line goes away."""
    path = sampled(tmp_path)
    output = tmp_path / "out.csv"
    command = [MAREY, "convert", "--to", "csv", "--of", "samples", "-", "-o", output]
    shown = fed_slowly(command, path.read_bytes(), terminal)
    if terminal:
        assert b"marey convert: reading" in shown
        assert shown.endswith(b"\r\x1b[K")
    else:
        assert shown == b""
    assert output.read_bytes() == convert(path, "csv", "--of", "samples")


def test_what_is_said_stands_where_progress_stood(tmp_path):
    command = [MAREY, "pack", "-", "-o", tmp_path / "out"]
    shown = fed_slowly(command, sampled(tmp_path).read_bytes(), True)
    assert re.fullmatch(rb"\rmarey pack: reading .*\r\x1b\[K[^\r]* packets\r\n", shown, re.DOTALL)


# ---- any name


FACE = "\U0001f600"


@pytest.mark.parametrize(
    "words",
    [
        ["convert", "--to", "chrome", "-o", "-"],
        ["convert", "--to", "speedscope", "-o", "-"],
        ["convert", "--to", "firefox", "-o", "-"],
        ["report", "--json"],
        ["tree", "--json"],
        ["info", "--json"],
        ["tail", "--json", "--once"],
    ],
)
def test_emoji_are_utf8_in_json(words, tmp_path):
    """Perfetto takes no file that has them as two escapes."""
    maker = TraceMaker()
    maker.clocks(realtime=17 * 10**17, monotonic=10**12, boottime=10**12)
    track = maker.thread(1, 1, FACE)
    writer = maker.sequence(track=track)
    writer.begin(track, 10**12 + 10, FACE, [FACE], args={FACE: FACE})
    writer.end(track, 10**12 + 20)
    path = tmp_path / "face.perfetto-trace"
    path.write_bytes(maker.data())
    said = subprocess.run([MAREY, *words, path], stdout=subprocess.PIPE, check=True).stdout
    said = gzip.decompress(said) if said[:2] == b"\x1f\x8b" else said
    assert FACE.encode() in said
    assert b"\\u" not in said


names = st.one_of(
    st.text(max_size=30),
    st.sampled_from(["<script>alert(1)</script>", "\x1b[2J", '"', "\\", "'", "\u202egnp", ","]),
    st.binary(max_size=12).map(lambda b: b.replace(b"\0", b"?").decode("utf-8", "surrogateescape")),
)
CONTROLS = re.compile(rb"[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]")


def named(names):
    """Names of everything. The protos' own texts are UTF-8; others are put in as bytes."""
    maker = TraceMaker()
    stand_ins = {f"name{place:02}x": name for place, name in enumerate(names)}
    first, second, third = stand_ins
    app = maker.process(7, first, [second])
    track = maker.thread(7, 7, second)
    task = maker.describe(name=third, parent_uuid=app)
    counter = maker.counter(first, app)
    writer = maker.sequence(interned=True)
    for place in (track, task):
        writer.begin(place, 10, first, [second], args={third: second}, source=(third, first, 1))
        writer.end(place, 20)
    writer.value(counter, 15, 3)
    return maker, stand_ins


def replace_texts(packet, stand_ins):
    """Each stand-in as the bytes of its name, with lengths put right: a copy of the message."""
    out, at = bytearray(), 0
    while at < len(packet):
        start = at
        tag, at = decoder._DecodeVarint(packet, at)
        if tag & 7 != 2:
            at = (
                decoder._DecodeVarint(packet, at)[1] if tag & 7 == 0 else at + {1: 8, 5: 4}[tag & 7]
            )
            out += packet[start:at]
            continue
        size, at = decoder._DecodeVarint(packet, at)
        body = packet[at : at + size]
        at += size
        text = stand_ins.get(body.decode("latin-1"))
        if text is not None:
            body = text.encode("utf-8", "surrogateescape")
        elif any(key.encode() in body for key in stand_ins):
            body = replace_texts(body, stand_ins)
        out += encoder._VarintBytes(tag) + encoder._VarintBytes(len(body)) + body
    return bytes(out)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(names, min_size=3, max_size=3))
def test_no_name_does_harm(tmp_path, texts):
    maker, stand_ins = named(texts)
    path = tmp_path / "named.perfetto-trace"
    path.write_bytes(replace_texts(maker.data(), stand_ins))
    for to in ("chrome", "speedscope", "firefox", "csv"):
        made = convert(path, to)
        lines = made.replace(b"\r\n", b"\n") if to == "csv" else made  # as RFC 4180 ends them
        assert not CONTROLS.search(lines), (to, made)
        made.decode("utf-8")
    chrome = chrome_json.load(convert(path, "chrome").decode())
    if texts[0].isprintable():
        assert {span.name for span in chrome.spans} == {texts[0]}
    json.loads(convert(path, "speedscope"))
    json.loads(convert(path, "firefox"))
    again = tmp_path / "again.perfetto-trace"
    run(MAREY, "convert", path, "-o", again)
    assert not tracecheck.load(str(again)).problems
    rows = list(csv.reader(io.StringIO(convert(path, "csv").decode(), newline="")))
    assert {len(row) for row in rows} == {11} and len(rows) == 3


# ---- there and back


def told(trace):
    """Spans, arguments, counters and flows, with times from the first event; without tracks."""
    first = min(e["ts"] for e in trace.spans + trace.instants + trace.counters)

    def moment(event):
        return event["name"], event["ts"] - first

    def given(span):
        return sorted((key, value) for key, value in span["args"].items() if "(source)" not in key)

    spans = Counter(repr((*moment(s), s["dur"], s["depth"], given(s))) for s in trace.spans)
    instants = Counter(repr((*moment(i), sorted(i["args"].items()))) for i in trace.instants)
    counters = Counter((*moment(c), float(c["value"])) for c in trace.counters)
    flows = Counter(
        tuple(sorted(moment(event) for event in events)) for events in trace.flows.values()
    )
    return {"spans": spans, "instants": instants, "counters": counters, "flows": flows}


@pytest.mark.parametrize("seed", SEEDS)
def test_to_chrome_json_and_back(seed, tmp_path):
    rich = tmp_path / "rich.perfetto-trace"
    rich.write_bytes(RichTrace(seed, by_name=0, flows=1).data())
    there, back = tmp_path / "there.json", tmp_path / "back.perfetto-trace"
    run(MAREY, "convert", rich, "-o", there)
    run(MAREY, "convert", there, "-o", back)
    before, after = told(tracecheck.load(str(rich))), told(tracecheck.load(str(back)))
    for what in before:
        assert after[what] == before[what], what
