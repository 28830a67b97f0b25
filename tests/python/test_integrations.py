"""Requests as spans: plain WSGI and ASGI, and Flask, Django, Starlette, FastAPI and Quart."""

import asyncio
import importlib
import random
import sys
from contextlib import nullcontext
from wsgiref.util import setup_testing_defaults, shift_path_info

import pytest
import traces

import marey
from marey._marey import RequestTimes
from marey.integrations import asgi, wsgi
from marey.integrations._routes import OTHER, merged_rows


def get(application, path="/", query="", method="GET"):
    """(status, body) of one request to a WSGI application."""
    environ = {"PATH_INFO": path, "QUERY_STRING": query, "REQUEST_METHOD": method}
    setup_testing_defaults(environ)
    told = []
    body = application(environ, lambda status, headers, exc_info=None: told.append(status))
    try:
        text = b"".join(body)
    finally:
        getattr(body, "close", lambda: None)()
    return int(told[0][:3]), text


# ---- statistics


def test_percentiles_are_right_within_two_percent():
    random.seed(3)
    times = [random.lognormvariate(-5, 2) for _ in range(20_000)]
    counted = RequestTimes()
    for number, seconds in enumerate(times):
        counted.add("x", seconds, number % 100 == 0)
    (row,) = merged_rows([counted.classes()])
    times.sort()
    assert (row.requests, row.errors) == (20_000, 200)
    assert row.max == pytest.approx(times[-1], abs=1e-9)
    assert row.mean == pytest.approx(sum(times) / 20_000)
    for found, share in ((row.p50, 0.5), (row.p95, 0.95), (row.p99, 0.99)):
        assert found == pytest.approx(times[int(share * 20_000) - 1], rel=0.021)


def test_statistics_do_not_grow_without_a_limit():
    counted = RequestTimes()
    for number in range(1500):
        counted.add(f"r{number}", 10.0 ** random.uniform(-12, 12), False)
        counted.add("same", 10.0 ** random.uniform(-12, 12), False)
    classes = counted.classes()
    rows = {row.name: row for row in merged_rows([classes])}
    assert len(rows) == 1001 and rows[OTHER].requests > 400
    assert len(classes["same"][4]) <= 40 * 32


def test_statistics_take_any_number():
    counted = RequestTimes()
    for seconds in (0.0, -1.0, 1e300, float("inf"), float("nan")):
        counted.add("x", seconds, False)
    (row,) = merged_rows([counted.classes()])
    assert row.requests == 5 and row.p50 > 0
    with pytest.raises(TypeError):
        counted.add("x", "1", False)  # type: ignore[arg-type]


# ---- WSGI


def hello(environ, start_response):
    if environ["PATH_INFO"] == "/broken":
        raise ValueError("broken")
    start_response("503 Busy" if environ["PATH_INFO"] == "/busy" else "200 OK", [])
    return [b"hello"]


def test_wsgi_requests_are_spans(recorded):
    application = wsgi.Middleware(hello, route=lambda environ: "/any")
    with recorded() as box:
        assert get(application, "/a", "token=x") == (200, b"hello")
        assert get(application, "/busy", method="BREW") == (503, b"hello")
        with pytest.raises(ValueError, match="broken"):
            get(application, "/broken")
    good, failed = box.trace.named("GET /any")
    assert good.args == {"path": "/a", "status": 200, "failed": False}
    assert good.category == "request" and "broken" in failed.args["exception"]
    (busy,) = box.trace.named("(other) /any")
    assert busy.args == {"path": "/busy", "status": 503, "failed": True}
    rows = {row.name: row[1:3] for row in application.stats()}
    assert rows == {"GET /any": (2, 1), "(other) /any": (1, 1)}
    application.clear_stats()
    assert application.stats() == []


def test_wsgi_the_span_ends_with_the_answer(recorded):
    def pieces(environ, start_response):
        start_response("200 OK", [])
        for number in range(2):
            with marey.span(f"piece {number}"):
                yield b"x"

    def failing(environ, start_response):
        start_response("200 OK", [])
        yield b"x"
        raise OSError("gone")

    with recorded() as box:
        assert get(wsgi.Middleware(pieces)) == (200, b"xx")
        with pytest.raises(OSError, match="gone"):
            get(wsgi.Middleware(failing))
        closed = wsgi.Middleware(pieces)({}, lambda *_: None)
        next(closed)
        closed.close()
    whole, failed = box.trace.named("GET")
    assert [child.name for child in whole.children] == ["piece 0", "piece 1"]
    assert failed.args["failed"] is True and failed.end is not None
    (cut,) = box.trace.named("(other)")
    assert [child.name for child in cut.children] == ["piece 0"] and cut.end is not None


def test_wsgi_what_a_server_is_given_stays_as_it_is():
    given = []

    def application(environ, start_response):
        start_response(environ["STATUS"], [("A", "b")], None)
        return environ["BODY"]

    def start_response(*args, **named):
        given.append((args, named))

    app = wsgi.Middleware(application)
    status, pieces = "201 Made", [b"a", b"b"]
    body = app({"STATUS": status, "BODY": pieces}, start_response)
    assert len(body) == 2 and list(body) == pieces and body.close() is None
    assert given == [((status, [("A", "b")], None), {})] and given[0][0][0] is status
    body = app({"STATUS": "20", "BODY": iter(pieces)}, start_response)
    assert not hasattr(body, "__len__") and list(body) == pieces
    with pytest.raises(TypeError, match="not iterable"):
        list(app({"STATUS": None, "BODY": None}, start_response))
    with pytest.raises(TypeError, match="begin"):
        app.begin("GET", None, None)
    text = type("text", (str,), {})
    assert type(app.begin(text("get"), text("/a"), None).path) is str
    assert [row[1:3] for row in app.stats()] == [(3, 1)]


def test_an_answer_that_nobody_takes_ends_its_request():
    app = wsgi.Middleware(hello)
    body = app({"PATH_INFO": "/"}, lambda *_: None)
    assert app.counts()["open"] == 1
    del body
    assert app.counts() == {"open": 0, "count": 1, "errors": 0}


def test_a_request_is_counted_by_what_the_framework_told(recorded):
    class Told(wsgi.Middleware):
        def route_of(self, given):
            asked.append(given["PATH_INFO"])
            return "/guessed"

        def route_told(self, request):
            return "/told"

    asked = []
    application = Told(hello)
    with recorded() as box:
        get(application, "/a")
        get(application, "/a")
    first, second = (span.name for span in box.trace.spans if span.category == "request")
    assert (first, second) == ("GET /guessed", "GET /told") and asked == ["/a"]
    (guessed,) = box.trace.named("GET /guessed")
    assert guessed.args["route"] == "/told"
    (told,) = box.trace.named("GET /told")
    assert "route" not in told.args
    assert [row[:2] for row in application.stats()] == [("GET /told", 2)]


def test_names_are_remembered_in_bounded_memory(recorded):
    class Told(wsgi.Middleware):
        def route_of(self, given):
            asked.append(given["PATH_INFO"])
            return "/any"

    asked = []
    application = Told(hello)
    long = "/" + 600 * "x"
    with recorded():
        for path in [*(f"/{n}" for n in range(3000)), "/2999", "/0", long, long]:
            get(application, path)
    assert len(asked) == 3003 and asked[3000] == "/0" and asked[3001:] == [long, long]
    assert [row[:2] for row in application.stats()] == [("GET /any", 3004)]


class Router(wsgi.Middleware):
    """Knows routes as frameworks do: looks them up, and tells them afterwards, save for /silent."""

    asked = ()

    @staticmethod
    def route_of_path(path):
        if path.startswith("/users/"):
            return "/users/<id>"
        return {"/errors/404": "/missing", "/errors/500": "/failed"}.get(path)

    def route_of(self, given):
        self.asked += (given["PATH_INFO"],)
        return self.route_of_path(given["PATH_INFO"])

    def route_told(self, request):
        if request.path == "/users/0":
            return None
        return self.route_of_path(request.path) or "(no route)"


def names_of_requests(box):
    return [span.name for span in box.trace.spans if span.category == "request"]


def test_paths_that_differ_in_numbers_have_one_name(recorded):
    application = Router(hello)
    get(application, "/users/1")  # from then on it is known that routes are told
    some = [f"/users/{n}" for n in (1, 22, "3d0f2a9c-77aa-4c1b-8e9d-0123456789ab", "0a1b2c3d4e")]
    with recorded() as box:
        for path in [*some, "/users/anna", "/users/anna", "/users/v2", "/users/0"]:
            get(application, path)
    assert names_of_requests(box) == 8 * ["GET /users/<id>"]
    assert application.asked == ("/users/1", "/users/anna", "/users/v2", "/users/0")
    assert [row[:2] for row in application.stats()] == [("GET /users/<id>", 9)]


def test_numbers_that_make_a_difference_are_looked_at(recorded):
    application = Router(hello)
    get(application, "/errors/404")
    with recorded() as box:
        for path in ("/errors/404", "/errors/500", "/errors/404", "/errors/500"):
            get(application, path)
    assert names_of_requests(box) == ["GET /missing", "GET /missing", "GET /missing", "GET /failed"]
    wrong = box.trace.named("GET /missing")[1]
    assert wrong.args["route"] == "/failed"
    rows = {row.name: row.requests for row in application.stats()}
    assert rows == {"GET /missing": 3, "GET /failed": 2}


def test_what_fails_while_it_is_asked_stays_here(recorded, caplog):
    class Failing(wsgi.Middleware):
        def route_of(self, given):
            raise ZeroDivisionError

        route_told = query_of = user_of = route_of

    application = Failing(hello, query=True, user=True)
    with recorded() as box:
        assert get(application, "/a") == (200, b"hello")
    (span,) = box.trace.named("GET (no route)")
    assert span.args["status"] == 200
    assert [row[:2] for row in application.stats()] == [("GET (no route)", 1)]
    assert "a route cannot be found" in caplog.text


def test_wsgi_a_client_that_leaves_is_no_error_of_the_application():
    application = wsgi.Middleware(hello)
    for error in (BrokenPipeError(), ConnectionResetError(), ValueError()):
        body = application({"PATH_INFO": "/"}, lambda *_: None)
        try:
            raise error  # as servers do where they send a piece
        except type(error):
            body.close()
    (row,) = application.stats()
    assert (row.requests, row.errors) == (3, 1)


@pytest.mark.parametrize("recording", [True, False])
def test_the_route_is_that_of_the_request_as_it_came(recorded, recording):
    def shifting(environ, start_response):
        shift_path_info(environ)
        return hello(environ, start_response)

    application = wsgi.Middleware(shifting, route=lambda environ: environ["PATH_INFO"])
    with recorded() if recording else nullcontext():
        assert get(application, "/shop/cart") == (200, b"hello")
    assert [row.name for row in application.stats()] == ["GET /shop/cart"]


def test_wsgi_lists_keep_their_length_and_iterables_are_closed():
    class Body:
        closed = 0

        def __iter__(self):
            return iter([b"x"])

        def close(self):
            Body.closed += 1

    def application(environ, start_response):
        start_response("200 OK", [])
        return Body()

    assert get(wsgi.Middleware(application)) == (200, b"x") and Body.closed == 1
    assert len(wsgi.Middleware(hello)({"PATH_INFO": "/"}, lambda *_: None)) == 1
    with pytest.raises(TypeError):
        len(wsgi.Middleware(application)({}, lambda *_: None))


def test_the_query_is_shown_where_it_is_asked_for_and_secrets_are_not(recorded):
    application = wsgi.Middleware(hello, query=True, path=False)
    with recorded() as box:
        get(application, "/", "a=1&a=2&b=&token=hunter2")
    args = box.trace.span("GET").args
    assert args["query"] == {"a": ["1", "2"], "b": "", "token": "***"} and "path" not in args


def test_what_a_hook_says_stands_in_the_span_and_its_errors_are_logged_once(recorded, caplog):
    def attributes(environ):
        return {"user": environ["USER_ID"], "track": 5}

    application = wsgi.Middleware(hello, attributes=attributes, route=lambda environ: 1 / 0)
    with recorded() as box:
        for _ in range(3):
            assert get(application) == (200, b"hello")
        environ = {"PATH_INFO": "/", "REQUEST_METHOD": "PUT", "USER_ID": 7}
        list(application(environ, lambda *_: None))
    assert len(box.trace.named("GET (no route)")) == 3
    args = box.trace.span("PUT (no route)").args
    assert args["user"] == 7 and args["track_"] == 5
    assert len(caplog.records) == 1 and "ZeroDivisionError" in caplog.text
    with pytest.raises(TypeError, match="attributes"):
        wsgi.Middleware(hello, attributes=3)


@pytest.mark.parametrize("name", ["wsgi", "asgi", "flask", "django"])
def test_frameworks_are_imported_by_their_users(script, name):
    out = script(
        f"""
import sys
import marey.integrations.{name}
print(*sorted({{n.split(".")[0] for n in sys.modules}}))
"""
    )
    assert not {"flask", "django", "werkzeug", "starlette", "asgiref"} & set(out.split())


# ---- Flask


def test_flask(recorded):
    flask = pytest.importorskip("flask")
    from marey.integrations.flask import Marey

    app = flask.Flask("shop")
    requests = Marey(app)
    requests.init_app(app)  # once more: nothing

    @app.get("/users/<int:number>")
    def user(number):
        with marey.span("view"):
            return f"user {number}"

    @app.get("/broken")
    def broken():
        raise KeyError("cart")

    @app.get("/stream")
    def stream():
        def pieces():
            yield "a"
            with marey.span("late"):
                yield "b"

        return flask.Response(pieces())

    def ask(path, method="GET"):
        answer = app.test_client().open(path, method=method)
        return answer.status_code, answer.text  # read to its end, as servers do

    def ask_all():
        assert ask("/users/7?token=x") == (200, "user 7")
        assert ask("/users/8")[0] == 200
        assert ask("/broken")[0] == 500
        assert ask("/nowhere")[0] == 404
        assert ask("/users/7", method="POST")[0] == 405
        assert ask("/stream") == (200, "ab")
        return {row.name: row[1:3] for row in requests.stats()}

    not_recorded = ask_all()
    requests.clear_stats()
    with recorded() as box:
        assert ask_all() == not_recorded
    first, _ = box.trace.named("GET /users/<int:number>")
    assert first.args == {"path": "/users/7", "status": 200, "failed": False}
    assert [child.name for child in first.children] == ["view"]
    failed = box.trace.span("GET /broken").args
    assert failed["status"] == 500 and failed["failed"] and "cart" in failed["exception"]
    assert box.trace.span("GET (no route)").args["status"] == 404
    assert box.trace.span("GET (no route)").args["failed"] is False
    assert box.trace.span("POST (no route)").args["status"] == 405
    assert [child.name for child in box.trace.span("GET /stream").children] == ["late"]
    rows = {row.name: row for row in requests.stats()}
    assert rows["GET /users/<int:number>"].requests == 2 and rows["GET /broken"].errors == 1


# ---- ASGI


@pytest.fixture(params=["starlette", "fastapi"])
def web(request):
    """A client, and the middleware's statistics, of an application by either."""
    if request.param == "fastapi" and sys.version_info[:2] in ((3, 9), (3, 15)):
        pytest.skip("not for this Python")
    from starlette.responses import PlainTextResponse, StreamingResponse
    from starlette.routing import Mount, Route, WebSocketRoute
    from starlette.testclient import TestClient

    async def user(request):
        with marey.span("view"):
            await asyncio.sleep(0)
        return PlainTextResponse("user")

    async def broken(request):
        raise KeyError("cart")

    async def stream(request):
        async def pieces():
            for piece in "ab":
                with marey.span(f"piece {piece}"):
                    await asyncio.sleep(0)
                    yield piece

        return StreamingResponse(pieces())

    async def socket(websocket):
        await websocket.accept()
        await websocket.send_text("hi")
        await websocket.close()

    routes = [
        Route("/users/{number:int}", user),
        Mount("/inner", routes=[Route("/broken", broken), Route("/stream", stream)]),
        WebSocketRoute("/socket", socket),
    ]
    made = []

    class Middleware(asgi.Middleware):
        def __init__(self, *args, **options):
            super().__init__(*args, **options)
            made.append(self)

    module = importlib.import_module(
        "fastapi" if request.param == "fastapi" else "starlette.applications"
    )
    app = getattr(module, "FastAPI" if request.param == "fastapi" else "Starlette")(routes=routes)
    app.add_middleware(Middleware)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client, made


def test_starlette_and_fastapi(web, recorded):
    client, made = web

    def ask_all():
        assert client.get("/users/7?token=x").text == "user"
        assert client.get("/inner/broken").status_code == 500
        assert client.get("/inner/stream").text == "ab"
        assert client.get("/nowhere").status_code == 404
        assert client.post("/users/7").status_code == 405
        with client.websocket_connect("/socket") as socket:
            assert socket.receive_text() == "hi"
        return {row.name: row[1:3] for row in made[0].stats()}

    not_recorded = ask_all()
    made[0].clear_stats()
    with recorded() as box:
        assert ask_all() == not_recorded
    trace = box.trace
    request = trace.span("GET /users/{number:int}")
    assert request.args == {"path": "/users/7", "status": 200, "failed": False}
    assert [child.name for child in request.children] == ["view"]
    failed = trace.span("GET /inner/broken").args
    assert failed["failed"] is True and "cart" in failed["exception"]
    assert trace.span("GET (no route)").args["status"] == 404
    assert trace.span("WEBSOCKET /socket").args["status"] == 101
    pieces = [span for span in trace.spans if span.name.startswith("piece")]
    assert len(pieces) == 2 and trace.span("GET /inner/stream").end >= max(p.end for p in pieces)
    (middleware,) = made
    assert {row.name: row.errors for row in middleware.stats()}["GET /inner/broken"] == 1


def test_each_request_is_on_the_track_of_its_task(recorded):
    async def application(scope, receive, send):
        await asyncio.sleep(0.01 if scope["path"] == "/a" else 0.02)
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    async def send(message):
        pass

    async def serve():
        app = asgi.Middleware(application, route=lambda scope: scope["path"])
        with pytest.raises(KeyError):
            await app({"type": "lifespan"}, None, send)  # handed on as it is
        await asyncio.gather(
            *(app({"type": "http", "method": "GET", "path": p}, None, send) for p in ("/a", "/b"))
        )

    with recorded() as box:
        asyncio.run(serve())
    a, b = box.trace.span("GET /a"), box.trace.span("GET /b")
    assert a.track is not b.track and a.args["status"] == b.args["status"] == 204
    assert a.begin < b.end and b.begin < a.end  # at the same time, and both whole


def test_a_request_that_is_cancelled_is_none_that_failed(recorded):
    async def application(scope, receive, send):
        await asyncio.sleep(60)

    async def serve():
        scope = {"type": "http", "method": "GET", "path": "/"}
        task = asyncio.ensure_future(app(scope, None, None))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    app = asgi.Middleware(application)
    with recorded() as box:
        asyncio.run(serve())
    assert box.trace.span("GET").args["failed"] is False
    assert "CancelledError" in box.trace.span("GET").args["exception"]
    assert app.stats()[0].errors == 0


def test_quart(recorded):
    quart = pytest.importorskip("quart")
    app = quart.Quart("shop")
    app.asgi_app = asgi.Middleware(app.asgi_app, app=app)

    @app.get("/users/<int:number>")
    async def user(number):
        return f"user {number}"

    async def ask():
        client = app.test_client()
        assert (await client.get("/users/7")).status_code == 200
        assert (await client.get("/nowhere")).status_code == 404

    with recorded() as box:
        asyncio.run(ask())
    assert box.trace.span("GET /users/<int:number>").args["status"] == 200
    assert box.trace.span("GET (no route)").args["status"] == 404


# ---- Django

DJANGO = """
import asyncio, sys
import django, logging
logging.disable()
from django.conf import settings
from django.http import FileResponse, HttpResponse, StreamingHttpResponse
from django.urls import path
import marey

settings.configure(
    DEBUG=False, SECRET_KEY="x", ROOT_URLCONF="__main__", ALLOWED_HOSTS=["*"],
    MIDDLEWARE=["marey.integrations.django.Middleware"], LOGGING_CONFIG=None,
    MAREY={"attributes": "__main__.attributes"},
)
django.setup()

def attributes(request):
    return {"host": request.get_host()}

def user(request, number):
    with marey.span("view"):
        return HttpResponse(f"user {number}")

async def later(request):
    await asyncio.sleep(0)
    return HttpResponse("later")

def broken(request):
    raise KeyError("cart")

def pieces(fail):
    with marey.span("piece"):
        yield "a"
    if fail:
        raise OSError("gone")
    yield "b"

async def pieces_later(fail):
    for piece in pieces(fail):
        await asyncio.sleep(0)
        yield piece

def stream(request, fail=False):
    return StreamingHttpResponse((pieces_later if sys.argv[2] == "async" else pieces)(fail))

def file(request):
    return FileResponse(open(__file__, "rb"))

urlpatterns = [
    path("users/<int:number>/", user), path("later/", later), path("broken/", broken),
    path("stream/", stream), path("stopped/", stream, {"fail": True}), path("file/", file),
]

from django.test import AsyncClient, Client
from marey.integrations.django import clear_stats, stats

def ask(client):
    yield client.get("/users/7/?token=x"), 200
    yield client.get("/later/"), 200
    yield client.get("/broken/"), 500
    yield client.get("/stream/"), 200
    yield client.get("/stopped/"), 200
    yield client.get("/file/"), 200
    yield client.get("/nowhere/"), 404

def take(answer):
    # send it, as a server does
    try:
        list(answer.streaming_content)
    except OSError:
        pass
    answer.close()

async def take_later(answer):
    try:
        async for piece in answer:
            pass
    except OSError:
        pass
    answer.close()

async def ask_all():
    for asked, status in ask(AsyncClient(raise_request_exception=False)):
        answer = await asked
        assert answer.status_code == status
        if answer.streaming:
            await take_later(answer)

def ask_every_way():
    if sys.argv[2] == "async":
        asyncio.run(ask_all())
    else:
        for answer, status in ask(Client(raise_request_exception=False)):
            assert answer.status_code == status
            if answer.streaming:
                take(answer)

ask_every_way()
not_recorded = sorted(row[:3] for row in stats())
clear_stats()
with marey.record(sys.argv[1], gc=False):
    ask_every_way()
assert sorted(row[:3] for row in stats()) == not_recorded, not_recorded
for row in stats():
    print(row.name, row.requests, row.errors, sep="|")
"""


@pytest.mark.parametrize("way", ["sync", "async"])
def test_django(script, path, way):
    out = script(DJANGO, path, way)
    assert sorted(out.splitlines()) == [
        "GET (no route)|1|0",
        "GET /broken/|1|1",
        "GET /file/|1|0",
        "GET /later/|1|0",
        "GET /stopped/|1|1",
        "GET /stream/|1|0",
        "GET /users/<int:number>/|1|0",
    ]
    trace = traces.load(path)
    request = trace.span("GET /users/<int:number>/")
    assert request.args == {
        "host": "testserver",
        "path": "/users/7/",
        "status": 200,
        "failed": False,
    }
    failed = trace.span("GET /broken/").args
    assert failed["status"] == 500 and failed["failed"] and "cart" in failed["exception"]
    stream, stopped = trace.span("GET /stream/"), trace.span("GET /stopped/")
    assert [[child.name for child in span.children] for span in (stream, stopped)] == [
        ["piece"]
    ] * 2
    assert stream.args["failed"] is False and stream.end is not None
    assert stopped.args["failed"] is True and "gone" in stopped.args["exception"]
    assert trace.span("GET /file/").end is not None
    assert trace.span("GET (no route)").args["status"] == 404
    assert trace.span("view")
