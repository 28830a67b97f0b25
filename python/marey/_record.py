"""Sessions: where a recording goes, how it starts and ends, and what is said when it cannot."""

from __future__ import annotations

import errno
import os
import sys

from . import _hooks, _marey

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import TracebackType
    from typing import Union

    from typing_extensions import Self

    Path = Union[str, bytes, os.PathLike[str], os.PathLike[bytes]]
    Size = Union[int, str]

VARIABLE = "MAREY_TRACE"
SUFFIX = ".perfetto-trace"

# enum marey_error of marey.h, as far as the operating system has a number for it.
_ERRNO = {
    -2: errno.ENOENT,
    -3: errno.EACCES,
    -4: errno.ENOSPC,
    -5: errno.EIO,
    -6: errno.ENOMEM,
    -10: errno.EINVAL,
    -14: errno.ENODEV,
}
_BUSY = -8
_OFF = -9
# A session that $MAREY_TRACE names, but that is no more: a recording of one's own is opened.
_GONE = (_OFF, -2, -12)

_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


class Error(RuntimeError):
    """What is wrong with the use of Marey, and not with a file: recording twice, say."""


def _raise(outcome: tuple[int, str, str] | None, path: str | None) -> None:
    """Raise what an outcome of _marey says: OSError with the path, or Error."""
    if outcome is None:
        return
    code, text, hint = outcome
    number = _ERRNO.get(code)
    if number is None:
        raise Error(f"{text}: {hint}" if path is None else f"{path}: {text}: {hint}")
    if path is not None and os.path.isdir(path):
        number, text = errno.EISDIR, "is a directory"
    raise OSError(number, f"{text}; {hint}", path)


def _size(given: Size | None, what: str, least: int = 1) -> int:
    """Bytes of a size such as 67108864, "64M" or "64 MiB"; 0 for None."""
    if given is None:
        return 0
    if isinstance(given, str):
        text = given.strip().lower()
        digits = text.rstrip("bikmg \t")
        unit = text[len(digits) :].strip()
        unit = unit[:-1] if unit.endswith("b") else unit
        unit = unit[:-1] if unit.endswith("i") and len(unit) == 2 else unit
        if not digits.isdecimal() or unit not in _UNITS:
            raise ValueError(f'{what} is bytes, or a text such as "64M", not {given!r}')
        given = int(digits) * _UNITS[unit]
    if not isinstance(given, int):
        raise TypeError(f'{what} is an int or a text such as "64M", not {type(given).__name__}')
    if not 0 < given < 1 << 63:
        raise ValueError(f"{what} is a positive number of bytes, not {given}")
    if given < least:
        raise ValueError(f"{what} is at least {least} bytes, not {given}")
    return given


def _category_list(given: str | Iterable[str] | None) -> str | None:
    if given is None:
        return None
    names = given.split(",") if isinstance(given, str) else list(given)
    for name in names:
        if not isinstance(name, str):
            raise TypeError(f"a category is a str, not {type(name).__name__}")
        if name.strip() in ("", "-") or "\0" in name:
            raise ValueError(f"not a list of categories: {given!r}")
    return ",".join(names)


def _interval_ms(given: bool | float | None) -> int:
    """Milliseconds between statistics; 0 for none."""
    if given is None or given is False:
        return 0
    seconds = 0.5 if given is True else float(given)
    if not 0.01 <= seconds <= 60:
        raise ValueError(f"stats is seconds from 0.01 to 60, not {given!r}")
    return round(seconds * 1000)


def _script_name() -> str:
    """NAME of the running script, of the package that -m runs, or "python"."""
    script = sys.argv[0] if getattr(sys, "argv", None) else ""
    name = os.path.splitext(os.path.basename(script))[0]
    if name == "__main__":
        name = os.path.basename(os.path.dirname(os.path.abspath(script)))
    return name if name and not name.startswith("-") else "python"


def tag(**tags: object) -> None:
    """Facts about the whole trace: tag(run="a17", workers=8). Ints stay numbers; the rest is shown
    as str() of it.

    Without a recording: nothing.
    """
    if not _marey.recording():
        return
    for key, value in tags.items():
        number = isinstance(value, int) and -(1 << 63) <= value < 1 << 63
        _marey.attribute(key, int(value) if number else str(value))  # type: ignore[call-overload]


def describe_python() -> None:
    """Which Python the trace is of."""
    tag(python=sys.version.split()[0], executable=sys.executable or "")


def snapshot(path: Path) -> None:
    """Copy what is recorded so far, whole, to a new file, while recording goes on. Made for rings.

    Raises marey.Error where nothing is recorded, and OSError with the path.
    """
    name = os.path.abspath(os.fsdecode(path))
    _raise(_marey.snapshot(os.fsencode(name)), name if _marey.recording() else None)


class record:
    """Record into one file, as a context manager or by start() and stop().

    path: the file, made anew. None: NAME.perfetto-trace of the running script, in the working
    directory.
    ring: keep the last so many bytes only. limit: the file grows no further (8 GiB). Both in bytes,
    or "64M".
    children: programs that are started from here and have Marey record into the same file.
    categories: "db,net" records only these, "-gc" all but that; a text or an iterable. None: all.
    gc: pauses of the garbage collector are spans. tags: facts about the whole trace, as for
    marey.tag.
    stats: CPU %, resident memory, open files and threads as counters; True, or seconds between them
    (0.01 to 60).

    In a process that a recording was handed down to by $MAREY_TRACE (`marey run`, or
    children=True), or by fork, this joins that one: nothing is opened, `path` tells where it goes,
    and stop() leaves it on.

    start() raises marey.Error where this process records already, OSError of the fitting kind with
    the path where the file cannot be made, ValueError and TypeError for wrong options. On error
    nothing has changed. A stopped object can be started again; it writes the file anew.
    """

    _active: record | None = None  # the one that is on in this interpreter
    _yields = False  # whether it ends for another one to begin

    def __init__(
        self,
        path: Path | None = None,
        *,
        ring: Size | None = None,
        limit: Size | None = None,
        children: bool = False,
        categories: str | Iterable[str] | None = None,
        gc: bool = True,
        stats: bool | float | None = None,
        tags: Mapping[str, object] | None = None,
    ) -> None:
        self._wanted = None if path is None else os.fsdecode(path)
        self._ring = _size(ring, "ring", _marey.ring_min)
        self._limit = _size(limit, "limit")
        self._children = bool(children)
        self._categories = _category_list(categories)
        self._gc = bool(gc)
        self._interval_ms = _interval_ms(stats)
        self._tags = dict(tags or {})
        self._pid = 0
        self._joined = self._hooked = False
        self._variable: str | None = None
        #: Where it is recorded to, absolute; before the start: what was asked for.
        self.path: str | None = self._wanted

    def start(self) -> Self:
        """Begin to record. Returns the object."""
        active = record._active
        if active is not None and active._yields:
            active.stop()
        elif active is not None and active._pid == os.getpid():
            raise Error(f"this process is recording already, to {active.path}")
        self._joined = self._join()
        if not self._joined:
            self._open()
        self._pid = os.getpid()
        record._active = self
        self._hooked = _hooks.start(self._gc)
        self._describe()
        return self

    def _join(self) -> bool:
        """Whether this process is in a recording that was handed down to it."""
        if _marey.status()["recording"]:
            return not _marey.status()["owner"]
        if not os.environ.get(VARIABLE):
            return False
        outcome = _marey.join(None)
        if outcome is not None and outcome[0] not in _GONE:
            _raise(outcome, os.environ[VARIABLE])
        return outcome is None

    def _open(self) -> None:
        path = os.path.abspath(self._wanted or _script_name() + SUFFIX)
        outcome = _marey.open(
            os.fsencode(path), self._ring, self._limit, self._categories, self._children
        )
        if outcome is not None and outcome[0] == _BUSY:
            raise Error(f"this process is recording already, to {_marey.status()['path']}")
        _raise(outcome, path)
        if self._children:  # subprocess hands os.environ on, or a copy of it
            self._variable = os.environ.get(VARIABLE)
            os.environ[VARIABLE] = _marey.status()["path"] or path

    def _describe(self) -> None:
        self.path = _marey.status()["path"]
        if not self._joined:
            describe_python()
        tag(**self._tags)
        if self._interval_ms:
            _raise(_marey.statistics(self._interval_ms), None)

    def stop(self) -> None:
        """Stop to record. The file was whole before, too. Where it is not on: nothing."""
        if record._active is not self:
            return
        record._active = None
        if self._hooked:
            _hooks.stop()
        if self._interval_ms:
            _marey.statistics(0)
        if self._joined:
            return
        _marey.close()
        if self._children:
            self._restore_variable()

    def _restore_variable(self) -> None:
        if self._variable is None:
            os.environ.pop(VARIABLE, None)
        else:
            os.environ[VARIABLE] = self._variable

    def snapshot(self, path: Path) -> None:
        """As marey.snapshot."""
        snapshot(path)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        state = "recording" if record._active is self else "off"
        return f"<marey.record {self.path!r} {state}>"
