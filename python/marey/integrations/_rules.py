"""Which requests are kept: what `keep=` takes, and what it is asked about."""

from __future__ import annotations

import time
from itertools import count
from math import inf
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, Union

    from .._marey import Request

    Rule = Callable[["RequestInfo"], object]
    Keep = Union[bool, Rule, Iterable[Rule]]

_SLOW_SECONDS, _SLOW_TIMES = 0.05, 10


class RequestInfo(NamedTuple):
    """What is known of a request when it is over: what a predicate of `keep=` is given."""

    #: Of the span, "GET /users/<id>"; the method; the route's pattern, "" where nobody knows it.
    name: str
    method: str
    route: str
    path: str
    #: As of HTTP; 0: not known.
    status: int
    #: Seconds.
    duration: float
    #: What left the application, or was made an answer of.
    error: BaseException | None
    #: Where `user=True` asked for it, and there is one.
    user: str | None

    @property
    def failed(self) -> bool:
        """By an exception, or a status from 500 on."""
        return self.status >= 500 or isinstance(self.error, Exception)

    @classmethod
    def of(cls, request: Request) -> RequestInfo:
        """What is known of one that is over."""
        return cls(
            request.name or "",
            request.method,
            request.route or "",
            request.path,
            request.status,
            request.duration,
            request.error,
            request.user,
        )


class slower_than:
    """Keep requests that take longer than so many seconds. A websocket is none, however long it
    lasts.
    """

    def __init__(self, seconds: float) -> None:
        if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
            raise TypeError(f"slower_than: seconds wanted, not {type(seconds).__name__}")
        if not 0 <= seconds < float("inf"):
            raise ValueError(f"slower_than({seconds}): 0 seconds or more wanted")
        #: A request that takes no longer, and has not failed, is not kept.
        self.quiet_seconds = seconds

    def __call__(self, request: RequestInfo) -> bool:
        return request.duration > self.quiet_seconds and request.method != "WEBSOCKET"

    def __str__(self) -> str:
        return f"slower than {self.quiet_seconds:g} s"


class failed:
    """Keep requests that an exception leaves, or whose status is 500 or more."""

    quiet_seconds = inf

    def __call__(self, request: RequestInfo) -> bool:
        return request.failed

    def __str__(self) -> str:
        return "failed"


class every:
    """Keep one request of so many."""

    def __init__(self, number: int) -> None:
        if isinstance(number, bool) or not isinstance(number, int):
            raise TypeError(f"every: int wanted, not {type(number).__name__}")
        if number < 1:
            raise ValueError(f"every({number}): 1 or more wanted")
        self._number = number
        self._count = count(1)

    def __call__(self, request: RequestInfo) -> bool:
        return next(self._count) % self._number == 0

    def __str__(self) -> str:
        n = self._number
        ending = "th" if n % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
        return f"every {n}{ending}"


class _Predicate:
    """A function of the user's. It may fail and be slow, but not for long."""

    def __init__(self, function: Rule) -> None:
        self._function = function
        self._slow = 0
        #: What is wrong with it, in words.
        self.problem: str | None = None

    def __call__(self, request: RequestInfo) -> bool:
        if self._slow >= _SLOW_TIMES:
            return False
        began = time.monotonic()
        try:
            return bool(self._function(request))
        except Exception as error:
            self.problem = f"{self} failed: {type(error).__name__}: {error}"[:400]
            return False
        finally:
            self._took(time.monotonic() - began)

    def _took(self, seconds: float) -> None:
        if seconds < _SLOW_SECONDS:
            return
        self._slow += 1
        if self._slow >= _SLOW_TIMES:
            self.problem = (
                f"{self} took more than {_SLOW_SECONDS:g} s {_SLOW_TIMES} times: "
                "it is not asked any more"
            )

    def __str__(self) -> str:
        return str(getattr(self._function, "__name__", type(self._function).__name__))


class _All:
    """keep=True."""

    def __call__(self, request: RequestInfo) -> bool:
        return True

    def __str__(self) -> str:
        return "all"


class Rules:
    """What was given as keep=: a rule, several of them, or True."""

    def __init__(self, keep: Keep) -> None:
        given: Any = [_All()] if keep is True else keep
        if callable(given):
            given = [given]
        try:
            self._rules = [self._rule(rule) for rule in given]
        except TypeError as error:
            raise TypeError(f"keep: {error}") from None
        if not self._rules:
            raise ValueError("keep: a rule is wanted")

    @staticmethod
    def _rule(rule: Any) -> Any:
        from inspect import isclass, iscoroutinefunction

        if isclass(rule) or not callable(rule) or iscoroutinefunction(rule):
            raise TypeError(
                "slower_than(...), failed(), every(...), a plain function of the request or several"
                f" of these wanted, not {rule!r:.100}"
            )
        return rule if isinstance(rule, (slower_than, failed, every, _All)) else _Predicate(rule)

    def reason(self, request: Request) -> str:
        """Why the request is kept: all rules that say so; "" where none does."""
        info = RequestInfo.of(request)
        return ", ".join([str(rule) for rule in self._rules if rule(info)])

    @property
    def quiet_seconds(self) -> float:
        """No rule keeps a request that takes no longer and has not failed; -1: each may be kept."""
        return min(getattr(rule, "quiet_seconds", -1.0) for rule in self._rules)

    @property
    def problems(self) -> list[str]:
        """What is wrong with predicates."""
        return [p.problem for p in self._rules if isinstance(p, _Predicate) and p.problem]

    def __iter__(self) -> Any:
        return map(str, self._rules)
