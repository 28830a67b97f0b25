"""A recording that nobody asked for by name: a ring which on_failure blocks share, and those who
keep requests. It is in nobody's way, for a recording of the program's own takes its place.
"""

from __future__ import annotations

import os
import tempfile
import threading

from . import _marey
from ._record import SUFFIX, record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Background(record):
    """A recording that ends where the program begins one of its own."""

    _yields = True

    def leave(self) -> bool:
        """In a forked child: have no part in it any more. False in the process that began it."""
        if self._pid == os.getpid():
            return False
        self.stop()
        return True


_lock = threading.Lock()
_users = 0
_ring: Background | None = None
_lasts = False  # the ring stays when its last user has gone


def memory_folder() -> str:
    """Memory, where the system has a folder for it; else where temporary files go."""
    memory = "/dev/shm"
    return memory if os.access(memory, os.W_OK | os.X_OK) else tempfile.gettempdir()


def _open(**options: Any) -> Background:
    number, path = tempfile.mkstemp(prefix="marey-", suffix=SUFFIX, dir=memory_folder())
    os.close(number)
    try:
        return Background(path, **options).start()
    finally:
        os.unlink(path)  # a process that is killed leaves nothing behind


def acquire(ring: int) -> None:
    """Have a recording be on: the program's own, the one of other blocks, or a new ring of so many
    bytes. Raises what record.start() raises; also then, release() belongs to it.
    """
    global _users, _ring
    with _lock:
        _users += 1
        if not _marey.recording():
            _ring = _open(ring=ring)


def release() -> None:
    """The last one ends the ring, unless it lasts."""
    global _users
    with _lock:
        _users -= 1
        if not _users and not _lasts:
            _end()


def _end() -> None:
    global _ring
    if _ring is not None:
        _ring.stop()
        _ring = None


def last(ring: int) -> None:
    """Have a recording be on until end(): the program's own, or a ring of this process; the one
    that a forked process has of its parent is left to that. Raises what record.start() raises.
    """
    global _ring, _lasts
    with _lock:
        _lasts = True
        if _ring is not None and _ring.leave():
            _ring = None
        if not _marey.recording():
            _ring = _open(ring=ring)


def end() -> None:
    """What last() began may end."""
    global _lasts
    with _lock:
        _lasts = False
        if not _users:
            _end()


def _renew_lock() -> None:
    global _lock
    _lock = threading.Lock()  # another thread may have held it


os.register_at_fork(after_in_child=_renew_lock)
