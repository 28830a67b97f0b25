"""marey.on_failure: a block is recorded, and a trace of it is kept only where an exception leaves
it.
"""

from __future__ import annotations

import functools
import os
import sys
import threading
from contextlib import suppress

from . import _background, _marey
from ._calls import _number, _scope
from ._kept import keep, plain, stamped
from ._record import _script_name, _size
from ._traced import _ASYNC_GENERATOR, _COROUTINE, _GENERATOR, _ITERABLE_COROUTINE, _code_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType
    from typing import Any, TypeVar

    from typing_extensions import Self

    from ._record import Path, Size

    F = TypeVar("F", bound=Callable[..., Any])

_MARK = "__marey_kept__"  # on an exception: when a trace of it was kept last


def _warn(what: str, error: BaseException) -> None:
    import logging

    logging.getLogger("marey").warning(
        "%s: %s: %s", what, type(error).__name__, error, exc_info=error
    )


class _Block:
    """One pass through a block. Neither begin() nor end() raises, but for what the program is
    interrupted by (KeyboardInterrupt).
    """

    def __init__(self, owner: on_failure) -> None:
        self._owner = owner
        self._who = _who()
        self._scope: _marey.Scope | None = None
        self._span: _marey.span | None = None

    def begin(self) -> Self:
        self._began = _marey.now()
        try:
            _background.acquire(self._owner._ring)
        except Exception as error:
            _warn("on_failure: nothing is recorded", error)
        try:
            if self._owner._calls is not None:
                scope = _scope(**self._owner._calls, max_calls=0, log_bytes=0)
                scope.open()
                scope.enter()
                self._scope = scope
        except Exception as error:
            _warn("on_failure: calls are not recorded", error)
        self._span = _marey.span(self._owner._span_name)
        self._span.__enter__()
        return self

    def end(self, error: BaseException | None) -> None:
        if self._scope is not None:
            self._scope.close()
        if self._span is not None:
            kind = None if error is None else type(error)
            self._span.__exit__(kind, error, None)
        try:
            self._keep(error)
        except Exception as trouble:
            _warn(f"on_failure: no trace was kept in {self._owner.path}", trouble)
        finally:
            _background.release()

    def _keep(self, error: BaseException | None) -> None:
        if error is None:
            if self._owner._always:
                self._keep_as("ok")
            return
        if getattr(error, _MARK, 0) >= self._began:
            return  # by a block within this one
        self._keep_as(type(error).__name__)
        with suppress(AttributeError):  # of an exception with slots: it may be kept once more
            setattr(error, _MARK, _marey.now())

    def _keep_as(self, outcome: str) -> None:
        owner = self._owner
        owner.kept = keep(
            owner.path,
            stamped(f"{plain(owner.name)}_{plain(outcome)}"),
            owner._files,
            owner._size,
            self._began,
            _marey.now(),
            {"block": owner.name, "kept": outcome},
        )


def _who() -> tuple[int, int]:
    """The thread and the asyncio task that this is."""
    task = None
    asyncio = sys.modules.get("asyncio")
    if asyncio is not None:
        with suppress(RuntimeError, AttributeError):  # no loop; still being imported
            task = asyncio.current_task()
    return threading.get_ident(), id(task)


class on_failure:
    """Record a `with` or `async with` block, or each call of the function that it decorates (a
    plain one or a coroutine), and keep a trace of it only where an exception leaves it.

        with marey.on_failure("failures", name="import"):
            read(path)

        @marey.on_failure("failures")
        async def handle(request): ...

    path: a folder, which is made where it is needed. The files in it are called
    2026-11-21T10-00-03_NAME_ValueError.perfetto-trace, by local time.
    name: of block and files; None: of the function, or of the script.
    always: keep a trace also of blocks that end well (..._NAME_ok...).
    files, size: so many traces, and bytes or "256M", are kept in the folder; the oldest go first.
    ring: bytes, or "16M": what is remembered of the time before the exception.
    calls: record Python's calls as well as spans; include, ignore, args, max_depth: which and how,
    as for marey.calls.

    All blocks of the process that are open share one ring in memory; where the program records
    already, a copy of that recording is kept. Every exception counts, KeyboardInterrupt too, goes
    its way unchanged, and is kept once, by the innermost block. That a trace cannot be recorded or
    written is logged (logger "marey"). Blocks may be nested and used by many threads and tasks.

    Wrong options raise ValueError and TypeError that name them; so do classes and generator
    functions that are decorated (TypeError).
    """

    def __init__(
        self,
        path: Path,
        *,
        name: str | None = None,
        always: bool = False,
        files: int = 100,
        size: Size = "256M",
        ring: Size = "16M",
        calls: bool = True,
        include: str | Iterable[str] | None = None,
        ignore: str | Iterable[str] | None = None,
        args: bool = True,
        max_depth: int = 100,
    ) -> None:
        #: The folder, absolute.
        self.path = os.path.abspath(os.fsdecode(path))
        if name is not None and not isinstance(name, str):
            raise TypeError(f"name: str wanted, not {type(name).__name__}")
        self._named = name is not None
        #: What the block and its files are called.
        self.name = name or _script_name()
        #: The trace that was kept last, or None.
        self.kept: str | None = None
        self._span_name = self.name.replace("\0", "\u2400")
        self._always = bool(always)
        self._files = _number("files", files, 1)
        self._size = _size(size, "size")
        self._ring = _size(ring, "ring", _marey.ring_min)
        options: dict[str, Any] = {"include": include, "ignore": ignore, "max_depth": max_depth}
        options.update(args=args, results=args)
        _scope(**options)  # for what is wrong with them
        self._calls = options if calls else None
        self._blocks: list[_Block] = []

    def __enter__(self) -> Self:
        self._blocks.append(_Block(self).begin())
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._pop().end(exc)

    def _pop(self) -> _Block:
        """The block that was entered last here: in this thread and task, where there is one."""
        who = _who()
        blocks = self._blocks
        mine = [block for block in blocks if block._who == who] or blocks
        block = mine[-1]
        blocks.remove(block)
        return block

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._pop().end(exc)

    def __call__(self, function: F) -> F:
        """Decorate: each call of the function is a block of its own."""
        if isinstance(function, (staticmethod, classmethod)):
            return type(function)(self(function.__func__))
        if isinstance(function, type) or not callable(function):
            raise TypeError(f"a function is wanted, not {function!r:.200}")
        code = _code_of(function)
        flags = code.co_flags if code is not None else 0
        if flags & _ASYNC_GENERATOR or (flags & _GENERATOR and not flags & _ITERABLE_COROUTINE):
            raise TypeError("generators run in pieces: use `with marey.on_failure(...)` inside")
        if not self._named:
            self.name = getattr(function, "__qualname__", None) or self.name
            self._span_name = self.name
        wrapper = (_coroutine if flags & _COROUTINE else _plain)(function, self)
        functools.update_wrapper(wrapper, function)
        return wrapper  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        return f"<marey.on_failure {self.name!r} {self.path!r}>"


def _plain(function: Any, owner: on_failure) -> Any:
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        block = _Block(owner).begin()
        try:
            result = function(*args, **kwargs)
        except BaseException as error:
            block.end(error)
            raise
        block.end(None)
        return result

    return wrapper


def _coroutine(function: Any, owner: on_failure) -> Any:
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        block = _Block(owner).begin()
        try:
            result = await function(*args, **kwargs)
        except BaseException as error:
            block.end(error)
            raise
        block.end(None)
        return result

    return wrapper
