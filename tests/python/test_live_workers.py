"""The live page of several worker processes: real gunicorn and uvicorn, workers that are killed,
reloaded and stopped; and how processes speak with one another.
"""

import http.client
import json
import os
import re
import signal
import socket
import stat
import struct
import subprocess
import sys
from contextlib import contextmanager

import pytest
from live_pages import TOKEN, Visit, forked, page, until

import marey
from marey._live.folder import Folder, group_name
from marey._live.sampling import Wish
from marey._live.workers import Listener, alive, ask, sweep
from marey.integrations._requests import Requests


@pytest.fixture(autouse=True)
def own_folder(live_folder):
    """Groups of other programs are none of ours."""
    return live_folder


# ---- real servers

WSGI = f"""
import os
from marey.integrations.wsgi import Middleware

def hello(environ, start_response):
    sum(range(200_000))
    start_response("200 OK", [])
    return [str(os.getpid()).encode()]

application = Middleware(hello, live="/marey", token={TOKEN!r}, route=lambda environ: "/hello")
"""
ASGI = f"""
import os
from marey.integrations.asgi import Middleware

async def hello(scope, receive, send):
    if scope["type"] == "lifespan":
        raise RuntimeError("none")
    await send({{"type": "http.response.start", "status": 200, "headers": []}})
    await send({{"type": "http.response.body", "body": str(os.getpid()).encode()}})

application = Middleware(hello, live="/marey", token={TOKEN!r}, route=lambda scope: "/hello")
"""
LISTENS = re.compile(r"(?:Listening at:|running on) http://127\.0\.0\.1:(\d+)")


class Server:
    def __init__(self, process, port):
        self.process, self.port = process, port
        self.hits = 0

    def ask(self, path, method="GET", body=None, **headers):
        """(status, body), by whichever worker; None where the one that had it was killed."""
        headers["Authorization"] = f"Bearer {TOKEN}"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            shown = {name.replace("_", "-"): text for name, text in headers.items()}
            connection.request(method, path, body, shown)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except OSError:
            return None
        except http.client.HTTPException:
            return None
        finally:
            connection.close()

    def hit(self):
        """The number of the process that answered."""
        answer = self.ask("/hello")
        if answer is None:
            return None
        self.hits += 1
        return int(answer[1])

    def json(self, path):
        status, body = self.ask(path)
        assert status == 200, body
        return json.loads(body)

    def state(self, are_there=lambda state: True):
        """As soon as it is like that. Requests come meanwhile: workers join with their first."""

        def look():
            for _ in range(5):
                self.hit()
            answer = self.ask("/marey/live/state")
            state = json.loads(answer[1]) if answer and answer[0] == 200 else None
            return state if state and are_there(state) else None

        return until(look, 120)

    def control(self, **wanted):
        csrf = self.json("/marey/live/state")["csrf"]
        return self.ask("/marey/live/control", "POST", json.dumps(wanted), X_Marey_CSRF=csrf)


def pids(state):
    return {worker["pid"] for worker in state["workers"]}


@contextmanager
def serving(folder, text, *command):
    (folder / "served.py").write_text(text)
    log = folder / "log"
    with open(log, "wb") as to:
        process = subprocess.Popen(
            [sys.executable, "-m", *command], cwd=folder, stderr=to, start_new_session=True
        )
    try:

        def port():
            assert process.poll() is None, log.read_text()
            found = LISTENS.search(log.read_text())
            return found and int(found[1])

        yield Server(process, until(port, 120))
        assert "Traceback" not in log.read_text(), log.read_text()
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(60)


@pytest.mark.parametrize("options", [[], ["--preload"]])
def test_three_workers_of_gunicorn(tmp_path, options, live_folder):
    pytest.importorskip("gunicorn")
    command = ["gunicorn", "-w", "3", "-b", "127.0.0.1:0", *options, "served:application"]
    with serving(tmp_path, WSGI, *command) as server:
        state = server.state(lambda state: len(state["workers"]) == 3 and not state["problems"])
        assert server.process.pid not in pids(state) and state["name"] == "served:application"
        shows_all(server, state)
        (gone, *_) = pids(state)
        a_killed_worker_is_forgotten_and_the_new_one_does_as_the_others(server, gone)
        if not options:
            reloaded_workers_go_on(server)
        a_worker_that_does_not_answer_is_told_of(server)
    assert [files for _, _, files in os.walk(live_folder) if any(".sock" in f for f in files)] == []


def shows_all(server, state):
    """Counts, samples and stacks of all workers, or of one."""
    rows = server.json("/marey/live/routes")["rows"]
    assert rows["name"] == ["GET /hello"] and rows["requests"] == [server.hits]
    one = min(pids(state))
    assert 0 < server.json(f"/marey/live/routes?worker={one}")["rows"]["requests"][0] < server.hits
    threads = server.json("/marey/live/dump")["threads"]
    assert {thread["pid"] for thread in threads} == pids(state)
    assert server.control(action="start")[0] == 204

    def all_on(state):
        return [worker["state"] for worker in state["workers"]] == ["on"] * 3

    state = server.state(lambda state: all_on(state) and state["sampling"]["samples"] > 20)
    assert state["sampling"]["state"] == "on"

    def processes(query=""):
        return server.json(f"/marey/profile/all/api/trace{query}")["processes"]

    assert until(lambda: {process["pid"] for process in processes()} == pids(state))
    assert [process["pid"] for process in processes(f"?worker={one}")] == [one]
    functions = server.json("/marey/profile/all/api/functions")["rows"]["name"]
    assert "hello" in functions


def a_killed_worker_is_forgotten_and_the_new_one_does_as_the_others(server, gone):
    os.kill(gone, signal.SIGKILL)
    state = server.state(lambda state: len(pids(state)) == 3 and gone not in pids(state))
    assert [worker["state"] for worker in state["workers"]] == ["on"] * 3


def reloaded_workers_go_on(server):
    before = pids(server.state())
    server.process.send_signal(signal.SIGHUP)
    state = server.state(lambda state: len(pids(state)) == 3 and not pids(state) & before)
    assert [worker["state"] for worker in state["workers"]] == ["on"] * 3
    assert state["problems"] == []


def a_worker_that_does_not_answer_is_told_of(server):
    stopped = max(pids(server.state(lambda state: len(pids(state)) == 3)))
    os.kill(stopped, signal.SIGSTOP)
    try:
        # A connection that the kernel hands to the one that is stopped would wait for it.
        def told():
            answer = server.ask("/marey/live/state")
            state = json.loads(answer[1]) if answer and answer[0] == 200 else {"problems": []}
            return f"process {stopped} did not answer" in state["problems"]

        assert until(told)
    finally:
        os.kill(stopped, signal.SIGCONT)


def test_workers_of_uvicorn(tmp_path):
    pytest.importorskip("uvicorn")
    command = ["uvicorn", "--workers", "2", "--port", "0", "served:application"]
    with serving(tmp_path, ASGI, *command) as server:
        state = server.state(lambda state: len(state["workers"]) == 2)
        assert server.control(action="start")[0] == 204
        state = server.state(lambda state: state["sampling"]["samples"] > 0)
        assert [worker["state"] for worker in state["workers"]] == ["on", "on"]
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        try:
            headers = {"Authorization": f"Bearer {TOKEN}"}
            connection.request("GET", "/marey/live/events", headers=headers)
            answer = connection.getresponse()
            for _ in range(2):  # one at once, and one when something has changed
                while not (line := answer.readline()).startswith(b"data: "):
                    assert line, "the stream has ended"
                assert len(json.loads(line[6:])["workers"]) == 2
        finally:
            connection.close()


# ---- one process and others of its own


def test_processes_of_one_name_are_shown_together():
    def join():
        join.page = page(group="jobs")
        join.visit = join.page.__enter__()
        join.visit.live.group.wait()

    with page(group="jobs") as visit, forked(join) as pid:
        visit.live.touch()
        assert pids(visit.state()) == {os.getpid(), pid}
        assert visit.control(action="start", worker=pid)[0] == 204
        state = visit.state()
        states = {worker["pid"]: worker["state"] for worker in state["workers"]}
        assert states == {os.getpid(): "off", pid: "on"} and state["sampling"]["state"] == "on"


def test_processes_of_a_pool_are_shown_by_the_one_that_serves():
    """As Celery's: children that answer no HTTP."""
    requests = Requests()

    def child():
        requests.begin_named("GET /task", "GET", None).end()
        requests.live.group.wait()

    with marey.live(token=TOKEN, requests=requests) as served, forked(child) as pid:
        visit = Visit(served.live)
        assert pids(visit.state()) == {os.getpid(), pid}
        assert visit.json("/live/routes")["rows"]["requests"] == [1]


def test_a_forked_child_is_a_process_of_its_own():
    with page(running=True) as visit:
        before = visit.state()
        assert before["sampling"]["state"] == "on"

        def child():
            assert visit.live.worker.sampling.state()["state"] == "off"
            assert pids(visit.state()) == {os.getpid(), os.getppid()}
            assert visit.state()["csrf"] == before["csrf"]
            assert visit.state()["sampling"]["state"] == "on"

        with forked(child) as pid:
            state = visit.state()
            assert pids(state) == {os.getpid(), pid} and state["problems"] == []
            assert {worker["state"] for worker in state["workers"]} == {"on"}
        assert pids(visit.state()) == {os.getpid()}  # it was killed


def test_without_a_folder_a_process_shows_itself(own_folder, monkeypatch):
    def nowhere(group):
        raise PermissionError(13, "Permission denied", own_folder)

    monkeypatch.setattr("marey._live.group.Folder", nowhere)
    with page() as visit:
        state = visit.state()
        assert pids(state) == {os.getpid()}
        assert "shows itself alone" in state["problems"][0]
        assert visit.control(action="start")[0] == 204


def test_the_folder_is_this_users_alone(own_folder, tmp_path, monkeypatch):
    with page() as visit:
        visit.state()
        paths = [
            os.path.join(path, name) for path, _, names in os.walk(own_folder) for name in names
        ]
        assert {os.path.basename(path) for path in paths} >= {"secret"}
        for path in paths:
            folder = os.stat(os.path.dirname(path))
            assert stat.S_IMODE(folder.st_mode) == 0o700 and folder.st_uid == os.geteuid()
    theirs = os.path.join(own_folder, f"marey-live-{os.geteuid()}")
    os.chmod(theirs, 0o777)
    folder = Folder("x")
    try:
        assert not folder.path.startswith(theirs)  # another place is taken
    finally:
        folder.leave()


def test_groups_are_told_apart():
    assert group_name("a", 0, None) == group_name("a", 0, None)
    assert len({group_name("a", 0, None), group_name("b", 0, None), group_name("a", 1, None)}) == 3
    assert group_name("a", 0, "x") == group_name("b", 1, "x") != group_name("a", 0, "y")
    assert len({len(group_name("a", 0, "x" * 5000)), len(group_name("a", 0, "/../"))}) == 1


def test_nobody_joins_a_folder_that_is_removed(own_folder):
    folder = Folder("x")
    with folder.locked(), pytest.raises(BlockingIOError), Folder("x").locked():
        pass
    os.rmdir(folder.path)
    with pytest.raises(FileNotFoundError), folder.locked():
        pass


def test_how_the_sampling_is_to_be_is_read_strictly(own_folder):
    folder = Folder("x")
    assert folder.wish() is None
    folder.set_wish(Wish("on", 50.0, "cpu"))
    assert folder.wish() == Wish("on", 50.0, "cpu")
    for text in (b"", b"\xff", b"[]", b"{}", b'{"state": "on", "hz": 0, "mode": "wall"}'):
        with open(os.path.join(folder.path, "wish"), "wb") as file:
            file.write(text)
        assert folder.wish() is None
    for wrong in (Wish("x", 50, "cpu"), Wish("on", 1e9, "cpu"), Wish("on", 50, "x")):
        folder.set_wish(wrong)
        assert folder.wish() is None
    folder.leave()
    assert not os.path.exists(folder.path)


def test_what_killed_groups_left_is_removed(own_folder):
    left, there = Folder("left"), Folder("there")
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(os.path.join(left.path, "1-0.sock"))
    left.secret()
    young = Folder("young")
    for folder in (left, there):
        os.utime(folder.path, (1, 1))
    listener = Listener(there, 0, lambda message: b"")
    listener.start()
    try:
        sweep(Folder("new"))
        assert not os.path.exists(left.path)
        assert os.path.exists(there.path) and os.path.exists(young.path)
    finally:
        listener.close()
        listener.join(60)


# ---- messages


@pytest.fixture
def listener(own_folder):
    folder = Folder("x")

    def answer(message):
        if message["what"] == "much":
            return b"x" * 100_000
        return json.dumps(message).encode()

    made = Listener(folder, 0, answer)
    made.start()
    try:
        yield folder, made
    finally:
        made.close()
        made.join(60)


def test_messages(listener):
    folder, _ = listener
    sockets = alive(folder)
    assert [pid for pid, _ in sockets] == [os.getpid()]
    (answer,) = ask(sockets, {"what": "x"}, 60, 1000).values()
    assert json.loads(answer) == {"what": "x", "number": 1}
    assert [*ask(sockets, {"what": "much"}, 60, 100_000).values()] == [b"x" * 100_000]
    assert [*ask(sockets, {"what": "much"}, 60, 99_999).values()] == [None]
    assert ask([(1, "/nowhere")], {"what": "x"}, 60, 10) == {}
    assert [*ask(sockets, {}, 60, 10).values()] == [None]  # what it cannot answer it does not


@pytest.mark.parametrize(
    "sent",
    [b"", b"\0", b"\xff\xff\xff\xff", struct.pack(">I", 3) + b"{}x", struct.pack(">I", 2) + b"[]"],
)
def test_what_no_process_of_the_group_sends(listener, sent):
    folder, made = listener
    with socket.socket(socket.AF_UNIX) as stranger:
        stranger.settimeout(60)
        stranger.connect(made.path)
        stranger.sendall(sent)
        stranger.shutdown(socket.SHUT_WR)
        assert stranger.recv(10) == b""
    (answer,) = ask(alive(folder), {"what": "x"}, 60, 1000).values()
    assert answer is not None


def test_who_says_nothing_is_not_waited_for_for_long(own_folder):
    with socket.socket(socket.AF_UNIX) as silent:
        path = os.path.join(own_folder, "s")
        silent.bind(path)
        silent.listen()
        assert ask([(5, path)], {"what": "x"}, 0.05, 10) == {5: None}
