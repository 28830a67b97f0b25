"""A folder of traces that were kept: telling names, and no more than so many files or bytes."""

from __future__ import annotations

import os
import re
import time
from contextlib import suppress

from ._record import SUFFIX, snapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_NAME_MAX = 80  # characters of a name within a file's name
_SAME_MAX = 10_000  # files of one name and second
_OURS = re.compile(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d_.*" + re.escape(SUFFIX))


def plain(name: str, most: int = _NAME_MAX) -> str:
    """What may stand in a file's name anywhere, and needs no quotes; so many characters."""
    return re.sub(r"[^\w.-]+", "-", name, flags=re.ASCII).strip("-.")[:most] or "unnamed"


def _names(name: str, reason: str) -> Iterator[str]:
    start = f"{time.strftime('%Y-%m-%dT%H-%M-%S')}_{plain(name)}_{plain(reason)}"
    yield start + SUFFIX
    for number in range(2, _SAME_MAX):
        yield f"{start}_{number}{SUFFIX}"


def _reserve(folder: str, name: str, reason: str) -> str:
    """The path of a new, empty file: no two threads or processes get the same."""
    for candidate in _names(name, reason):
        path = os.path.join(folder, candidate)
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
        except FileExistsError:
            continue
        return path
    raise FileExistsError(17, "too many files of this name", folder)


def keep(folder: str, name: str, reason: str, files: int, size: int) -> str:
    """Write what is recorded now to a new file of the folder, which is made where it is not there,
    and remove the oldest ones beyond `files` and `size` bytes. Returns the path. Raises OSError and
    marey.Error; then there is no new file.
    """
    os.makedirs(folder, mode=0o700, exist_ok=True)
    path = _reserve(folder, name, reason)
    partial = f"{path}.{os.getpid()}"
    try:
        snapshot(partial)
        os.replace(partial, path)
    except BaseException:
        for left in (partial, path):
            if os.path.exists(left):
                os.unlink(left)
        raise
    prune(folder, files, size, path)
    return path


def prune(folder: str, files: int, size: int, newest: str) -> None:
    """Remove the oldest traces that were kept here, until so many files and bytes are left. Other
    files are left alone, and so is the newest.
    """
    found = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if _OURS.fullmatch(entry.name) and entry.path != newest:
                try:
                    status = entry.stat(follow_symlinks=False)
                except FileNotFoundError:  # another process was quicker
                    continue
                found.append((status.st_mtime_ns, entry.path, status.st_size))
    count, total = len(found) + 1, sum(entry[2] for entry in found) + os.path.getsize(newest)
    for _, path, length in sorted(found):
        if count <= files and total <= size:
            break
        with suppress(FileNotFoundError):
            os.unlink(path)
        count, total = count - 1, total - length
