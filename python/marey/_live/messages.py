"""What is asked of the live page and what it answers, without any transport: integrations turn
their framework's requests into Asked, and Answers into its responses.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import NamedTuple
from urllib.parse import parse_qsl

from .. import _page

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator
    from typing import Any

#: Bytes of a request's body, and characters of its query, that are read.
BODY_MAX = 4096
QUERY_MAX = 4096
_FIELDS_MAX = 32


class Asked(NamedTuple):
    """A request to the page."""

    method: str
    #: Below the page's prefix, decoded: "" (the prefix without its last slash), "/", "/live/state".
    path: str
    #: Undecoded, without its "?".
    query: str = ""
    #: The last part of the page's prefix, for an address that is relative to it.
    folder: str = "marey"
    #: A header's value by its name in lower case, with dashes.
    header: Callable[[str], str | None] = lambda name: None
    #: At most BODY_MAX + 1 bytes of it.
    body: bytes = b""
    is_https: bool = False
    #: An answer may last without holding up other requests.
    can_stream: bool = False


class Stream:
    """An answer that is sent in pieces as they come: step() gives the next one, which may be empty,
    and never waits; after each, `pause` seconds pass. At its end it gives None.
    """

    pause = 1.0

    def step(self) -> bytes | None:
        """The next piece."""
        raise NotImplementedError

    def close(self) -> None:
        """Nobody listens any more; twice is as once."""


class Answer:
    """A response: `body`, or `pieces` of a file, or a `stream`."""

    def __init__(
        self,
        status: int,
        content_type: str = "",
        body: bytes = b"",
        *,
        headers: tuple[tuple[str, str], ...] = (),
        policy: str = "",
        cache: str = "no-store",
        pieces: Generator[bytes, None, None] | None = None,
        stream: Stream | None = None,
    ) -> None:
        self.status = status
        self.body = body
        self.pieces = pieces
        self.stream = stream
        self.headers = [
            *((("Content-Type", content_type),) if content_type else ()),
            ("Cache-Control", cache),
            ("Content-Security-Policy", policy or _page.policy()),
            ("X-Content-Type-Options", "nosniff"),
            ("Referrer-Policy", "no-referrer"),
            *headers,
        ]
        if stream is None and pieces is None and status not in (204, 304):
            self.headers.append(("Content-Length", str(len(body))))

    def close(self) -> None:
        """Nobody takes it, or it has been taken; twice is as once."""
        if self.stream is not None:
            self.stream.close()
        if self.pieces is not None:
            with suppress(ValueError):  # a thread takes one: it ends with that
                self.pieces.close()

    def without_body(self) -> Answer:
        """What HEAD gets."""
        self.close()
        self.body, self.pieces, self.stream = b"", None, None
        return self


class Wrong(Exception):
    """What was asked cannot be answered: a status, and words for who asked."""

    def __init__(self, status: int, words: str, *headers: tuple[str, str]) -> None:
        super().__init__(words)
        self.status = status
        self.headers = headers

    def answer(self) -> Answer:
        """The same as JSON."""
        return as_json({"error": str(self)}, self.status, self.headers)


def as_json(value: object, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    """JSON, for programs."""
    return Answer(status, "application/json", json.dumps(value).encode(), headers=headers)


def parameters(query: str, known: Collection[str]) -> dict[str, str]:
    """A query's parameters. Raises Wrong for one that is unknown, given twice, or empty."""
    if len(query) > QUERY_MAX:
        raise Wrong(400, f"the query has more than {QUERY_MAX} characters")
    try:
        pairs = parse_qsl(
            query, keep_blank_values=True, strict_parsing=bool(query), max_num_fields=_FIELDS_MAX
        )
    except ValueError:
        raise Wrong(400, "the query has no form") from None
    found: dict[str, str] = {}
    for name, value in pairs:
        if name not in known:
            raise Wrong(400, f"{name[:40]}: there is no such parameter here")
        if name in found:
            raise Wrong(400, f"{name}: given twice")
        found[name] = value
    return found


def process_number(text: str | None) -> int | None:
    """The value of `worker`; None: not given."""
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 10 and int(text) > 0):
        raise Wrong(400, "worker: a process's number wanted")
    return int(text)


def json_object(body: bytes) -> dict[str, Any]:
    """A request's body. Raises Wrong."""
    if len(body) > BODY_MAX:
        raise Wrong(413, f"the body has more than {BODY_MAX} bytes")
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise Wrong(400, "the body is no JSON") from None
    if not isinstance(found, dict):
        raise Wrong(400, "the body is no JSON object")
    return found
