"""A request as a span: what all integrations share.

What a span is called is known when it begins: the method and the route's pattern, which is looked
up before the application does the same. Names stay few, for clients choose neither.
"""

from __future__ import annotations

import logging
from urllib.parse import parse_qs

from .. import _marey
from ._routes import Routes, RouteStats
from ._rules import RequestInfo

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any, Literal, TypedDict

    from .._live.live_page import Live
    from .._live.mounted import Mounted
    from .._live.rights import Users
    from .._record import Path, Size
    from ._flight import Flight
    from ._rules import Keep

    class Options(TypedDict, total=False):
        """What every integration takes: see Requests."""

        path: bool
        query: bool
        user: bool
        attributes: Callable[[Any], Mapping[str, object]] | None
        keep: Keep | Flight | None
        record: Literal["spans", "samples", "calls"]
        ring: Size
        folder: Path
        files: int
        size: Size
        hz: float
        args: bool
        include: str | Iterable[str] | None
        ignore: str | Iterable[str] | None
        live: str | None
        name: str
        users: Users | None
        token: str | None
        mode: Literal["wall", "cpu", "gil"]
        running: bool
        group: str | None
        idle: bool
        lines: bool
        native: bool
        tasks: bool


_METHODS = frozenset(
    {
        *("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "QUERY"),
        "WEBSOCKET",
    }
)
_NO_ROUTE = "(no route)"
_OF_THE_PAGE = frozenset(
    {"name", "users", "token", "mode", "running", "group", "idle", "lines", "native", "tasks"}
)


class Request:
    """One request, from its begin to its end. Nothing here raises.

    Its name is needed when a span begins; where nothing records, it is found when the request is
    over, which is cheaper in most frameworks.
    """

    __slots__ = (
        *("_began", "_ended", "_error", "_given", "_method", "_name", "_path", "_requests"),
        *("_route", "_span", "status"),
    )

    def __init__(
        self, requests: Requests, method: str, path: str, given: object, name: str = ""
    ) -> None:
        self._requests, self._given = requests, given
        self._method, self._path = method, path
        self._name = self._route = name
        self._span: _marey.span | None = None
        self._ended = False
        self._error: BaseException | None = None
        #: As of HTTP; 0: not known.
        self.status = 0
        requests._routes.begin()
        self._began = _marey.now()

    def remember(self) -> None:
        """Be none: nothing records."""
        self._given = self._requests.to_tell(self._given)

    def record(self, args: dict[str, Any]) -> None:
        """Be a span."""
        requests = self._requests
        self._span = _marey.span(self._name, requests._category, **args)
        self._span.__enter__()

    def find_name(self, route_of: Callable[[Any], str | None]) -> None:
        """By the route, which is given what begin() was."""
        if self._name:
            return
        self._route = self._requests._route(route_of, self._given)
        self._name = f"{self._method} {self._route}" if self._route else self._method

    def failed_by(self, error: BaseException) -> None:
        """An exception that the framework has made an answer of."""
        self._error = error

    def end(self, error: BaseException | None = None, **args: Any) -> None:
        """It is over; once. `error` left the application."""
        if self._ended:
            return
        self._ended = True
        requests = self._requests
        seconds = (_marey.now() - self._began) / 1e9
        error = error or self._error
        failed = self.status >= 500 or isinstance(error, Exception)
        self.find_name(requests.route_told)
        if self._span is not None:
            self._end_recorded(self._span, seconds, error, args)
        requests._routes.add(self._name, seconds, failed)
        self._given = self._error = None

    def _end_recorded(
        self,
        span: _marey.span,
        seconds: float,
        error: BaseException | None,
        args: dict[str, Any],
    ) -> None:
        flight = self._requests.flight
        user = self._requests._user_of(self._given)
        info = RequestInfo(
            self._name, self._method, self._route, self._path, self.status, seconds, error, user
        )
        reason = "" if flight is None else flight.reason(info)
        for name, value in (("status", self.status), ("user", user), ("kept", reason)):
            if value:
                args[name] = value
        span.set(failed=info.failed, **args)
        span.__exit__(None if error is None else type(error), error, None)
        if flight is not None and reason:
            flight.keep(info, reason, self._began, _marey.now())


class Requests:
    """Makes spans of requests, keeps what `stats()` tells, and the traces of some.

    path: show the path. query: show the values of the query string, too (those named like secrets
    as ***). user: show who asks, as the framework knows it. attributes: more arguments of the span,
    given the framework's request; called while something records.

    keep: of which requests the trace is kept: slower_than(seconds), failed(), every(n), a function
    of a RequestInfo, several of these, or True, for all. While this is given, a ring in memory
    records all the time. The rest is about that:
    record: "spans", "samples" (hz a second, too) or "calls" (of the application's own code;
    include, ignore, args: as for marey.calls). ring: bytes, or "16M", of each process; the
    program's own recording takes its place.
    folder: where to; made where it is needed. files, size: so many traces, and bytes or "256M", are
    kept in it; the oldest go first. Processes may share one.

    live: the path of the live page, "/marey"; None: there is none. name: of the application, on the
    page. users, token: who may look; without one of them nobody. hz, mode, idle, lines, native,
    tasks: how it samples when it is told to, as of marey.Sampler; running: from the first request
    on. group: a name for the processes that the page shows together, where those of one parent and
    command are not those.

    ValueError and TypeError name the option.
    """

    _category = _marey.Category("request")

    def __init__(
        self,
        *,
        path: bool = True,
        query: bool = False,
        user: bool = False,
        attributes: Callable[[Any], Mapping[str, object]] | None = None,
        keep: Keep | Flight | None = None,
        live: str | None = None,
        **more: Any,
    ) -> None:
        if attributes is not None and not callable(attributes):
            raise TypeError(f"attributes: a function wanted, not {type(attributes).__name__}")
        self._path = bool(path)
        self._query = bool(query)
        self._user = bool(user)
        self._attributes = attributes
        self._told = False
        self._routes = Routes()
        shown = {name: more.pop(name) for name in _OF_THE_PAGE if name in more}
        if live is not None and "hz" in more:  # of both
            shown["hz"] = more["hz"] if keep else more.pop("hz")
        #: What keeps requests; None where nothing does.
        self.flight = make_flight(keep, **more)
        #: The live page, and where it is in the application; None where there is none.
        self.page = make_page(live, self, shown)
        #: What shows these requests on a page, in the application or elsewhere.
        self.live: Live | None = None if self.page is None else self.page.live

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

    def begin(self, method: str, path: str, query: str | bytes, given: object) -> Request:
        """A request begins: what the framework has of it is given to route_of() and the others."""
        known = method.upper()
        request = Request(self, known if known in _METHODS else "(other)", path, given)
        if self._is_recording():
            request.find_name(self.route_of)
            request.record(self._arguments(request, query))
        else:
            request.remember()
        return request

    def begin_named(self, name: str, method: str, given: object, **args: Any) -> Request:
        """One that has no route, but a name."""
        request = Request(self, method, "", given, name)
        if self._is_recording():
            request.record({**self._arguments(request, ""), **args})
        return request

    def _is_recording(self) -> bool:
        """As it is from the next request on."""
        if self.flight is not None:
            self.flight.ready()
        if self.live is not None:
            self.live.touch()
        return _marey.recording()

    def route_of(self, given: Any) -> str | None:
        """The pattern of its route, as it begins; None: none fits, "": nobody knows routes."""
        return ""

    def to_tell(self, given: Any) -> Any:
        """What route_told() is to be given, as it begins."""
        return given

    def route_told(self, given: Any) -> str | None:
        """The same when it is over: by then the framework may have found it."""
        return self.route_of(given)

    def user_of(self, given: Any) -> object:
        """Who made it, as known when it is over; None: nobody knows."""
        return None

    def _user_of(self, given: object) -> str | None:
        if not self._user:
            return None
        try:
            user = self.user_of(given)
        except Exception as error:
            self._tell("the user cannot be found", error)
            return None
        return None if user is None else str(user)[:200]

    def _route(self, route_of: Callable[[Any], str | None], given: object) -> str:
        try:
            found = route_of(given)
        except Exception as error:
            self._tell("a route cannot be found", error)
            found = None
        if found is None:
            return _NO_ROUTE
        return found[:400].replace("\0", "")

    def _arguments(self, request: Request, query: str | bytes) -> dict[str, Any]:
        args: dict[str, Any] = {}
        try:
            if self._attributes is not None:
                args.update(self._attributes(request._given))
        except Exception as error:
            self._tell("attributes(...) failed", error)
        if self._path and request._path:
            args["path"] = request._path
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
        logging.getLogger("marey").warning(
            "requests: %s: %s: %s", what, type(error).__name__, error, exc_info=error
        )


def make_flight(keep: Any, **options: Any) -> Flight | None:
    """The flight recorder that keep= and the options after it ask for."""
    from ._flight import Flight

    if isinstance(keep, Flight):
        return keep
    if keep is None or keep is False:
        if options:
            raise TypeError(f"{next(iter(options))}: only with keep")
        return None
    return Flight(keep, **options)


def make_page(live: Any, requests: Requests, options: dict[str, Any]) -> Mounted | None:
    """The live page that live= and its options ask for."""
    if live is None and not options:
        return None  # without an import of what serves it
    from .._live.mounted import mounted

    return mounted(live, requests, options)


def _query(query: str | bytes) -> dict[str, object]:
    """Its values by their names, for those of secrets to be hidden."""
    text = query.decode("latin-1") if isinstance(query, bytes) else query
    try:
        found = parse_qs(text[:4096], keep_blank_values=True, max_num_fields=64)
    except ValueError:
        return {"": "(too many fields)"}
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}
