"""What each path of the live page means, for somebody who may look: see docs/PAGE.md."""

from __future__ import annotations

import gzip
import os

from .. import _page
from . import merge
from .messages import (
    Answer,
    Asked,
    Wrong,
    as_json,
    json_object,
    parameters,
    process_number,
)
from .rights import folder_address, may_change

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import Any

    from .live_page import Live
    from .rights import Visitor

_LASTING = "private, max-age=31536000, immutable"
_PIECE = 1 << 16


def answer_visitor(live: Live, asked: Asked, visitor: Visitor) -> Answer:
    """The answer. Raises Wrong."""
    if asked.path == "/live/control":
        _method(asked, "POST")
        return _control(live, asked, visitor)
    _method(asked, "GET", "HEAD")
    if asked.path == "":
        return Answer(303, headers=(("Location", folder_address(asked)),))
    first, _, rest = asked.path[1:].partition("/")
    if first == "live":
        return _live(live, rest, asked, visitor)
    if first == "profile":
        window, _, question = rest.partition("/")
        return live.profiles.answer(window, question, asked.query)
    if first == "kept" and rest:
        name, slash, question = rest.partition("/")
        return _kept(live, name, question if slash else None, asked)
    if asked.path == "/":
        return asset("live.html", asked)
    return asset(asked.path[1:], asked)


def _method(asked: Asked, *known: str) -> None:
    if asked.method not in known:
        raise Wrong(405, f"only {' and '.join(known)}", ("Allow", ", ".join(known)))


# ---- live/


def _live(live: Live, what: str, asked: Asked, visitor: Visitor) -> Answer:
    if what == "state":
        parameters(asked.query, ())
        return as_json(live.with_visitor(live.figures(), visitor))
    if what == "events":
        parameters(asked.query, ())
        return live.streams.answer(live, visitor, asked.can_stream)
    if what == "kept":
        parameters(asked.query, ())
        return as_json(live.kept.rows())
    merged = {"routes": merge.routes, "dump": merge.dump}.get(what)
    if merged is None:
        raise Wrong(404, "there is no such page")
    worker = process_number(parameters(asked.query, ("worker",)).get("worker"))
    said, silent = live.ask(what, worker)
    return as_json({**merged(said), "problems": silent})


def _control(live: Live, asked: Asked, visitor: Visitor) -> Answer:
    if not may_change(live.group.secret, visitor, asked):
        return Answer(403)
    parameters(asked.query, ())
    wanted = json_object(asked.body)
    for name in wanted:
        if name not in ("action", "value", "worker"):
            raise Wrong(400, f"{name[:40]}: there is no such member")
    problems = live.control(wanted.get("action"), wanted.get("value"), _worker(wanted))
    if all(problems):  # of some that cannot, the state tells
        raise Wrong(400, str(problems[0]))
    return Answer(204)


def _worker(wanted: dict[str, Any]) -> int | None:
    worker = wanted.get("worker")
    if worker is None:
        return None
    if isinstance(worker, int) and not isinstance(worker, bool) and 0 < worker < 1 << 31:
        return worker
    raise Wrong(400, "worker: a process's number wanted")


# ---- kept/


def _kept(live: Live, name: str, question: str | None, asked: Asked) -> Answer:
    """The page of `marey view` on a trace. question: None: the slash behind the name is missing."""
    path = live.kept.path(name)
    if question is None:
        return Answer(303, headers=(("Location", f"{name}/"),))
    if question == "":
        return asset("index.html", asked)
    if question == "trace":
        parameters(asked.query, ())
        return _file(path, name)
    if question == "convert" or question.startswith("api/"):
        return page_answer(live.kept.page(name, path), question, asked.query)
    return asset(question, asked)


def _file(path: str, name: str) -> Answer:
    try:
        file = open(path, "rb")  # noqa: SIM115 (closed behind its last piece)
    except OSError:
        raise Wrong(404, "there is no such trace any more") from None
    size = os.fstat(file.fileno()).st_size

    def pieces() -> Generator[bytes, None, None]:
        with file:
            left = size
            while left > 0 and (piece := file.read(min(_PIECE, left))):
                left -= len(piece)
                yield piece

    headers = (("Content-Length", str(size)), _download(name))
    return Answer(200, "application/octet-stream", pieces=pieces(), headers=headers)


def _download(name: str) -> tuple[str, str]:
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "_" for c in name)
    return "Content-Disposition", f'attachment; filename="{plain}"'


# ---- traces and files


def page_answer(page: _page.Page, question: str, query: str) -> Answer:
    """What the page of `marey view` answers to `api/...` and `convert`."""
    if question == "convert":
        status, content_type, name, body = page.convert(query)
        headers = (_download(name),) if name else ()
        return Answer(status, content_type, body, headers=headers)
    status, content_type, body = page.answer(question, query)
    return Answer(status, content_type, body)


def asset(path: str, asked: Asked) -> Answer:
    """A file of the page."""
    found = None if path == "single.html" else _page.asset(path)
    if found is None:
        raise Wrong(404, "there is no such page")
    content_type, etag, packed = found
    policy = _page.policy(path)
    if path.endswith(".html"):
        cache, headers = "no-store", [("Vary", "Accept-Encoding")]
    else:
        cache, headers = _LASTING, [("ETag", etag), ("Vary", "Accept-Encoding")]
        if etag in (asked.header("if-none-match") or ""):
            return Answer(304, headers=tuple(headers), policy=policy, cache=cache)
    if "gzip" in (asked.header("accept-encoding") or ""):
        headers.append(("Content-Encoding", "gzip"))
    else:
        packed = gzip.decompress(packed)
    return Answer(200, content_type, packed, headers=tuple(headers), policy=policy, cache=cache)
