"""The live page of an application, in each of its processes."""

from __future__ import annotations

import atexit
import json
import logging
import os
import threading
import time
import weakref
from typing import ClassVar

from . import merge
from .answers import answer_visitor
from .events import Streams
from .group import Group
from .kept import KeptPages
from .messages import Answer, Asked, Wrong
from .profiles import Profiles
from .rights import Given, Rights, Visitor, csrf
from .sampling import Sampling
from .worker import Worker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from concurrent.futures import ThreadPoolExecutor
    from typing import Any

    from ..integrations._requests import Requests
    from .rights import Users

_VERSION = 1
_FIGURES_S = 0.5  # so long another process may take for figures
_FIGURES_MAX = 8 << 20  # bytes of its answer
_THREADS = 4
_SHARED_S = 0.9  # so old the state may be that several streams send


class Live:
    """What the live page shows of an application, and what it may do.

    users: who may look: names that the framework's own login gives, or a function of the
    framework's request that returns True. token: whoever shows it may look, too; at least 16
    characters. Without one of them nobody may.

    hz, mode: how the sampling is, once it is switched on (running: at once). idle, lines, native,
    tasks: as of marey.Sampler.

    group: a name for the processes that the page shows together; otherwise those that one parent
    has begun with the same command.

    Nothing is started before the first request comes. Raises TypeError and ValueError that name the
    option.
    """

    _all: ClassVar[weakref.WeakSet[Live]] = weakref.WeakSet()

    def __init__(
        self,
        name: str,
        requests: Requests | None = None,
        *,
        users: Users | None = None,
        token: str | None = None,
        hz: float = 100,
        mode: str = "wall",
        running: bool = False,
        group: str | None = None,
        **sampler: bool,
    ) -> None:
        self.name = name
        self.rights = Rights(users, token)
        recorder = None if requests is None else requests.flight
        if recorder is not None and recorder.takes_samples:
            sampler["record"] = False  # each thread would be in them twice
        self.worker = Worker(Sampling(hz, mode, running, **sampler), requests)
        self.group = Group(name, group, self.worker)
        self.profiles = Profiles(self)
        self.kept = KeptPages(self.worker)
        self.streams = Streams()
        self._shared: tuple[float, dict[str, Any]] | None = None
        self._lock, self._sharing = threading.Lock(), threading.Lock()
        self._told = False
        self._executor: ThreadPoolExecutor | None = None
        Live._all.add(self)

    def after_fork(self) -> None:
        """In the child: nothing of the parent's is this one's."""
        self._lock, self._sharing = threading.Lock(), threading.Lock()
        self._shared = None
        self._executor = None  # its threads are the parent's
        self.group.after_fork()
        self.worker.after_fork()
        self.profiles = Profiles(self)
        self.kept = KeptPages(self.worker)
        self.streams = Streams()

    def touch(self) -> None:
        """A request came: this is a process that has some. Never raises."""
        if not self.group.is_joining:
            self.group.join()

    def close(self) -> None:
        """End what was begun here."""
        self.group.leave()
        self.worker.sampling.stop()
        if self._executor is not None:
            self._executor.shutdown(wait=False)
            self._executor = None

    @property
    def executor(self) -> ThreadPoolExecutor:
        """Threads of the page's own, where requests are answered in an event loop."""
        with self._lock:
            if self._executor is None:
                from concurrent.futures import ThreadPoolExecutor

                self._executor = ThreadPoolExecutor(_THREADS, "marey live page")
            return self._executor

    # ---- answers

    def answer(self, asked: Asked, given: Given) -> Answer:
        """To whoever may look; to others 403, and nothing more. Never raises."""
        try:
            answer = self.rights.admit(asked) or self._answer_visitor(asked, given)
        except Exception as error:
            self._tell(error)
            answer = Answer(500)
        return answer.without_body() if asked.method == "HEAD" else answer

    def _answer_visitor(self, asked: Asked, given: Given) -> Answer:
        visitor = self.rights.visitor(asked, given)
        if visitor is None:
            return Answer(403)
        self.group.wait()
        try:
            return answer_visitor(self, asked, visitor)
        except Wrong as wrong:
            return wrong.answer()

    def _tell(self, error: Exception) -> None:
        """Log it, the first time."""
        if not self._told:
            self._told = True
            logging.getLogger("marey").error(
                "live page: %s: %s", type(error).__name__, error, exc_info=error
            )

    # ---- all processes

    def others(self, worker: int | None) -> list[tuple[int, str]]:
        """The sockets of the other processes that are meant."""
        if worker == os.getpid():
            return []
        others = self.group.others()
        if worker is None:
            return others
        return [other for other in others if other[0] == worker]

    def ask(
        self,
        what: str,
        worker: int | None = None,
        own: Callable[[], dict[str, Any]] | None = None,
        **more: object,
    ) -> tuple[list[dict[str, Any]], list[str]]:
        """What each process says, this one first; and who says nothing. Raises Wrong where the one
        that is meant is not there.
        """
        said: list[dict[str, Any]] = []
        if worker in (None, os.getpid()):
            said.append((own or getattr(self.worker, what))())
        message = {"what": what, **more}
        answers = self.group.ask(self.others(worker), message, _FIGURES_S, _FIGURES_MAX)
        said.extend(json.loads(answer) for answer in answers.values() if answer is not None)
        silent = [pid for pid, answer in answers.items() if answer is None]
        if not said and not silent:
            raise Wrong(404, f"worker: there is no process {worker}")
        return said, [f"process {pid} did not answer" for pid in silent]

    def control(self, action: object, value: object, worker: int | None) -> list[str | None]:
        """Steer the sampling of the processes: why not, of each."""

        def own() -> dict[str, Any]:
            said = self.worker.control(action, value)
            if worker is None:
                self.group.wish(self.worker.sampling.wish)
            return said

        said, silent = self.ask("control", worker, own, action=action, value=value)
        self._shared = None
        return [*(each["error"] for each in said), *silent]

    def figures(self) -> dict[str, Any]:
        """What live/state says to everybody."""
        said, silent = self.ask("state")
        merged = merge.state(said)
        own = [self.group.problem] if self.group.problem else []
        merged["problems"] = [*own, *merged["problems"], *silent]
        return {
            "version": _VERSION,
            "name": self.name,
            "now": time.time(),
            **merged,
        }

    def shared_figures(self) -> dict[str, Any]:
        """The same, at most a second old: many streams ask for it."""
        with self._sharing:
            if self._shared is None or time.monotonic() - self._shared[0] > _SHARED_S:
                self._shared = time.monotonic(), self.figures()
            return self._shared[1]

    def with_visitor(self, figures: Mapping[str, Any], visitor: Visitor) -> dict[str, Any]:
        """What live/state says to this visitor."""
        return {**figures, "csrf": csrf(self.group.secret, visitor), "user": visitor.name}


def _after_fork() -> None:
    for live in list(Live._all):
        live.after_fork()


@atexit.register
def _leave_all() -> None:
    for live in list(Live._all):
        live.group.leave()


os.register_at_fork(after_in_child=_after_fork)
