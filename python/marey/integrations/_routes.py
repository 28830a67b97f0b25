"""Times of requests by route, in bounded memory: a histogram with logarithmic classes for each."""

from __future__ import annotations

import math
import threading
from collections import deque
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    # Of a route: requests, errors, seconds in all and at most, (class, requests) of each class.
    _Said = tuple[int, int, float, float, Sequence[Sequence[int]]]

_ROUTES_MAX = 1000
_PENDING_MAX = 128
#: Under this name stand the routes that came when there were so many.
OTHER = "(other)"

# Each class of times ends 4 % above where it begins, so that a percentile is right within 2 %.
# From 1 us to 10 days there are some 700.
_STEP = math.log(1.04)
_LEAST, _MOST = 1e-6, 864_000.0


class RouteStats(NamedTuple):
    """The requests of one route. Times in seconds; percentiles are right within 2 %."""

    name: str
    requests: int
    errors: int
    mean: float
    p50: float
    p95: float
    p99: float
    max: float


class _Times:
    def __init__(self) -> None:
        self.count = self.errors = 0
        self.total = self.max = 0.0
        self.classes: dict[int, int] = {}

    def add(self, seconds: float, failed: bool) -> None:
        self.count += 1
        self.errors += failed
        self.total += seconds
        self.max = max(self.max, seconds)
        index = int(math.log(min(max(seconds, _LEAST), _MOST) / _LEAST) / _STEP)
        self.classes[index] = self.classes.get(index, 0) + 1

    def percentile(self, share: float) -> float:
        """The middle of the class in which so many requests are done; never above the longest."""
        left = math.ceil(share * self.count)
        for index in sorted(self.classes):
            left -= self.classes[index]
            if left <= 0:
                return min(_LEAST * math.exp((index + 0.5) * _STEP), self.max)
        return self.max


def _rows(routes: dict[str, _Times]) -> list[RouteStats]:
    return [
        RouteStats(
            name,
            times.count,
            times.errors,
            times.total / times.count,
            times.percentile(0.5),
            times.percentile(0.95),
            times.percentile(0.99),
            times.max,
        )
        for name, times in sorted(routes.items(), key=lambda each: -each[1].total)
    ]


def merged_rows(said: Iterable[Mapping[str, _Said]]) -> list[RouteStats]:
    """Routes of several processes as of one, the largest sum of times first."""
    routes: dict[str, _Times] = {}
    for one in said:
        for name, (count, errors, total, most, classes) in one.items():
            times = routes.setdefault(name, _Times())
            times.count += count
            times.errors += errors
            times.total += total
            times.max = max(times.max, most)
            for index, number in classes:
                times.classes[index] = times.classes.get(index, 0) + number
    return _rows(routes)


class Routes:
    """Any thread may call these.

    A request that is over is only noted; many are added up at a time, which costs each of them a
    fraction of what it would alone, in the middle of the application's own work.
    """

    def __init__(self) -> None:
        self.after_fork()

    def after_fork(self) -> None:
        """In a forked child: what was counted before is the parent's."""
        # A new one: another thread may have held it. A destructor may end a request in the middle
        # of add(), so it is one that a thread may take twice.
        self._lock = threading.RLock()
        self._routes: dict[str, _Times] = {}
        self._begun = self._over = 0
        self._pending: deque[tuple[str, float, bool]] = deque()

    def begin(self) -> None:
        """A request begins."""
        with self._lock:
            self._begun += 1

    def add(self, name: str, seconds: float, failed: bool) -> None:
        """It is over."""
        self._pending.append((name, seconds, failed))
        if len(self._pending) >= _PENDING_MAX:
            with self._lock:
                self._add_up()

    def _add_up(self) -> dict[str, _Times]:
        """All routes, with all that was noted. With the lock."""
        routes, pending = self._routes, self._pending
        while pending:
            name, seconds, failed = pending.popleft()
            times = routes.get(name)
            if times is None:
                if len(routes) >= _ROUTES_MAX:
                    name = OTHER
                times = routes.setdefault(name, _Times())
            times.add(seconds, failed)
            self._over += 1
        return routes

    def stats(self) -> list[RouteStats]:
        """All routes, the largest sum of times first."""
        with self._lock:
            return _rows(self._add_up())

    def counts(self) -> dict[str, int]:
        """Requests that are open, that are over, and errors, of all routes."""
        with self._lock:
            every = self._add_up().values()
            return {
                "open": max(self._begun - self._over, 0),
                "count": sum(times.count for times in every),
                "errors": sum(times.errors for times in every),
            }

    def classes(self) -> dict[str, _Said]:
        """What merged_rows() adds to what other processes say."""
        with self._lock:
            return {
                name: (times.count, times.errors, times.total, times.max, [*times.classes.items()])
                for name, times in self._add_up().items()
            }

    def clear(self) -> None:
        """Begin anew."""
        with self._lock:
            self._add_up().clear()
