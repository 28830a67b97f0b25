"""Times of requests by route, in bounded memory: a histogram with logarithmic classes for each."""

from __future__ import annotations

import math
import threading
from typing import NamedTuple

_ROUTES_MAX = 1000
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


class Routes:
    """Any thread may call these."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._routes: dict[str, _Times] = {}

    def add(self, name: str, seconds: float, failed: bool) -> None:
        """A request that is over."""
        with self._lock:
            times = self._routes.get(name)
            if times is None:
                if len(self._routes) >= _ROUTES_MAX:
                    name = OTHER
                times = self._routes.setdefault(name, _Times())
            times.add(seconds, failed)

    def stats(self) -> list[RouteStats]:
        """All routes, the largest sum of times first."""
        with self._lock:
            found = sorted(self._routes.items(), key=lambda each: -each[1].total)
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
                for name, times in found
            ]

    def clear(self) -> None:
        """Begin anew."""
        with self._lock:
            self._routes.clear()
