"""marey.live(): the page of a program that is no web application, from a server of its own."""

from __future__ import annotations

import logging
import os
import secrets
import sys
import threading
import weakref
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import quote, unquote

from .live_page import Live
from .messages import BODY_MAX, Answer, Asked, Stream
from .rights import Given

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any

    from typing_extensions import Self

    from ..integrations._requests import Requests

_CONNECTIONS_MAX = 64
_REQUEST_S = 30.0  # so long a request may take to come, and a piece of an answer to go
_STOP_S = 2.0


class Served:
    """The page of this process at `url`, until stop(), the end of the block, or of the process."""

    def __init__(self, live: Live, host: str, port: int, token: str) -> None:
        self.live = live
        self._server = _Server(live, host, port)
        shown = f"[{host}]" if ":" in host else host
        #: The page's address, with its token.
        self.url = f"http://{shown}:{self._server.server_port}/?token={quote(token, safe='')}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="marey live page", daemon=True
        )
        self._thread.start()
        live.touch()

    @property
    def port(self) -> int:
        """That it listens at."""
        return self._server.server_port

    def stop(self) -> None:
        """Serve no more; the sampling ends."""
        self._server.stop()
        self._thread.join(_STOP_S)
        self.live.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()


def live(
    port: int = 0,
    host: str = "127.0.0.1",
    *,
    token: str | None = None,
    name: str | None = None,
    requests: Requests | None = None,
    **options: Any,
) -> Served:
    """Show what this program does on a page at http://127.0.0.1:PORT (0: one that is free), to
    whoever has the token, which is made where none is given; the address with it is logged at
    level INFO, and is `url` of what this returns, which has stop() and is a context manager.

    name: stands on the page; otherwise the script's. requests: what it is to show of those, such as
    marey.integrations.celery.Marey(app). hz, mode, running, group, idle, lines, native,
    tasks: as of marey.integrations.

    Raises OSError where nobody can listen there, TypeError and ValueError that name the option.
    """
    token = secrets.token_urlsafe(24) if token is None else token
    name = name or os.path.basename(sys.argv[0] or "python")
    if "users" in options:
        raise TypeError("users: nobody logs in here; this takes a token")
    page = Live(name, requests, token=token, **options)
    made = Served(page, host, port, token)
    if requests is not None:
        requests.live = page
    logging.getLogger("marey").info("live page: %s", made.url)
    return made


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64
    _all: ClassVar[weakref.WeakSet[_Server]] = weakref.WeakSet()

    def __init__(self, live: Live, host: str, port: int) -> None:
        self.live = live
        self.ends = threading.Event()
        self._room = threading.BoundedSemaphore(_CONNECTIONS_MAX)
        super().__init__((host, port), _Handler)
        _Server._all.add(self)

    def process_request(self, request: Any, client_address: Any) -> None:
        """In a thread; beyond so many connections, in none."""
        if not self._room.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:
            self._room.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that left, mostly: nothing that the program has to know of."""
        logging.getLogger("marey").debug("live page: a request failed", exc_info=True)

    def stop(self) -> None:
        """From another thread than the server's."""
        self.ends.set()
        self.shutdown()
        self.server_close()


def _close_in_child() -> None:
    """The parent serves on; the child has no thread for it."""
    for server in list(_Server._all):
        server.socket.close()


os.register_at_fork(after_in_child=_close_in_child)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    timeout = _REQUEST_S

    def do_GET(self) -> None:
        body = b""
        if self.command == "POST":
            length = self.headers.get("Content-Length", "0")
            size = int(length) if length.isdecimal() and len(length) < 10 else 0
            body = self.rfile.read(min(size, BODY_MAX + 1))
            self.close_connection = size > BODY_MAX or "Transfer-Encoding" in self.headers
        path, _, query = self.path.partition("?")
        asked = Asked(
            self.command,
            unquote(path),
            query,
            header=self.headers.get,
            body=body,
            can_stream=True,
        )
        self._send(self.server.live.answer(asked, Given(None)))

    do_POST = do_HEAD = do_GET

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        if answer.stream is not None:
            self.close_connection = True
            self.send_header("Connection", "close")
        self.end_headers()
        if answer.stream is not None:
            self._stream(answer.stream)
        for piece in answer.pieces or (answer.body,):
            self.wfile.write(piece)

    def _stream(self, stream: Stream) -> None:
        try:
            while (piece := stream.step()) is not None:
                self.wfile.write(piece)
                if self.server.ends.wait(stream.pause):
                    break
        finally:
            stream.close()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What is no request of HTTP."""
        self.close_connection = True
        self._send(Answer(code))

    def version_string(self) -> str:
        """Of the header Server, which need not say which Python this is."""
        return "marey"

    def log_message(self, format: str, *args: Any) -> None:
        """The addresses have tokens: no log."""
