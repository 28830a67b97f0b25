"""The live page in WSGI, Flask, ASGI, Starlette, FastAPI, Quart and Django: who may look and
change, where it is, and that it is none of the application's requests.
"""

import asyncio
import importlib
import json
import sys
from wsgiref.util import setup_testing_defaults

import pytest
from live_pages import TOKEN, until

from marey.integrations import asgi, wsgi


@pytest.fixture(autouse=True)
def own_folder(live_folder):
    """Groups of other programs are none of ours."""


@pytest.fixture
def closing():
    """closing(middleware): its page ends with the test."""
    pages = []
    yield lambda made: pages.append(made.page.live) or made
    for live in pages:
        live.close()


BEARER = {"Authorization": f"Bearer {TOKEN}"}


def check_rights(ask):
    """ask(method, path, headers, body) -> (status, headers, body): whoever has the token may look,
    and change with the header; others may not.
    """
    status, _, body = ask("GET", "/marey/live/state", {}, b"")
    assert (status, body) == (403, b"")
    status, headers, body = ask("GET", "/marey/", BEARER, b"")
    assert status == 200 and b"<html" in body
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert headers["X-Content-Type-Options"] == "nosniff"
    _, _, body = ask("GET", "/marey/live/state", BEARER, b"")
    state = json.loads(body)
    wanted = b'{"action": "interval", "value": 0.5}'
    assert ask("POST", "/marey/live/control", BEARER, wanted)[::2] == (403, b"")
    right = {**BEARER, "X-Marey-CSRF": state["csrf"]}
    assert ask("POST", "/marey/live/control", {"X-Marey-CSRF": state["csrf"]}, wanted)[0] == 403
    assert ask("POST", "/marey/live/control", right, b"x" * 5000)[0] == 413
    status, _, body = ask("POST", "/marey/live/control", right, b'{"action": "x"}')
    assert status == 400 and "action: one of" in json.loads(body)["error"]
    assert ask("POST", "/marey/live/control", right, wanted)[0] == 204
    _, _, body = ask("GET", "/marey/live/state", BEARER, b"")
    assert json.loads(body)["sampling"]["hz"] == 2
    status, _, body = ask("GET", "/marey/live/routes?worker=x", BEARER, b"")
    assert status == 400 and "worker" in json.loads(body)["error"]
    return state


# ---- WSGI


def hello(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]


def wsgi_ask(application, method, path, headers, body=b"", **environ):
    """(status, headers, body)"""
    import io

    path, _, query = path.partition("?")
    environ.update(PATH_INFO=path, QUERY_STRING=query, REQUEST_METHOD=method)
    environ["CONTENT_LENGTH"] = str(len(body))
    environ["wsgi.input"] = io.BytesIO(body)
    environ.update({f"HTTP_{n.upper().replace('-', '_')}": v for n, v in headers.items()})
    setup_testing_defaults(environ)
    told = []
    answer = application(environ, lambda *said: told.append(said))
    try:
        text = b"".join(answer)
    finally:
        getattr(answer, "close", lambda: None)()
    return int(told[0][0][:3]), dict(told[0][1]), text


def test_wsgi(closing):
    app = closing(wsgi.Middleware(hello, live="/marey/", token=TOKEN, name="shop"))

    def ask(*given, **environ):
        return wsgi_ask(app, *given, **environ)

    state = check_rights(ask)
    assert state["name"] == "shop"
    assert ask("GET", "/marey", BEARER)[1]["Location"] == "marey/"
    assert ask("GET", "/mareyx", {})[2] == ask("GET", "/", {})[2] == b"hello"
    assert [row.name for row in app.stats()] == ["GET"] and app.stats()[0].requests == 2
    status, headers, body = ask("GET", "/marey/live/events", BEARER)
    assert status == 200 and headers["Content-Type"] == "text/event-stream"
    assert body.startswith(b"retry: 2000\nevent: state\n") and body.count(b"event: ") == 1


def test_wsgi_behind_a_proxy_and_below_a_prefix(closing):
    app = closing(wsgi.Middleware(hello, live="/ops/marey", token=TOKEN))
    status, headers, _ = wsgi_ask(app, "GET", "/ops/marey", BEARER, SCRIPT_NAME="/shop")
    assert (status, headers["Location"]) == (303, "marey/")  # relative to what the browser sees
    status, _, body = wsgi_ask(app, "GET", "/ops/marey/", BEARER, SCRIPT_NAME="/shop")
    assert status == 200 and b'"/' not in body.replace(b'"/>', b"")  # nor has the page other ones
    https = {"wsgi.url_scheme": "https"}
    query = "?token=" + TOKEN.replace(" ", "%20")
    _, headers, _ = wsgi_ask(app, "GET", f"/ops/marey/{query}", {}, **https)
    assert headers["Set-Cookie"].endswith("; HttpOnly; SameSite=Strict; Secure")
    assert "ath=" not in headers["Set-Cookie"]


def test_wsgi_users(closing):
    app = closing(wsgi.Middleware(hello, live="/marey", users={"ann"}))
    for user, status in (("ann", 200), ("bob", 403), ("", 403)):
        assert wsgi_ask(app, "GET", "/marey/live/state", {}, REMOTE_USER=user)[0] == status
    assert wsgi_ask(app, "GET", "/marey/live/state", {"Remote-User": "ann"})[0] == 403
    app = closing(wsgi.Middleware(hello, live="/marey", users=lambda environ: environ["x"]))
    assert wsgi_ask(app, "GET", "/marey/live/state", {}, x=True)[0] == 200
    assert wsgi_ask(app, "GET", "/marey/live/state", {})[::2] == (403, b"")  # KeyError
    app = closing(wsgi.Middleware(hello, live="/marey"))
    assert wsgi_ask(app, "GET", "/marey/", {}, REMOTE_USER="ann")[::2] == (403, b"")


def test_clients_that_leave_and_bodies_that_are_none(closing):
    app = closing(wsgi.Middleware(hello, live="/marey", token=TOKEN))

    class Gone:
        def read(self, size):
            raise OSError("the client has left")

    environ = {"wsgi.input": Gone(), "HTTP_AUTHORIZATION": BEARER["Authorization"]}
    environ.update(PATH_INFO="/marey/live/control", REQUEST_METHOD="POST", CONTENT_LENGTH="5")
    setup_testing_defaults(environ)
    told = []
    list(app(environ, lambda *said: told.append(said[0])))
    assert told == ["403 Forbidden"]  # it has no header, either
    assert wsgi_ask(app, "GET", "/marey/\xff", BEARER)[0] == 404
    unread = app({**environ, "REQUEST_METHOD": "GET", "PATH_INFO": "/marey/live/events"}, print)
    unread.close()
    del unread
    assert app.page.live.streams.open == 0


def test_the_application_notices_nothing_where_nothing_can_be_begun(closing, monkeypatch):
    def refuse(*_):
        raise RuntimeError("can't start new thread")

    app = closing(wsgi.Middleware(hello, live="/marey", token=TOKEN, running=True))
    monkeypatch.setattr("marey._live.group.threading.Thread.start", refuse)
    monkeypatch.setattr("marey.Sampler.start", refuse)
    assert wsgi_ask(app, "GET", "/", {})[2] == b"hello"
    _, _, body = wsgi_ask(app, "GET", "/marey/live/state", BEARER)
    state = json.loads(body)
    assert "can't start new thread" in state["problems"][0]
    assert len(state["workers"]) == 1 and state["sampling"]["state"] == "off"


def test_options_that_are_wrong():
    for options, words in (
        ({"users": {"ann"}}, "users: only with live"),
        ({"running": True}, "running: only with live"),
        ({"hz": 5}, "hz: only with keep"),
        ({"live": "marey"}, "live: a path wanted"),
        ({"live": "/"}, "live: a path wanted"),
        ({"live": True}, "live: a path wanted"),
        ({"live": "/a b"}, "live: a path wanted"),
        ({"live": "/marey", "name": 3}, "name: a str wanted"),
        ({"live": "/marey", "folder": "x"}, "folder: only with keep"),
        ({"live": "/marey", "colour": "x"}, "colour"),
    ):
        with pytest.raises((TypeError, ValueError), match=words):
            wsgi.Middleware(hello, **options)


def test_what_is_kept_is_on_the_page(closing, tmp_path):
    from marey.integrations import every

    app = closing(
        wsgi.Middleware(
            hello, live="/marey", token=TOKEN, keep=every(1), folder=tmp_path / "kept", hz=50
        )
    )
    try:
        wsgi_ask(app, "GET", "/slow", {})

        def say(path):
            return json.loads(wsgi_ask(app, "GET", f"/marey/{path}", BEARER)[2])

        until(lambda: say("live/state")["recording"]["kept"] == 1)
        (name,) = say("live/kept")["rows"]["name"]
        spans = say(f"kept/{name}/api/span-table")["rows"]["name"]
        assert set(spans) - {"gc"} == {"GET"}
        assert say("live/state")["sampling"]["hz"] == 50
    finally:
        app.flight.close()


# ---- Flask


def flask_ask(app, method, path, headers, body=b""):
    answer = app.test_client().open(path, method=method, headers=headers, data=body)
    return answer.status_code, answer.headers, answer.data


def test_flask(closing):
    flask = pytest.importorskip("flask")
    from marey.integrations.flask import Marey

    app = flask.Flask("shop")
    requests = Marey(app, live="/marey", token=TOKEN)
    closing(requests._middleware[0])
    app.add_url_rule("/", "index", lambda: "hello")

    def ask(*given):
        return flask_ask(app, *given)

    assert check_rights(ask)["name"] == "shop"
    assert ask("GET", "/marey", BEARER)[1]["Location"] == "marey/"
    assert ask("GET", "/", {})[2] == b"hello"
    assert [row.name for row in requests.stats()] == ["GET /"]
    assert ask("GET", "/marey/live/events", BEARER)[2].count(b"event: state") == 1
    assert ask("PUT", "/marey/live/state", BEARER)[0] == 405
    for method in ("OPTIONS", "PUT", "DELETE"):  # strangers get no other answer than to GET
        assert ask(method, "/marey/live/state", {})[::2] == (403, b"")


def test_flask_users_are_those_of_flask_login(closing):
    flask = pytest.importorskip("flask")
    login = pytest.importorskip("flask_login")
    from marey.integrations.flask import Marey

    app = flask.Flask("shop")
    manager = login.LoginManager(app)

    class User(login.UserMixin):
        def __init__(self, name):
            self.id = name
            self.name = "ann"  # what somebody calls themselves

        @property
        def is_active(self):
            return self.id != "gone"

    manager.request_loader(lambda request: User(request.headers["X-User"]))
    closing(Marey(app, live="/marey", users={"ann", "gone"})._middleware[0])

    def state(user):
        return flask_ask(app, "GET", "/marey/live/state", {"X-User": user})

    assert json.loads(state("ann")[2])["user"] == "ann"
    assert state("bob")[::2] == state("gone")[::2] == (403, b"")


def test_flask_the_rule_sees_the_request_and_the_application_its_own_login(closing):
    flask = pytest.importorskip("flask")
    from marey.integrations.flask import Marey

    seen = []

    def admins(request):
        seen.append(request)
        return flask.session.get("role") == "admin"

    app = flask.Flask("shop")
    app.secret_key = "x"
    closed = []
    app.before_request(lambda: flask.redirect("/login") if closed else None)
    closing(Marey(app, live="/marey", users=admins)._middleware[0])

    @app.get("/login/<role>")
    def log_in(role):
        flask.session["role"] = role
        return "good"

    client = app.test_client()
    assert client.get("/marey/").status_code == 403
    client.get("/login/admin")
    assert client.get("/marey/").status_code == 200 and isinstance(seen[0], flask.Request)
    client.get("/login/nobody")
    assert client.get("/marey/").status_code == 403

    closed.append("to everybody")
    assert client.get("/marey/").headers["Location"] == "/login"


# ---- ASGI


async def greet(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello"})


async def asgi_ask(application, method, path, headers, body=b"", pieces=None, **scope):
    """(status, headers, body); pieces: how many of the body are taken before the client leaves."""
    path, _, query = path.partition("?")
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query.encode(),
        **scope,
    }
    scope["headers"] = [(name.lower().encode(), text.encode()) for name, text in headers.items()]
    told, left = [], asyncio.Event()
    parts = [body[:3], body[3:]] if body else [b""]

    async def receive():
        if parts:
            piece = parts.pop(0)
            return {"type": "http.request", "body": piece, "more_body": bool(parts)}
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(message):
        told.append(message)
        if pieces is not None and len(told) > pieces:
            left.set()

    await asyncio.wait_for(application(scope, receive, send), 60)
    shown = {name.decode().title(): text.decode() for name, text in told[0]["headers"]}
    shown = {name.replace("Csrf", "CSRF"): text for name, text in shown.items()}
    return told[0]["status"], shown, b"".join(message.get("body", b"") for message in told[1:])


def test_asgi(closing):
    app = closing(asgi.Middleware(greet, live="/marey", token=TOKEN, name="shop"))

    def ask(*given, **scope):
        return asyncio.run(asgi_ask(app, *given, **scope))

    check_rights(ask)
    assert ask("GET", "/other", {})[2] == b"hello"
    assert [row.requests for row in app.stats()] == [1]
    for path in ("/marey/live/state", "/shop/marey/live/state"):  # as servers differ
        assert ask("GET", path, BEARER, root_path="/shop")[0] == 200
    _, headers, _ = ask("GET", "/shop/marey", BEARER, root_path="/shop")
    assert headers["Location"] == "marey/"


def test_asgi_as_older_starlettes_make_their_middlewares(closing):
    app = closing(asgi.Middleware(app=greet, live="/marey", token=TOKEN))
    assert asyncio.run(asgi_ask(app, "GET", "/", {}))[2] == b"hello"
    with pytest.raises(TypeError, match="application: an ASGI application wanted"):
        asgi.Middleware()


def test_asgi_events_until_the_client_leaves(closing):
    app = closing(asgi.Middleware(greet, live="/marey", token=TOKEN))
    status, _, body = asyncio.run(asgi_ask(app, "GET", "/marey/live/events", BEARER, pieces=1))
    assert status == 200 and body.startswith(b"retry: 2000\nevent: state")
    assert app.page.live.streams.open == 0


def test_asgi_two_hundred_clients(closing):
    app = closing(asgi.Middleware(greet, live="/marey", token=TOKEN))

    async def ask_all():
        ask = [asgi_ask(app, "GET", "/marey/live/events", BEARER, pieces=1) for _ in range(200)]
        answers = await asyncio.gather(*ask)
        return sorted(status for status, _, _ in answers)

    statuses = asyncio.run(ask_all())
    assert set(statuses) == {200, 503} and app.page.live.streams.open == 0


def test_asgi_without_asyncio(closing):
    """Under another library's event loop the page answers at once."""
    app = closing(asgi.Middleware(greet, live="/marey", token=TOKEN))
    told = []

    async def receive():
        return {"type": "http.disconnect"}

    async def send(message):
        told.append(message)

    def run(path):
        headers = [(b"authorization", BEARER["Authorization"].encode())]
        scope = {"type": "http", "method": "GET", "path": path, "headers": headers}
        with pytest.raises(StopIteration):
            app(scope, receive, send).send(None)

    run("/marey/live/state")
    run("/marey/live/events")
    assert [message.get("status") for message in told] == [200, None, 200, None, None]


def test_asgi_rules_may_be_coroutines(closing):
    async def rule(scope):
        await asyncio.sleep(0)
        if "broken" in scope:
            raise KeyError("x")
        return scope.get("role") == "admin"

    app = closing(asgi.Middleware(greet, live="/marey", users=rule))

    def status(**scope):
        return asyncio.run(asgi_ask(app, "GET", "/marey/live/state", {}, **scope))[0]

    assert [status(role="admin"), status(role="x"), status(broken=True)] == [200, 403, 403]


@pytest.mark.parametrize("name", ["starlette", "fastapi"])
def test_starlette_and_fastapi(closing, name):
    if name == "fastapi" and sys.version_info[:2] in ((3, 9), (3, 15)):
        pytest.skip("not for this Python")
    from starlette.authentication import AuthCredentials, AuthenticationBackend, SimpleUser
    from starlette.middleware.authentication import AuthenticationMiddleware
    from starlette.testclient import TestClient

    class Backend(AuthenticationBackend):
        async def authenticate(self, connection):
            if "x-user" in connection.headers:
                return AuthCredentials(), SimpleUser(connection.headers["x-user"])
            return None

    made = []

    class Middleware(asgi.Middleware):
        def __init__(self, *args, **options):
            super().__init__(*args, **options)
            made.append(closing(self))

    module = importlib.import_module("fastapi" if name == "fastapi" else "starlette.applications")
    app = getattr(module, "FastAPI" if name == "fastapi" else "Starlette")()
    app.add_middleware(Middleware, live="/marey", users={"ann"}, token=TOKEN)
    app.add_middleware(AuthenticationMiddleware, backend=Backend())
    with TestClient(app) as client:

        def ask(method, path, headers, body):
            answer = client.request(method, path, headers=headers, content=body)
            return answer.status_code, answer.headers, answer.content

        check_rights(ask)
        assert client.get("/marey/live/state", headers={"X-User": "ann"}).json()["user"] == "ann"
        assert client.get("/marey/live/state", headers={"X-User": "bob"}).status_code == 403
        assert client.get("/nowhere").status_code == 404
    assert [row.name for row in made[0].stats()] == ["GET (no route)"]


def test_quart(closing):
    quart = pytest.importorskip("quart")
    app = quart.Quart("shop")
    app.asgi_app = closing(asgi.Middleware(app.asgi_app, app=app, live="/marey", token=TOKEN))

    async def ask(method, path, headers, body):
        answer = await app.test_client().open(path, method=method, headers=headers, data=body)
        return answer.status_code, answer.headers, await answer.get_data()

    check_rights(lambda *given: asyncio.run(ask(*given)))


# ---- Django

DJANGO = """
import asyncio, json, sys
import django, logging
logging.disable()
from django.conf import settings
from django.http import HttpResponse
from django.urls import include, path

settings.configure(
    DEBUG=False, SECRET_KEY="x", ROOT_URLCONF="__main__", ALLOWED_HOSTS=["*"], LOGGING_CONFIG=None,
    MIDDLEWARE=["marey.integrations.django.Middleware", "__main__.LogIn",
                "django.middleware.csrf.CsrfViewMiddleware"],
    MAREY={"live": True, "users": sys.argv[3] if len(sys.argv) > 3 else {"ann", "gone"},
           "token": sys.argv[1], "name": "shop"},
)
django.setup()

class User:
    is_authenticated = True
    def __init__(self, name):
        self.name, self.is_active = name, name != "gone"
    def get_username(self):
        return self.name

class LogIn:
    sync_capable = async_capable = True
    def __init__(self, get_response):
        from asgiref.sync import iscoroutinefunction, markcoroutinefunction
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)
    def __call__(self, request):
        if "X-User" in request.headers:
            request.user = User(request.headers["X-User"])
        return self.get_response(request)

def admins(request):
    return request.headers["X-Role"] == "admin"

urlpatterns = [
    path("hello/", lambda request: HttpResponse("hello")),
    path("ops/marey/", include("marey.integrations.django.urls")),
]

from django.test import AsyncClient, Client
from marey.integrations.django import _shared, stats

async def first(answer):
    async for piece in answer.streaming_content:
        return piece

def ask(method, path, headers, body=b""):
    path = path.replace("/marey", "/ops/marey", 1)
    extra = {f"HTTP_{name.upper().replace('-', '_')}": text for name, text in headers.items()}
    if sys.argv[2] == "async":
        async def run():
            client = AsyncClient(enforce_csrf_checks=True)
            answer = await client.generic(method, path, body, headers=headers)
            content = await first(answer) if answer.streaming else answer.content
            return answer.status_code, answer.headers, content
        return asyncio.run(run())
    answer = Client(enforce_csrf_checks=True).generic(method, path, body, **extra)
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return answer.status_code, answer.headers, content

BEARER = {"Authorization": f"Bearer {sys.argv[1]}"}
"""


def function_text(function):
    import inspect

    return inspect.getsource(function)


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_django(script, kind):
    pytest.importorskip("django")
    checks = """
state = check_rights(ask)
assert state["name"] == "shop", state
assert ask("GET", "/hello/", {})[2] == b"hello"
assert [row.name for row in stats()] == ["GET /hello/"], stats()
for user, status in (("ann", 200), ("bob", 403), ("gone", 403)):
    status_now, _, body = ask("GET", "/marey/live/state", {"X-User": user})
    assert status_now == status, (user, status_now)
    assert status == 200 or body == b""
status, headers, body = ask("GET", "/marey/live/events", BEARER)
assert status == 200 and body.count(b"event: state") == 1, (status, body)
_shared().page.live.close()
print("good")
"""
    text = f"{DJANGO}\n{function_text(check_rights)}\n{checks}"
    assert script(text, TOKEN, kind) == "good\n"


def test_django_rules_may_be_named(script):
    pytest.importorskip("django")
    checks = """
for role, status in (("admin", 200), ("x", 403)):
    assert ask("GET", "/marey/live/state", {"X-Role": role})[0] == status
assert ask("GET", "/marey/live/state", {})[::2] == (403, b"")  # KeyError
_shared().page.live.close()
print("good")
"""
    assert script(DJANGO + checks, TOKEN, "sync", "__main__.admins") == "good\n"
