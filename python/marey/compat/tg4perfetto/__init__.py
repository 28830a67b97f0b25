"""tg4perfetto's interface (0.0.6): tracks, spans, counters, flows of a program, and made-up ones.

    with tg4perfetto.open("app.perfetto-trace"):
        with tg4perfetto.trace("load", path) as flow_ids:
            ...

The file is whole at every instant, also after a crash, and complete when the `with` ends. Spans of
threads stand on their threads' own tracks; counters take floats; coroutines and generators are
measured as what they are; nothing that is logged can fail.
"""

from __future__ import annotations

import sys
import threading
from functools import wraps
from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction
from typing import Any, Callable, TypeVar, overload

import marey

from ... import _marey
from ..._record import record
from ..._traced import wrap
from ._tgen import TraceGenerator
from ._values import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Iterable
    from typing import Union

    Caller = Union[Callable[..., Any], tuple[str, int, str]]

__all__ = ["TraceGenerator", "count", "instant", "open", "trace", "trace_func", "trace_func_args"]
__all__ += ["track"]

F = TypeVar("F", bound=Callable[..., Any])

_lock = threading.Lock()
_next_flow = 1  # ids are of the process, and are handed out also while nothing is recorded


def _new_flows(count: int) -> list[int]:
    global _next_flow
    with _lock:
        first, _next_flow = _next_flow, _next_flow + count
    return list(range(first, first + count))


def _flows(ids: Iterable[int]) -> list[_marey.flow]:
    """0 is no flow: no arrow leads there."""
    return [_marey.flow(number) for number in ids if number]


def _place_of(caller: Caller) -> tuple[str, int, str] | None:
    if isinstance(caller, tuple):
        return caller
    code = getattr(caller, "__code__", None)
    return None if code is None else (code.co_filename, code.co_firstlineno, code.co_name)


def _here(depth: int) -> tuple[str, int, str]:
    """The place `depth` callers above the caller of this."""
    frame = sys._getframe(depth + 1)
    return frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name


class open:
    """Record into a file, as a context manager. AssertionError within another one."""

    def __init__(self, filename: str | bytes | os.PathLike[str]) -> None:
        self._recording = record(filename, gc=False)

    def __enter__(self) -> None:
        if record._active is not None:
            raise AssertionError("Nested trace opening not allowed")
        self._recording.start()
        _marey.thread_name(threading.current_thread().name)

    def __exit__(self, *error: object) -> None:
        self._recording.stop()


class _trace:
    """A span. It is set up before it is entered; entering gives its outgoing flows."""

    __slots__ = (
        "_args",
        "_caller",
        "_incoming",
        "_kwargs",
        "_name",
        "_outgoing",
        "_span",
        "_track",
    )

    def __init__(
        self, on: _marey.Track | None, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        self._track, self._name, self._args, self._kwargs = on, name, args, kwargs
        self._incoming: list[int] = []
        self._outgoing: list[int] = []
        self._caller: tuple[str, int, str] | None = None
        self._span: _marey.span | None = None

    def set_caller(self, caller: Caller) -> _trace:
        """Where the span is said to be: a function, or (file, line, name)."""
        self._caller = _place_of(caller)
        return self

    def set_incoming_flow_ids(self, incoming_flow_ids: Iterable[int]) -> _trace:
        """Flows that lead to its begin."""
        self._incoming += incoming_flow_ids
        return self

    def get_outgoing_flow_ids(self, num_outgoing_flow_ids: int) -> _trace:
        """New flows that lead from its end."""
        self._outgoing = _new_flows(num_outgoing_flow_ids)
        return self

    def __enter__(self) -> list[int]:
        if _marey.recording():
            file, line, function = self._caller or _here(1)
            self._span = _marey.span(
                self._name,
                track=self._track,
                flow=_flows(self._incoming) or None,
                kargs=shown(self._args),
                kwargs=shown(self._kwargs),
            )
            self._span._set_source(file, function, max(line, 0))
            self._span.__enter__()
        return self._outgoing

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> None:
        span, self._span = self._span, None
        if span is None:
            return
        if self._outgoing:
            span.set(flow=_flows(self._outgoing))
        span.__exit__(kind, error, traceback)


class track:
    """A track of one's own; it may be made before anything is recorded."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._made: _marey.Track | None = None

    @property
    def _native(self) -> _marey.Track:
        if self._made is None:
            self._made = marey.track(self._name)
        return self._made

    def trace(self, param: str, *kargs: Any, **kwargs: Any) -> _trace:
        """A span on this track; arguments are shown with it."""
        return _trace(self._native, param, kargs, kwargs)

    def instant(
        self, name: str, description: dict[str, Any] | None = None, **kwargs: Any
    ) -> list[int]:
        """Something that happened on this track. See instant()."""
        return _instant(self._native, name, description, kwargs)


class count:
    """A counter. Its value goes on while nothing is recorded."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._value: float = 0
        self._counter = marey.counter(name)

    def count(self, value: float) -> None:
        """Set it."""
        with _lock:
            self._value = value
            self._counter.set(value)

    def increment(self, value: float) -> None:
        """Add to it."""
        with _lock:
            self._value += value
            self._counter.set(self._value)


def trace(params: str, *kargs: Any, **kwargs: Any) -> _trace:
    """A span of this thread; arguments are shown with it."""
    return _trace(None, params, kargs, kwargs)


def instant(name: str, description: dict[str, Any] | None = None, **kwargs: Any) -> list[int]:
    """Something that happened in this thread. description: shown with it.

    num_outgoing_flow_ids: so many new flows lead from it; their ids are returned.
    incoming_flow_ids: flows that lead to it.
    """
    return _instant(None, name, description, kwargs)


def _instant(
    on: _marey.Track | None, name: str, description: dict[str, Any] | None, options: dict[str, Any]
) -> list[int]:
    outgoing = _new_flows(options.get("num_outgoing_flow_ids", 0))
    if _marey.recording():
        incoming = options.get("incoming_flow_ids", [])
        file, line, function = _here(2)
        flows = _flows([*incoming, *outgoing])
        arguments = {str(key): shown(value) for key, value in (description or {}).items()}
        _marey.instant_at(name, on, flows or None, arguments, file, function, max(line, 0))
    return outgoing


# ------------------------------------------------------------------------------ functions


@overload
def trace_func(x: F) -> F: ...
@overload
def trace_func(x: track) -> Callable[[F], F]: ...
def trace_func(x: Any) -> Any:
    """Calls of a function as spans: @trace_func, or @trace_func(track)."""
    return _decorated(x, _traced)


@overload
def trace_func_args(x: F) -> F: ...
@overload
def trace_func_args(x: track) -> Callable[[F], F]: ...
def trace_func_args(x: Any) -> Any:
    """The same, with the arguments of each call."""
    return _decorated(x, _traced_with_arguments)


def _decorated(x: Any, make: Callable[[Any, _marey.Track | None], Any]) -> Any:
    if isinstance(x, track):
        return lambda function: make(function, x._native)
    assert callable(x), "a function or a track is wanted"
    return make(x, None)


def _span(name: str, on: _marey.Track | None, args: Any, kwargs: Any) -> _marey.span:
    return _marey.span(name, track=on, kargs=shown(args), kwargs=shown(kwargs))


def _name_of(function: Any) -> str:
    return getattr(function, "__name__", None) or type(function).__name__


def _traced(function: Any, on: _marey.Track | None) -> Any:
    return wrap(function, _span(_name_of(function), on, (), {}))


def _traced_with_arguments(function: Any, on: _marey.Track | None) -> Any:
    """Each call makes a span of its own."""
    name, place = _name_of(function), _place_of(function)

    def plain(*args: Any, **kwargs: Any) -> Any:
        if not _marey.recording():
            return function(*args, **kwargs)
        span = _span(name, on, args, kwargs)
        if place is not None:
            span._set_source(place[0], place[2], place[1])
        with span:
            return function(*args, **kwargs)

    def in_steps(*args: Any, **kwargs: Any) -> Any:
        if not _marey.recording():
            return function(*args, **kwargs)
        return wrap(function, _span(name, on, args, kwargs))(*args, **kwargs)

    kinds = (iscoroutinefunction, isgeneratorfunction, isasyncgenfunction)
    return wraps(function)(in_steps if any(is_one(function) for is_one in kinds) else plain)
