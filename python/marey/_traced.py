"""marey.traced, and marey.span as a decorator: a span around each call of a function.

Plain functions become a callable written in C. Coroutine functions, generator functions and
asynchronous generator functions become functions of the same kind, so that inspect and the
frameworks that ask it see what they expect.
"""

from __future__ import annotations

import sys

from . import _marey

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator, Iterable
    from types import CodeType
    from typing import Any, TypeVar, overload

    F = TypeVar("F", bound=Callable[..., Any])
else:

    def overload(function):
        """As typing's, which is not imported for it."""
        return function


# Of inspect, which is not imported for four numbers.
_VARARGS, _GENERATOR, _COROUTINE, _ITERABLE_COROUTINE, _ASYNC_GENERATOR = 4, 32, 128, 256, 512


@overload
def traced(function: F, /) -> F: ...
@overload
def traced(  # noqa: F811
    *,
    name: str | None = None,
    category: str | _marey.Category | None = None,
    args: bool | Iterable[str] = False,
    result: bool = False,
) -> Callable[[F], F]: ...
def traced(  # noqa: F811
    function: Callable[..., Any] | None = None,
    /,
    *,
    name: str | None = None,
    category: str | _marey.Category | None = None,
    args: bool | Iterable[str] = False,
    result: bool = False,
) -> Any:
    """Record a span around each call; as @traced or @traced(...).

    name: of the span; else the function's qualified name. category: as for marey.span.
    args: show the call's arguments: True for all but self and cls, or the names of those that are
    wanted. result: show what the call returns.

    A coroutine is one span, from its first step to its end, on its task's track. A generator, or an
    asynchronous one, is one span for each piece, from a resumption to the next yield, with its
    number as the argument `step`; the call's arguments stand with the first, and `result` is what
    was yielded. Methods, staticmethods and classmethods may be decorated; classes may not
    (TypeError).
    """
    if function is None:
        wanted = args if isinstance(args, bool) else tuple(args)
        return lambda f: wrap(f, _span_for(f, name, category), wanted, result)
    return wrap(function, _span_for(function, name, category), args, result)


def _span_for(
    function: Any, name: str | None, category: str | _marey.Category | None
) -> _marey.span:
    plain = getattr(function, "__func__", function)
    found = name or getattr(plain, "__qualname__", None) or type(plain).__qualname__
    return _marey.span(found, category)


def _code_of(function: Any) -> CodeType | None:
    """The code of a Python function, also behind functools.partial and other decorators'
    __wrapped__; else None.
    """
    for _ in range(100):
        code: CodeType | None = getattr(function, "__code__", None)
        if code is not None:
            return code
        function = getattr(function, "func", None) or getattr(function, "__wrapped__", None)
        if function is None:
            break
    return None


def _binding(
    code: CodeType | None, args: bool | Iterable[str]
) -> tuple[tuple[str | None, ...] | None, str | None, frozenset[str] | None]:
    """How to name a call's arguments: those by position, the rest, the keywords (None: all)."""
    if args is False:
        return None, None, None
    wanted = None if args is True else frozenset(args)
    if code is None:
        return (), "args" if wanted is None else None, wanted
    names = code.co_varnames[: code.co_argcount]
    if wanted is None:
        hidden = names[:1] if names[:1] in (("self",), ("cls",)) else ()
        positional = tuple(None if name in hidden else name for name in names)
    else:
        positional = tuple(name if name in wanted else None for name in names)
    rest = None
    if code.co_flags & _VARARGS:
        rest = code.co_varnames[code.co_argcount + code.co_kwonlyargcount]
        rest = rest if wanted is None or rest in wanted else None
    return positional, rest, wanted


def wrap(
    function: Any, span: _marey.span, args: bool | Iterable[str] = False, result: bool = False
) -> Any:
    """The function with `span` around each call."""
    if isinstance(function, (staticmethod, classmethod)):
        return type(function)(wrap(function.__func__, span, args, result))
    if isinstance(function, type) or not callable(function):
        raise TypeError(f"a function is wanted, not {function!r:.200}")
    code = _code_of(function)
    bare = getattr(function, "__code__", None) is code and not hasattr(function, "__self__")
    call = _marey.Traced(function, span, *_binding(code if bare else None, args), result)
    if code is not None:
        qualified = getattr(code, "co_qualname", code.co_name)
        call.set_source(code.co_filename, qualified, max(code.co_firstlineno, 0))
    wrapper = _wrapper_for(function, call, result)
    from functools import update_wrapper

    return update_wrapper(wrapper, function)


def _wrapper_for(function: Any, call: _marey.Traced, result: bool) -> Any:
    code = getattr(getattr(function, "__func__", function), "__code__", None)
    flags = code.co_flags if code is not None else 0
    if flags & _ASYNC_GENERATOR:
        return _async_generator(function, call, result)
    if flags & _COROUTINE:
        return _coroutine(function, call, result)
    if flags & _GENERATOR and not flags & _ITERABLE_COROUTINE:
        return _generator(function, call, result)
    return call


def _coroutine(function: Any, call: _marey.Traced, result: bool) -> Any:
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        if not _marey.recording():
            return await function(*args, **kwargs)
        with call.span(args, kwargs) as span:
            value = await function(*args, **kwargs)
            if result:
                span.set(result=value)
            return value

    return wrapper


def _generator(function: Any, call: _marey.Traced, result: bool) -> Any:
    def wrapper(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        pieces = _marey.Pieces(function(*args, **kwargs), call.span(args, kwargs), result)
        return (yield from pieces)

    return wrapper


async def _piece(span: _marey.span, number: int, step: Any, result: bool) -> Any:
    """Await one step of an asynchronous generator within a span. StopAsyncIteration is its ordinary
    end.
    """
    span.__enter__()
    span.set(step=number)
    try:
        value = await step
    except (StopAsyncIteration, GeneratorExit):
        span.__exit__()
        raise
    except BaseException:
        span.__exit__(*sys.exc_info())
        raise
    if result:
        span.set(result=value)
    span.__exit__()
    return value


def _async_generator(function: Any, call: _marey.Traced, result: bool) -> Any:
    async def wrapper(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        generator = function(*args, **kwargs)
        span, step, number = call.span(args, kwargs), generator.__anext__(), 0
        try:
            while True:
                value = await _piece(span, number, step, result)
                try:
                    sent = yield value
                except GeneratorExit:
                    raise
                except BaseException as error:
                    step = generator.athrow(error)
                else:
                    step = generator.asend(sent)
                span, number = call.span((), {}), number + 1
        except StopAsyncIteration:
            return
        finally:
            await generator.aclose()

    return wrapper
