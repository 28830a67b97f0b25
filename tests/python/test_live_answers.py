"""The live page, without a transport: each answer, each bad parameter, who may look and change."""

import gzip
import json
import os
import threading

import pytest
from live_pages import TOKEN, Visit, header, page, until

import marey
from marey import _marey, _page
from marey._live.live_page import Live
from marey.integrations._requests import Requests


@pytest.fixture(autouse=True)
def own_folder(live_folder):
    """Groups of other programs are none of ours."""


@pytest.fixture
def visit():
    with page() as visit:
        yield visit


def busy_until(condition):
    """Compute until it is true."""

    def look():
        sum(range(100_000))
        return condition()

    return until(look)


# ---- what is there


def test_the_page_and_its_files(visit):
    answer = visit.ask("", accept_encoding="gzip")
    assert (answer.status, header(answer, "Location")) == (303, "marey/")
    answer = visit.ask("/", accept_encoding="gzip")
    assert answer.status == 200 and header(answer, "Cache-Control") == "no-store"
    text = gzip.decompress(answer.body).decode()
    assert text == visit.ask("/").body.decode()  # curl wants it as it is
    name = text.split('"./assets/', 1)[1].split('"')[0]
    script = visit.ask(f"/assets/{name}", accept_encoding="gzip")
    assert script.status == 200 and "immutable" in header(script, "Cache-Control")
    again = visit.ask(f"/assets/{name}", if_none_match=header(script, "ETag"))
    assert (again.status, again.body) == (304, b"")


def test_every_answer_is_strict_about_what_a_browser_may_do(visit):
    answers = [visit.ask(path) for path in ("", "/", "/live/state", "/nowhere", "/live/control")]
    answers.append(Visit(visit.live, token=None).ask("/"))
    for answer in answers:
        policy = header(answer, "Content-Security-Policy")
        assert policy == _page.policy() and "'unsafe-inline'" not in policy
        assert header(answer, "X-Content-Type-Options") == "nosniff"
        assert header(answer, "Referrer-Policy") == "no-referrer"
        assert header(answer, "Cache-Control") == "no-store"


def test_the_state_says_what_goes_on(visit):
    state = visit.state()
    assert state["name"] == "shop" and state["version"] == 1 and state["user"] is None
    assert state["sampling"]["state"] == "off" and state["sampling"]["samples"] == 0
    assert state["recording"] is None and state["problems"] == []
    assert state["requests"] == {"open": 0, "count": 0, "errors": 0}
    (worker,) = state["workers"]
    assert worker["pid"] == os.getpid() and worker["rss"] > 1 << 20 and worker["problem"] is None


def test_requests_by_route():
    requests = Requests()
    with page(requests=requests) as visit:
        open_one = requests.begin_named("GET /slow", "GET", None)
        failed = requests.begin_named("GET /broken", "GET", None)
        failed.status = 500
        failed.end()
        assert visit.state()["requests"] == {"open": 1, "count": 1, "errors": 1}
        rows = visit.json("/live/routes")["rows"]
        assert rows["name"] == ["GET /broken"] and rows["errors"] == [1]
        assert rows["p50"][0] <= rows["max"][0] and set(map(len, rows.values())) == {1}
        assert visit.json("/live/routes", f"worker={os.getpid()}")["rows"] == rows
        open_one.end()
        assert visit.state()["requests"]["open"] == 0


def test_threads_and_tasks_as_they_are_now(visit):
    ended = threading.Event()
    thread = threading.Thread(target=ended.wait, name="waits", daemon=True)
    thread.start()
    found, waits = {}, {}

    def is_waiting():  # a thread that has begun does not wait yet
        found.update(visit.json("/live/dump"))
        (one,) = [thread for thread in found["threads"] if thread["name"] == "waits"]
        waits.update(one)
        return waits["state"] == "idle"

    try:
        busy_until(is_waiting)
    finally:
        ended.set()
        thread.join(60)
    assert waits["pid"] == os.getpid()
    assert waits["stack"][0]["function"].endswith("wait") and waits["stack"][0]["line"] > 0
    assert not waits["stack"][0]["own"]
    main = next(thread for thread in found["threads"] if thread["name"] == "MainThread")
    assert {frame["own"] for frame in main["stack"] if frame["file"] == __file__} == {True}
    assert found["tasks"] == [] and found["left_out"] == 0


def test_the_sampling_is_steered(visit):
    assert visit.control(action="start") == (204, "")
    busy_until(lambda: visit.state()["sampling"]["samples"] > 20)
    state = visit.state()
    assert state["sampling"]["state"] == "on" and state["sampling"]["hz"] == 100
    assert visit.control(action="pause")[0] == 204
    assert visit.state()["workers"][0]["state"] == "paused"
    assert visit.control(action="resume")[0] == 204
    assert visit.control(action="interval", value=0.002)[0] == 204
    assert visit.state()["sampling"]["hz"] == pytest.approx(500)
    assert visit.control(action="mode", value="cpu")[0] == 204
    state = visit.state()["sampling"]
    assert (state["mode"], state["state"]) == ("cpu", "on") and state["hz"] == pytest.approx(500)
    assert visit.control(action="stop")[0] == 204
    assert visit.control(action="reset")[0] == 204
    state = visit.state()["sampling"]
    assert (state["state"], state["samples"]) == ("off", 0)


def test_one_worker_is_steered(visit):
    assert visit.control(action="start", worker=os.getpid())[0] == 204
    assert visit.state()["sampling"]["state"] == "on"
    assert visit.control(action="stop", worker=1 << 30) == (
        404,
        f"worker: there is no process {1 << 30}",
    )


@pytest.mark.parametrize("window", ["minute", "hour", "all"])
def test_the_profile(visit, window):
    visit.control(action="start")
    path = f"/profile/{window}/api"

    def functions():
        return visit.json(f"{path}/functions", f"worker={os.getpid()}&of=samples")["rows"]["name"]

    assert busy_until(lambda: [name for name in functions() if name.endswith("look")])
    flame = visit.json(f"{path}/flame")
    assert any(name.endswith("look") for name in flame["functions"]["name"])
    assert visit.json(f"{path}/trace")["file"] == "shop"
    answer = visit.ask(f"/profile/{window}/convert", "format=folded&worker=" + str(os.getpid()))
    assert answer.status == 200 and b"look" in answer.body
    assert "attachment; filename=" in header(answer, "Content-Disposition")
    speedscope = visit.json(f"/profile/{window}/convert", "format=speedscope")
    assert any(f["name"].endswith("look") for f in speedscope["shared"]["frames"])
    pprof = visit.ask(f"/profile/{window}/convert", "format=pprof")
    assert pprof.status == 200 and b"look" in gzip.decompress(pprof.body)


def test_a_profile_of_nothing(visit):
    assert visit.json("/profile/all/api/functions")["rows"]["name"] == []


# ---- what is kept


class Recorder:
    """As the flight recorder shows itself."""

    takes_samples = False

    def __init__(self, folder):
        self.folder = folder

    def kept(self):
        return [
            {
                "name": file.name,
                "when": file.stat().st_mtime,
                "request": "GET /slow",
                "status": 200,
                "duration": 0.6,
                "reason": "slower than 0.5 s",
                "bytes": file.stat().st_size,
            }
            for file in self.folder.iterdir()
        ]

    def state(self):
        return {
            "what": "spans",
            "folder": str(self.folder),
            "kept": 1,
            "not_kept": 0,
            "problem": None,
        }

    def open(self, name):
        names = [row["name"] for row in self.kept()]
        return str(self.folder / name) if name in names else None


@pytest.fixture
def kept(tmp_path):
    """A visit of a page with one trace that was kept, and its name."""
    requests = Requests()
    folder = tmp_path / "kept"
    folder.mkdir()
    name = "2026-11-21T10-00-03_GET_slow_600ms.perfetto-trace"
    with marey.record(folder / name), marey.span("GET /slow"):
        pass
    requests.flight = Recorder(folder)
    with page(requests=requests) as visit:
        yield visit, name


def test_kept_requests(kept, tmp_path):
    visit, name = kept
    found = visit.json("/live/kept")
    assert found["rows"]["name"] == [name] and found["rows"]["duration"] == [0.6]
    assert found["folder"] == str(tmp_path / "kept") and found["problem"] is None
    assert visit.state()["recording"]["kept"] == 1
    assert header(visit.ask(f"/kept/{name}"), "Location") == f"{name}/"
    assert b"<html" in visit.ask(f"/kept/{name}/").body
    assert visit.json(f"/kept/{name}/api/span-table")["rows"]["name"] == ["GET /slow"]
    answer = visit.ask(f"/kept/{name}/trace")
    assert header(answer, "Content-Disposition") == f'attachment; filename="{name}"'
    content = b"".join(answer.pieces)
    assert content == (tmp_path / "kept" / name).read_bytes()
    assert header(answer, "Content-Length") == str(len(content))
    assert visit.ask(f"/kept/{name}/convert", "format=chrome").status == 200
    speedscope = visit.ask(f"/kept/{name}/speedscope/index.html")
    assert "'unsafe-inline'" in header(speedscope, "Content-Security-Policy")


def test_a_kept_request_that_is_gone_or_damaged(kept, tmp_path):
    visit, name = kept
    assert visit.json("/kept/nothing/api/trace", status=404)["error"] == "there is no such trace"
    for path in ("..", "../../etc/passwd", "%2e%2e", "/etc/passwd"):
        assert visit.ask(f"/kept/{path}/trace").status == 404
    (tmp_path / "kept" / name).write_bytes(b"\0\0\0")
    assert visit.json(f"/kept/{name}/api/trace", status=503)["error"]
    (tmp_path / "kept" / name).unlink()
    assert visit.ask(f"/kept/{name}/trace").status == 404


# ---- what is wrong

BAD_QUERIES = [
    ("/live/state", "x=1", "x: there is no such parameter here"),
    ("/live/events", "worker=1", "worker: there is no such parameter here"),
    ("/live/kept", "a", "the query has no form"),
    ("/live/routes", "worker=", "worker: a process's number wanted"),
    ("/live/routes", "worker=-1", "worker: a process's number wanted"),
    ("/live/routes", "worker=12345678901", "worker: a process's number wanted"),
    ("/live/routes", "worker=1&worker=1", "worker: given twice"),
    ("/live/dump", "worker=0", "worker: a process's number wanted"),
    ("/live/dump", "worker=٣", "worker: a process's number wanted"),
    ("/live/dump", "a=1&" * 50, "the query has no form"),
    ("/live/dump", "a" * 5000, "the query has more than 4096 characters"),
    ("/profile/all/api/functions", "worker=x", "worker: a process's number wanted"),
    ("/profile/all/api/functions", "worker=1&worker=2", "worker: given twice"),
]


@pytest.mark.parametrize(("path", "query", "reason"), BAD_QUERIES)
def test_queries_that_are_wrong(visit, path, query, reason):
    assert visit.json(path, query, status=400)["error"] == reason


def test_what_the_page_of_traces_refuses_is_refused_here(visit):
    for question, query in (("api/functions", "of=x"), ("convert", "x=1"), ("convert", "from=a")):
        assert visit.json(f"/profile/all/{question}", query, status=400)["error"]
    assert visit.json("/profile/all/convert", "format=x", status=404)["error"]


@pytest.mark.parametrize(
    "path",
    [
        *("/x", "/live", "/live/", "/live/x", "/profile", "/profile/day/api/trace", "/kept"),
        *("/profile/all/", "/profile/all/trace", "/assets/../x", "/single.html", "/kept/", "//"),
        "/profile/all/api/nothing",
    ],
)
def test_paths_that_are_not_there(visit, path):
    assert visit.json(path, status=404)["error"]


def test_a_worker_that_is_not_there(visit):
    reason = f"worker: there is no process {1 << 30}"
    for path in ("/live/routes", "/live/dump", "/profile/all/api/trace"):
        assert visit.json(path, f"worker={1 << 30}", status=404)["error"] == reason


@pytest.mark.parametrize("method", ["PUT", "DELETE", "POST", "OPTIONS", "", "get"])
def test_methods(visit, method):
    answer = visit.ask("/live/state", method=method)
    assert answer.status == 405 and header(answer, "Allow") == "GET, HEAD"
    assert visit.ask("/", method="HEAD").body == b""


PLAIN = "action: one of start, pause, resume, stop, reset, interval, mode wanted"
SECONDS = "value: seconds from 0.000010 to 10 wanted"
BAD_WISHES = [
    ({}, PLAIN),
    ({"action": "explode"}, PLAIN),
    ({"action": ["start"]}, PLAIN),
    ({"action": "start", "value": 1}, "value: start has none"),
    ({"action": "interval"}, "value: seconds wanted, a number"),
    ({"action": "interval", "value": "1"}, "value: seconds wanted, a number"),
    ({"action": "interval", "value": True}, "value: seconds wanted, a number"),
    ({"action": "interval", "value": 0}, SECONDS),
    ({"action": "interval", "value": -1}, SECONDS),
    ({"action": "interval", "value": 11}, SECONDS),
    ({"action": "interval", "value": float("nan")}, SECONDS),
    ({"action": "mode", "value": "x"}, "value: one of wall, cpu, gil wanted"),
    ({"action": "mode", "value": {}}, "value: one of wall, cpu, gil wanted"),
    ({"action": "pause"}, "the sampling is off: there is nothing to pause"),
    ({"action": "resume"}, "the sampling is off: there is nothing to resume"),
    ({"action": "start", "worker": "1"}, "worker: a process's number wanted"),
    ({"action": "start", "worker": True}, "worker: a process's number wanted"),
    ({"action": "start", "worker": -1}, "worker: a process's number wanted"),
    ({"action": "start", "what": 1}, "what: there is no such member"),
]


@pytest.mark.parametrize(("wanted", "reason"), BAD_WISHES)
def test_wishes_that_are_wrong(visit, wanted, reason):
    assert visit.control(**wanted) == (400, reason)
    assert visit.state()["sampling"]["state"] == "off"


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (b"", 400, "the body is no JSON"),
        (b"\xff{}", 400, "the body is no JSON"),
        (b"[" * 4000, 400, "the body is no JSON"),
        (b"[]", 400, "the body is no JSON object"),
        (b" " * 4097, 413, "the body has more than 4096 bytes"),
    ],
)
def test_bodies_that_are_wrong(visit, body, status, reason):
    csrf = visit.state()["csrf"]
    answer = visit.ask("/live/control", method="POST", body=body, x_marey_csrf=csrf)
    assert (answer.status, json.loads(answer.body)["error"]) == (status, reason)


def test_options_that_are_wrong():
    for options, words in (
        ({"users": "ann"}, "users: a set of names"),
        ({"users": {""}}, "users: names are not empty"),
        ({"users": [1]}, "users: names are not empty"),
        ({"token": 1}, "token: a str wanted"),
        ({"token": "short"}, "token: 16 characters"),
        ({"group": ""}, "group: a str wanted"),
        ({"hz": 0}, "hz is from"),
        ({"mode": "x"}, "mode is one of"),
    ):
        with pytest.raises((TypeError, ValueError), match=words):
            Live("shop", **options)


# ---- who may look


def refused(visit, path="/live/state"):
    answer = visit.ask(path)
    return (answer.status, answer.body) == (403, b"")


def test_without_a_rule_nobody_may_look():
    with page(token=None) as visit:
        for path in ("", "/", "/live/state", "/nowhere", "/assets/x"):
            assert refused(visit, path)
        assert refused(Visit(visit.live, None, user="ann"))


def test_names():
    with page(token=None, users={"ann"}) as visit:
        ann = Visit(visit.live, None, user="ann")
        assert ann.state()["user"] == "ann"
        for user in ("bob", "", None, "Ann"):
            assert refused(Visit(visit.live, None, user=user))


def test_a_function():
    with page(token=None, users=lambda request: request == "good") as visit:
        assert Visit(visit.live, None, request="good").state()["user"] is None
        assert refused(Visit(visit.live, None, request="bad"))


async def anybody(request):
    return True


@pytest.mark.parametrize("rule", [lambda request: 1 / 0, lambda request: "yes", anybody])
def test_a_function_that_fails_lets_nobody_in_and_is_told_of_once(rule, caplog):
    with page(token=None, users=rule) as visit:
        assert refused(visit) and refused(visit)
    assert len(caplog.records) == 1 and "users(...)" in caplog.text


def test_a_token(visit):
    assert visit.state()["user"] is None
    for token in (None, "", TOKEN[:-1], TOKEN + "x", "ä" * 20):
        assert refused(Visit(visit.live, token))
    stranger = Visit(visit.live, None)
    for header_value in ("Basic x", "Bearer", f"Basic {TOKEN}", TOKEN):
        assert stranger.ask("/live/state", authorization=header_value).status == 403


def test_a_token_in_the_address_becomes_a_cookie(visit):
    stranger = Visit(visit.live, None)
    query = "token=" + TOKEN.replace(" ", "+")
    first = stranger.ask("", query)
    assert first.status == 303 and header(first, "Set-Cookie") is None
    assert header(first, "Location") == "marey/?token=" + TOKEN.replace(" ", "%20")
    answer = stranger.ask("/", query)
    assert (answer.status, header(answer, "Location")) == (303, "./")
    cookie, _, rest = header(answer, "Set-Cookie").partition(";")
    assert rest == " HttpOnly; SameSite=Strict" and TOKEN not in cookie
    assert stranger.ask("/live/state", cookie=f"a=b; {cookie}").status == 200
    for wrong in (cookie[:-1], cookie + "0", "=", "a" * 9000, cookie.split("=")[0] + "="):
        assert stranger.ask("/live/state", cookie=wrong).status == 403
    assert stranger.ask("/", "token=x").status == 403
    assert stranger.ask("/live/state", query).status == 403  # only the page's own address


# ---- who may change


def test_changes_take_the_right_header(visit):
    right = visit.state()["csrf"]
    for wrong in ("", "x", right[:-1], right.upper(), "ä"):
        assert visit.control(csrf=wrong, action="start") == (403, "")
    assert visit.state()["sampling"]["state"] == "off"
    assert Visit(visit.live, None).control(csrf=right, action="start") == (403, "")
    assert visit.control(csrf=right, action="start") == (204, "")


def test_the_header_is_of_one_visitor():
    with page(users={"ann", "bob"}) as visit:
        ann, bob = (Visit(visit.live, None, user=user) for user in ("ann", "bob"))
        right = ann.state()["csrf"]
        assert len({right, bob.state()["csrf"], visit.state()["csrf"]}) == 3
        assert bob.control(csrf=right, action="start") == (403, "")
        assert ann.control(csrf=right, action="start") == (204, "")


def test_nothing_is_changed_by_looking(visit):
    assert visit.ask("/live/control", "action=start").status == 405
    assert visit.state()["sampling"]["state"] == "off"


# ---- faults


def test_a_sampler_that_cannot_start_is_told_of(visit, monkeypatch):
    def start(self):
        raise marey.Error("this process cannot be sampled: /proc is not there")

    monkeypatch.setattr(marey.Sampler, "start", start)
    status, reason = visit.control(action="start")
    assert status == 400 and "/proc is not there" in reason
    state = visit.state()
    assert "/proc is not there" in state["workers"][0]["problem"]
    assert state["sampling"]["state"] == "off" and len(state["problems"]) == 1


def test_a_defect_here_is_an_answer_and_is_logged_once(visit, monkeypatch, caplog):
    def broken(self):
        raise ZeroDivisionError("x")

    monkeypatch.setattr(type(visit.live.worker), "state", broken)
    for _ in range(3):
        assert (visit.ask("/live/state").status, visit.ask("/live/state").body) == (500, b"")
    assert len(caplog.records) == 1


def test_two_pages_in_one_process():
    with page("shop") as a, page("shop", token=TOKEN * 2) as b:
        b.token = TOKEN * 2
        assert a.control(action="start")[0] == b.control(action="start")[0] == 204
        assert a.control(action="stop")[0] == 204
        assert b.state()["sampling"]["state"] == "on"
        assert [len(visit.state()["workers"]) for visit in (a, b)] == [1, 1]
        assert refused(Visit(a.live, b.token)) and a.state()["csrf"] != b.state()["csrf"]


def test_it_is_switched_on_from_the_start_where_that_was_asked_for():
    with page(running=True, hz=50, mode="cpu") as visit:
        assert visit.live.worker.sampling.state()["state"] == "off"  # nobody has asked yet
        state = visit.state()["sampling"]
        assert (state["state"], state["hz"], state["mode"]) == ("on", 50, "cpu")


# ---- events


def test_events_are_sent_when_the_state_has_changed(visit):
    answer = visit.ask("/live/events", can_stream=True)
    assert answer.status == 200 and header(answer, "Content-Type") == "text/event-stream"
    first = answer.stream.step().decode()
    assert first.startswith("retry: 2000\nevent: state\ndata: {") and first.endswith("}\n\n")
    assert json.loads(first.split("data: ")[1])["csrf"] == visit.state()["csrf"]
    assert visit.control(action="interval", value=0.5)[0] == 204
    later = answer.stream.step().decode()
    assert json.loads(later.split("data: ")[1])["sampling"]["hz"] == pytest.approx(2)
    answer.close()
    assert answer.stream.step() is None and visit.live.streams.open == 0


def test_a_stream_that_would_hold_a_thread_is_one_event():
    with page() as visit:
        stream = visit.ask("/live/events").stream
        assert b"event: state" in stream.step()
        assert stream.step() is None and visit.live.streams.open == 0


def test_streams_are_so_many_at_most(visit):
    answers = [visit.ask("/live/events", can_stream=True) for _ in range(200)]
    assert [answer.status for answer in answers] == [200] * 16 + [503] * 184
    for answer in answers:
        answer.close()
    assert visit.ask("/live/events").status == 200


def test_the_text_of_stacks_is_whole():
    assert {"threads", "tasks"} <= set(json.loads(_marey.dump_json()))
