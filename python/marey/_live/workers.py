"""The worker processes of an application speak with one another: each listens on a Unix socket in
the group's folder, and the one that has the HTTP request asks the others.

A message is its length (4 bytes, the highest first) and JSON; its answer likewise, of any bytes.
Only processes of the same user are listened to. A process that does not answer in time is told of,
one that is dead is forgotten.
"""

from __future__ import annotations

import json
import os
import selectors
import socket
import struct
import threading
import time
from contextlib import suppress

from .folder import Folder, clear

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

_MESSAGE_MAX = 4096
_LENGTH = struct.Struct(">I")
_CREDENTIALS = struct.Struct("3i")  # struct ucred of socket(7): pid, uid, gid
_SECONDS_TO_ASK = 1.0  # so long somebody may take to say what is asked
_SECONDS_TO_TAKE = 5.0  # ... and to take the answer
_PIECE = 1 << 18
_BACKLOG = 64
_DEAD = (ConnectionRefusedError, FileNotFoundError)  # what connecting to nobody raises


class Listener:
    """Takes connections from the other processes of the group; a thread, from start() on, answers
    them. Raises OSError.
    """

    def __init__(self, folder: Folder, number: int, answer: Callable[[Any], bytes]) -> None:
        self._answer = answer
        self.path = folder.socket_path(number)
        self._pid = os.getpid()
        self._closed = False
        with suppress(FileNotFoundError):
            os.unlink(self.path)  # of a process that had our number before
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._socket.bind(self.path)
            self._socket.listen(_BACKLOG)
        except BaseException:
            self._socket.close()
            raise
        self._thread = threading.Thread(target=self._listen, name="marey live", daemon=True)

    def start(self) -> None:
        """Answer. Raises RuntimeError where there can be no more threads."""
        self._thread.start()

    def _listen(self) -> None:
        while not self._closed:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                if not self._closed:
                    time.sleep(0.1)  # no more descriptors, for example
                continue
            with connection, suppress(Exception):
                self._serve(connection)

    def _serve(self, connection: socket.socket) -> None:
        if not _is_ours(connection):
            return
        connection.settimeout(_SECONDS_TO_ASK)
        (length,) = _LENGTH.unpack(_receive(connection, _LENGTH.size))
        if length > _MESSAGE_MAX:
            return
        answer = self._answer(json.loads(_receive(connection, length)))
        connection.settimeout(_SECONDS_TO_TAKE)
        connection.sendall(_LENGTH.pack(len(answer)) + answer)

    def close(self) -> None:
        """Listen no more. In a forked child it is the parent's, and goes on there."""
        self._closed = True
        if self._pid == os.getpid():
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)  # accept() returns
            with suppress(OSError):
                os.unlink(self.path)
        self._socket.close()

    def join(self, seconds: float) -> None:
        """Wait for the thread, after close()."""
        self._thread.join(seconds)


def _is_ours(connection: socket.socket) -> bool:
    told = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return bool(_CREDENTIALS.unpack(told)[1] == os.geteuid())


def _receive(connection: socket.socket, size: int) -> bytes:
    found = bytearray()
    while len(found) < size:
        piece = connection.recv(size - len(found))
        if not piece:
            raise ConnectionError("cut")
        found += piece
    return bytes(found)


# ---- asking


class _Question:
    """A connection to one process: what it has answered so far."""

    def __init__(self, pid: int, path: str, message: bytes) -> None:
        self.pid, self.path = pid, path
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.found = bytearray()
        try:
            self.socket.setblocking(False)
            self.socket.connect(path)
            if not _is_ours(self.socket):
                raise PermissionError(1, "belongs to somebody else", path)
            self.socket.sendall(message)  # less than what a socket takes at once
        except BaseException:
            self.socket.close()
            raise

    def take(self, most: int) -> bool:
        """What has come. False: that is all there is. Raises OSError."""
        piece = self.socket.recv(_PIECE)
        self.found += piece
        if len(self.found) > most + _LENGTH.size:
            raise OSError(27, "says too much", self.path)
        return bool(piece) and not self.is_whole()

    def is_whole(self) -> bool:
        start = self.found[: _LENGTH.size]
        return (
            len(start) == _LENGTH.size and len(self.found) - len(start) == _LENGTH.unpack(start)[0]
        )


def _is_alive(path: str) -> bool:
    """Whether somebody listens there."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(path)
        except _DEAD:
            return False
        except OSError:
            pass  # it has more to do than it can
        return True


def _remove(path: str) -> None:
    with suppress(FileNotFoundError):
        os.unlink(path)


def alive(folder: Folder) -> list[tuple[int, str]]:
    """(pid, path) of the sockets that somebody listens on; those of the dead are removed."""
    found = []
    for pid, path in folder.sockets():
        if _is_alive(path):
            found.append((pid, path))
        else:
            _remove(path)
    return found


def sweep(folder: Folder) -> None:
    """Remove the folders of groups that have had no processes for a while."""
    for path in folder.left_folders():
        with suppress(OSError):
            sockets = [name for name in os.listdir(path) if name.endswith(".sock")]
            if not any(_is_alive(os.path.join(path, name)) for name in sockets):
                clear(path)


def ask(
    sockets: list[tuple[int, str]], message: Mapping[str, object], seconds: float, most: int
) -> dict[int, bytes | None]:
    """What each process answers, at most so many bytes; None: nothing within that time. The sockets
    of the dead are removed. Each gets its place among those that are asked, too, from 1 on:
    `number`.
    """
    answers: dict[int, bytes | None] = {}
    questions: list[_Question] = []
    try:
        for number, (pid, path) in enumerate(sockets, 1):
            content = json.dumps({**message, "number": number}).encode()
            try:
                questions.append(_Question(pid, path, _LENGTH.pack(len(content)) + content))
            except _DEAD:
                _remove(path)
                continue
            except OSError:
                pass  # it has more to do than it can
            answers[pid] = None
        _collect(questions, time.monotonic() + seconds, most)
        for question in questions:
            if question.is_whole():
                answers[question.pid] = bytes(question.found[_LENGTH.size :])
    finally:
        for question in questions:
            question.socket.close()
    return answers


def _collect(questions: list[_Question], deadline: float, most: int) -> None:
    with selectors.DefaultSelector() as selector:
        for question in questions:
            selector.register(question.socket, selectors.EVENT_READ, question)
        while selector.get_map():
            left = deadline - time.monotonic()
            ready = selector.select(max(left, 0))
            if not ready:
                return
            for key, _ in ready:
                try:
                    goes_on = key.data.take(most)
                except BlockingIOError:
                    goes_on = True
                except OSError:
                    goes_on = False
                    key.data.found.clear()
                if not goes_on:
                    selector.unregister(key.fileobj)
