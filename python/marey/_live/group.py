"""This process's part in a group of worker processes: it joins with its first request, in a thread
of its own, so that no request waits for that; a forked child joins anew with its own.
"""

from __future__ import annotations

import itertools
import logging
import os
import secrets
import threading
from contextlib import suppress

from .folder import Folder, group_name
from .workers import Listener, alive, ask, sweep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from .sampling import Wish
    from .worker import Worker

_JOIN_S = 2.0  # so long the first who looks waits for the joining
_numbers = itertools.count()  # several pages in one process


class Group:
    """name: of the group, where it is not to be found out."""

    def __init__(self, application: str, name: str | None, worker: Worker) -> None:
        if name is not None and (not isinstance(name, str) or not name):
            raise TypeError("group: a str wanted, not empty")
        self._application, self._name = application, name
        self._worker = worker
        self._number = next(_numbers)
        self._group: str | None = None
        self._forget()

    def _forget(self) -> None:
        self._lock = threading.Lock()
        self._joined = threading.Event()
        self._folder: Folder | None = None
        self._listener: Listener | None = None
        self._secret = secrets.token_bytes(32)
        self.is_joining = False
        #: Why this process stands alone.
        self.problem: str | None = None

    def after_fork(self) -> None:
        """In the child: it is none of the group's yet. Where it joins, it joins its parent's."""
        if self._listener is not None:
            self._listener.close()
        self._forget()

    # ---- joining

    def join(self) -> None:
        """Begin to, where that has not been done. Never raises, and does not wait."""
        with self._lock:
            if self.is_joining:
                return
            self.is_joining = True
        try:
            if self._group is None:  # now: processes that are forked meanwhile are of it, too
                self._group = group_name(self._application, self._number, self._name)
            threading.Thread(target=self._join, name="marey live joins", daemon=True).start()
        except Exception as error:  # no more threads, for example; the application goes on
            self.problem = f"process {os.getpid()} shows itself alone: {error}"
            self._joined.set()

    def _join(self) -> None:
        wish = None
        try:
            wish = self._enter_or_make()
        except Exception as error:
            self.problem = f"process {os.getpid()} shows itself alone: {error}"
            logging.getLogger("marey").warning("live page: %s", self.problem)
        try:
            self._worker.sampling.begin(wish)
            if self._listener is not None:
                self._listener.start()
        finally:
            self._joined.set()

    def _enter_or_make(self) -> Wish | None:
        try:
            return self._enter()
        except FileNotFoundError:  # the last of the others has left meanwhile
            return self._enter()

    def _enter(self) -> Wish | None:
        """How the sampling of the others is; None: nobody has said, or nobody is there. Who says so
        from now on tells this process, too; it hears that when its listener starts.
        """
        folder = Folder(str(self._group))
        with folder.locked():
            others = alive(folder)
            is_left = not others and folder.is_left()
            secret = folder.secret()
            listener = Listener(folder, self._number, self._worker.answer)
        self._folder, self._secret, self._listener = folder, secret, listener
        with suppress(OSError):
            if not others:
                sweep(folder)
        return None if is_left else folder.wish()

    def wait(self) -> None:
        """Until it has joined, or cannot."""
        self.join()
        if not self._joined.wait(_JOIN_S):
            self.problem = f"process {os.getpid()} shows itself alone: no thread of it runs"
            self._joined.set()  # others need not wait as well

    @property
    def secret(self) -> bytes:
        """The same for all of the group's processes."""
        return self._secret

    def leave(self) -> None:
        """Have no part in it any more."""
        if self.is_joining:
            self._joined.wait(_JOIN_S)
        with self._lock:
            listener, folder, self._listener = self._listener, self._folder, None
        if listener is not None:
            listener.close()
        if folder is not None and listener is not None:
            with suppress(OSError), folder.locked():
                if not alive(folder):
                    folder.leave()

    # ---- the others

    def others(self) -> list[tuple[int, str]]:
        """(pid, path) of their sockets; some may be dead."""
        if self._folder is None or self._listener is None:
            return []
        own = self._listener.path
        with suppress(OSError):
            return [other for other in self._folder.sockets() if other[1] != own]
        return []

    def ask(
        self,
        sockets: list[tuple[int, str]],
        message: Mapping[str, object],
        seconds: float,
        most: int,
    ) -> dict[int, bytes | None]:
        """See workers.ask."""
        return ask(sockets, message, seconds, most) if sockets else {}

    def wish(self, wish: Wish) -> None:
        """For processes that join later: to be said before others() are told."""
        if self._folder is not None:
            with suppress(OSError):
                self._folder.set_wish(wish)
