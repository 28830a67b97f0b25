"""Traces for the reports: of a server with slow requests, sampled; with names that are formulas."""

from sampled_traces import START as SAMPLES_START
from sampled_traces import Sample, SampledTrace
from tracemaker import TraceMaker

MS = 1_000_000
START = SAMPLES_START


def slow():
    """A server of two threads and a task: ten requests of 20 ms, each with queries and one pause of
    the collector; the third request is slow. Sampled each millisecond."""
    sampled = SampledTrace()
    maker = sampled.maker
    process = maker.process(100, "server", ["server", "--port", "80"])
    main, pool = maker.thread(100, 100, "main"), maker.thread(100, 101, "pool-1")
    task = maker.describe(name="Task-7", parent_uuid=process)
    tracks = {
        track: maker.sequence(deltas=True, interned=True, anchor=START, track=track)
        for track in (main, pool, task)
    }
    for number in range(10):
        begin = START + number * 20 * MS
        last = begin + (19 if number == 2 else 6) * MS
        write = tracks[main]
        write.begin(main, begin, "request", args={"path": f"/item/{number}", "user": "Ann"})
        write.begin(main, begin + MS, "query", ["db"], args={"sql": "select * from items"})
        write.begin(main, begin + 2 * MS, "gc", ["gc"], args={"generation": number % 3})
        write.end(main, begin + 2 * MS + number * 10_000 + 5_000)
        write.end(main, last - MS, args={"rows": number})
        write.end(main, last, args={"status": 200})
        tracks[pool].begin(pool, begin + 3 * MS, "index")
        tracks[pool].end(pool, begin + 13 * MS)
    tracks[task].begin(task, START + 30 * MS, "stream")
    tracks[task].end(task, START + 90 * MS)
    loop, query, index = (
        ("serve", "/srv/app.py", 10),
        ("execute", "/srv/db.py", 77),
        ("add", "/srv/index.py", 5),
    )
    for tick in range(200):
        time = START + tick * MS + MS // 2
        slow_one = 40 < tick < 59
        busy = tick % 20 < 6 or slow_one
        sampled.sample(
            Sample(time, 100, 100, (loop, query) if busy else (loop,), MS, MS if busy else 0)
        )
        sampled.sample(Sample(time, 100, 101, (index,), MS, cpu=MS // 2, wait=MS // 4))
        if tick >= 100:
            continue
        sampled.sample(Sample(time, 100, 102, (("stream", "/srv/s.py", 3),), MS, task="Task-7"))
    return sampled.data()


def formulas():
    """Names that a spreadsheet would compute, or a terminal obey."""
    maker = TraceMaker()
    maker.clocks(realtime=17 * 10**17, monotonic=START, boottime=START)
    thread = maker.thread(1, 1, "=cmd|' /C calc'!A0")
    write = maker.sequence()
    names = (
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        'a "quoted", name',
        "two\nlines",
        "\x1b[31mred",
        "\ttab",
    )
    for number, name in enumerate(names):
        write.begin(thread, START + number * 100, name, ["=cat"])
        write.end(thread, START + number * 100 + 50)
    return maker.data()


def program(parse, query, calls=40, new=False):
    """Four seconds of a program, sampled each millisecond: of ten samples so many are in parse, in
    turn; a hundred requests with a query that takes so many microseconds, more or less; calls of
    two functions."""
    sampled = SampledTrace()
    maker = sampled.maker
    maker.process(100, "app", ["app"])
    main = maker.thread(100, 100, "main")
    write = maker.sequence(deltas=True, interned=True, anchor=START, track=main)
    source = {name: (f"/src/{name}.py", f"app.{name}", 3) for name in ("load", "save")}
    for number in range(100):
        time = START + number * 40 * MS
        took = (query + number * 7 % 10 * 10) * 1000
        write.begin(main, time, "request")
        write.begin(main, time + 1000, "query", ["db"])
        write.end(main, time + 1000 + took)
        write.begin(main, time + 2000 + took, "render")
        write.end(main, time + 2000 + took + (300 + number % 10) * 1000)
        write.end(main, time + 30 * MS)
    time = START + 4000 * MS
    for number in range(calls):
        name = "load" if number % 2 else "save"
        write.begin(main, time + number * 10_000, name, ["call"], source=source[name])
        write.end(main, time + number * 10_000 + 5_000 + number % 3 * 100)
    if new:
        write.begin(main, time + MS, "cache")
        write.end(main, time + 2 * MS)
    module = ("<module>", "/srv/a/app/main.py", 1)
    for tick in range(4000):
        inside = tick * 7 % 10 < parse
        top = (
            ("parse", "/srv/a/app/parser.py", 12)
            if inside
            else ("wait", "/usr/lib/python3.11/threading.py", 320)
        )
        sampled.sample(Sample(START + tick * MS, 100, 100, (module, top), MS))
    return sampled.data()


TRACES = {
    "slow": slow,
    "formulas": formulas,
    "before": lambda: program(2, 1000),
    "again": lambda: program(2, 1000).replace(b"/srv/a/", b"/srv/b/"),
    "after": lambda: program(3, 1500, calls=60, new=True).replace(b"/srv/a/", b"/srv/b/"),
}
