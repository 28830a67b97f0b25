"""The flight recorder: of requests that the rules choose there is a trace of their own time."""

import asyncio
import contextlib
import gc
import json
import logging
import os
import re
import signal
import sys
import threading
import time

import pytest
import stack_samples
import traces
from disk import small_disk

import marey
from marey import _keeper
from marey.integrations import RequestInfo, asgi, every, failed, slower_than, wsgi

SECONDS = 60  # so long a test waits for what must come


def until(what):
    """Wait for it."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        found = what()
        if found:
            return found
        time.sleep(0.01)
    raise AssertionError("it did not come")


def inner(number):
    return [json.dumps(number), len(str(number))]


def shop(environ, start_response):
    """An application: what a request asks for is in its path."""
    path = environ["PATH_INFO"]
    with marey.span("view", path=path):
        inner(5)
        if path == "/slow":
            time.sleep(0.05)
        if path == "/broken":
            raise ValueError("cart")
    start_response("503 Busy" if path == "/busy" else "200 OK", [])
    return [b"hello"]


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "kept"


@pytest.fixture
def serve(folder):
    """serve(**options): the shop with a flight recorder; it ends with the test."""
    made = []

    def serve(application=shop, **options):
        options.setdefault("folder", folder)
        options.setdefault("route", lambda environ: environ["PATH_INFO"])
        made.append(wsgi.Middleware(application, **options))
        return made[-1]

    gc.disable()  # its pauses are spans, and trees are compared
    yield serve
    gc.enable()
    for middleware in made:
        middleware.flight.close()
    assert until(lambda: not _keeper.waiting()) and not marey.recording()


def ask(application, path, **environ):
    """One request, to its end; its exception is swallowed, as a server does."""
    with contextlib.suppress(ValueError):
        list(application({"PATH_INFO": path, "REQUEST_METHOD": "GET", **environ}, lambda *_: None))


def kept(application, count=1):
    """The rows of what is kept, oldest first, once nothing waits any more."""
    until(lambda: not _keeper.waiting())
    rows = application.flight.kept()
    assert len(rows) == count, (rows, application.flight.state())
    return rows[::-1]


def load(application, row):
    return traces.load(application.flight.open(row["name"]))


# ---- what is kept, and how


def test_slow_requests_are_kept_with_their_own_time_alone(serve):
    application = serve(keep=slower_than(0.04))
    for path in ("/", "/slow", "/"):
        ask(application, path)
    (row,) = kept(application)
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d_GET_slow_\S+s\.perfetto-trace", row["name"]
    )
    assert (row["request"], row["status"], row["reason"]) == (
        "GET /slow",
        200,
        "slower than 0.04 s",
    )
    assert row["duration"] >= 0.04 and abs(row["when"] - time.time()) < SECONDS
    trace = load(application, row)
    assert trace.tree() == [("GET /slow", [("view", [])])]
    assert trace.span("GET /slow").args["kept"] == "slower than 0.04 s"
    assert trace.attributes["request"] == "GET /slow" and trace.attributes["status"] == 200
    assert os.stat(application.flight.open(row["name"])).st_mode & 0o777 == 0o600
    assert application.flight.state() == {
        "what": "spans",
        "ring": 16 << 20,
        "keep": ["slower than 0.04 s"],
        "kept": 1,
        "not_kept": 0,
        "folder": application.flight.state()["folder"],
        "files": 1,
        "bytes": row["bytes"],
        "problem": None,
    }


def test_failed_requests_are_kept(serve):
    application = serve(keep=[failed(), slower_than(100)])
    for path in ("/", "/broken", "/busy"):
        ask(application, path)
    broken, busy = kept(application, 2)
    assert (broken["request"], broken["status"], broken["reason"]) == ("GET /broken", 0, "failed")
    assert (busy["request"], busy["status"]) == ("GET /busy", 503)
    assert "cart" in load(application, broken).span("GET /broken").args["exception"]


def test_what_other_threads_did_meanwhile_is_in_the_trace(serve):
    asked, done = threading.Event(), threading.Event()

    def application(environ, start_response):
        asked.set()
        assert done.wait(SECONDS)
        start_response("200 OK", [])
        return []

    def other():
        with marey.span("around"):
            assert asked.wait(SECONDS)
            with marey.span("meanwhile"):
                pass
            done.set()

    application = serve(application, keep=True)
    application.flight.ready()
    thread = threading.Thread(target=other, daemon=True)
    thread.start()
    ask(application, "/")
    thread.join()
    (row,) = kept(application)
    trace = load(application, row)
    assert ("around", [("meanwhile", [])]) in trace.tree()
    assert trace.named("GET /") and row["reason"] == "all"


def test_a_request_is_whole_in_a_ring_that_is_full(serve):
    def record(count, name):
        for number in range(count):
            with marey.span(name, number=number):
                pass

    def application(environ, start_response):
        record(5000, "mine")
        start_response("200 OK", [])
        return []

    def idle():
        with marey.span("idle"):
            ready.set()
            assert done.wait(SECONDS)

    ready, done = threading.Event(), threading.Event()
    application = serve(application, keep=lambda request: request.path == "/kept", ring="1M")
    ask(application, "/")
    record(40_000, "before")
    thread = threading.Thread(target=idle, daemon=True)
    thread.start()
    try:
        assert ready.wait(SECONDS)
        record(5000, "before")
        ask(application, "/kept")
        record(3000, "after")
    finally:
        done.set()
        thread.join()
    (row,) = kept(application)
    trace = load(application, row)
    assert [span.args["number"] for span in trace.named("mine")] == [*range(5000)]
    (request,) = trace.named("GET /kept")
    assert len(request.children) == 5000 and not trace.named("before") and trace.named("idle")


def test_of_what_is_more_than_the_ring_the_end_is_there_and_nests(serve):
    def record(count, name):
        for number in range(count):
            with marey.span(name, number=number):
                pass

    def application(environ, start_response):
        with marey.span("outer"), marey.span("inner"):
            record(60_000, "many")
        with marey.span("last"):
            record(5, "few")
        start_response("200 OK", [])
        return []

    application = serve(application, keep=True, ring="1M")
    ask(application, "/large")
    (row,) = kept(application)
    trace = load(application, row)
    assert row["request"] == "GET /large" and trace.attributes["request"] == "GET /large"
    assert row["reason"].startswith("all (its beginning is lost: ")
    numbers = [span.args["number"] for span in trace.named("many")]
    assert 1000 < len(numbers) < 60_000 and numbers == [*range(numbers[0], 60_000)]
    assert all(span.parent is None and not span.children for span in trace.named("many"))
    (last,) = trace.named("last")
    assert [span.name for span in last.children] == ["few"] * 5 and last.parent is None


def test_every_so_many_and_predicates(serve):
    seen = []

    def chosen(request):
        seen.append(request)
        return request.path == "/b"

    application = serve(keep=[every(3), chosen], user=True)
    for path in ("/a", "/b", "/c", "/d", "/b", "/b"):
        ask(application, path, REMOTE_USER="ann")
    assert [row["reason"] for row in kept(application, 4)] == [
        "chosen",
        "every 3rd",
        "chosen",
        "every 3rd, chosen",
    ]
    assert seen[0]._replace(duration=1) == RequestInfo(
        "GET /a", "GET", "/a", "/a", 200, 1, None, "ann"
    )


def test_calls_are_those_of_the_applications_own_code(serve):
    application = serve(keep=failed(), record="calls", args=True)
    ask(application, "/broken")
    (row,) = kept(application)
    (request,) = [span for span in load(application, row).spans if span.name == "GET /broken"]
    names = [span.name.rpartition(".")[2] for span in load(application, row).spans]
    assert {"shop", "inner"} <= set(names)
    assert not {"dumps", "encode", "sleep"} & set(names)  # the standard library's
    (call,) = [span for span in load(application, row).spans if span.name.endswith("inner")]
    assert call.args["number"] == 5 and request.children


def test_samples_are_taken(serve):
    def busy(environ, start_response):
        deadline = time.monotonic() + SECONDS
        while application.flight._sampler.stats().samples < 5 and time.monotonic() < deadline:
            sum(range(1000))
        start_response("200 OK", [])
        return []

    application = serve(busy, keep=True, record="samples", hz=1000)
    ask(application, "/")
    (row,) = kept(application)
    packets = load(application, row).message.packet
    functions = {
        name.str.decode() for packet in packets for name in packet.interned_data.function_names
    }
    assert any(packet.HasField("stack_sample") for packet in packets)
    assert any("busy" in name for name in functions), functions


@pytest.mark.parametrize("record", ["spans", "samples"])
def test_samples_of_the_live_page_are_kept_unless_there_are_others(serve, live_folder, record):
    def busy(environ, start_response):
        deadline = time.monotonic() + SECONDS
        own = application.flight._sampler
        while time.monotonic() < deadline and (
            application.page.live.worker.sampling.state()["samples"] < 300
            or (own is not None and own.stats().samples < 2)
        ):
            for _ in range(500):  # who asks all the time keeps the sampler from its counts
                sum(range(1000))
        start_response("200 OK", [])
        return []

    page = {"live": "/marey", "token": "of the tests, for all"}
    application = serve(busy, keep=True, record=record, hz=20, **page)
    sampling = application.page.live.worker.sampling
    try:
        assert sampling.apply("interval", 0.001) is None and sampling.apply("start", None) is None
        ask(application, "/")
    finally:
        application.page.live.close()
    (row,) = kept(application)
    samples = stack_samples.load(application.flight.open(row["name"]))
    mine = sum(sample.samples for sample in samples if sample.tid == os.getpid())
    if record == "samples":
        assert 0 < mine <= application.flight._sampler.stats().samples
    else:
        names = {name for sample in samples for name, _, _ in sample.frames}
        assert mine > 100 and any("busy" in name for name in names)


def test_an_asgi_request_is_kept(folder):
    async def application(scope, receive, send):
        await asyncio.sleep(0.02)
        await send({"type": "http.response.start", "status": 500, "headers": []})
        await send({"type": "http.response.body"})

    async def send(message):
        pass

    app = asgi.Middleware(application, keep=failed(), folder=folder)
    try:
        asyncio.run(app({"type": "http", "method": "GET", "path": "/a"}, None, send))
        (row,) = kept(app)
        span = load(app, row).span("GET")
        assert span.args["status"] == 500 and span.end - span.begin > 10_000_000
    finally:
        app.flight.close()


def test_a_websocket_that_lasts_is_not_slow():
    info = RequestInfo("WEBSOCKET /a", "WEBSOCKET", "/a", "/a", 101, 3600.0, None, None)
    assert not slower_than(1)(info) and slower_than(1)(info._replace(method="GET"))


def test_names_are_plain(serve):
    application = serve(keep=True, route=lambda environ: "/../users/<int:id>\n" + "x" * 200)
    ask(application, "/a")
    (row,) = kept(application)
    assert re.fullmatch(r"[\w.-]+", row["name"], re.ASCII) and len(row["name"]) < 150
    assert "_GET_users-int-id-xxx" in row["name"]


# ---- the folder


def test_only_what_is_in_the_folder_is_opened(serve, folder):
    application = serve(keep=True)
    ask(application, "/a")
    (row,) = kept(application)
    (folder / "notes.txt").write_text("mine")
    os.symlink("/etc/passwd", folder / "2026-11-21T10-00-03_GET_x_1ms.perfetto-trace")
    for name in ("notes.txt", "../kept/" + row["name"], "/etc/passwd", "", None, 5,
                 "2026-11-21T10-00-03_GET_x_1ms.perfetto-trace"):  # fmt: skip
        assert application.flight.open(name) is None
    assert application.flight.open(row["name"]) == str(folder / row["name"])
    kept(application)


def test_files_that_are_no_traces_have_rows_without_facts(serve, folder):
    application = serve(keep=True)
    folder.mkdir()
    for number, content in enumerate((b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", b"\x0a\x05",
                                      b"\x0a\x03\xf2\x07\x7f", b"x" * 9999)):  # fmt: skip
        (folder / f"2026-11-21T10-00-03_{number}.perfetto-trace").write_bytes(content)
    rows = kept(application, 4)
    assert {(row["request"], row["reason"], row["duration"]) for row in rows} == {("", "", 0.0)}


def test_the_oldest_go_first_and_unfinished_files_with_them(serve, folder):
    application = serve(keep=True, files=3)
    folder.mkdir()
    left = folder / "2026-11-21T10-00-03_GET_x_1ms.perfetto-trace.4711"
    taken = folder / "2026-11-21T10-00-03_GET_x_2ms.perfetto-trace"
    for unfinished in (left, taken):
        unfinished.write_bytes(b"")
        os.utime(unfinished, (1, 1))
    for number in range(5):
        ask(application, f"/{number}")
        until(lambda: not _keeper.waiting())
        newest = application.flight.kept()[0]["name"]
        os.utime(folder / newest, (number, number))
    assert [row["request"] for row in kept(application, 3)] == ["GET /2", "GET /3", "GET /4"]
    assert not left.exists() and not taken.exists() and len(list(folder.iterdir())) == 3
    application = serve(keep=True, size=1)
    ask(application, "/last")
    assert [row["request"] for row in kept(application)] == ["GET /last"]


def test_a_folder_that_cannot_be_written_or_vanishes(serve, folder, caplog):
    folder.write_text("in the way")
    application = serve(keep=True, folder=folder / "kept")
    with caplog.at_level(logging.WARNING, "marey"):
        for _ in range(3):
            ask(application, "/a")
        until(lambda: not _keeper.waiting())
    state = application.flight.state()
    assert state["not_kept"] == 3 and str(folder) in state["problem"]
    assert len(caplog.records) <= 2  # once each: it cannot be written, it cannot be read
    folder.unlink()
    ask(application, "/b")
    assert [row["request"] for row in kept(application)] == ["GET /b"]
    assert application.flight.state()["problem"] is None
    os.unlink(application.flight.open(application.flight.kept()[0]["name"]))
    (folder / "kept").rmdir()
    ask(application, "/c")
    assert [row["request"] for row in kept(application)] == ["GET /c"]


def test_a_disk_that_becomes_full_and_has_room_again(serve, tmp_path):
    with small_disk(tmp_path / "disk", "256k") as disk:
        other = disk / "other"
        application = serve(keep=True, folder=disk / "kept")
        ask(application, "/a")
        kept(application)
        with open(other, "wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(b"x" * 4096)
        for _ in range(3):
            ask(application, "/b")
        (row,) = kept(application)
        state = application.flight.state()
        assert row["request"] == "GET /a" and load(application, row).span("GET /a")
        assert (state["kept"], state["not_kept"]) == (1, 3) and "No space left" in state["problem"]
        other.unlink()
        ask(application, "/c")
        assert [row["request"] for row in kept(application, 2)] == ["GET /a", "GET /c"]
        assert application.flight.state()["problem"] is None


def test_a_file_that_may_not_grow(script, tmp_path):
    out = script(
        """
import resource, signal, sys, time
from marey import _keeper
from marey.integrations import wsgi

def application(environ, start_response):
    start_response("200 OK", [])
    return [b"x" * 5]

app = wsgi.Middleware(application, keep=True, folder=sys.argv[1])
list(app({"REQUEST_METHOD": "GET"}, lambda *_: None))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
while _keeper.waiting():
    time.sleep(0.01)
resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
assert list(app({"REQUEST_METHOD": "GET"}, lambda *_: None)) == [b"x" * 5]
while _keeper.waiting():
    time.sleep(0.01)
state = app.flight.state()
print(state["kept"], state["not_kept"], state["files"], sys.argv[1] in state["problem"])
""",
        tmp_path / "kept",
    )
    assert out.split() == ["1", "1", "1", "True"]
    assert len(list((tmp_path / "kept").iterdir())) == 1


# ---- what goes wrong in rules, requests and the keeper


def test_a_predicate_that_raises_is_said_and_the_others_are_asked(serve):
    def wrong(request):
        raise KeyError("role")

    application = serve(keep=[wrong, failed()])
    ask(application, "/")
    ask(application, "/broken")
    (row,) = kept(application)
    assert row["reason"] == "failed"
    assert "wrong failed: KeyError: 'role'" in application.flight.state()["problem"]


def test_a_slow_predicate_is_asked_no_more(serve):
    asked = []

    def slow(request):
        asked.append(1)
        time.sleep(0.06)

    application = serve(keep=slow)
    for _ in range(12):
        ask(application, "/")
    assert len(asked) == 10 and "not asked any more" in application.flight.state()["problem"]


def test_too_many_at_a_time_are_counted_and_wait_for_nobody(serve):
    gate = threading.Event()
    application = serve(keep=True)
    try:
        assert _keeper.submit(lambda: gate.wait(SECONDS))
        for _ in range(40):
            ask(application, "/")
        state = application.flight.state()
        assert state["not_kept"] == 25 and "some are not" in state["problem"]
    finally:
        gate.set()
    kept(application, 15)
    ask(application, "/")
    kept(application, 16)
    assert application.flight.state()["problem"] is None


def test_a_request_that_never_ends_keeps_no_other_from_being_kept(serve):
    application = serve(keep=True)
    pending = application({"PATH_INFO": "/pending", "REQUEST_METHOD": "GET"}, lambda *_: None)
    ask(application, "/slow")
    (row,) = kept(application)
    assert row["request"] == "GET /slow"
    trace = load(application, row)
    assert trace.span("GET /pending").children[0].name == "GET /slow"
    pending.close()


def test_ten_thousand_requests_at_a_time(folder):
    async def application(scope, receive, send):
        await gate.wait()
        if scope["path"] == "/9999":
            raise ValueError("one")

    async def serve():
        global gate
        gate = asyncio.Event()
        tasks = [
            asyncio.ensure_future(
                app({"type": "http", "method": "GET", "path": f"/{n}"}, None, None)
            )
            for n in range(10_000)
        ]
        await asyncio.sleep(0)
        assert app.counts()["open"] == 10_000
        gate.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    app = asgi.Middleware(application, keep=failed(), folder=folder)
    try:
        answers = asyncio.run(serve())
        assert [type(a) for a in answers if a] == [ValueError] and len(answers) == 10_000
        (row,) = kept(app)
        assert row["reason"] == "failed" and row["bytes"] > 100_000
    finally:
        app.flight.close()


# ---- other recordings, other profilers


def test_the_programs_own_recording_is_what_is_kept_from(serve, path):
    application = serve(keep=True)
    with marey.record(path, gc=False):
        with marey.span("before"):
            pass
        ask(application, "/a")
        (row,) = kept(application)
    assert [span.name for span in load(application, row).spans] == ["GET /a", "view"]
    assert traces.load(path).span("GET /a")
    ask(application, "/b")  # into a ring again
    _, row = kept(application, 2)
    assert row["request"] == "GET /b" and load(application, row).span("GET /b")


def test_a_recording_that_begins_meanwhile_is_not_taken_for_the_requests(serve, path):
    gate = threading.Event()
    application = serve(keep=True)
    try:
        assert _keeper.submit(lambda: gate.wait(SECONDS))
        ask(application, "/a")
        with marey.record(path):
            gate.set()
            kept(application, 0)
        assert "another recording" in application.flight.state()["problem"]
    finally:
        gate.set()


def test_who_is_in_the_way_is_said_and_spans_are_kept(serve):
    scopes = [marey.calls(threads="all") for _ in range(8)]
    try:
        for scope in scopes:
            scope.__enter__()
        application = serve(keep=True, record="calls")
        ask(application, "/a")
        (row,) = kept(application)
        assert "calls are not recorded" in application.flight.state()["problem"]
    finally:
        for scope in reversed(scopes):
            scope.__exit__()
    assert load(application, row).span("GET /a")


BESIDE = """
import cProfile, json, sys, threading, traceback
import marey
from marey import _keeper
from marey.integrations import wsgi

def inner(number):
    return number + 1

def application(environ, start_response):
    start_response("200 OK", [])
    return [str(inner(1)).encode()]

app = wsgi.Middleware(
    application, keep=True, record="calls", folder=sys.argv[1],
    live="/marey", token="of the tests, for all", running=True,
)
seen = []

def note(frame, event, arg):
    if event == "call" and frame.f_code is inner.__code__:
        seen.append(event)
    return note

profile = cProfile.Profile()
others = {
    "cProfile": (profile.enable, profile.disable),
    "setprofile": (lambda: sys.setprofile(note), lambda: sys.setprofile(None)),
    "settrace": (lambda: sys.settrace(note), lambda: sys.settrace(None)),
}
on, off = others[sys.argv[2]]

def ask(count):
    for _ in range(count):
        answer = app({"REQUEST_METHOD": "GET", "PATH_INFO": "/"}, lambda *_: None)
        assert list(answer) == [b"2"]
        answer.close()

ask(2)  # it comes while requests are recorded, and goes again
on()
ask(3)
off()
ask(2)
if sys.argv[2] == "cProfile":
    profile.create_stats()
    counts = {key[2]: stats[0] for key, stats in profile.stats.items()}
    assert counts["inner"] == 3, counts
else:
    assert len(seen) == 3, seen
while _keeper.waiting():
    threading.Event().wait(0.01)
state = app.flight.state()
assert state["kept"] == 7 and state["problem"] is None, state
assert app.page.live.worker.sampling.state()["state"] == "on"
app.page.live.close()
app.flight.close()
"""


@pytest.mark.parametrize("other", ["cProfile", "setprofile", "settrace"])
def test_another_profiler_beside(script, tmp_path, live_folder, other):
    script(BESIDE, tmp_path / "kept", other, XDG_RUNTIME_DIR=live_folder)
    for file in (tmp_path / "kept").iterdir():
        names = [span.name.rpartition(".")[2] for span in traces.load(file).spans]
        assert names.count("inner") == 1, (file, names)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="there is no sys.monitoring")
def test_no_place_is_left_for_those_who_see_calls(script, tmp_path):
    out = script(
        """
import sys
from marey import _keeper
from marey.integrations import wsgi
for number in range(6):
    sys.monitoring.use_tool_id(number, f"tool {number}")
app = wsgi.Middleware(lambda environ, start: [b"x"], keep=True, record="calls", folder=sys.argv[1])
assert list(app({"REQUEST_METHOD": "GET"}, None)) == [b"x"]
_keeper.finish()
print(app.flight.state()["kept"], app.flight.state()["problem"])
""",
        tmp_path / "kept",
    )
    assert out.startswith("1 calls are not recorded: "), out
    (file,) = (tmp_path / "kept").iterdir()
    assert traces.load(file).span("GET")


# ---- processes

WORKERS = """
import os, signal, sys, time
import marey
from marey import _keeper
from marey.integrations import wsgi

def application(environ, start_response):
    with marey.span(f"in {os.getpid()}"):
        start_response("200 OK", [])
        return []

app = wsgi.Middleware(application, keep=True, folder=sys.argv[1], files=5, record=sys.argv[2])

def ask(count):
    for _ in range(count):
        list(app({"REQUEST_METHOD": "GET"}, lambda *_: None))
        while _keeper.waiting():
            time.sleep(0.001)

def work():
    ask(4)
    state = app.flight.state()
    assert state["kept"] == 4 and state["not_kept"] == 0, state
    assert marey.status()["owner"]
    os.write(ready, b"x")
    if sys.argv[4] == "killed":
        time.sleep(60)
    os._exit(0)

assert not marey.recording()
if sys.argv[3] == "used":
    ask(1)
done, ready = os.pipe()
workers = []
for _ in range(3):
    workers.append(os.fork())
    if not workers[-1]:
        try:
            work()
        finally:
            os._exit(1)
for worker in workers:
    assert os.read(done, 1) == b"x"
for worker in workers:
    if sys.argv[4] == "killed":
        os.kill(worker, signal.SIGKILL)
    os.waitpid(worker, 0)
"""


@pytest.mark.parametrize(
    ("record", "when"), [("spans", "fresh"), ("calls", "used"), ("samples", "used")]
)
def test_each_worker_has_its_own_ring_and_all_share_the_folder(script, tmp_path, record, when):
    script(WORKERS, tmp_path / "kept", record, when, "ends")
    files = list((tmp_path / "kept").iterdir())
    assert len(files) <= 5  # two that are written at the same time may both make room
    for file in files:
        pids = {s.name for s in traces.load(file).spans if s.name.startswith("in ")}
        assert len(pids) == 1


def test_workers_that_are_killed_leave_nothing_behind(script, tmp_path):
    before = {name for name in os.listdir("/dev/shm") if name.startswith("marey-")}
    script(WORKERS, tmp_path / "kept", "spans", "fresh", "killed")
    assert {name for name in os.listdir("/dev/shm") if name.startswith("marey-")} <= before
    assert 1 <= len(list((tmp_path / "kept").iterdir())) <= 5


def test_a_worker_that_is_killed_while_it_keeps(serve, script, folder):
    script(
        """
import os, signal, sys, time
from marey import _kept
from marey.integrations import wsgi

def killed(path, to, began_ns, ended_ns):
    os.write(to, b"half of it")
    os.kill(os.getpid(), signal.SIGKILL)

_kept._write_recorded = killed
app = wsgi.Middleware(lambda environ, start: [], keep=True, folder=sys.argv[1])
list(app({"REQUEST_METHOD": "GET"}, None))
time.sleep(60)
""",
        folder,
        status=-signal.SIGKILL,
    )
    left = list(folder.iterdir())
    assert len(left) == 2  # its name, and the half
    application = serve(keep=True)
    assert application.flight.kept() == []
    ask(application, "/a")
    kept(application)
    for path in left:
        os.utime(path, (1, 1))
    ask(application, "/b")
    assert [row["request"] for row in kept(application, 2)] == ["GET /a", "GET /b"]
    assert not any(path.exists() for path in left)


def test_what_was_kept_last_is_written_before_the_program_ends(script, tmp_path):
    script(
        """
import sys
from marey.integrations import wsgi
app = wsgi.Middleware(lambda environ, start: [], keep=True, folder=sys.argv[1])
for _ in range(3):
    list(app({"REQUEST_METHOD": "GET"}, None))
""",
        tmp_path / "kept",
    )
    assert len(list((tmp_path / "kept").iterdir())) == 3


# ---- options


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"keep": 5}, TypeError),
        ({"keep": []}, ValueError),
        ({"keep": [failed]}, TypeError),
        ({"keep": "slow"}, TypeError),
        ({"record": "all"}, ValueError),
        ({"ring": 5}, ValueError),
        ({"files": 0}, ValueError),
        ({"size": "many"}, ValueError),
        ({"hz": 0}, ValueError),
        ({"include": 3}, TypeError),
        ({"folder": 3.5}, TypeError),
    ],
)
def test_wrong_options_are_named(options, error):
    with pytest.raises(error, match=next(iter(options)) if "folder" not in options else None):
        wsgi.Middleware(shop, **{"keep": True, **options})


def test_options_that_need_keep():
    with pytest.raises(TypeError, match="ring: only with keep"):
        wsgi.Middleware(shop, ring="1M")
    assert wsgi.Middleware(shop, keep=None).flight is None


@pytest.mark.parametrize("wrong", [-1, "1", None, True, float("nan")])
def test_wrong_numbers_of_rules(wrong):
    with pytest.raises((TypeError, ValueError), match="slower_than"):
        slower_than(wrong)
    with pytest.raises((TypeError, ValueError), match="every"):
        every(wrong)
