"""Django, under WSGI and ASGI:

MIDDLEWARE = ["marey.integrations.django.Middleware", ...]     # the first
MAREY = {"query": True, "attributes": "shop.tracing.attributes"}     # if wanted
"""

from __future__ import annotations

from typing import Any

from .._requests import Request, Requests

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .._routes import RouteStats

_ATTRIBUTE = "_marey_request"
_requests: Requests | None = None  # of this process: Django makes the middleware


def _shared() -> Requests:
    """By the settings MAREY: path, query, attributes (a function of the request, or its name)."""
    global _requests
    if _requests is None:
        from django.conf import settings
        from django.utils.module_loading import import_string

        options = dict(getattr(settings, "MAREY", None) or {})
        if isinstance(options.get("attributes"), str):
            options["attributes"] = import_string(options["attributes"])
        _requests = Requests(**options)
    return _requests


def stats() -> list[RouteStats]:
    """Requests of this process by method and route: see wsgi.Middleware.stats."""
    return _shared().stats()


def clear_stats() -> None:
    """Count anew."""
    _shared().clear_stats()


class Middleware:
    """Each request is a span, until the middleware below it has answered; of an answer that is
    streamed afterwards (`streaming=True`), the sending is not in it.
    """

    sync_capable = async_capable = True

    def __init__(self, get_response: Callable[[Any], Any]) -> None:
        self._get_response = get_response
        self._requests = _shared()
        from asgiref.sync import iscoroutinefunction, markcoroutinefunction

        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: Any) -> Any:
        if self._is_async:
            return self._answer(request)
        span = self._begin(request)
        try:
            response = self._get_response(request)
        except BaseException as error:
            span.end(error)
            raise
        return _end(span, response)

    async def _answer(self, request: Any) -> Any:
        span = self._begin(request)
        try:
            response = await self._get_response(request)
        except BaseException as error:
            span.end(error)
            raise
        return _end(span, response)

    def _begin(self, request: Any) -> Request:
        query = request.META.get("QUERY_STRING", "")
        span = self._requests.begin(
            request.method or "", lambda: _route(request), request.path, query, request
        )
        setattr(request, _ATTRIBUTE, span)
        return span

    def process_exception(self, request: Any, exception: Exception) -> None:
        """A view failed; Django makes an answer of it."""
        getattr(request, _ATTRIBUTE).failed_by(exception)


def _route(request: Any) -> str | None:
    from django.http import Http404
    from django.urls import resolve

    try:
        match = resolve(request.path_info, getattr(request, "urlconf", None))
    except Http404:
        return None
    return f"/{match.route}"


def _end(span: Request, response: Any) -> Any:
    span.status = response.status_code
    if response.streaming:
        span.end(streaming=True)
    else:
        span.end()
    return response
