"""The live page as a view of Django."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from .messages import BODY_MAX, Answer, Asked
from .rights import Given
from .wsgi import pieces_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from .live_page import Live


def respond(live: Live, request: Any, path: str) -> Any:
    """The page's HttpResponse, for the part of the path below its prefix."""
    asked = Asked(
        request.method or "",
        f"/{path}",
        request.META.get("QUERY_STRING", ""),
        header=request.headers.get,
        body=_body(request) if request.method == "POST" else b"",
        is_https=request.is_secure(),
        can_stream=_takes_async(request),
    )
    return _response(live.answer(asked, Given(request, lambda: _login(request))), request)


def _body(request: Any) -> bytes:
    try:
        return bytes(request.read(BODY_MAX + 1))
    except OSError:  # the client has left
        return b""


def _login(request: Any) -> str | None:
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated or not user.is_active:
        return None
    return str(user.get_username())


def _response(answer: Answer, request: Any) -> Any:
    from django.http import HttpResponse, StreamingHttpResponse

    if answer.stream is None and answer.pieces is None:
        response = HttpResponse(answer.body, status=answer.status)
    else:
        pieces = _async_pieces(answer) if _takes_async(request) else pieces_of(answer)
        response = StreamingHttpResponse(pieces, status=answer.status)
    del response["Content-Type"]
    for name, value in answer.headers:
        response[name] = value
    return response


def _takes_async(request: Any) -> bool:
    """Whether an answer may be sent by the event loop."""
    import django

    return hasattr(request, "scope") and bool(django.VERSION >= (4, 2))


async def _async_pieces(answer: Answer) -> AsyncIterator[bytes]:
    """The same as pieces_of, without a thread that waits."""
    from asgiref.sync import sync_to_async

    in_thread: Any = partial(sync_to_async, thread_sensitive=False)
    stream, pieces = answer.stream, pieces_of(answer)
    following = partial(next, pieces, None) if stream is None else stream.step
    try:
        while (piece := await in_thread(following)()) is not None:
            yield piece
            if stream is not None:
                await asyncio.sleep(stream.pause)
    finally:
        pieces.close()
        answer.close()
