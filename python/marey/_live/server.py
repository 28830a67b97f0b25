"""marey.live(): the page of a program that is no web application, from a server of its own."""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
import weakref
from contextlib import suppress
from typing import ClassVar
from urllib.parse import quote

from .._record import _script_name
from .live_page import Live

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any

    from typing_extensions import Self

    from ..integrations._requests import Requests

_CONNECTIONS_MAX = 64
_STOP_S = 2.0


class Served:
    """The page of this process at `url`, until stop(), the end of the block, or of the process."""

    def __init__(self, live: Live, host: str, port: int, token: str) -> None:
        self.live = live
        self._server = _Server(live, host, port)
        shown = f"[{host}]" if ":" in host else host
        #: The page's address, with its token.
        self.url = f"http://{shown}:{self._server.port}/?token={quote(token, safe='')}"
        self._thread = threading.Thread(
            target=self._server.serve, name="marey live page", daemon=True
        )
        self._thread.start()
        live.touch()

    @property
    def port(self) -> int:
        """That it listens at."""
        return self._server.port

    def stop(self) -> None:
        """Serve no more; the sampling ends."""
        self._server.stop()
        self._thread.join(_STOP_S)
        self.live.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()


def live(
    port: int = 0,
    host: str = "127.0.0.1",
    *,
    token: str | None = None,
    name: str | None = None,
    requests: Requests | None = None,
    **options: Any,
) -> Served:
    """Show what this program does on a page at http://127.0.0.1:PORT (0: one that is free), to
    whoever has the token, which is made where none is given; the address with it is logged at
    level INFO, and is `url` of what this returns, which has stop() and is a context manager.

    name: stands on the page; otherwise the script's. requests: what it is to show of those, such as
    marey.integrations.celery.Marey(app). hz, mode, running, group, idle, lines, native,
    tasks: as of marey.integrations.

    Raises OSError where nobody can listen there, TypeError and ValueError that name the option.
    """
    token = secrets.token_urlsafe(24) if token is None else token
    if "users" in options:
        raise TypeError("users: nobody logs in here; this takes a token")
    page = Live(name or _script_name(), requests, token=token, **options)
    made = Served(page, host, port, token)
    if requests is not None:
        requests.live = page
    logging.getLogger("marey").info("live page: %s", made.url)
    return made


class _Server:
    """Takes connections, each in a thread, and wakes up for nothing else. What speaks HTTP is
    imported with the first: most programs are never looked at.
    """

    _all: ClassVar[weakref.WeakSet[_Server]] = weakref.WeakSet()

    def __init__(self, live: Live, host: str, port: int) -> None:
        self.live = live
        self.ends = threading.Event()
        self._room = threading.BoundedSemaphore(_CONNECTIONS_MAX)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.socket = socket.create_server((host, port), family=family, backlog=_CONNECTIONS_MAX)
        self.port = int(self.socket.getsockname()[1])
        _Server._all.add(self)

    def serve(self) -> None:
        """Until stop()."""
        with self.socket:
            while not self.ends.is_set():
                try:
                    connection, address = self.socket.accept()
                except OSError:
                    self.ends.wait(0.1)  # no more descriptors, for example
                else:
                    self._take(connection, address)

    def _take(self, connection: socket.socket, address: Any) -> None:
        """Answer in a thread; beyond so many connections, not at all."""
        if not self._room.acquire(blocking=False):
            connection.close()
            return
        try:
            threading.Thread(
                target=self._answer,
                args=(connection, address),
                name="marey live visitor",
                daemon=True,
            ).start()
        except RuntimeError:  # no more threads
            self._room.release()
            connection.close()

    def _answer(self, connection: socket.socket, address: Any) -> None:
        try:
            from .handler import Handler

            with connection:
                Handler(connection, address, self)  # type: ignore[arg-type]
                connection.shutdown(socket.SHUT_WR)
        except Exception:
            # A client that left, mostly: nothing that the program has to know of.
            logging.getLogger("marey").debug("live page: a request failed", exc_info=True)
        finally:
            self._room.release()

    def stop(self) -> None:
        """From another thread than the server's."""
        self.ends.set()
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)  # accept() returns


def _close_in_child() -> None:
    """The parent serves on; the child has no thread for it."""
    for server in list(_Server._all):
        server.socket.close()


os.register_at_fork(after_in_child=_close_in_child)
