"""A program that seems to run, for tests of the live page alone: it answers as docs/PAGE.md says,
and tests change what it says."""

import contextlib
import copy
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

PAGE = Path(__file__).parents[2] / "web" / "dist"
PREFIX = "/proxied/shop/marey/"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
TYPES = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
}
HOSTILE = "GET /<img src=x onerror=alert(1)>/{id}"
LONG = "POST /" + "a-very-long-part-of-a-path/" * 12
KEPT = "2026-11-21T10-00-03_GET_users-id #1_512ms.perfetto-trace"
KEPT_PAGE = b'<title>the page of a trace</title><link rel="icon" href="data:,">'
NOW = 1_795_255_203

STATUS = {
    "version": 1,
    "name": "shop <b>",
    "csrf": "abc",
    "user": "ann",
    "now": NOW,
    "prefix_note": None,
    "sampling": {
        "state": "off",
        "hz": 100,
        "achieved_hz": 0,
        "mode": "wall",
        "cost": 0.0041,
        "samples": 0,
        "torn": 0,
        "missed": 0,
        "jitter": 0.001,
    },
    "recording": {
        "what": "spans",
        "ring": 16 << 20,
        "keep": ["slower than 0.5 s", "failed"],
        "kept": 3,
        "not_kept": 1,
        "folder": "/srv/shop/traces",
        "files": 2,
        "bytes": 1_300_000,
        "problem": None,
    },
    "requests": {"open": 2, "count": 12_345, "errors": 17},
    "workers": [
        {
            "pid": pid,
            "since": NOW - 11_000,
            "state": "off",
            "hz": 100,
            "achieved_hz": 0,
            "cost": 0,
            "rss": 84_000_000,
            "problem": None,
        }
        for pid in (4711, 4712)
    ],
    "problems": [],
}
ROUTES = {
    "name": ["GET /users/{id}", HOSTILE, LONG],
    "requests": [12_000, 340, 5],
    "errors": [0, 17, 0],
    "mean": [0.012, 0.0004, 0.9],
    "p50": [0.011, 0.0003, 0.8],
    "p95": [0.02, 0.001, 1.2],
    "p99": [0.03, 0.002, 1.3],
    "max": [0.512, 0.0031, 1.31],
}
KEPT_ROWS = {
    "name": [KEPT, "2026-11-21T09-00-00_POST_order_failed.perfetto-trace"],
    "when": [NOW, NOW - 90_000],
    "request": ["GET /users/{id}", LONG],
    "status": [200, 500],
    "duration": [0.512, 0.031],
    "reason": ["slower than 0.5 s", "failed: ValueError <i>"],
    "bytes": [812_345, 42_000],
}
FRAMES = [
    ("serve", "/srv/shop/app.py", 3, True),
    ("query", "/srv/shop/models.py", 40, True),
    ("loads", "/usr/lib/python3.11/json/__init__.py", 299, False),
    ("render <i>", "/srv/shop/views.py", 7, True),
    ("main", "/srv/shop/app.py", 1, True),
    ("wait", "/usr/lib/python3.11/threading.py", 320, False),
]


def functions(samples):
    return {
        "total": samples,
        "unit": "count",
        "rows": {
            "name": [frame[0] for frame in FRAMES],
            "file": [frame[1] for frame in FRAMES],
            "line": [frame[2] for frame in FRAMES],
            "own": [frame[3] for frame in FRAMES],
            "self": [samples // (2 + i) for i in range(len(FRAMES))],
            "total": [samples for _ in FRAMES],
            "count": [samples // (2 + i) for i in range(len(FRAMES))],
            "hot_line": [frame[2] + 1 for frame in FRAMES],
        },
        "left_out": 0,
    }


def flame(samples):
    """main > serve > query > loads, and main > render, which grows less."""
    shares = [(-1, 4, 1.0), (0, 4, 1.0), (1, 0, 0.8), (2, 1, 0.6), (3, 2, 0.3), (1, 3, 0.15)]
    totals = [int(samples * share) for _, _, share in shares] if samples else [0]
    many = len(totals)
    return {
        "total": samples,
        "unit": "count",
        "functions": {
            "name": [frame[0] for frame in FRAMES],
            "file": [frame[1] for frame in FRAMES],
            "line": [frame[2] for frame in FRAMES],
            "kind": ["python" for _ in FRAMES],
            "own": [frame[3] for frame in FRAMES],
        },
        "nodes": {
            "function": [function for _, function, _ in shares[:many]],
            "parent": [parent for parent, _, _ in shares[:many]],
            "self": [0] * many,
            "total": totals,
            "count": totals,
        },
        "left_out": 0,
    }


def dump():
    stack = [
        {"function": name, "file": file, "line": line, "own": own}
        for name, file, line, own in reversed(FRAMES)
    ]
    states = ["running", "waiting for the GIL", "idle"]
    names = ["MainThread", "worker-<1>", "x" * 200]
    return {
        "threads": [
            {"pid": 4711, "tid": 4711 + i, "name": name, "state": state, "stack": stack[i:]}
            for i, (name, state) in enumerate(zip(names, states))
        ],
        "tasks": [
            {"pid": 4712, "tid": 4712, "name": "Task-7", "state": "waiting", "stack": stack[3:]}
        ],
        "left_out": 7,
    }


class FakeLive:
    """At .url. status, allowed and streams are for tests to change; .posted is what came by POST,
    .asked what by GET."""

    def __init__(self, port=0):
        self.changed = threading.Condition()
        self.status = copy.deepcopy(STATUS)
        self.allowed = True
        self.streams = True
        self.samples_a_question = 0
        self.posted = []
        self.asked = []
        self.server = ThreadingHTTPServer(("127.0.0.1", port), self.handler())
        self.server.daemon_threads = True
        self.ended = False
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}{PREFIX}"

    def close(self):
        with self.changed:
            self.ended = True
            self.changed.notify_all()
        self.server.shutdown()
        self.server.server_close()

    @contextlib.contextmanager
    def changing(self):
        """A block that changes .status, which the page hears of."""
        with self.changed:
            yield self.status
            self.changed.notify_all()

    def control(self, order):
        self.posted.append(order)
        value = order.get("value")
        if order["action"] == "interval" and value < 0.001:
            return 400, {"error": "value: seconds from 0.001 on wanted"}
        with self.changing() as status:
            sampling = status["sampling"]
            states = {"start": "on", "resume": "on", "pause": "paused", "stop": "off"}
            if order["action"] in states:
                sampling["state"] = states[order["action"]]
                sampling["achieved_hz"] = 99.7 if sampling["state"] == "on" else 0
                self.samples_a_question = 100 if sampling["state"] == "on" else 0
            elif order["action"] == "interval":
                sampling["hz"] = 1 / value
            elif order["action"] == "mode":
                sampling["mode"] = value
            elif order["action"] == "reset":
                sampling["samples"] = 0
            for worker in status["workers"]:
                worker["state"] = sampling["state"]
                worker["hz"] = sampling["hz"]
        return 204, None

    def answer(self, path, query):
        if path == "live/state":
            return self.status
        if path == "live/routes":
            return {"rows": ROUTES}
        if path == "live/kept":
            return {"rows": KEPT_ROWS, "folder": "/srv/shop/traces", "problem": None}
        if path == "live/dump":
            return dump()
        if path.endswith("/api/flame"):
            with self.changing() as status:
                status["sampling"]["samples"] += self.samples_a_question
                return flame(status["sampling"]["samples"])
        if path.endswith("/api/functions"):
            return functions(self.status["sampling"]["samples"])
        return None

    def handler(fake):
        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def send(self, status, content_type="text/plain", data=b"", **headers):
                self.send_response(status)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(data)))
                self.send_header("Content-Security-Policy", POLICY)
                self.send_header("X-Content-Type-Options", "nosniff")
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.end_headers()
                self.wfile.write(data)

            def json(self, status, answer):
                self.send(status, "application/json", json.dumps(answer).encode())

            def do_GET(self):
                address = urlsplit(self.path)
                path = unquote(address.path).removeprefix(PREFIX)
                fake.asked.append(self.path.removeprefix(PREFIX))
                if not fake.allowed:
                    self.send(403)
                elif path == "live/events":
                    self.stream()
                elif path.endswith("/convert"):
                    name = f'attachment; filename="profile.{parse_qs(address.query)["format"][0]}"'
                    self.send(200, data=b"main;serve 7\n", Content_Disposition=name)
                elif path == f"kept/{KEPT}/trace":
                    self.send(200, data=b"trace")
                elif path == f"kept/{KEPT}/":
                    self.send(200, "text/html", KEPT_PAGE)
                elif (answer := fake.answer(path, address.query)) is not None:
                    self.json(200, answer)
                else:
                    self.file(path or "live.html")

            def file(self, path):
                file = PAGE / path
                if file.is_file() and PAGE in file.resolve().parents:
                    self.send(200, TYPES[file.suffix], file.read_bytes())
                else:
                    self.send(404)

            def stream(self):
                if not fake.streams:
                    return self.send(503)
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.send_header("Connection", "close")
                self.end_headers()
                self.close_connection = True
                said = ""
                with contextlib.suppress(OSError):
                    self.wfile.write(b"retry: 200\n\n")
                    while fake.streams and not fake.ended:
                        with fake.changed:
                            now = json.dumps(fake.status)
                            if now == said:
                                fake.changed.wait(0.2)
                                continue
                        said = now
                        self.wfile.write(f"event: state\ndata: {now}\n\n".encode())
                        time.sleep(0.05)
                return None

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if not fake.allowed or self.headers["X-Marey-CSRF"] != fake.status["csrf"]:
                    return self.send(403)
                status, answer = fake.control(json.loads(body))
                return self.json(status, answer) if answer else self.send(status)

        return Handler
