"""The live page below a prefix of an ASGI application (asgiref 3). What it does it does in threads
of its own, so that the event loop, and its executor, are the application's.
"""

from __future__ import annotations

import asyncio
import contextvars

from .messages import BODY_MAX, Answer, Asked, Stream
from .rights import Given

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping
    from typing import Any, TypeVar

    from .live_page import Live
    from .mounted import Mounted

    Scope = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
    Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
    T = TypeVar("T")

_RULE_S = 5.0  # so long a rule that is a coroutine may take


async def serve(page: Mounted, path: str, scope: Scope, receive: Receive, send: Send) -> None:
    """The page's answer. path: below its prefix."""
    threads = _Threads(page.live)
    method = str(scope.get("method", ""))
    headers: dict[bytes, bytes] = {}
    for name, value in scope.get("headers", ()):  # HTTP/2 may have a cookie in each of several
        before = headers.get(name.lower())
        headers[name.lower()] = value if before is None else before + b"; " + value
    asked = Asked(
        method,
        path,
        scope.get("query_string", b"").decode("latin-1"),
        page.folder,
        header=lambda name: _text(headers.get(name.encode("latin-1"))),
        body=await _body(receive) if method == "POST" else b"",
        is_https=scope.get("scheme") == "https",
        can_stream=threads.loop is not None,
    )
    settle = None if threads.loop is None else _settle(threads.loop)
    given = Given(scope, lambda: _login(scope), settle)
    await _send(threads, await threads.run(page.live.answer, asked, given), receive, send)


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")


def _login(scope: Scope) -> str | None:
    """As Starlette's AuthenticationMiddleware, which stands around this one, has it."""
    user = scope.get("user")
    if getattr(user, "is_authenticated", False) is not True:
        return None
    try:
        name = user.identity  # type: ignore[union-attr]
    except (AttributeError, NotImplementedError):
        name = getattr(user, "display_name", None)
    return name if isinstance(name, str) and name else None


async def _body(receive: Receive) -> bytes:
    found = b""
    while len(found) <= BODY_MAX:
        message = await receive()
        found += message.get("body", b"")
        if message["type"] != "http.request" or not message.get("more_body"):
            break
    return found[: BODY_MAX + 1]


# ---- threads


class _Threads:
    """The page's threads. Without asyncio what they should do is done at once."""

    def __init__(self, live: Live) -> None:
        self._live = live
        try:
            self.loop: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
        except RuntimeError:  # another library's
            self.loop = None

    async def run(self, function: Callable[..., T], *args: Any) -> T:
        """What it returns."""
        if self.loop is None:
            return function(*args)
        context = contextvars.copy_context()
        return await self.loop.run_in_executor(self._live.executor, context.run, function, *args)


def _settle(loop: asyncio.AbstractEventLoop) -> Callable[[Awaitable[object]], object]:
    """What waits, in one of our threads, for a coroutine of the application's."""

    async def finish(verdict: Awaitable[object]) -> object:
        return await verdict

    def settle(verdict: Awaitable[object]) -> object:
        future = asyncio.run_coroutine_threadsafe(finish(verdict), loop)
        try:
            return future.result(_RULE_S)
        finally:
            future.cancel()

    return settle


# ---- answers


async def _send(threads: _Threads, answer: Answer, receive: Receive, send: Send) -> None:
    headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in answer.headers]
    try:
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        if answer.stream is not None:
            await _send_stream(threads, answer.stream, receive, send)
        elif answer.pieces is not None:
            while (piece := await threads.run(next, answer.pieces, b"")) != b"":
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": answer.body})
    finally:
        answer.close()


async def _send_stream(threads: _Threads, stream: Stream, receive: Receive, send: Send) -> None:
    """Until its end, or until the client leaves."""
    left = None if threads.loop is None else asyncio.ensure_future(_disconnected(receive))
    try:
        while (piece := await threads.run(stream.step)) is not None:
            if piece:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            if left is not None and (await asyncio.wait({left}, timeout=stream.pause))[0]:
                return
    finally:
        if left is not None:
            left.cancel()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
