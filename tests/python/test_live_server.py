"""marey.live(): the page of a program that is no web application, over HTTP."""

import http.client
import json
import logging
import os
import socket
import threading
import time
from urllib.parse import urlsplit

import pytest
from live_pages import TOKEN, forked, until

import marey
from marey.integrations._requests import Requests


@pytest.fixture(autouse=True)
def own_folder(live_folder):
    """Groups of other programs are none of ours."""


@pytest.fixture
def served():
    with marey.live(token=TOKEN, name="job") as served:
        yield served


def ask(served, path, method="GET", body=None, token=TOKEN, **headers):
    """(status, headers, body)"""
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=60)
    if token:
        headers["Authorization"] = f"Bearer {token}"
    shown = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        connection.request(method, path, body, shown)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def test_a_service_shows_itself(served):
    state = json.loads(ask(served, "/live/state")[2])
    assert state["name"] == "job" and state["workers"][0]["pid"] == os.getpid()
    body = json.dumps({"action": "start"})
    status, _, _ = ask(served, "/live/control", "POST", body, X_Marey_CSRF=state["csrf"])
    assert status == 204
    assert json.loads(ask(served, "/live/state")[2])["sampling"]["state"] == "on"
    assert ask(served, "/live/control", "POST", body)[0] == 403


def test_the_address_with_the_token_is_told_and_lets_in(served, caplog):
    parts = urlsplit(served.url)
    assert parts.hostname == "127.0.0.1" and parts.port == served.port
    status, headers, _ = ask(served, f"/?{parts.query}", token=None)
    assert status == 303 and headers["Location"] == "./"
    cookie = headers["Set-Cookie"].partition(";")[0]
    status, headers, body = ask(served, "/", token=None, Cookie=cookie)
    assert status == 200 and b"<html" in body and headers["Server"] == "marey"
    assert ask(served, "/", token=None)[::2] == (403, b"")
    with caplog.at_level(logging.INFO, "marey"), marey.live() as other:
        assert other.url in caplog.text and len(urlsplit(other.url).query) > 30
        assert ask(other, "/live/state")[0] == 403


def test_it_listens_to_this_machine_alone(served):
    with socket.create_connection(("127.0.0.1", served.port), timeout=60) as connection:
        assert connection.getpeername()[0] == "127.0.0.1"
    assert served._server.socket.getsockname()[0] == "127.0.0.1"


def test_unasked_it_neither_wakes_up_nor_loads_what_speaks_http(script, live_folder):
    text = f"""
import http.client, re, sys, threading, time
del sys.modules["http.client"]
import marey
with marey.live(token={TOKEN!r}) as served:
    (thread,) = [t for t in threading.enumerate() if t.name == "marey live page"]
    def waits():
        with open(f"/proc/self/task/{{thread.native_id}}/status") as file:
            return int(re.search(r"\\nvoluntary_ctxt_switches:\\s*(\\d+)", file.read())[1])
    served.live.group.wait()
    time.sleep(0.2)
    before = waits()
    time.sleep(1.2)
    assert waits() == before, (waits(), before)
    assert "http.client" not in sys.modules and "http.server" not in sys.modules
    asked = http.client.HTTPConnection("127.0.0.1", served.port, timeout=60)
    asked.request("GET", "/", headers={{"Authorization": "Bearer {TOKEN}"}})
    assert asked.getresponse().status == 200 and "http.server" in sys.modules
print("good")
"""
    assert script(text, XDG_RUNTIME_DIR=live_folder) == "good\n"


def test_other_addresses_of_this_machine(live_folder):
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("no IPv6 here")
    with marey.live(host="::1", token=TOKEN) as served:
        assert served.url.startswith(f"http://[::1]:{served.port}/?token=")
        with socket.create_connection(("::1", served.port), timeout=60) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert client.recv(12) == b"HTTP/1.1 403"


def test_a_port_that_is_in_use(served):
    with pytest.raises(OSError, match="in use"):
        marey.live(port=served.port)
    with pytest.raises(TypeError, match="users: nobody logs in here"):
        marey.live(users={"ann"})


def test_events(served):
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=60)
    try:
        connection.request("GET", "/live/events", headers={"Authorization": f"Bearer {TOKEN}"})
        answer = connection.getresponse()
        assert answer.headers["Content-Type"] == "text/event-stream"
        lines = [answer.readline() for _ in range(4)]
        assert lines[:2] == [b"retry: 2000\n", b"event: state\n"] and lines[3] == b"\n"
        assert json.loads(lines[2].partition(b" ")[2])["name"] == "job"
        served.live.worker.sampling.apply("interval", 0.5)
        assert answer.readline() == b"event: state\n"
        assert json.loads(answer.readline().partition(b" ")[2])["sampling"]["hz"] == 2
        answer.close()
    finally:
        connection.close()  # the client leaves
    served.live.worker.sampling.apply("interval", 0.25)

    def all_left():
        served.live.worker.sampling.apply("interval", 0.2 + time.monotonic() % 1)
        return served.live.streams.open == 0

    until(all_left)


def test_many_streams_are_refused_and_the_page_goes_on(served):
    clients = []
    request = f"GET /live/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
    try:
        for _ in range(200):
            client = socket.create_connection(("127.0.0.1", served.port), timeout=60)
            clients.append(client)
            client.sendall(request.encode())
        said = [client.recv(12) for client in clients]
    except ConnectionError:
        said = []
    finally:
        for client in clients:
            client.close()
    assert said.count(b"HTTP/1.1 200") <= 16
    until(lambda: served.live.streams.open <= 16)

    def answers():
        try:
            return ask(served, "/live/kept")[0] == 200
        except OSError:
            return False  # there is still no room

    until(answers)


@pytest.mark.parametrize(
    "request_text",
    [
        "POST /live/control HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n{}",
        "POST /live/control HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        "POST /live/control HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        "GET /%00%ff HTTP/1.1\r\n\r\n",
        "GET //evil.example/ HTTP/1.1\r\n\r\n",
        "BREW / HTTP/1.1\r\n\r\n",
        "\0\0\0\r\n\r\n",
        "GET / HTTP/1.1\r\n" + "a: b\r\n" * 200 + "\r\n",
        "GET /" + "a" * 70_000 + " HTTP/1.1\r\n\r\n",
    ],
)
def test_what_no_browser_sends(served, request_text):
    with socket.create_connection(("127.0.0.1", served.port), timeout=60) as client:
        client.sendall(request_text.encode())
        client.shutdown(socket.SHUT_WR)
        said = client.recv(4096)
    assert not said.startswith(b"HTTP/1.1 200") and b"Traceback" not in said
    assert ask(served, "/live/state")[0] == 200


def test_a_child_does_not_serve_for_its_parent(served):
    def child():
        assert served._server.socket.fileno() == -1
        with marey.live(token=TOKEN, name="child") as own:
            state = json.loads(ask(own, "/live/state")[2])
        assert state["name"] == "child" and state["sampling"]["state"] == "off"

    with forked(child):
        pass
    assert ask(served, "/live/state")[0] == 200


def test_tasks_of_another_kind_are_shown():
    requests = Requests()
    with marey.live(token=TOKEN, requests=requests) as served:
        requests.begin_named("GET /x", "GET", None).end()
        rows = json.loads(ask(served, "/live/routes")[2])["rows"]
        assert rows["name"] == ["GET /x"] and rows["requests"] == [1]


def test_after_the_end_nothing_is_left(live_folder):
    before = set(threading.enumerate())
    with marey.live(token=TOKEN, running=True) as served:
        assert json.loads(ask(served, "/live/state")[2])["sampling"]["state"] == "on"
    with pytest.raises(OSError, match="refused"):
        ask(served, "/")
    assert [files for _, _, files in os.walk(live_folder) if files] == []

    until(lambda: set(threading.enumerate()) <= before)
    served.stop()  # once more: nothing
