"""`marey report`: samples of every writer add up to what was sampled; whose code it is; what is
wanted of a trace; and traces that are damaged."""

import collections
import json
import os
import random
import subprocess

import pytest
from command import find_marey
from sampled_traces import START, STYLES, Sample, SampledTrace

MS = 1_000_000
MAREY = find_marey()


def report(path, *options, status=0, **more):
    done = subprocess.run(
        [MAREY, "report", *options, str(path)],
        capture_output=True,
        check=False,
        timeout=60,
        env={**os.environ, "COLUMNS": "80", "LC_ALL": "C.UTF-8"},
        **more,
    )
    assert done.returncode == status, done
    return done.stdout.decode()


def as_json(path, *options):
    return json.loads(report(path, "--json", "--rows", "0", *options))


@pytest.fixture
def trace(tmp_path):
    path = tmp_path / "t.perfetto-trace"

    def write(maker):
        path.write_bytes(maker.data() if isinstance(maker, SampledTrace) else maker)
        return path

    return write


# ---- what samples add up to


def random_samples(count=3000, seed=1):
    """Of two processes and five threads, in no order of time, with recursion."""
    chance = random.Random(seed)
    samples = []
    for _ in range(count):
        depth, tid = chance.randint(0, 12), chance.randint(100, 104)
        stack = [("<module>", "/app/main.py", 1)]
        for level in range(depth):
            number = chance.randint(0, 3) + level // 3
            line = 10 * number + chance.randint(1, 3)
            stack.append((f"f{number}", f"/app/m{number % 3}.py", line))
        wall = chance.randint(1, 9) * MS
        samples.append(
            Sample(
                time=START + chance.randint(0, 10**9),
                pid=10 + tid % 2,
                tid=tid,
                stack=tuple(stack),
                wall=wall,
                cpu=wall // 2,
                gil=wall // 4,
                wait=wall // 8,
                count=chance.randint(1, 3),
            )
        )
    return samples


def keyed(by, frame):
    name, file, line = frame
    return {"function": (name, file), "line": (name, file, line), "file": file}[by]


def expected_rows(samples, by, style):
    """key -> [self count, self wall, total count, total wall, cpu of total]"""
    rows = collections.defaultdict(lambda: [0] * 5)
    for sample in samples:
        count = 1 if style == "perf" else sample.count
        cpu = 0 if style == "perf" else sample.cpu
        keys = [keyed(by, frame) for frame in sample.stack]
        rows[keys[-1]][0] += count
        rows[keys[-1]][1] += sample.wall
        for key in set(keys):
            rows[key][2] += count
            rows[key][3] += sample.wall
            rows[key][4] += cpu
    return dict(rows)


def reported_rows(table, by):
    rows = {}
    for row in table:
        key = {
            "function": (row["name"], row["file"]),
            "line": (row["name"], row["file"], row["first_line"]),
            "file": row["name"],
        }[by]
        own, total = row["self"], row["total"]
        assert key not in rows
        rows[key] = [
            own["samples"],
            own["wall_ns"],
            total["samples"],
            total["wall_ns"],
            total["cpu_ns"],
        ]
    return rows


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("by", ["function", "line", "file"])
def test_rows(trace, style, by):
    samples = random_samples()
    maker = SampledTrace(style, chunk=100)
    for sample in samples:
        maker.sample(sample)
    found = as_json(trace(maker), "--by", by)
    assert found["damage"] == found["not_shown"] == []
    assert reported_rows(found[f"{by}_table"], by) == expected_rows(samples, by, style)
    totals = found["sampling"]["times"]
    assert totals["wall_ns"] == sum(sample.wall for sample in samples)
    if style != "perf":
        assert totals["samples"] == found["samples"] == sum(sample.count for sample in samples)
        assert totals["gil_wait_ns"] == sum(sample.wait for sample in samples)


def test_order(trace):
    maker = SampledTrace()
    for sample in random_samples(500):
        maker.sample(sample)
    path = trace(maker)
    for sort in ("self", "total"):
        walls = [row[sort]["wall_ns"] for row in as_json(path, "--sort", sort)["function_table"]]
        assert walls == sorted(walls, reverse=True)


def test_the_hottest_line(trace):
    maker = SampledTrace()
    for line, count in ((5, 3), (6, 7), (7, 4)):
        stack = (("main", "/a.py", 1), ("f", "/a.py", line))
        maker.sample(Sample(START, 1, 1, stack, count=count))
    main, function = sorted(
        as_json(trace(maker))["function_table"], key=lambda row: row["name"], reverse=True
    )
    assert (function["hot_line"], function["hot_line_samples"]) == (6, 7)
    assert (main["hot_line"], main["hot_line_samples"], main["self"]["samples"]) == (1, 14, 0)


def test_threads(trace):
    maker = SampledTrace()
    maker.process(10, "server", ["server", "-v"])
    maker.thread(10, 11, "main")
    maker.thread(10, 12, "pool")
    stack = (("f", "/a.py", 1),)
    maker.sample(Sample(START, 10, 11, stack, wall=100, cpu=70, gil=60, wait=10))
    maker.sample(Sample(START, 10, 12, stack, wall=300, count=3))
    maker.sample(Sample(START, 20, 21, stack, wall=50))
    rows = as_json(trace(maker), "--by", "thread")["thread_table"]
    assert [(row["process"], row["pid"], row["name"], row["tid"]) for row in rows] == [
        ("server", 10, "pool", 12),
        ("server", 10, "main", 11),
        ("", 20, "", 21),
    ]
    assert rows[1]["times"] == {
        "samples": 1,
        "wall_ns": 100,
        "cpu_ns": 70,
        "gil_ns": 60,
        "gil_wait_ns": 10,
    }


def test_a_process_that_also_records_is_one(trace):
    """Its own tracks and what the sampler says of it: one process, one thread, its own names."""
    maker = SampledTrace()
    maker.maker.process(10, "my app", ["python3", "app.py"])
    track = maker.maker.thread(10, 11, "Main")
    writer = maker.maker.sequence()
    writer.begin(track, START + 5, "load")
    writer.end(track, START + 9)
    maker.process(10, "python3", ["python3", "app.py"])
    maker.thread(10, 11, "python3")
    maker.sample(Sample(START, 10, 11, (("f", "/a.py", 1),)))
    path = trace(maker)
    info = json.loads(subprocess.check_output([MAREY, "info", "--json", str(path)]))
    (process,) = info["processes"]
    assert (process["name"], process["spans"], process["samples"]) == ("my app", 1, 1)
    (thread,) = process["threads"]
    assert (thread["name"], thread["spans"], thread["samples"]) == ("Main", 1, 1)
    text = report(path)
    assert "1 span, 1 sample, 1 thread, 1 process" in text
    assert "f " in text
    assert "load" in text


# ---- what is wanted


@pytest.mark.parametrize(
    ("options", "samples", "spans"),
    [
        ((), 3, {"one", "two"}),
        (("--process", "10"), 2, {"one"}),
        (("--process", "ser*"), 2, {"one"}),
        (("--process", "10", "--process", "20"), 3, {"one", "two"}),
        (("--thread", "pool"), 1, set()),
        (("--thread", "11"), 1, {"one"}),
        (("--thread", "[mp]*", "--process", "server"), 2, {"one"}),
        (("--process", "nobody"), 0, set()),
    ],
)
def test_some_of_it(trace, options, samples, spans):
    maker = SampledTrace()
    stack = (("f", "/a.py", 1),)
    for pid, name in ((10, "server"), (20, "client")):
        maker.process(pid, name)
    for pid, tid, thread, span in ((10, 11, "main", "one"), (20, 21, "other", "two")):
        track = maker.maker.thread(pid, tid, thread)
        writer = maker.maker.sequence()
        writer.begin(track, START, span)
        writer.end(track, START + 1)
        maker.sample(Sample(START, pid, tid, stack))
    maker.thread(10, 12, "pool")
    maker.sample(Sample(START, 10, 12, stack))
    found = as_json(trace(maker), *options)
    assert found["sampling"]["times"]["samples"] == samples
    assert {row["name"] for row in found["span_table"]} == spans
    if not samples:
        assert "nothing of that" in report(trace(maker), *options)


FILES = {
    "/home/me/app/main.py": True,
    "relative.py": True,
    "<string>": True,
    "<stdin>": True,
    "<template>": True,
    "__init__": False,
    "": False,
    "<frozen importlib._bootstrap>": False,
    "/usr/lib/python3.11/json/decoder.py": False,
    "/usr/lib64/python3.9/os.py": False,
    "/opt/conda/lib/python3.13/asyncio/base_events.py": False,
    "/usr/local/lib/python3.12/site-packages/flask/app.py": False,
    "/usr/lib/python3/dist-packages/apt/cache.py": False,
    "/home/me/project/.venv/lib/python3.11/site-packages/mine/core.py": False,
    "/home/me/lib/pythonic/tools.py": True,
}


def owned(path, *options):
    rows = as_json(path, "--by", "file", *options)["file_table"]
    return {row["file"]: row["own"] for row in rows}


def test_own_code(trace):
    maker = SampledTrace()
    for file in FILES:
        maker.sample(Sample(START, 1, 1, ((file or "<native>", file, 1),)))
    path = trace(maker)
    assert owned(path) == FILES
    mine = "*/site-packages/mine/*"
    assert owned(path, "--own", mine) == {
        file: own or "/mine/" in file for file, own in FILES.items()
    }
    assert not any(owned(path, "--not-own", "*").values())
    assert owned(path, "--not-own", "*", "--own", mine)[list(FILES)[-2]] is True
    assert owned(path, "--own", mine, "--not-own", "*")[list(FILES)[-2]] is False
    marked = [line for line in report(path, "-n", "0").splitlines() if line.endswith("<====")]
    assert len(marked) == sum(FILES.values())


# ---- who is who


@pytest.mark.parametrize("own", ["python3", "python3.13", "python", ""])
def test_a_name_that_says_nothing_gives_way(trace, own):
    """A thread that records is named by the system, if by nobody else; the sampler knows better."""
    maker = SampledTrace()
    for tid, name in ((5, own), (6, "reader")):
        maker.maker.thread(5, tid, name)
        maker.thread(5, tid, f"as sampled {tid}")
        maker.sample(Sample(START, 5, tid, (("f", "/a.py", 1),)))
    maker.maker.process(5, own)
    maker.process(5, "app")
    rows = as_json(trace(maker), "--by", "thread")["thread_table"]
    names = {(row["process"], row["name"]) for row in rows}
    assert names == {("app", "as sampled 5"), ("app", "reader")}


# ---- how it was taken


def test_how_it_was_sampled(trace):
    maker = SampledTrace()
    seconds = [START, START + 10**9]
    for name, values in (
        ("marey samples", (0, 9_500)),
        ("marey samples torn", (0, 500)),
        ("marey samples missed", (0, 20)),
        ("marey sampling CPU time", (0, 7_000_000)),
        ("marey sampling interval", (10**6, 10**6)),
    ):
        maker.counter(name, zip(seconds, values))
    maker.sample(Sample(START, 1, 1, (("f", "/a.py", 1),), wall=1000, cpu=500, gil=250, wait=200))
    path = trace(maker)
    text = report(path)
    assert "  1 sample at 980/s of 1,000, 500 torn (5.00%), 20 missed\n" in text
    states = "on CPU 50.0%, waiting for the GIL 20.0%, otherwise off CPU 30.0%"
    assert f"{states}; holding the GIL 25.0%" in text
    sampling = as_json(path)["sampling"]
    assert sampling["samples_per_second"] == 980
    assert (sampling["taken"], sampling["torn"], sampling["missed"]) == (9500, 500, 20)
    assert sampling["cpu_ns"] == 7_000_000


# ---- bad input


def small_trace(style="interned"):
    maker = SampledTrace(style, chunk=20)
    maker.process(10, "p", ["p", "q"])
    maker.thread(10, 101, "t")
    for sample in random_samples(60):
        maker.sample(sample)
    return maker.data()


@pytest.mark.parametrize("style", STYLES)
def test_cut_anywhere(trace, style):
    data = small_trace(style)
    whole = as_json(trace(data))["samples"]
    for size in range(97, len(data), 97):
        assert as_json(trace(data[:size]))["samples"] <= whole


@pytest.mark.parametrize("style", STYLES)
def test_damaged_anywhere(trace, style):
    """Whatever byte is wrong: there is an answer, and text that is safe to show."""
    data, chance = small_trace(style), random.Random(2)
    for _ in range(60):
        broken = bytearray(data)
        for _ in range(chance.randint(1, 4)):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        text = report(trace(bytes(broken)))
        assert not any(ord(char) < 32 and char != "\n" for char in text)


def test_stacks_that_are_not_there(trace):
    maker = SampledTrace()
    maker.sample(Sample(START, 1, 1, (("f", "/a.py", 1),)))
    for change in (
        {"task_context_iid": 1, "callstack_iid": 77},
        {"task_context_iid": 55, "callstack_iid": 1},
        {"task_context_iid": 1, "callstack_iid": 1},
    ):
        packet = maker.packet()
        packet.timestamp, packet.timestamp_clock_id = START, 3
        for name, value in change.items():
            setattr(packet.stack_sample, name, value)
        maker.maker.add(packet)
    found = as_json(trace(maker))
    assert [(row["kind"], row["count"]) for row in found["damage"]] == [("unknown-stack", 2)]
    assert found["samples"] == 3
    assert found["function_table"][0]["total"]["samples"] == 2


def test_samples_that_viewers_hide(trace):
    maker = SampledTrace()
    packet = maker.packet()
    packet.sequence_flags = 1
    maker.maker.add(packet)
    packet = maker.packet()
    packet.timestamp, packet.timestamp_clock_id = START, 3
    packet.stack_sample.task_context.pid = 1
    maker.maker.add(packet)
    found = as_json(trace(maker))
    assert [row["kind"] for row in found["not_shown"]] == ["no-source"]
    assert found["samples"] == 1


def test_endless_recursion(trace):
    maker = SampledTrace()
    maker.sample(Sample(START, 1, 1, tuple(("f", "/a.py", line) for line in range(1, 10_001))))
    (row,) = as_json(trace(maker))["function_table"]
    assert (row["self"]["samples"], row["total"]["samples"]) == (1, 1)
    assert row["hot_line"] == 4096


@pytest.mark.parametrize("value", [2**63, 2**64 - 1])
def test_impossible_weights(trace, value):
    maker = SampledTrace()
    for _ in range(3):
        maker.sample(Sample(START, 1, 1, (("f", "/a.py", 1),), wall=value, cpu=value, wait=value))
    path = trace(maker)
    assert as_json(path)["sampling"]["times"]["wall_ns"] == 2**64 - 1
    assert "100.0%" in report(path)


def test_hostile_names(trace):
    maker = SampledTrace()
    name = "evil\x1b[2J\u202e\nname"
    maker.process(1, name)
    maker.thread(1, 1, name)
    maker.sample(Sample(START, 1, 1, ((name, f"/{name}.py", 1),)))
    maker.sample(Sample(START, 1, 2, (("x" * 70_000, "/" + "y" * 70_000, 1),)))
    text = report(trace(maker))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert max(map(len, text.splitlines()[1:])) <= 80


def test_standard_input(trace):
    with trace(small_trace()).open("rb") as stream:
        assert "standard input: 1" in report("-", stdin=stream)


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_fits_the_terminal(trace, width):
    maker = SampledTrace()
    for number in range(30):
        file = f"/srv/app/{'package' * (number % 5)}/module_with_a_long_name_{number}.py"
        stack = ((f"ClassWithALongName.method_{number}" * (1 + number % 3), file, 12345),)
        maker.sample(Sample(START, 1, number % 3, stack, wall=MS * (number + 1)))
    done = subprocess.run(
        [MAREY, "report", str(trace(maker))],
        stdout=subprocess.PIPE,
        env={**os.environ, "COLUMNS": str(width), "LC_ALL": "C.UTF-8"},
        check=True,
    )
    lines = done.stdout.decode().splitlines()
    assert max(len(line) for line in lines if "%" in line and "GIL" not in line) <= max(width, 66)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ("--by", "colour"),
            "--by takes function, line, file, module, thread, process or span, not 'colour'",
        ),
        (("--sort", "size"), "--sort takes self, total, count, mean, max or name, not 'size'"),
        (("--rows", "many"), "--rows: 'many' is no number"),
        (("--own", "x") * 257, "more than 256 times --own and --not-own"),
        (("--thread", "x") * 65, "more than 64 times --thread"),
        (("--proces", "x", "--bye"), "--bye"),
    ],
)
def test_wrong_options(options, said):
    done = subprocess.run(
        [MAREY, "report", *options, "t"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stdout == ""


def test_no_such_file():
    done = subprocess.run([MAREY, "report", "/none"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "marey report: /none: " in done.stderr
