"""The live page below a prefix of a WSGI application (PEP 3333), and what other integrations for
threads share with it.
"""

from __future__ import annotations

from http import HTTPStatus

from .messages import BODY_MAX, Answer, Asked
from .rights import Given

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator
    from typing import Any

    from .mounted import Mounted


def serve(
    page: Mounted, path: str, environ: dict[str, Any], start_response: Callable[..., Any]
) -> Iterable[bytes]:
    """The page's answer. path: below its prefix."""
    asked = asked_of(environ, path, page.folder)
    answer = page.live.answer(asked, Given(environ, lambda: environ.get("REMOTE_USER")))
    try:
        reason = HTTPStatus(answer.status).phrase
    except ValueError:
        reason = "Unknown"
    start_response(f"{answer.status} {reason}", answer.headers)
    return _Body(answer)


def asked_of(environ: dict[str, Any], path: str, folder: str) -> Asked:
    """What a WSGI request asks of the page. An answer does not last: it would hold a thread, and
    the application may have few.
    """
    method = str(environ.get("REQUEST_METHOD", ""))
    return Asked(
        method,
        path,
        str(environ.get("QUERY_STRING", "")),
        folder,
        header=lambda name: environ.get(f"HTTP_{name.upper().replace('-', '_')}"),
        body=_body(environ) if method == "POST" else b"",
        is_https=environ.get("wsgi.url_scheme") == "https",
    )


def _body(environ: dict[str, Any]) -> bytes:
    length = str(environ.get("CONTENT_LENGTH") or "0")
    size = int(length) if length.isascii() and length.isdecimal() and len(length) < 10 else 0
    try:
        found = environ["wsgi.input"].read(min(size, BODY_MAX + 1))
    except Exception:  # whatever a server raises where the client has left
        return b""
    return found if isinstance(found, bytes) else b""


def pieces_of(answer: Answer) -> Generator[bytes, None, None]:
    """Its body. A stream's pieces are those that are there at once."""
    try:
        if answer.stream is not None:
            while (piece := answer.stream.step()) is not None:
                yield piece
        elif answer.pieces is not None:
            yield from answer.pieces
        else:
            yield answer.body
    finally:
        answer.close()


class _Body:
    """An answer's pieces; the server closes it."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._pieces = pieces_of(answer)

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces

    def close(self) -> None:
        self._pieces.close()
        self._answer.close()
