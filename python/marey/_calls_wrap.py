"""marey.calls as a decorator: each call of the function is a scope of its own."""

from __future__ import annotations

import functools

from ._calls import calls
from ._traced import _ASYNC_GENERATOR, _COROUTINE, _GENERATOR, _ITERABLE_COROUTINE, _code_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator
    from typing import Any

    Make = Callable[[], calls]
    Ended = Callable[[Any, calls], None]


def wrap(function: Any, options: dict[str, Any]) -> Any:
    """The function, each call in a scope with these options."""
    name = getattr(getattr(function, "__func__", function), "__qualname__", None)
    options = {**options, "label": options["label"] or name}
    return wrap_each(function, lambda: calls(**options), _keep)


def _keep(wrapper: Any, scope: calls) -> None:
    wrapper.calls = scope


def wrap_each(function: Any, make: Make, ended: Ended) -> Any:
    """The function, each call in a scope of make(). ended(wrapper, scope) hears of its end."""
    if isinstance(function, (staticmethod, classmethod)):
        return type(function)(wrap_each(function.__func__, make, ended))
    if isinstance(function, type) or not callable(function):
        raise TypeError(f"a function is wanted, not {function!r:.200}")
    wrapper = _kind(function)(function, make, ended)
    functools.update_wrapper(wrapper, function)
    wrapper.calls = None
    return wrapper


def _kind(function: Any) -> Callable[[Any, Make, Ended], Any]:
    code = _code_of(function)
    flags = code.co_flags if code is not None else 0
    if flags & _ASYNC_GENERATOR:
        return _async_generator
    if flags & _COROUTINE:
        return _coroutine
    if flags & _GENERATOR and not flags & _ITERABLE_COROUTINE:
        return _generator
    return _plain


def _plain(function: Any, make: Make, ended: Ended) -> Any:
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        scope = make()
        try:
            with scope:
                return function(*args, **kwargs)
        finally:
            ended(wrapper, scope)

    return wrapper


def _coroutine(function: Any, make: Make, ended: Ended) -> Any:
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        scope = make()
        try:
            with scope:
                return await function(*args, **kwargs)
        finally:
            ended(wrapper, scope)

    return wrapper


class _Pieces:
    """Hands a generator's steps on, each of them inside the scope; whoever takes what it yields is
    outside.
    """

    def __init__(self, generator: Generator[Any, Any, Any], scope: calls) -> None:
        self._generator, self._scope = generator, scope._scope

    def __iter__(self) -> _Pieces:
        return self

    def __next__(self) -> Any:
        return self.send(None)

    def send(self, value: Any) -> Any:
        self._scope.enter()
        try:
            return self._generator.send(value)
        finally:
            self._scope.leave()

    def throw(self, *error: Any) -> Any:
        self._scope.enter()
        try:
            return self._generator.throw(*error)
        finally:
            self._scope.leave()

    def close(self) -> None:
        self._scope.enter()
        try:
            self._generator.close()
        finally:
            self._scope.leave()


def _generator(function: Any, make: Make, ended: Ended) -> Any:
    def wrapper(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        scope = make()
        scope._scope.open()
        try:
            return (yield from _Pieces(function(*args, **kwargs), scope))
        finally:
            scope._scope.close()
            ended(wrapper, scope)

    return wrapper


async def _step(scope: calls, step: Any) -> Any:
    scope._scope.enter()
    try:
        return await step
    finally:
        scope._scope.leave()


def _async_generator(function: Any, make: Make, ended: Ended) -> Any:
    async def wrapper(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        scope = make()
        scope._scope.open()
        generator = function(*args, **kwargs)
        step = generator.__anext__()
        try:
            while True:
                value = await _step(scope, step)
                try:
                    sent = yield value
                except GeneratorExit:
                    raise
                except BaseException as error:
                    step = generator.athrow(error)
                else:
                    step = generator.asend(sent)
        except StopAsyncIteration:
            return
        finally:
            try:
                await _step(scope, generator.aclose())
            finally:
                scope._scope.close()
                ended(wrapper, scope)

    return wrapper
