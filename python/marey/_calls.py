"""marey.calls: every call of a piece of the program, with arguments, results and exceptions."""

from __future__ import annotations

import os

from . import _marey
from ._call_results import CallResults, FunctionStats

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType
    from typing import IO, Any, Literal, TypeVar, Union

    from ._marey import Call

    Path = Union[str, bytes, os.PathLike[str], os.PathLike[bytes]]

    F = TypeVar("F", bound=Callable[..., Any])

_DEPTH_MAX, _REPR_MAX = 500, 4096
_LOG_BYTES = 1 << 30  # bytes of one scope's own trace, at most


def _word(name: str, given: Any) -> bytes:
    try:
        text = os.fspath(given)
    except TypeError:
        text = None
    if not isinstance(text, str):
        raise TypeError(f"{name}: str wanted, not {type(given).__name__}")
    if not text or "\0" in text:
        raise ValueError(f"{name}: {given!r} names nothing")
    return text.encode("utf-8", "surrogateescape")


def _words(name: str, given: str | Iterable[str] | None) -> tuple[bytes, ...]:
    """What include, ignore and redact take, as the recorder does."""
    if given is None:
        return ()
    # Not isinstance(given, os.PathLike): a scope around this one would see its Python code.
    if isinstance(given, str) or hasattr(type(given), "__fspath__"):
        return (_word(name, given),)
    try:
        words = tuple(given)
    except TypeError:
        raise TypeError(f"{name}: str or several wanted, not {type(given).__name__}") from None
    return tuple([_word(name, word) for word in words])


def _number(name: str, given: object, least: int, most: int | None = None) -> int:
    if isinstance(given, bool) or not isinstance(given, int):
        raise TypeError(f"{name}: int wanted, not {type(given).__name__}")
    if given < least or (most is not None and given > most):
        wanted = f"{least} to {most}" if most is not None else f"{least} or more"
        raise ValueError(f"{name}={given}: {wanted} wanted")
    return given


def _nanoseconds(name: str, given: Any) -> int:
    """Of seconds, which are more than 0; 0 for None."""
    if given is None:
        return 0
    if isinstance(given, bool) or not isinstance(given, (int, float)):
        raise TypeError(f"{name}: seconds wanted, not {type(given).__name__}")
    if not 0 < given < 1e9:
        raise ValueError(f"{name}={given}: more than 0 seconds wanted")
    return max(1, int(given * 1e9))


def _scope(
    include: str | Iterable[str] | None = None,
    ignore: str | Iterable[str] | None = None,
    max_depth: int = 30,
    max_calls: int = 10_000,
    max_time: float | None = None,
    max_repr: int = 120,
    args: bool = True,
    results: bool = True,
    repr: bool = False,
    c_calls: bool = False,
    min_duration: float | None = None,
    threads: str = "scope",
    label: str | None = None,
    redact: str | Iterable[str] | None = None,
    memory: bool = False,
    log_bytes: int = _LOG_BYTES,
) -> _marey.Scope:
    if threads not in ("scope", "all"):
        raise ValueError(f'threads={threads!r}: "scope" or "all" wanted')
    if label is not None and not isinstance(label, str):
        raise TypeError(f"label: str wanted, not {type(label).__name__}")
    return _marey.Scope(
        None if label is None else label.replace("\0", "\u2400").encode("utf-8", "replace"),
        _words("include", include),
        _words("ignore", ignore),
        _words("redact", redact),
        _number("max_depth", max_depth, 1, _DEPTH_MAX),
        _number("max_calls", max_calls, 0 if not log_bytes else 1),
        _nanoseconds("max_time", max_time),
        _number("max_repr", max_repr, 8, _REPR_MAX),
        bool(args),
        bool(results),
        bool(repr),
        bool(c_calls),
        _nanoseconds("min_duration", min_duration),
        threads == "all",
        bool(memory),
        log_bytes,
    )


class calls:
    """Record every call of Python functions in a `with` or `async with` block, or in each call of
    the function that it decorates: a plain one, a coroutine, a generator or an asynchronous one.

        with marey.calls(ignore="logging") as t:
            handle(request)
        print(t.tree())

    What is recorded is what the block causes: calls in its own thread or asyncio task, in tasks
    that it creates and in what it hands to asyncio.to_thread. Scopes may stand within one another,
    and side by side in threads and tasks. It is kept in memory; while a recording is on, it goes
    into the recording's file as well.

    include, ignore: which functions. Each a str or several: a module with all below it ("app",
    "app.*"), or, with a slash in it, a glob of the file's path or of the end of it
    ("*/site-packages/*", "app/models.py"), or "<own>" for what is neither the standard library's
    nor installed. ignore comes first.
    max_depth: calls within calls, 1 to 500. max_calls: how many in all. max_time: seconds from the
    start. What a limit leaves out is counted; its time stays with the caller.
    min_duration: seconds; shorter calls are left out.
    args, results: whether to keep values; they are read at the call and at the return, without
    running any code of theirs, each up to max_repr bytes (8 to 4096). repr: show objects by their
    repr(), which does run their code.
    c_calls: functions written in C, too. threads: "scope", or "all" for what every thread does.
    label: a name for what is recorded. redact: names of parameters and keys whose values are shown
    as ***, beside those of marey.secrets.
    memory: how many bytes each call leaves behind, by tracemalloc, which is started where it is not
    on already. It makes a program some times slower.

    TypeError and ValueError name the option; RuntimeError says who is in the way where calls cannot
    be seen.
    """

    def __init__(
        self,
        *,
        include: str | Iterable[str] | None = None,
        ignore: str | Iterable[str] | None = None,
        max_depth: int = 30,
        max_calls: int = 10_000,
        max_time: float | None = None,
        max_repr: int = 120,
        args: bool = True,
        results: bool = True,
        repr: bool = False,
        c_calls: bool = False,
        min_duration: float | None = None,
        threads: Literal["scope", "all"] = "scope",
        label: str | None = None,
        redact: str | Iterable[str] | None = None,
        memory: bool = False,
    ) -> None:
        options = dict(locals())
        del options["self"]
        self._options = options
        self._scope = _scope(**options)
        self._results: CallResults | None = None
        self.label = label

    def __enter__(self) -> calls:
        self._scope.open()
        self._scope.enter()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        self._scope.close()

    async def __aenter__(self) -> calls:
        return self.__enter__()

    async def __aexit__(self, *error: Any) -> None:
        self._scope.close()

    def __call__(self, function: F) -> F:
        """Decorate: each call of the function is a scope of its own. The latest that has ended is
        the function's attribute `calls`.
        """
        from ._calls_wrap import wrap

        wrapped: F = wrap(function, self._options)
        return wrapped

    @property
    def call_count(self) -> int:
        """How many calls were recorded."""
        return self._scope.call_count

    @property
    def was_limited(self) -> bool:
        """Whether a limit left any call out."""
        return self._scope.limit is not None

    @property
    def limit_reason(self) -> str | None:
        """The limit that ended the recording: "max_calls", "max_time", "memory". Where none did,
        "max_depth" if deep calls are missing; or None.
        """
        return self._scope.limit

    @property
    def results(self) -> CallResults:
        """What was recorded so far, as results that do not change any more."""
        if self._results is not None:
            return self._results
        ended = not self._scope.is_open
        results = CallResults._from_bytes(self._scope.bytes())
        if ended:
            self._results = results
        return results

    @property
    def roots(self) -> list[Call]:
        """The calls that no other one is around, by begin."""
        return self.results.roots

    def tree(self, **options: Any) -> str:
        """The calls as a tree for a person; the options are those of CallResults.tree."""
        return self.results.tree(**options)

    def print(self, file: IO[str] | None = None, **options: Any) -> None:
        """Print the tree; where that is a terminal, in colour and as wide as it is."""
        self.results.print(file, **options)

    def table(self, rows: int | None = 40, *, color: bool = False, width: int | None = None) -> str:
        """The functions as a table: calls, total, self, mean, p50, p99, max."""
        return self.results.table(rows, color=color, width=width)

    def stats(self) -> list[FunctionStats]:
        """The functions, the largest total first."""
        return self.results.stats()

    def filter(self, **options: Any) -> CallResults:
        """The calls that are like that, as a new result: see CallResults.filter."""
        return self.results.filter(**options)

    def to_json(self, to: Path | IO[str] | None = None, *, indent: int | None = 1) -> str | None:
        """All calls as JSON, nested as they called each other, into a path or an open text file.

        None: returns it. Times are nanoseconds. Raises OSError where the path cannot be written.
        """
        return self.results.to_json(to, indent=indent)

    def save(self, path: Path) -> None:
        """Write what was recorded as a Perfetto trace, with mode 0600. Raises OSError."""
        self.results.save(path)

    @staticmethod
    def load(path: Path) -> CallResults:
        """The calls of a trace file: one that was saved, or of `marey run --calls`, or any other
        Perfetto trace of track events, plain or gzip'ed. Raises OSError.
        """
        return CallResults._load(path)

    def __str__(self) -> str:
        return self.tree()

    def __repr__(self) -> str:
        label = f" {self.label!r}" if self.label else ""
        state = ", recording" if self._scope.is_open else ""
        return f"<marey.calls{label}: {self.call_count}{state}>"
