"""Django, under WSGI and ASGI:

MIDDLEWARE = ["marey.integrations.django.Middleware", ...]     # the first
MAREY = {"query": True, "attributes": "shop.tracing.attributes"}     # if wanted
MAREY = {"live": True, "users": {"ann"}}     # and among the urlpatterns:
path("marey/", include("marey.integrations.django.urls"))
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from .._requests import NO_ROUTE, Requests

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from ..._marey import Request
    from .._flight import Flight
    from .._routes import RouteStats

_ATTRIBUTE = "_marey_request"
_requests: Requests | None = None  # of this process: Django makes the middleware


class _Requests(Requests):
    def route_of(self, given: Any) -> str | None:
        """By the URLs."""
        from django.http import Http404
        from django.urls import resolve

        try:
            match = resolve(given.path_info, getattr(given, "urlconf", None))
        except Http404:
            return None
        return f"/{match.route}"

    def route_told(self, request: Request) -> str | None:
        """As Django has found it."""
        match = getattr(request.given, "resolver_match", None)
        return NO_ROUTE if match is None else f"/{match.route}"

    def query_of(self, given: Any) -> str | bytes:
        """QUERY_STRING."""
        return str(given.META.get("QUERY_STRING", ""))

    def user_of(self, given: Any) -> object:
        """Where the application has asked for the user: finding it takes a query."""
        user = getattr(given, "_cached_user", None) or getattr(given, "_acached_user", None)
        return user.get_username() if user is not None and user.is_authenticated else None


def _shared() -> Requests:
    """By the settings MAREY: the options of Requests; attributes, keep and users may be names of
    what is to be imported. Where the page is, the URLs say.
    """
    global _requests
    if _requests is None:
        from django.conf import settings
        from django.utils.module_loading import import_string

        options = dict(getattr(settings, "MAREY", None) or {})
        if options.pop("live", False):
            options["live"] = "/marey"
            options.setdefault("name", settings.ROOT_URLCONF.partition(".")[0])
        for name in ("attributes", "keep", "users"):
            if isinstance(options.get(name), str):
                options[name] = import_string(options[name])
        _requests = _Requests(**options)
    return _requests


def stats() -> list[RouteStats]:
    """Requests of this process by method and route: see wsgi.Middleware.stats."""
    return _shared().stats()


def flight() -> Flight | None:
    """What keeps requests; None where nothing does."""
    return _shared().flight


def clear_stats() -> None:
    """Count anew."""
    _shared().clear_stats()


class Middleware:
    """Each request is a span, until the middleware below it has answered; that of a streamed answer
    until the last piece is sent, or the answer closed.
    """

    sync_capable = async_capable = True

    def __init__(self, get_response: Callable[[Any], Any]) -> None:
        self._get_response = get_response
        self._requests = _shared()
        self._is_async = _is_coroutine_function(get_response)
        if self._is_async:
            _mark_coroutine_function(self)

    def __call__(self, request: Any) -> Any:
        if self._requests.page is not None and _is_page(request):
            return self._get_response(request)  # which is none of the application's
        if self._is_async:
            return self._answer(request)
        span = self._begin(request)
        try:
            response = self._get_response(request)
        except BaseException as error:
            span.end(error)
            raise
        return _end(span, response, request)

    async def _answer(self, request: Any) -> Any:
        span = self._begin(request)
        try:
            response = await self._get_response(request)
        except BaseException as error:
            span.end(error)
            raise
        return _end(span, response, request)

    def _begin(self, request: Any) -> Request:
        span = self._requests.begin(request.method or "", request.path, request)
        setattr(request, _ATTRIBUTE, span)
        return span

    def process_exception(self, request: Any, exception: Exception) -> None:
        """A view failed; Django makes an answer of it."""
        span = getattr(request, _ATTRIBUTE, None)
        if span is not None:
            span.failed_by(exception)


def _is_coroutine_function(function: Any) -> bool:
    try:
        from asgiref.sync import iscoroutinefunction
    except ImportError:  # before asgiref 3.6, with which Django 3.2 to 4.1 are content
        from asyncio import iscoroutinefunction  # type: ignore[assignment]
    return bool(iscoroutinefunction(function))


def _mark_coroutine_function(function: Any) -> None:
    try:
        from asgiref.sync import markcoroutinefunction
    except ImportError:
        from asyncio.coroutines import _is_coroutine  # type: ignore[attr-defined]

        function._is_coroutine = _is_coroutine
    else:
        markcoroutinefunction(function)


def _is_page(request: Any) -> bool:
    """Whether the live page answers it."""
    from django.urls import get_script_prefix

    prefix = _page_prefix(get_script_prefix())
    return bool(prefix and request.path.startswith(prefix))


@lru_cache(maxsize=64)
def _page_prefix(script_prefix: str) -> str:
    """Where the URLs have the page; "": nowhere."""
    from django.urls import NoReverseMatch, reverse

    try:
        return str(reverse("marey:live"))
    except NoReverseMatch:
        return ""


def _end(span: Request, response: Any, request: Any) -> Any:
    span.status = response.status_code
    if not response.streaming:
        span.end()
    elif _is_sent_elsewhere(request, response):
        span.end(streaming=True)
    else:
        _end_when_sent(span, response)
    return response


def _is_sent_elsewhere(request: Any, response: Any) -> bool:
    """Whether it is sent by another thread than the one whose track the span is on: under ASGI
    where a middleware below, which knows no async, makes a thread's of this one.
    """
    from asyncio import get_running_loop

    if not hasattr(request, "scope"):  # WSGI
        return False
    try:
        get_running_loop()
    except RuntimeError:
        return True
    return False


def _end_when_sent(span: Request, response: Any) -> None:
    close = response.close

    def closing() -> None:
        try:
            close()
        finally:
            span.end()

    response.close = closing
    if getattr(response, "file_to_stream", None) is not None:
        return  # the server may send it by itself, unless it is touched
    pieces = response.streaming_content
    is_async = getattr(response, "is_async", False)
    response.streaming_content = (_AsyncPieces if is_async else _Pieces)(pieces, span)


class _Pieces:
    """What is streamed; the request ends with it."""

    def __init__(self, pieces: Iterator[bytes], span: Request) -> None:
        self._pieces, self._span = pieces, span

    def __iter__(self) -> _Pieces:
        return self

    def __next__(self) -> bytes:
        try:
            return next(self._pieces)
        except StopIteration:
            self._span.end()
            raise
        except BaseException as error:
            self._span.end(error)
            raise


class _AsyncPieces:
    """The same, of an asynchronous iterator."""

    def __init__(self, pieces: AsyncIterator[bytes], span: Request) -> None:
        self._pieces, self._span = pieces, span

    def __aiter__(self) -> _AsyncPieces:
        return self

    async def __anext__(self) -> bytes:
        try:
            return await self._pieces.__anext__()
        except StopAsyncIteration:
            self._span.end()
            raise
        except BaseException as error:
            self._span.end(error)
            raise
