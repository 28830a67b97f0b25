"""A request as a span: what all integrations share. What is done for each request is native
(src/python/request.h); here is what is wanted, and what only Python can answer.
"""

from __future__ import annotations

import logging
import os
import weakref
from urllib.parse import parse_qs

from .. import _marey
from ._routes import merged_rows
from ._rules import RequestInfo

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any, Literal, TypedDict

    from .._live.live_page import Live
    from .._live.mounted import Mounted
    from .._live.rights import Users
    from .._marey import Request
    from .._record import Path, Size
    from ._flight import Flight
    from ._routes import RouteStats, Said
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


# Names stay few, for clients choose neither method nor path.
_METHODS = (
    *("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "QUERY"),
    "WEBSOCKET",
)
#: What is called the route of a request that none fits.
NO_ROUTE = "(no route)"
_NEVER = float("inf")
_OF_THE_PAGE = frozenset(
    {"name", "users", "token", "mode", "running", "group", "idle", "lines", "native", "tasks"}
)


class Requests(_marey.Requests):
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
        super().__init__()
        if attributes is not None and not callable(attributes):
            raise TypeError(f"attributes: a function wanted, not {type(attributes).__name__}")
        self._query = bool(query)
        self._user = bool(user)
        self._attributes = attributes
        self._told = False
        shown = {name: more.pop(name) for name in _OF_THE_PAGE if name in more}
        if live is not None and "hz" in more:  # of both
            shown["hz"] = more["hz"] if keep else more.pop("hz")
        #: What keeps requests; None where nothing does.
        self.flight = make_flight(keep, **more)
        #: The live page, and where it is in the application; None where there is none.
        self.page = make_page(live, self, shown)
        #: What shows these requests on a page, in the application or elsewhere.
        self.live: Live | None = None if self.page is None else self.page.live
        self._configure(path)

    def _configure(self, path: bool) -> None:
        """What is natively done for each request, and when Python is asked."""
        self._methods.update((method, method) for method in _METHODS)
        self._span_category = self._category
        self._shows_path = bool(path)
        self._has_arguments = self._attributes is not None or self._query
        self._keeps = self.flight is not None
        self._recalls_names = True
        quiet = _NEVER if self.flight is None else self.flight.quiet_seconds
        self._judged_from = -1.0 if self._user else quiet
        if self.flight is not None:
            self.flight.users.add(self)
        _all.add(self)

    def stats(self) -> list[RouteStats]:
        """Requests by method and route since the start or clear_stats(), whether recorded or not:
        name, requests, errors, mean, p50, p95, p99, max; times in seconds.
        """
        return merged_rows([self.classes()])

    def clear_stats(self) -> None:
        """Count anew."""
        self._times.clear()

    def counts(self) -> dict[str, int]:
        """Requests that are open, that are over ("count"), and errors."""
        return self._times.counts()

    def classes(self) -> Mapping[str, Said]:
        """Times of each route, for _routes.merged_rows()."""
        return self._times.classes()

    # ---- what a framework knows

    def route_of(self, given: Any) -> str | None:
        """The pattern of a request's route, as it begins; None: none fits, "": nobody knows
        routes.
        """
        return ""

    def route_told(self, request: Request) -> str | None:
        """The same when it is over, where the framework has found it by then; None: it has not."""
        return None

    def given_before(self, request: Request) -> Any:
        """What the framework had of it when it began."""
        return request.given

    def query_of(self, given: Any) -> str | bytes:
        """The query string."""
        return ""

    def user_of(self, given: Any) -> object:
        """Who made it, as known when it is over; None: nobody knows."""
        return None

    # ---- what is asked natively, of a request; these raise nothing

    def _make_ready(self) -> None:
        """A request comes, and nothing records, or it is the first of this process."""
        if self.flight is not None:
            self.flight.ready()
        if self.live is not None:
            self.live.touch()
        self._is_ready = self.flight is None or self.flight.is_on

    def _find_route(self, request: Request) -> str:
        try:
            found = self.route_of(self.given_before(request))
        except Exception as error:
            self._tell("a route cannot be found", error)
            found = None
        return NO_ROUTE if found is None else _bounded(found)

    def _route_told(self, request: Request) -> str | None:
        try:
            found = self.route_told(request)
        except Exception as error:
            self._tell("a route cannot be found", error)
            return None
        return None if found is None else _bounded(found)

    def _arguments(self, request: Request) -> dict[str, Any]:
        args: dict[str, Any] = {}
        try:
            if self._attributes is not None:
                args.update(self._attributes(request.given))
        except Exception as error:
            self._tell("attributes(...) failed", error)
        try:
            query = self.query_of(request.given) if self._query else ""
            if query:
                args["query"] = _query(query)
        except Exception as error:
            self._tell("the query cannot be read", error)
        for taken in ("category", "track", "flow"):  # options of a span
            if taken in args:
                args[taken + "_"] = args.pop(taken)
        return {str(name): value for name, value in args.items()}

    def _judge(self, request: Request) -> None:
        """It is over: say of whom it was, and whether its trace is kept."""
        if self._user:
            request.user = self._user_of(request.given)
        if self.flight is not None:
            request.kept = self.flight.reason(request) or None

    def _keep(self, request: Request) -> None:
        """Its span has ended."""
        assert self.flight is not None
        self.flight.keep(RequestInfo.of(request), request.kept or "", request.began_ns)

    def _user_of(self, given: object) -> str | None:
        try:
            user = self.user_of(given)
        except Exception as error:
            self._tell("the user cannot be found", error)
            return None
        return None if user is None else str(user)[:200]

    def _tell(self, what: str, error: BaseException) -> None:
        """Log it, the first time."""
        if self._told:
            return
        self._told = True
        logging.getLogger("marey").warning(
            "requests: %s: %s: %s", what, type(error).__name__, error, exc_info=error
        )


def _bounded(route: str) -> str:
    return route[:400].replace("\0", "")


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


_all: weakref.WeakSet[Requests] = weakref.WeakSet()


def _begin_anew() -> None:
    """In a forked child, which answers requests of its own."""
    for requests in list(_all):
        requests._is_ready = False
        requests._times.after_fork()


os.register_at_fork(after_in_child=_begin_anew)
