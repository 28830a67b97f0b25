"""Where the worker processes of an application find one another: a folder of this user alone, in
it one folder a group, in that a socket each, the group's secret, and how its sampling is to be.

    marey-live-UID/GROUP/PID-N.sock
                         secret         32 random bytes
                         wish           a line of JSON: sampling.Wish
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import secrets
import stat
import sys
import tempfile
import time
from contextlib import contextmanager, suppress

from .sampling import Wish, checked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_SECRET_BYTES = 32
_SUN_PATH_MAX = 107  # of a socket's address, Linux
_GROUP_MAX = 40
_SOCKETS_MAX = 256  # of a group that are looked at
_GROUPS_MAX = 64  # others that are looked at, when one begins
_LOCK_S = 1.0  # so long somebody may take to join or leave
_LEFT_S = 60  # so long a group may be without processes
_SOCKET = re.compile(r"(\d{1,10})-(\d{1,6})\.sock")


def _own(path: str) -> str:
    """A folder that this user alone may enter, made where it is not there. Raises OSError."""
    with suppress(FileExistsError):
        os.mkdir(path, 0o700)
    status = os.lstat(path)
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
        raise PermissionError(1, "belongs to somebody else", path)
    if stat.S_IMODE(status.st_mode) & 0o077:
        raise PermissionError(1, "can be entered by others", path)
    return path


def _base() -> str:
    """Where groups are. Raises OSError, of the last place that was tried."""
    problem: OSError | None = None
    for place in (os.environ.get("XDG_RUNTIME_DIR"), "/dev/shm", tempfile.gettempdir()):
        name = f"marey-live-{os.geteuid()}"
        longest = len(place or "") + len(name) + _GROUP_MAX + len("/4294967295-999999.sock") + 2
        if not place or longest > _SUN_PATH_MAX:
            continue
        try:
            return _own(os.path.join(place, name))
        except OSError as error:
            problem = error
    raise problem or FileNotFoundError(2, "no folder for the sockets of worker processes")


def group_name(application: str, number: int, given: str | None) -> str:
    """Of the processes that one parent has begun with the same command, for one application, which
    is the process's first, second, ... with a page; or as given.
    """
    if given is not None:
        return f"named-{hashlib.sha256(given.encode()).hexdigest()[:20]}"
    parent = os.getppid()
    what = repr((parent, _began(parent), application, number, getattr(sys, "argv", None)))
    return hashlib.sha256(what.encode("utf-8", "replace")).hexdigest()[:26]


def _began(pid: int) -> str:
    """When a process did, so that one which has its number later is another."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[19].decode()
    except (OSError, IndexError):
        return ""


class Folder:
    """A group's folder. Raises OSError where there can be none."""

    def __init__(self, group: str) -> None:
        self._base = _base()
        self.path = _own(os.path.join(self._base, group))

    def socket_path(self, number: int) -> str:
        """Where this process listens."""
        return os.path.join(self.path, f"{os.getpid()}-{number}.sock")

    def sockets(self) -> list[tuple[int, str]]:
        """(pid, path) of every socket, of living processes and dead ones."""
        found: list[tuple[int, str]] = []
        with os.scandir(self.path) as entries:
            for entry in entries:
                name = _SOCKET.fullmatch(entry.name)
                if name and len(found) < _SOCKETS_MAX:
                    found.append((int(name[1]), entry.path))
        return sorted(found)

    def left_folders(self) -> list[str]:
        """Those of other groups that nobody has joined or left lately; some, if they are many."""
        found: list[str] = []
        with os.scandir(self._base) as entries:
            for entry in entries:
                status = entry.stat(follow_symlinks=False)
                old = time.time() - status.st_mtime > _LEFT_S
                if stat.S_ISDIR(status.st_mode) and old and entry.path != self.path:
                    found.append(entry.path)
                if len(found) == _GROUPS_MAX:
                    break
        return found

    def secret(self) -> bytes:
        """The group's, made by whoever comes first."""
        path = os.path.join(self.path, "secret")
        own = f"{path}.{os.getpid()}"
        if not os.path.exists(path):
            _write(own, secrets.token_bytes(_SECRET_BYTES))
            try:
                with suppress(FileExistsError):
                    os.link(own, path)  # whole from its first moment, and never replaced
            finally:
                os.unlink(own)
        with open(path, "rb") as file:
            found = file.read(_SECRET_BYTES)
        if len(found) < _SECRET_BYTES:
            raise OSError(5, "is cut", path)
        return found

    def wish(self) -> Wish | None:
        """How the group's sampling is to be; None: nobody has said."""
        try:
            with open(os.path.join(self.path, "wish"), "rb") as file:
                found = json.loads(file.read(1000))
            _, interval = checked("interval", 1 / found["hz"])
            _, mode = checked("mode", found["mode"])
            state = found["state"]
        except (OSError, ValueError, KeyError, TypeError, ZeroDivisionError):
            return None
        if state not in ("on", "paused", "off") or not isinstance(interval, float):
            return None
        return Wish(state, 1 / interval, str(mode))

    def set_wish(self, wish: Wish) -> None:
        """For processes that join later."""
        path = os.path.join(self.path, "wish")
        _write(f"{path}.{os.getpid()}", json.dumps(wish._asdict()).encode())
        os.replace(f"{path}.{os.getpid()}", path)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else of the group joins or leaves meanwhile. Raises OSError: BlockingIOError where
        somebody does so for long, FileNotFoundError where the folder has been removed.
        """
        number = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            _lock(number, time.monotonic() + _LOCK_S)
            if os.fstat(number).st_nlink == 0:
                raise FileNotFoundError(2, "has been removed", self.path)
            yield
        finally:
            os.close(number)

    def leave(self) -> None:
        """Nobody is there any more. What the sampling is to be stands for a minute: a server that
        reloads has no workers for a moment.
        """
        wish = self.wish()
        if wish is None or wish.state == "off":
            clear(self.path)
        else:
            os.utime(os.path.join(self.path, "wish"))

    def is_left(self) -> bool:
        """Whether what was left here is too old to be gone on with."""
        with suppress(FileNotFoundError):
            return time.time() - os.stat(os.path.join(self.path, "wish")).st_mtime > _LEFT_S
        return True


def clear(path: str) -> None:
    """Remove a group's folder, and nothing that is not of one."""
    with suppress(OSError):
        for name in os.listdir(path):
            if _SOCKET.fullmatch(name) or name.partition(".")[0] in ("secret", "wish"):
                os.unlink(os.path.join(path, name))
        os.rmdir(path)


def _lock(number: int, deadline: float) -> None:
    while True:
        try:
            return fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.01)


def _write(path: str, content: bytes) -> None:
    number = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with open(number, "wb") as file:
        file.write(content)
