"""A request as a span: what all integrations share.

What a span is called is known when it begins: the method and the route's pattern, which is looked
up before the application does the same. Names stay few, for clients choose neither.
"""

from __future__ import annotations

import time
from urllib.parse import parse_qs

from .. import _marey
from ._routes import Routes, RouteStats

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

_METHODS = frozenset(
    {
        *("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "QUERY"),
        "WEBSOCKET",
    }
)
_CATEGORY = _marey.Category("request")
_NO_ROUTE = "(no route)"


class Request:
    """One request, from its begin to its end. Nothing here raises."""

    def __init__(self, requests: Requests, name: str, args: dict[str, Any]) -> None:
        self._requests = requests
        self._name = name
        self._began = time.monotonic()
        self._ended = False
        self._error: BaseException | None = None
        #: As of HTTP; 0: not known.
        self.status = 0
        requests._routes.begin()
        self._span = _marey.span(name, _CATEGORY, **args)
        self._span.__enter__()

    def failed_by(self, error: BaseException) -> None:
        """An exception that the framework has made an answer of."""
        self._error = error

    def end(self, error: BaseException | None = None, **args: Any) -> None:
        """It is over; once. `error` left the application."""
        if self._ended:
            return
        self._ended = True
        error = error or self._error
        failed = self.status >= 500 or isinstance(error, Exception)
        if self.status:
            args["status"] = self.status
        self._span.set(failed=failed, **args)
        self._span.__exit__(None if error is None else type(error), error, None)
        self._error = None
        self._requests._routes.add(self._name, time.monotonic() - self._began, failed)


class Requests:
    """Makes spans of requests, and keeps what `stats()` tells."""

    def __init__(
        self,
        *,
        path: bool = True,
        query: bool = False,
        attributes: Callable[[Any], Mapping[str, object]] | None = None,
    ) -> None:
        if attributes is not None and not callable(attributes):
            raise TypeError(f"attributes: a function wanted, not {type(attributes).__name__}")
        self._path = bool(path)
        self._query = bool(query)
        self._attributes = attributes
        self._told = False
        self._routes = Routes()

    def stats(self) -> list[RouteStats]:
        """Requests by method and route since the start or clear_stats(), whether recorded or not:
        name, requests, errors, mean, p50, p95, p99, max; times in seconds.
        """
        return self._routes.stats()

    def clear_stats(self) -> None:
        """Count anew."""
        self._routes.clear()

    def counts(self) -> dict[str, int]:
        """Requests that are open, that are over ("count"), and errors."""
        return self._routes.counts()

    def classes(self) -> dict[str, Any]:
        """Times of each route, for _routes.merged_rows()."""
        return self._routes.classes()

    def after_fork(self) -> None:
        """In a forked child, which answers requests of its own."""
        self._routes.after_fork()

    def begin(
        self,
        method: str,
        route: Callable[[], str | None] | None,
        path: str,
        query: str | bytes,
        given: object,
    ) -> Request:
        """A request begins. route: finds its pattern; None: nobody knows routes."""
        known = method.upper()
        name = known if known in _METHODS else "(other)"
        if route is not None:
            name += f" {self._route(route)}"
        args: dict[str, Any] = {}
        if _marey.recording():
            args = self._arguments(path, query, given)
        return Request(self, name, args)

    def _route(self, route: Callable[[], str | None]) -> str:
        try:
            found = route()
        except Exception as error:
            self._tell("a route cannot be found", error)
            found = None
        return found[:400].replace("\0", "") if found else _NO_ROUTE

    def _arguments(self, path: str, query: str | bytes, given: object) -> dict[str, Any]:
        args: dict[str, Any] = {}
        try:
            if self._attributes is not None:
                args.update(self._attributes(given))
        except Exception as error:
            self._tell("attributes(...) failed", error)
        if self._path:
            args["path"] = path
        if self._query and query:
            args["query"] = _query(query)
        for taken in ("category", "track", "flow"):  # options of a span
            if taken in args:
                args[taken + "_"] = args.pop(taken)
        return {str(name): value for name, value in args.items()}

    def _tell(self, what: str, error: BaseException) -> None:
        """Log it, the first time."""
        if self._told:
            return
        self._told = True
        import logging

        logging.getLogger("marey").warning(
            "requests: %s: %s: %s", what, type(error).__name__, error, exc_info=error
        )


def _query(query: str | bytes) -> dict[str, object]:
    """Its values by their names, for those of secrets to be hidden."""
    text = query.decode("latin-1") if isinstance(query, bytes) else query
    try:
        found = parse_qs(text[:4096], keep_blank_values=True, max_num_fields=64)
    except ValueError:
        return {"": "(too many fields)"}
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}
