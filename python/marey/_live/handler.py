"""HTTP, for marey.live(): what a connection asks of the page, and its answer."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler
from urllib.parse import unquote

from .messages import BODY_MAX, Answer, Asked, Stream
from .rights import Given

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .server import _Server

_REQUEST_S = 30.0  # so long a request may take to come, and a piece of an answer to go


class Handler(BaseHTTPRequestHandler):
    """One connection; `server` has `live`, and `ends`, which is set when it ends."""

    server: _Server  # type: ignore[assignment]
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
