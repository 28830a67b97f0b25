"""`marey view`, asked by a program in a browser's place: who is let in, what is answered, and what
never gets in or out."""

import contextlib
import gzip
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from command import find_marey
from viewer import Viewer, viewing

RECORDER = """
import marey, sys, threading
with marey.record(sys.argv[1]):
    queue = marey.counter("queue", unit="items")
    def work(name):
        with marey.span("handle", user=name) as span:
            for i in range(40):
                with marey.span("load", row=i):
                    queue.set(i)
            span.set(rows=40)
        marey.instant("done", by=name)
    threads = [threading.Thread(target=work, args=(n,), name=n) for n in ("one", "two")]
    [t.start() for t in threads]
    [t.join() for t in threads]
    with marey.span("out"):
        pass
    try:
        with marey.span("fails"):
            raise ValueError("no")
    except ValueError:
        pass
"""


@pytest.fixture(scope="module")
def trace(tmp_path_factory):
    path = tmp_path_factory.mktemp("view") / "app.perfetto-trace"
    subprocess.run([sys.executable, "-c", RECORDER, path], check=True)
    return path


@pytest.fixture(scope="module")
def viewer(trace):
    with viewing("--no-browser", trace) as found:
        yield found


# ------------------------------------------------------------------------------ who is let in


def test_without_the_token_nothing_is_said(viewer):
    wrong = [
        "/",
        "/index.html",
        "/api/trace",
        f"/{viewer.token[:-1]}/",
        f"/{viewer.token[:-1]}{'0' if viewer.token[-1] != '0' else '1'}/",
        f"/{viewer.token}0/",
        f"/{viewer.token.upper()}x/api/trace",
        f"//{viewer.token}/api/trace",
        "/../" + viewer.token,
    ]
    for path in wrong:
        status, _, body = viewer.ask(path)
        assert (status, body) == (404, b""), path


def test_another_host_is_refused(viewer):
    for host in ("evil.example", "127.0.0.1.evil.example", f"localhost.evil:{viewer.port}", ""):
        status, _, body = viewer.ask(f"/{viewer.token}/api/trace", headers={"Host": host})
        assert (status, body) == (403, b""), host


def test_this_machine_by_all_its_names(viewer):
    for host in ("127.0.0.1", f"localhost:{viewer.port}", "LOCALHOST:1", "[::1]:8000"):
        assert viewer.ask(f"/{viewer.token}/", headers={"Host": host})[0] == 200, host


def test_other_methods_are_refused(viewer):
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH"):
        status, headers, body = viewer.ask(f"/{viewer.token}/api/trace", method)
        assert (status, body, headers["Allow"]) == (405, b"", "GET, HEAD"), method


def test_it_listens_on_this_machine_alone(viewer):
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    local = [line.split()[1] for line in lines if line.split()[3] == "0A"]
    assert f"0100007F:{viewer.port:04X}" in local
    assert f"00000000:{viewer.port:04X}" not in local


def test_each_viewer_has_a_port_and_a_token_of_its_own(viewer, trace):
    with viewing("--no-browser", trace) as other:
        assert (other.port, other.token) != (viewer.port, viewer.token)
        assert other.token != viewer.token
        assert other.ask(f"/{viewer.token}/")[0] == 404
        assert other.get("api/trace")[1]["counts"] == viewer.get("api/trace")[1]["counts"]


# ------------------------------------------------------------------------------ what is served


def test_the_page(viewer):
    status, headers, body = viewer.ask(f"/{viewer.token}/")
    assert status == 200 and b"<html" in body
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    for path in re.findall(rb'(?:src|href)="\./([^"]+)"', body):
        assert viewer.ask(f"/{viewer.token}/{path.decode()}")[0] == 200, path
    assert viewer.ask(f"/{viewer.token}")[1]["Location"] == f"/{viewer.token}/"
    assert viewer.ask(f"/{viewer.token}/speedscope/index.html")[0] == 200
    assert viewer.ask(f"/{viewer.token}/single.html")[0] == 404


def test_a_known_file_is_not_sent_again(viewer):
    etag = viewer.ask(f"/{viewer.token}/")[1]["ETag"]
    status, headers, body = viewer.ask(f"/{viewer.token}/", headers={"If-None-Match": etag})
    assert (status, body, headers["ETag"]) == (304, b"", etag)
    assert viewer.ask(f"/{viewer.token}/", headers={"If-None-Match": '"x"'})[0] == 200


@pytest.mark.parametrize("path", ["", "api/trace", "api/span?id=x", "trace", "nothing", "../"])
def test_every_answer_is_fenced_in(viewer, path):
    _, headers, _ = viewer.ask(f"/{viewer.token}/{path}")
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Access-Control-Allow-Origin"] is None
    assert "no-store" in headers["Cache-Control"] or headers["ETag"]
    assert "Server" not in headers


def test_large_answers_are_packed_where_that_is_understood(viewer):
    path = f"/{viewer.token}/api/trace"
    plain = viewer.ask(path)
    packed = viewer.ask(path, headers={"Accept-Encoding": "gzip, br"})
    assert plain[1]["Content-Encoding"] is None
    assert packed[1]["Content-Encoding"] == "gzip" and len(packed[2]) < len(plain[2]) / 2
    assert gzip.decompress(packed[2]) == plain[2]


def test_head_says_the_same_without_a_body(viewer):
    status, headers, body = viewer.ask(f"/{viewer.token}/api/trace", "HEAD")
    assert (status, headers["Content-Type"], body) == (200, "application/json", b"")


def test_the_trace_itself(viewer, trace):
    status, headers, body = viewer.ask(f"/{viewer.token}/trace")
    assert (status, body) == (200, trace.read_bytes())
    assert headers["Content-Disposition"] == 'attachment; filename="app.perfetto-trace"'


def test_a_name_that_would_break_the_header(trace, tmp_path):
    odd = tmp_path / 'a"b\r\nSet-Cookie: x\\.perfetto-trace'
    odd.write_bytes(trace.read_bytes())
    with viewing("--no-browser", odd) as viewer:
        headers = viewer.ask(f"/{viewer.token}/trace")[1]
        assert headers["Set-Cookie"] is None
        name = 'filename="a_b__Set-Cookie: x_.perfetto-trace"'
        assert headers["Content-Disposition"] == "attachment; " + name


def test_standard_input_is_shown_but_cannot_be_fetched(trace):
    process = f'exec "{find_marey()}" view --no-browser - < "{trace}"'
    shell = subprocess.Popen(["sh", "-c", process], stdout=subprocess.PIPE, text=True)
    try:
        viewer = Viewer(shell)
        assert viewer.get("api/trace")[1]["file"] == "standard input"
        assert viewer.ask(f"/{viewer.token}/trace")[0] == 404
        assert viewer.get("open-in-perfetto")[0] == 404
        assert viewer.end() == 0
    finally:
        shell.kill()
        shell.wait()
        shell.stdout.close()


# ------------------------------------------------------------------------------ questions

BAD = {
    "api/trace?x=1": "not known",
    "api/trace?from=1": "not a parameter of this question",
    "api/timeline": "is needed",
    "api/timeline?width=100": "tracks: is needed",
    "api/timeline?width=0&tracks=0": "width: a whole number from 1 to 8192",
    "api/timeline?width=8193&tracks=0": "width:",
    "api/timeline?width=1e3&tracks=0": "width:",
    "api/timeline?width=10&width=10&tracks=0": "width: given twice",
    "api/timeline?width=10&tracks=": "tracks:",
    "api/timeline?width=10&tracks=0,": "tracks:",
    "api/timeline?width=10&tracks=99999": "tracks: there is no such id",
    "api/timeline?width=10&tracks=0&from=5&to=5": "to: not after from",
    "api/timeline?width=10&tracks=0&from=9000000000000000000": "from: behind the end",
    "api/timeline?width=10&tracks=0&from=1.5": "from: a whole number",
    "api/timeline?width=10&tracks=0&from=99999999999999999999": "from: a whole number",
    "api/functions?threads=77": "threads: there is no such id",
    "api/functions?of=all": "of: one of samples, spans",
    "api/functions?weight=heavy": "weight: one of wall, cpu, gil, gil_wait, count",
    "api/functions?of=spans&weight=cpu": "weight: spans have wall time",
    "api/flame?limit=0": "limit: a whole number from 1 to 20000",
    "api/flame?limit=20001": "limit:",
    "api/slices": "name: is needed",
    "api/slices?name=%": "a % without two digits",
    "api/slices?name=%00": "a % without two digits",
    "api/slices?name": "name: a value is needed",
    "api/slices?name=a&sort=name": "sort: one of duration, begin",
    "api/slices?name=" + "a" * 9000: "name: too long",
    "api/span": "id: is needed",
    "api/span?id=-1": "id: a whole number",
    "api/search?q=": "q: a text is needed",
    "api/tree?min=x": "min: a whole number",
    "convert": "format: is needed",
}


@pytest.mark.parametrize("question", BAD)
def test_a_wrong_question_is_told_why(viewer, question):
    status, answer = viewer.get(question)
    assert status == 400 and BAD[question] in answer["error"], answer


@pytest.mark.parametrize(
    "question",
    ["api/span?id=99999", "api/instant?id=4294967295", "api/x", "api/", "convert?format=x"],
)
def test_what_there_is_not(viewer, question):
    status, answer = viewer.get(question)
    assert status == 404 and answer["error"]


def test_the_trace_is_told_as_it_was_recorded(viewer):
    trace = viewer.get("api/trace")[1]
    assert trace["file"] == "app.perfetto-trace"
    assert trace["counts"] == {
        "spans": 84,
        "calls": 0,
        "instants": 2,
        "samples": 0,
        "counters": 80,
        "flows": 0,
    }
    assert {t["name"] for t in trace["threads"]} >= {"one", "two"}
    queue = next(t for t in trace["tracks"] if t["name"] == "queue")
    assert (queue["kind"], queue["unit"], queue["least"], queue["most"]) == (
        "counter",
        "items",
        0,
        39,
    )
    one = next(t for t in trace["tracks"] if t["name"] == "one")
    assert (one["kind"], one["depth"], one["spans"], one["instants"]) == ("thread", 2, 41, 1)


def test_from_the_timeline_to_a_span(viewer):
    trace = viewer.get("api/trace")[1]
    one = next(t for t in trace["tracks"] if t["name"] == "one")
    part = viewer.get(f"api/timeline?width=8192&tracks={one['id']}")[1]
    track = part["tracks"][0]
    spans = track["spans"]
    assert sum(spans["count"]) == 41 and max(spans["depth"]) == 1
    names = [part["names"][i] for i in spans["name"]]
    handle = viewer.get(f"api/span?id={spans['id'][names.index('handle')]}")[1]
    assert handle["arguments"] == {"user": "one", "rows": 40} and handle["children"] == 40
    assert (handle["parent"], handle["failed"], handle["track"]) == (None, False, one["id"])
    done = viewer.get(f"api/instant?id={track['instants']['id'][0]}")[1]
    assert (done["name"], done["arguments"]) == ("done", {"by": "one"})


def test_an_exception_is_shown(viewer):
    slices = viewer.get("api/slices?name=fails")[1]
    assert slices["count"] == 1 and slices["rows"]["failed"] == [True]
    assert "ValueError: no" in viewer.get(f"api/span?id={slices['rows']['id'][0]}")[1]["exception"]


def test_tables_and_trees_agree(viewer):
    table = viewer.get("api/span-table")[1]["rows"]
    counts = dict(zip(table["name"], table["count"]))
    assert counts == {"load": 80, "handle": 2, "out": 1, "fails": 1}
    functions = viewer.get("api/functions")[1]["rows"]
    assert dict(zip(functions["name"], functions["count"])) == counts
    flame = viewer.get("api/flame")[1]
    assert sum(flame["nodes"]["count"]) == 84 and flame["left_out"] == 0
    seen, todo = {}, [""]
    while todo:
        rows = viewer.get("api/tree" + todo.pop())[1]["rows"]
        for i, name in enumerate(rows["name"]):
            seen[name] = seen.get(name, 0) + rows["calls"][i]
            if rows["children"][i]:
                todo.append(f"?parent={rows['id'][i]}")
    assert {name: seen[name] for name in counts} == counts


def test_one_thread_alone(viewer):
    trace = viewer.get("api/trace")[1]
    one = next(t["id"] for t in trace["threads"] if t["name"] == "one")
    table = viewer.get(f"api/span-table?threads={one}")[1]["rows"]
    assert dict(zip(table["name"], table["count"])) == {"load": 40, "handle": 1}
    assert viewer.get(f"api/slices?name=load&threads={one}&limit=3")[1]["count"] == 40


def test_another_format(viewer):
    status, _, body = viewer.ask(f"/{viewer.token}/convert?format=csv")
    assert status == 200 and b"load" in body
    names = {f["name"] for f in viewer.get("api/trace")[1]["formats"]}
    assert "csv" in names


def test_many_at_once(viewer):
    questions = [
        "api/trace",
        "api/flame",
        "api/functions",
        "api/tree",
        "api/timeline?width=900&tracks=0,1,2,3",
        "api/span-table",
        "convert?format=csv",
        "api/slices?name=load",
    ]
    alone = {q: viewer.ask(f"/{viewer.token}/{q}")[2] for q in questions}
    with ThreadPoolExecutor(12) as pool:
        asked = questions * 12
        for question, answer in zip(
            asked, pool.map(lambda q: viewer.ask(f"/{viewer.token}/{q}"), asked)
        ):
            assert answer[0] == 200 and answer[2] == alone[question], question


# ------------------------------------------------------------------------------ hostile company


def exchange(viewer, sent, wait=5):
    with socket.create_connection(("127.0.0.1", viewer.port), timeout=wait) as one:
        one.sendall(sent)
        one.shutdown(socket.SHUT_WR)
        got = b""
        while part := one.recv(65536):
            got += part
        return got


def test_what_is_no_request(viewer):
    for sent in (b"\r\n\r\n", b"\x16\x03\x01\x02\x00", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n"):
        assert b"200" not in exchange(viewer, sent).split(b"\r\n")[0]
    huge = b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * (1 << 20) + b"\r\n\r\n"
    with contextlib.suppress(OSError):  # it may be cut off
        assert b" 200 " not in exchange(viewer, huge)
    assert viewer.ask(f"/{viewer.token}/api/trace")[0] == 200


def test_many_who_say_nothing(viewer):
    silent = [socket.create_connection(("127.0.0.1", viewer.port)) for _ in range(40)]
    try:
        assert viewer.ask(f"/{viewer.token}/api/trace")[0] == 200
    finally:
        for one in silent:
            one.close()
    silent = [socket.create_connection(("127.0.0.1", viewer.port)) for _ in range(90)]
    time.sleep(0.5)
    for one in silent:
        one.close()
    assert viewer.ask(f"/{viewer.token}/api/trace")[0] == 200


def test_who_goes_before_the_answer(viewer):
    for _ in range(20):
        one = socket.create_connection(("127.0.0.1", viewer.port))
        one.sendall(f"GET /{viewer.token}/api/flame HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        one.close()
    assert viewer.ask(f"/{viewer.token}/api/trace")[0] == 200


# ------------------------------------------------------------------------------ the command


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_ends_when_told(trace, number):
    with viewing("--no-browser", trace) as viewer:
        viewer.get("api/trace")
        assert viewer.end(number) == 0
        assert viewer.process.stderr.read() == ""


def test_a_port_that_is_taken(viewer, trace):
    done = subprocess.run(
        [find_marey(), "view", "--no-browser", "--port", str(viewer.port), trace],
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert done.returncode == 2 and f"cannot listen on port {viewer.port}" in done.stderr


def test_the_browser_gets_a_ticket_that_is_good_once(trace, tmp_path):
    said = tmp_path / "said"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$@" > {said}.new; mv {said}.new {said}\n')
    browser.chmod(0o755)
    with viewing(trace, BROWSER=f"{browser} --window %s") as viewer:
        limit = time.monotonic() + 20
        while not said.exists() and time.monotonic() < limit:
            time.sleep(0.01)
        option, url = said.read_text().split()
        assert option == "--window" and viewer.token not in url
        path = url[len(f"http://127.0.0.1:{viewer.port}") :]
        first = viewer.ask(path)
        assert (first[0], first[1]["Location"]) == (303, f"/{viewer.token}/")
        assert viewer.ask(path)[0] == 404


def test_over_ssh_it_says_how_to_get_there(trace):
    with viewing(trace, SSH_CONNECTION="10.0.0.9 5000 10.0.0.1 22") as viewer:
        line = viewer.process.stdout.readline()
        assert f"ssh -L {viewer.port}:127.0.0.1:{viewer.port} 10.0.0.1" in line


# ------------------------------------------------------------------------------ Perfetto


def is_free(port):
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def test_perfetto_may_read_it_once(viewer, trace):
    if not is_free(9001):
        pytest.skip("port 9001 is in use")
    status, answer = viewer.get("open-in-perfetto")
    assert status == 200
    start = "https://ui.perfetto.dev/#!/?url=http://127.0.0.1:9001"
    assert answer["url"].startswith(start)
    path = answer["url"][len(start) :]
    assert viewer.ask("/x", port=9001)[0] == 404
    assert viewer.ask(f"/{viewer.token}/", port=9001)[0] == 404
    assert viewer.ask(path, headers={"Host": "evil.example"}, port=9001)[0] == 403
    assert viewer.get("open-in-perfetto")[0] == 503
    status, headers, body = viewer.ask(path, port=9001)
    assert (status, body) == (200, trace.read_bytes())
    assert headers["Access-Control-Allow-Origin"] == "https://ui.perfetto.dev"
    limit = time.monotonic() + 20
    while not is_free(9001) and time.monotonic() < limit:
        time.sleep(0.05)
    assert is_free(9001), "it goes on after the one time"
    assert viewer.get("api/trace")[0] == 200


def test_threads_do_not_wait_for_each_other(viewer):
    """While one asks for the same again and again, others are answered."""
    stop = threading.Event()

    def busy():
        while not stop.is_set():
            viewer.ask(f"/{viewer.token}/convert?format=csv")

    threads = [threading.Thread(target=busy) for _ in range(2)]
    for one in threads:
        one.start()
    try:
        for _ in range(20):
            assert viewer.ask(f"/{viewer.token}/api/trace")[0] == 200
    finally:
        stop.set()
        for one in threads:
            one.join()
