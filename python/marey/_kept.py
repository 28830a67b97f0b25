"""A folder of traces that were kept: telling names, and no more than so many files or bytes.
Several processes may keep in one.
"""

from __future__ import annotations

import os
import re
import stat
import time
from contextlib import suppress
from typing import NamedTuple

from . import _kept_facts, _marey
from ._record import SUFFIX, Error, _raise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._kept_facts import Facts

_NAME_MAX = 80  # characters of a name within a file's name
_SAME_MAX = 10_000  # files of one name and second
_COPIED_MAX = 256 << 20  # bytes of a recording that is no ring: it is looked through
_LEFT_SECONDS = 600  # an unfinished file of this age is nobody's
_STAMP = r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d_.*"
_OURS = re.compile(_STAMP + re.escape(SUFFIX))
_UNFINISHED = re.compile(_STAMP + re.escape(SUFFIX) + r"\.\d+")


class Entry(NamedTuple):
    """A trace in the folder."""

    name: str
    path: str
    modified_ns: int
    bytes: int


def plain(name: str, most: int = _NAME_MAX) -> str:
    """What may stand in a file's name anywhere, and needs no quotes; so many characters."""
    return re.sub(r"[^\w.-]+", "-", name, flags=re.ASCII).strip("-.")[:most] or "unnamed"


def stamped(name: str) -> str:
    """How a file's name begins: the local time, and `name`."""
    return f"{time.strftime('%Y-%m-%dT%H-%M-%S')}_{name}"


def _names(start: str) -> Iterator[str]:
    yield start + SUFFIX
    for number in range(2, _SAME_MAX):
        yield f"{start}_{number}{SUFFIX}"


def _reserve(folder: str, start: str) -> str:
    """The path of a new, empty file: no two threads or processes get the same."""
    for candidate in _names(start):
        path = os.path.join(folder, candidate)
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
        except FileExistsError:
            continue
        return path
    raise FileExistsError(17, "too many files of this name", folder)


def _write_recorded(path: str, to: int, began_ns: int, ended_ns: int) -> bool:
    """What was recorded meanwhile, as a trace, into the open file of that path. False: the ring has
    not all of it any more.
    """
    status = _marey.status()
    if not status["ring_bytes"] and status["file_bytes"] > _COPIED_MAX:
        raise Error(f"{status['path']} has it: {_COPIED_MAX >> 20} MiB at most are copied")
    outcome, is_whole = _marey.cut(to, began_ns, ended_ns)
    _raise(outcome, path)
    return is_whole


def _facts(given: Facts | None, is_whole: bool) -> bytes:
    """The packet of facts; of the same length in both cases."""
    return _kept_facts.packet({**(given or {}), "beginning": "kept" if is_whole else "lost"})


def keep(
    folder: str,
    start: str,
    files: int,
    size: int,
    began_ns: int,
    ended_ns: int,
    facts: Facts | None = None,
) -> str:
    """Write what was recorded from one time (of marey.now()) to another, and facts about it, to a
    new file of the folder, START.perfetto-trace; the folder is made where it is not there, and the
    oldest files beyond `files` and `size` bytes are removed. Returns the path. Raises OSError and
    marey.Error; then there is no new file.
    """
    os.makedirs(folder, mode=0o700, exist_ok=True)
    path = _reserve(folder, start)
    partial = f"{path}.{os.getpid()}"
    try:
        flags = os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW
        with open(os.open(partial, flags, 0o600), "wb") as file:
            file.write(_facts(facts, True))
            file.flush()
            if not _write_recorded(path, file.fileno(), began_ns, ended_ns):
                file.seek(0)
                file.write(_facts(facts, False))
        os.replace(partial, path)
    except BaseException:
        for left in (partial, path):
            with suppress(FileNotFoundError):
                os.unlink(left)
        raise
    prune(folder, files, size, path)
    return path


def entries(folder: str) -> list[Entry]:
    """The traces that were kept here, the oldest first; none where there is no folder. Raises
    OSError.
    """
    found = []
    try:
        scanned = os.scandir(folder)
    except FileNotFoundError:
        return []
    with scanned:
        for entry in scanned:
            if _OURS.fullmatch(entry.name):
                with suppress(FileNotFoundError):  # another process was quicker
                    status = entry.stat(follow_symlinks=False)
                    if stat.S_ISREG(status.st_mode):
                        found.append(
                            Entry(entry.name, entry.path, status.st_mtime_ns, status.st_size)
                        )
    return sorted(found, key=lambda entry: (entry.modified_ns, entry.name))


def prune(folder: str, files: int, size: int, newest: str) -> None:
    """Remove the oldest traces that were kept here, until so many files and bytes are left, and
    what killed processes left unfinished. Other files are left alone, and so is the newest.
    """
    found = entries(folder)
    count, total = len(found), sum(entry.bytes for entry in found)
    for entry in found:
        if count <= files and total <= size:
            break
        if entry.path == newest:
            continue
        with suppress(FileNotFoundError):
            os.unlink(entry.path)
        count, total = count - 1, total - entry.bytes
    _remove_unfinished(folder)


def _remove_unfinished(folder: str) -> None:
    """What was being written, and the names that were taken for it."""
    before = time.time() - _LEFT_SECONDS
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        is_partial = _UNFINISHED.fullmatch(name)
        if is_partial or _OURS.fullmatch(name):
            with suppress(FileNotFoundError):
                status = os.lstat(path)
                if status.st_mtime < before and (is_partial or not status.st_size):
                    os.unlink(path)
