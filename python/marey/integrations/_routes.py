"""Rows of a table from the times of requests by route, which are counted natively, in classes
(src/python/request_times.c).
"""

from __future__ import annotations

import math
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    # Of a route: requests, errors, seconds in all and at most, (class, requests) of each class.
    Said = tuple[int, int, float, float, Sequence[Sequence[int]]]

#: Under this name stand the routes that came when there were so many.
OTHER = "(other)"

# Classes of times: 32 of each power of two of nanoseconds, from the 10th on.
_PARTS, _FIRST_POWER = 32, 10


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


def _middle(index: int) -> float:
    """Of a class, in seconds."""
    power, part = divmod(index, _PARTS)
    return (_PARTS + part + 0.5) * 2.0 ** (power + _FIRST_POWER) / _PARTS / 1e9


class _Times:
    def __init__(self) -> None:
        self.count = self.errors = 0
        self.total = self.max = 0.0
        self.classes: dict[int, int] = {}

    def percentile(self, share: float) -> float:
        """The middle of the class in which so many requests are done; never above the longest."""
        left = math.ceil(share * self.count)
        for index in sorted(self.classes):
            left -= self.classes[index]
            if left <= 0:
                return min(_middle(index), self.max)
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


def merged_rows(said: Iterable[Mapping[str, Said]]) -> list[RouteStats]:
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
