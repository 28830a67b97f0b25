"""keke's interface (0.2.0): events into any text file, as Chrome's JSON, while the program runs.

    with keke.TraceOutput(file=open("app.trace", "w")):
        with kev("main", __name__, path=path):
            ...

A span costs a tenth of keke's, coroutines are measured to their end, a value whose `__str__`
fails is no error, and a program that ends without leaving the `with` leaves a whole file.
"""

from __future__ import annotations

import inspect
import math
from functools import wraps
from typing import Any, Callable, TypeVar, cast

from ... import _marey
from ._output import TraceOutput, active

__version__ = "0.2.0"
__all__ = ["kcount", "kev", "kmark", "ktrace"]

F = TypeVar("F", bound=Callable[..., Any])

kev = _marey.ChromeSpan
"""kev(name, cat="dur", **args): a span, as a context manager or a decorator."""


class Scope:
    """What a mark is of: `kmark(scope=...)`."""

    THREAD = "t"
    PROCESS = "p"
    GLOBAL = "g"


def __getattr__(name: str) -> Any:
    if name == "TRACER":
        return active()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def get_tracer() -> TraceOutput | None:
    """The TraceOutput that events go to now."""
    return active()


def to_microseconds(s: float) -> float:
    """Seconds as microseconds."""
    return s * 1_000_000


def kmark(name: str, cat: str = "mark", scope: str = Scope.THREAD) -> None:
    """Something that happened now."""
    output = active()
    if output is not None:
        event = {"name": name, "cat": cat, "ph": "i", "s": scope}
        output.put(event, scope == Scope.THREAD)


def kcount(name: str, value: float | None = None, **kwargs: float) -> None:
    """The value of a counter, or of several that are drawn together."""
    given = kwargs if value is None else {"value": value, **kwargs}
    assert given, "kcount() needs a value"
    output = active()
    if output is not None:
        numbers = {key: number for key, number in map(_number, given.items()) if number is not None}
        if numbers:
            output.put({"name": name, "ph": "C", "args": numbers}, False)


def _number(item: tuple[str, Any]) -> tuple[str, float | None]:
    """What JSON has a number for; None for all else."""
    key, value = item
    if isinstance(value, int):
        return key, value
    try:
        value = float(value)
    except Exception:
        return key, None
    return key, value if math.isfinite(value) else None


# ------------------------------------------------------------------------------ functions


def ktrace(*trace_args: str, shortname: str | bool = False) -> Callable[[F], F]:
    """A function's calls as spans: @ktrace(), @ktrace("path", "len(rows)").

    trace_args: expressions over the parameters, which stand in the span; one that fails stands
    there as its exception. shortname: True for the name without what it is qualified by, or a name.
    Coroutines and generators are one span from their first step to their end.
    """
    if trace_args and callable(trace_args[0]):
        raise TypeError(
            "This is a decorator that always takes args, to avoid confusion. Use empty parens."
        )

    def decorate(function: F) -> F:
        name = function.__qualname__
        if shortname:
            name = shortname if isinstance(shortname, str) else function.__name__
        return _wrapped(function, _expressions(function, trace_args), name, "dur")

    return decorate


def _expressions(
    function: Callable[..., Any], texts: tuple[str, ...]
) -> Callable[[Any, Any], dict[str, Any]]:
    """What gives the values of expressions over the arguments of a call."""
    signature = inspect.signature(function)

    def value(text: str, arguments: dict[str, Any]) -> str:
        try:
            return str(eval(text, dict(arguments)))
        except Exception as error:
            return repr(error)

    def values(args: Any, kwargs: Any) -> dict[str, Any]:
        if not texts:
            return {}
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError:  # the call itself will say it, with the function's name
            return {}
        bound.apply_defaults()
        return {text: value(text, bound.arguments) for text in texts}

    return values


def _decorated(function: F, name: str, category: str, arguments: dict[str, Any] | None) -> F:
    """`@kev("name")`: each call is a span of its own."""
    return _wrapped(function, lambda args, kwargs: arguments or {}, name, category)


def _wrapped(
    function: F, values: Callable[[Any, Any], dict[str, Any]], name: str, category: str
) -> F:
    """The function, each call of which is a span. What kind it is shows as before."""

    def span(args: Any, kwargs: Any) -> _marey.ChromeSpan:
        made = kev(name, category)
        if active() is not None:
            made.arguments = values(args, kwargs)
        return made

    if inspect.iscoroutinefunction(function):
        wrap = _wrapped_coroutine
    elif inspect.isasyncgenfunction(function):
        wrap = _wrapped_async_generator
    elif inspect.isgeneratorfunction(function):
        wrap = _wrapped_generator
    else:
        wrap = _wrapped_plain
    return cast(F, wraps(function)(wrap(function, span)))


def _wrapped_plain(function: Any, span: Any) -> Any:
    def made(*args: Any, **kwargs: Any) -> Any:
        if active() is None:
            return function(*args, **kwargs)
        with span(args, kwargs):
            return function(*args, **kwargs)

    return made


def _wrapped_coroutine(function: Any, span: Any) -> Any:
    async def made(*args: Any, **kwargs: Any) -> Any:
        with span(args, kwargs):
            return await function(*args, **kwargs)

    return made


def _wrapped_generator(function: Any, span: Any) -> Any:
    def made(*args: Any, **kwargs: Any) -> Any:
        with span(args, kwargs):
            return (yield from function(*args, **kwargs))

    return made


def _wrapped_async_generator(function: Any, span: Any) -> Any:
    async def made(*args: Any, **kwargs: Any) -> Any:
        with span(args, kwargs):
            inner = function(*args, **kwargs)
            step = inner.__anext__
            while True:
                try:
                    item = await step()
                except StopAsyncIteration:
                    return
                try:
                    step = _sending(inner, (yield item))
                except GeneratorExit:
                    await inner.aclose()
                    raise
                except BaseException as error:
                    step = _throwing(inner, error)

    return made


def _sending(inner: Any, value: Any) -> Callable[[], Any]:
    return lambda: inner.asend(value)


def _throwing(inner: Any, error: BaseException) -> Callable[[], Any]:
    return lambda: inner.athrow(error)
