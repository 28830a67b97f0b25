"""What was recorded of calls: a tree to read, nodes to walk, numbers, files."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import sys
from typing import NamedTuple

from . import _marey
from ._record import _ERRNO, Error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import IO, Any, NoReturn, Union

    from ._marey import Call

    Path = Union[str, bytes, os.PathLike[str], os.PathLike[bytes]]
    Patterns = Union[str, Iterable[str], None]

_MOST = (1 << 32) - 1
_ROWS = 250


class FunctionStats(NamedTuple):
    """The calls of one function. Times in seconds.

    total: with what it called and waited for; of a recursion the outermost calls alone. The other
    times are of each call.
    """

    module: str
    name: str
    file: str
    line: int
    calls: int
    total: float
    self_time: float
    mean: float
    min: float
    p50: float
    p99: float
    max: float
    waiting: float
    exceptions: int
    open: int


class Scope(NamedTuple):
    """A `with marey.calls(...)` of a trace. duration: seconds, None where it has no end."""

    label: str
    duration: float | None
    call_count: int
    limit_reason: str | None
    skipped: int
    lost: int


def _count(value: int | None, what: str) -> int:
    if value is None:
        return 0
    if not isinstance(value, int):
        raise TypeError(f"{what} is an int, not {type(value).__name__}")
    if not 0 <= value <= _MOST:
        raise ValueError(f"{what} is from 0 to {_MOST}, not {value}")
    return int(value)


def _nanoseconds(seconds: float | None, what: str) -> int:
    if seconds is None:
        return 0
    value = float(seconds)
    if not 0 <= value < 9e9:
        raise ValueError(f"{what} is seconds from 0 on, not {seconds!r}")
    return round(value * 1e9)


def _patterns(given: Patterns, what: str) -> tuple[bytes, ...]:
    if given is None:
        return ()
    texts = [given] if isinstance(given, str) else list(given)
    for text in texts:
        if not isinstance(text, str):
            raise TypeError(f"{what} is a str or several, not {type(text).__name__}")
        if "\0" in text:
            raise ValueError(f"{what}: no NUL in {text!r}")
    return tuple(text.encode("utf-8", "surrogateescape") for text in texts)


def _read(data: bytes | None, path: str | None) -> _marey.Forest:
    """The calls of a trace in memory or in a file."""
    if path is not None and "\0" in path:
        raise ValueError(f"no NUL in a path: {path!r}")
    forest = _marey.load_calls(data, None if path is None else os.fsencode(path))
    if not isinstance(forest, tuple):
        return forest
    _raise_outcome(forest, path)


def _raise_outcome(outcome: tuple[int, str, str], path: str | None) -> NoReturn:
    """Raise what kept a trace from being read: OSError with the path, or Error."""
    code, text, _ = outcome
    if path is not None and os.path.isdir(path):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    if code in _ERRNO:
        raise OSError(_ERRNO[code], os.strerror(_ERRNO[code]), path)
    raise Error(text if path is None else f"{path}: {text}")


def _private(path: str, flags: int) -> int:
    """Opens a file for its owner alone: values of the program stand in it."""
    return os.open(path, flags, 0o600)


def _is_unicode(file: IO[str]) -> bool:
    return (getattr(file, "encoding", None) or "").lower().replace("-", "") == "utf8"


class CallResults:
    """What a scope of calls, or a trace, holds. Nothing in it changes.

    Iterating walks all calls, each before those inside; `str()` is the tree.
    """

    def __init__(self, forest: _marey.Forest, data: bytes | None, path: str | None) -> None:
        self._forest, self._data, self._path = forest, data, path

    @classmethod
    def _from_bytes(cls, data: bytes) -> CallResults:
        """Of a trace in memory."""
        return cls(_read(data, None), data, None)

    @classmethod
    def _load(cls, path: Path) -> CallResults:
        """Of a trace file: see marey.calls.load."""
        name = os.fsdecode(path)
        return cls(_read(None, name), None, name)

    # ----------------------------------------------------------------- what there is

    @property
    def roots(self) -> list[Call]:
        """The calls that no other one is around, by begin."""
        return self._forest.roots

    @property
    def call_count(self) -> int:
        """How many calls there are. Spans are not counted."""
        return self._forest.call_count

    @property
    def scopes(self) -> list[Scope]:
        """The scopes of the trace: of one's own result, that one and those inside."""
        return [
            Scope(
                label, None if duration < 0 else duration / 1e9, count, limit or None, skipped, lost
            )
            for label, _, duration, count, limit, skipped, lost in self._forest.scopes
        ]

    @property
    def label(self) -> str:
        """The label of the first scope; "" for none."""
        return next((scope.label for scope in self.scopes), "")

    @property
    def was_limited(self) -> bool:
        """Whether a scope reached a limit, so that calls are left out."""
        return self.limit_reason is not None

    @property
    def limit_reason(self) -> str | None:
        """The limit that ended the recording ("max_calls"), or else "max_depth"; None for none."""
        return next((scope.limit_reason for scope in self.scopes if scope.limit_reason), None)

    @property
    def skipped(self) -> int:
        """Calls that limits left out. Their time is their callers'."""
        return sum(scope.skipped for scope in self.scopes)

    @property
    def lost(self) -> int:
        """Events that did not find room."""
        return sum(scope.lost for scope in self.scopes) + int(
            sum(count for what, count in self._forest.losses.items() if what != "ring")
        )

    def __iter__(self) -> Iterator[Call]:
        stack = list(reversed(self._forest.roots))
        while stack:
            call = stack.pop()
            yield call
            stack.extend(reversed(call.children))

    def __len__(self) -> int:
        return self._forest.call_count

    def __bool__(self) -> bool:
        return True

    # ------------------------------------------------------------------------ to read

    def tree(
        self,
        *,
        rows: int | None = _ROWS,
        depth: int | None = None,
        fold: int | None = 3,
        min_time: float = 0.0,
        args: bool = True,
        results: bool = True,
        self_time: bool = True,
        modules: bool = False,
        locations: bool = False,
        style: str = "unicode",
        color: bool = False,
        width: int | None = None,
    ) -> str:
        """The calls as a tree for a person, as `marey tree` shows it.

        rows: how many, those that took longest; None: all. depth: levels. fold: so many calls of a
        function in a row become one row; None: none do. min_time: seconds; rows that took less are
        left out. args, results, self_time: whether they are shown. modules, locations: names with
        their modules, file and line behind. style: "unicode" or "ascii". color: for a terminal.
        width: columns; what is longer is cut.
        """
        if style not in ("unicode", "ascii"):
            raise ValueError(f'style is "unicode" or "ascii", not {style!r}')
        text = self._forest.tree(
            _count(rows, "rows"),
            _count(depth, "depth"),
            _count(fold, "fold"),
            _nanoseconds(min_time, "min_time"),
            _count(width, "width"),
            bool(color),
            style == "ascii",
            not args,
            not results,
            not self_time,
            bool(modules),
            bool(locations),
        )
        return text.rstrip("\n")

    def print(self, file: IO[str] | None = None, **options: Any) -> None:
        """Print the tree; where that is a terminal, in colour and as wide as it is."""
        to = sys.stdout if file is None else file
        is_terminal = hasattr(to, "isatty") and to.isatty()
        plain = os.environ.get("NO_COLOR") or os.environ.get("TERM", "dumb") == "dumb"
        options.setdefault("color", is_terminal and not plain)
        if is_terminal:
            options.setdefault("width", shutil.get_terminal_size().columns)
        if not _is_unicode(to):
            options.setdefault("style", "ascii")
        to.write(self.tree(**options) + "\n")

    def table(self, rows: int | None = 40, *, color: bool = False, width: int | None = None) -> str:
        """The functions as a table: calls, total, self, mean, p50, p99, max."""
        text = self._forest.table(_count(rows, "rows"), _count(width, "width"), bool(color))
        return text.rstrip("\n")

    def stats(self) -> list[FunctionStats]:
        """The functions, the largest total first."""
        return [
            FunctionStats._make([*row[:5], *[ns / 1e9 for ns in row[5:13]], *row[13:]])
            for row in self._forest.stats()
        ]

    def filter(
        self,
        *,
        name: Patterns = None,
        module: Patterns = None,
        min_time: float = 0.0,
        exception: str | bool | None = None,
    ) -> CallResults:
        """The calls that are like that, as a new result.

        A call takes the place of a caller that is left out; the time of what is left out becomes
        its caller's own. Patterns are those of fnmatch, several of them any of which is met; "!"
        before one leaves out.

        name: of the qualified name, with or without its module, or of its last part. module: of
        the module or a package that it is in. min_time: seconds. exception: True for any that left
        the call, or a pattern of "Type: message" or the type.
        """
        if exception is True:
            exception = "*"
        if exception is not None and exception is not False and not isinstance(exception, str):
            raise TypeError(f"exception is a bool or a str, not {type(exception).__name__}")
        forest = self._forest.filter(
            _patterns(name, "name"),
            _patterns(module, "module"),
            exception or None,
            _nanoseconds(min_time, "min_time"),
        )
        return CallResults(forest, self._data, self._path)

    # ----------------------------------------------------------------------- to files

    def to_json(self, to: Path | IO[str] | None = None, *, indent: int | None = 1) -> str | None:
        """All calls as JSON, nested as they called each other, into a path or an open text file.

        None: returns it. indent: blanks a level, each call on a line; None: all on one line. Times
        are nanoseconds. The file is its owner's alone. Raises OSError where the path cannot be
        written.
        """
        blanks = _count(indent, "indent")
        if to is None:
            return self._forest.json(blanks)
        if hasattr(to, "write"):
            to.write(self._forest.json(blanks))
            return None
        with open(to, "wb", opener=_private) as file:
            try:
                self._forest.save_json(file.fileno(), blanks)
            except OSError as error:
                raise OSError(error.errno, error.strerror, os.fsdecode(to)) from None
        return None

    def save(self, path: Path) -> None:
        """The trace as a file, for https://ui.perfetto.dev and `marey.calls.load`: all of it, also
        of a filtered result. Raises OSError.
        """
        data = self._data
        if data is None:
            assert self._path is not None
            if os.path.exists(path) and os.path.samefile(self._path, path):
                return
            with open(self._path, "rb") as source:
                data = source.read()
        _write_new(path, data)

    def __str__(self) -> str:
        return self.tree()

    def __repr__(self) -> str:
        label = f" {self.label!r}" if self.label else ""
        return f"<calls{label}: {self.call_count}>"


def _write_new(path: Path, data: bytes) -> None:
    """A file of these bytes, for its owner alone, in place of an older one once it is whole."""
    name = os.fsdecode(path)
    part = f"{name}.{os.getpid()}.part"
    try:
        fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with open(fd, "wb") as file:
            file.write(data)
        os.replace(part, name)
    except OSError as error:
        with contextlib.suppress(OSError):
            os.unlink(part)
        raise OSError(error.errno, error.strerror, name) from None
