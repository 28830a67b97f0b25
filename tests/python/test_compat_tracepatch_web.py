"""tracepatch's middlewares: a trace a request, whatever becomes of it."""

import asyncio
import re
import threading

import pytest

from marey.compat.tracepatch import trace
from marey.compat.tracepatch.integrations.fastapi import TracepatchMiddleware as Asgi
from marey.compat.tracepatch.integrations.flask import init_tracepatch
from marey.compat.tracepatch.integrations.wsgi import TracepatchMiddleware as Wsgi


def work(n):
    return n


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def own(traced):
    """Names of the calls of this module."""
    todo, found = list(traced.roots), []
    while todo:
        node = todo.pop(0)
        found += [node.name] if node.module == __name__ else []
        todo = node.children + todo
    return found


def application(environ, start_response):
    if environ["PATH_INFO"] == "/fail":
        raise KeyError("mine")
    start_response("200 OK", [])
    return body(environ)


def body(environ):
    yield str(work(1)).encode()
    yield str(work(2)).encode()


def test_wsgi_requests_are_seen_to_the_end_of_their_bodies(empty_folder):
    app = Wsgi(application, save=True)
    environ = {"PATH_INFO": "/x"}
    answer = app(environ, lambda status, headers: None)
    assert next(answer) == b"1"
    work("of the server")
    assert list(answer) == [b"2"]
    answer.close()
    answer.close()
    traced = environ["tracepatch.trace"]
    assert own(traced) == ["application", "<lambda>", "body", "work", "work"]
    (entry,) = trace.logs()
    assert entry["label"] == "/x" and entry["call_count"] == traced.call_count


def test_wsgi_requests_that_fail_are_saved_and_raise():
    app = Wsgi(application, save=True, label_fn=lambda environ: "l" + environ["PATH_INFO"])
    with pytest.raises(KeyError, match="mine"):
        app({"PATH_INFO": "/fail"}, None)
    assert [entry["label"] for entry in trace.logs()] == ["l/fail"]


@pytest.mark.parametrize("options", [{"enabled": False}, {"max_calls": 0}, {}])
def test_nothing_is_written_unless_asked(empty_folder, options):
    answer = Wsgi(application, **options)({"PATH_INFO": "/"}, lambda status, headers: None)
    assert b"".join(answer) == b"12"
    answer.close()
    assert list(empty_folder.iterdir()) == []


def test_each_request_of_flask_has_its_own_trace():
    flask = pytest.importorskip("flask")
    app, found = flask.Flask("app"), []

    @app.route("/<int:n>")
    def view(n):
        found.append((n, flask.request.environ["tracepatch.trace"]))
        return str(sum(work(i) for i in range(n)))

    @app.route("/fail")
    def fail():
        raise KeyError("mine")

    init_tracepatch(app, save=True, ignore_modules=["flask", "werkzeug"], max_calls=1000)

    def ask(n):
        with app.test_client() as client, client.get(f"/{n}") as answer:
            assert answer.status_code == 200

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(n for n, _ in found) == list(range(8))
    for n, traced in found:
        assert own(traced).count("work") == n and own(traced).count("view") == 1
    with app.test_client().get("/fail") as answer:
        assert answer.status_code == 500
    labels = sorted(entry["label"] for entry in trace.logs())
    assert labels == [f"GET /{n}" for n in range(8)] + ["GET /fail"]


def test_concurrent_asgi_requests_have_their_own_traces():
    scopes, sent = [], []

    async def app(scope, receive, send):
        for n in range(3):
            work(n)
            await asyncio.sleep(0)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def send(message):
        sent.append(message)

    async def ask(app, number, kind="http"):
        scopes.append({"type": kind, "method": "GET", "path": f"/{number}"})
        await app(scopes[-1], None, send)

    async def ask_all():
        saving = Asgi(app, save=True, ignore_modules=["asyncio"])
        await asyncio.gather(*(ask(saving, number) for number in range(4)))
        await ask(saving, 5, "websocket")
        await ask(Asgi(app, enabled=False), 6)

    asyncio.run(ask_all())
    traces = [scope["tracepatch.trace"] for scope in scopes[:4]]
    assert [own(traced).count("work") for traced in traces] == [3] * 4
    named = [dict(message["headers"]) for message in sent if "headers" in message]
    names = {one[b"x-tracepatch-id"].decode() for one in named if one}
    assert names == {traced._trace_id for traced in traces} and len(named) == 6
    assert all(re.fullmatch("[0-9a-f]{8}", name) for name in names)
    assert all("tracepatch.trace" not in scope for scope in scopes[4:])
    assert {entry["label"] for entry in trace.logs()} == {f"GET /{n}" for n in range(4)}


# ------------------------------------------------------- the examples of its README


def test_a_view_of_flask_may_be_decorated():
    flask = pytest.importorskip("flask")
    app = flask.Flask("app")

    @app.route("/api/user/<int:user_id>")
    @trace(label="api-user")
    def get_user(user_id):
        return flask.jsonify(work(user_id))

    for number in (7, 8):
        with app.test_client().get(f"/api/user/{number}") as answer:
            assert answer.get_json() == number
        assert own(get_user.trace) == ["get_user", "work"]
        assert f"work(n={number}) -> {number}" in get_user.trace.tree()


def test_a_middleware_of_fastapi_traces_the_requests_that_ask_for_it():
    fastapi = pytest.importorskip("fastapi")
    client = pytest.importorskip("fastapi.testclient").TestClient
    app, found = fastapi.FastAPI(), []

    @app.middleware("http")
    async def trace_requests(request, call_next):
        if "X-Debug-Trace" not in request.headers:
            return await call_next(request)
        async with trace(label=f"request-{request.url.path}", include_modules=[__name__]) as t:
            response = await call_next(request)
        found.append(t)
        return response

    @app.get("/in-the-loop")
    async def in_the_loop():
        return work(1)

    @app.get("/in-a-thread")
    def in_a_thread():
        return work(2)

    with client(app) as asking:
        assert asking.get("/in-the-loop").json() == 1
        assert not found
        for path, answer in (("/in-the-loop", 1), ("/in-a-thread", 2)):
            assert asking.get(path, headers={"X-Debug-Trace": "1"}).json() == answer
    assert [own(traced) for traced in found] == [["in_the_loop", "work"], ["in_a_thread", "work"]]


def test_a_task_of_celery_may_be_decorated():
    celery = pytest.importorskip("celery")
    app = celery.Celery("tasks", set_as_current=False)

    @trace(label="celery-process")
    def process(user_id):
        return work(user_id)

    task = app.task(process)
    assert task.apply((5,)).get() == 5
    assert own(process.trace) == ["process", "work"]


DJANGO = """
import django
from django.conf import settings
settings.configure(
    ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="x",
    MIDDLEWARE=["marey.compat.tracepatch.integrations.django.TracepatchMiddleware"],
    TRACEPATCH={"save": True, "ignore_modules": ["django"], "max_depth": 9},
)
from django.http import HttpResponse
from django.test import Client
from django.urls import path
seen = []
def work(): return 1
def view(request):
    seen.append(request.tracepatch)
    work()
    return HttpResponse("ok")
urlpatterns = [path("a/", view)]
django.setup()
assert Client().get("/a/").status_code == 200
from marey.compat.tracepatch import trace
(entry,) = trace.logs()
assert entry["label"] == "GET /a/", entry
names = [root.name for root in seen[0].roots if root.module == "__main__"]
assert names == ["view"], names
"""


def test_each_request_of_django_has_its_own_trace(script):
    pytest.importorskip("django")
    script(DJANGO)
