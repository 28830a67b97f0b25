"""The flight recorder: a ring records all the time, and of the requests that the rules choose the
time from their begin to their end is written to a folder.

What a request pays is the ring and the rules; files are made by the keeper (marey/_keeper.py).
Nothing here raises into the application, once it is made.
"""

from __future__ import annotations

import logging
import os
import threading
import time
import weakref
from functools import partial
from typing import ClassVar, NamedTuple

from .. import _background, _keeper, _kept_facts, _marey
from .._calls import _number, _scope
from .._kept import entries, keep, plain, stamped
from .._record import Error, _size, record
from ._rules import Rules

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from .._kept import Entry
    from .._marey import Request, Requests
    from .._record import Path, Size
    from .._sampler import Sampler
    from ._rules import Keep, RequestInfo

_WHAT = ("spans", "samples", "calls")
_DEPTH = 100  # of calls
_NODES = 1024  # of the sampler's own profile, which nobody asks for
_AGAIN_SECONDS = 5.0  # after which is tried again what could not be begun


class _Work(NamedTuple):
    """A request that is to be kept, without anything that would keep the application's alive."""

    start: str
    began_ns: int
    ended_ns: int
    facts: dict[str, int | str]
    recording: record | None


def _duration(seconds: float) -> str:
    """As in a file's name."""
    if seconds < 1:
        return f"{seconds * 1000:.{0 if seconds >= 0.01 else 2}f}ms"
    return f"{seconds:.{2 if seconds < 100 else 0}f}s"


class Flight:
    """The flight recorder of one or several applications of this process. The options are those
    of Requests.
    """

    _all: ClassVar[weakref.WeakSet[Flight]] = weakref.WeakSet()

    def __init__(
        self,
        keep: Keep,
        *,
        record: str = "spans",
        ring: Size = "16M",
        folder: Path = "marey-kept",
        files: int = 100,
        size: Size = "256M",
        hz: float = 100,
        args: bool = False,
        include: str | Iterable[str] | None = None,
        ignore: str | Iterable[str] | None = None,
    ) -> None:
        if record not in _WHAT:
            raise ValueError(f'record={record!r}: "spans", "samples" or "calls" wanted')
        self._rules = Rules(keep)
        self._what = record
        self._ring = _size(ring, "ring", _marey.ring_min)
        self._folder = os.path.abspath(os.fsdecode(folder))
        self._files = _number("files", files, 1)
        self._size = _size(size, "size")
        self._hz = hz
        self._calls: dict[str, Any] = {
            "include": "<own>" if include is None else include,
            "ignore": ignore,
            "args": bool(args),
            "results": bool(args),
            "max_depth": _DEPTH,
        }
        self._sampler: Sampler | None = None
        self._scope: _marey.Scope | None = None
        #: Whose requests it keeps.
        self.users: weakref.WeakSet[Requests] = weakref.WeakSet()
        self._make()  # for what is wrong with the options
        self._begin_anew()
        self._rows: dict[Entry, dict[str, Any]] = {}
        Flight._all.add(self)

    def _begin_anew(self) -> None:
        """As in a process that has recorded nothing yet: also in a forked child."""
        self._lock = threading.RLock()  # a destructor may end a request in the middle of anything
        self._sampler = self._scope = None
        #: Whether it has begun, in this process.
        self.is_on = False
        self._again_at = 0.0
        self._kept = self._not_kept = 0
        self._problems: dict[str, str] = {}  # by what it is that does not work

    # ---- recording

    @property
    def takes_samples(self) -> bool:
        """Whether there are samples in what it keeps, by a sampler of its own."""
        return self._what == "samples"

    def ready(self) -> None:
        """A request begins: see that something records."""
        if (self.is_on and _marey.recording()) or time.monotonic() < self._again_at:
            return
        if self._lock.acquire(blocking=False):  # else another thread sees to it
            try:
                self._again_at = time.monotonic() + _AGAIN_SECONDS
                self._start()
            finally:
                self._lock.release()

    def _start(self) -> None:
        try:
            _background.last(self._ring)
            self._again_at = 0.0
        except Exception as error:
            self._trouble("recording", f"nothing is recorded: {error}", error)
            return
        self._solved("recording")
        if not self.is_on:
            self.is_on = True
            self._watch()

    def _make(self) -> None:
        """What sees samples or calls."""
        from .._sampler import Sampler

        sampler = Sampler(self._hz, record=True, after_fork="off", max_nodes=_NODES)
        scope = _scope(**self._calls, max_calls=0, log_bytes=0, threads="all")
        if self._what == "samples":
            self._sampler = sampler
        elif self._what == "calls":
            self._scope = scope

    def _watch(self) -> None:
        try:
            self._make()
            if self._sampler is not None:
                self._sampler.start()
            if self._scope is not None:
                self._scope.open()
        except Exception as error:
            self._trouble(self._what, f"{self._what} are not recorded: {error}", error)

    def close(self) -> None:
        """Record no longer; the folder stays as it is. What begins afterwards begins it anew."""
        with self._lock:
            if not self.is_on:
                return
            self.is_on = False
            for requests in self.users:
                requests._is_ready = False
            if self._sampler is not None:
                self._sampler.stop()
            if self._scope is not None:
                self._scope.close()
            self._sampler = self._scope = None
            _background.end()

    # ---- keeping

    @property
    def quiet_seconds(self) -> float:
        """No request is kept that takes no longer and has not failed; -1: each may be."""
        return self._rules.quiet_seconds

    def reason(self, request: Request) -> str:
        """Why this request, which has ended, is to be kept; "" where it is not."""
        return self._rules.reason(request)

    def keep(self, request: RequestInfo, reason: str, began_ns: int) -> None:
        """Have its trace written soon: that of the time from began_ns (marey.now()) to now."""
        facts: dict[str, int | str] = {
            "request": request.name,
            "status": request.status,
            "duration_us": int(request.duration * 1e6),
            "kept": reason,
        }
        if request.user is not None:
            facts["user"] = request.user
        route = [plain(request.route.strip("/") or "root")] if request.route else []
        name = "_".join([plain(request.method), *route, _duration(request.duration)])
        work = _Work(stamped(name), began_ns, _marey.now(), facts, record._active)
        try:
            is_taken = _keeper.submit(partial(self._write, work))
        except RuntimeError as error:  # can't start new thread
            self._trouble("keeping", f"nothing is kept: {error}", error)
            self._count_not_kept()
            return
        if not is_taken:
            self._count_not_kept()
            self._problems["queue"] = (
                "more requests are to be kept than can be written: some are not"
            )

    def _count_not_kept(self) -> None:
        with self._lock:
            self._not_kept += 1

    def _write(self, work: _Work) -> None:
        """In the keeper's thread."""
        try:
            if record._active is not work.recording:
                raise Error("another recording has begun meanwhile")
            keep(
                self._folder,
                work.start,
                self._files,
                self._size,
                work.began_ns,
                work.ended_ns,
                work.facts,
            )
        except Exception as error:
            self._count_not_kept()
            self._trouble("keeping", f"a request was not kept: {error}", error)
        else:
            with self._lock:
                self._kept += 1
            self._solved("keeping")
            if _keeper.waiting() == 1:  # this one
                self._solved("queue")

    def _trouble(self, what: str, words: str, error: BaseException) -> None:
        is_new = what not in self._problems
        self._problems[what] = words
        if is_new:
            expected = isinstance(error, (OSError, Error, RuntimeError))
            shown = None if expected else error
            logging.getLogger("marey").warning("requests: %s", words, exc_info=shown)

    def _solved(self, what: str) -> None:
        self._problems.pop(what, None)

    # ---- what there is

    def kept(self) -> list[dict[str, Any]]:
        """The traces in the folder, by whichever process, the newest first: name (the file's), when
        (seconds of time.time()), request, status (0: not known), duration (seconds), reason, bytes.
        """
        try:
            found = [entry for entry in entries(self._folder) if entry.bytes]
            rows = {entry: self._rows.get(entry) or _row(entry) for entry in found}
        except OSError as error:
            self._trouble("folder", f"the folder cannot be read: {error}", error)
            return []
        self._solved("folder")
        self._rows = rows
        return [rows[entry] for entry in reversed(found)]

    def state(self) -> dict[str, Any]:
        """What is recorded and kept, and what does not work: what (spans, samples, calls), ring
        (bytes), keep (the rules), kept and not_kept (by this process; too many at a time, or not
        to be written), folder, files, bytes, problem (words, or None).
        """
        rows = self.kept()
        problems = [*self._problems.values(), *self._rules.problems]
        return {
            "what": self._what,
            "ring": self._ring,
            "keep": list(self._rules),
            "kept": self._kept,
            "not_kept": self._not_kept,
            "folder": self._folder,
            "files": len(rows),
            "bytes": sum(row["bytes"] for row in rows),
            "problem": "; ".join(problems) or None,
        }

    def open(self, name: str) -> str | None:
        """The path of a trace of kept(); None where there is none of this name."""
        try:
            return next((e.path for e in entries(self._folder) if e.name == name), None)
        except OSError:
            return None


def _row(entry: Entry) -> dict[str, Any]:
    facts = _kept_facts.read(entry.path)
    duration = facts.get("duration_us", 0)
    return {
        "name": entry.name,
        "when": entry.modified_ns / 1e9,
        "request": str(facts.get("request") or facts.get("block") or ""),
        "status": facts.get("status", 0),
        "duration": duration / 1e6 if isinstance(duration, int) else 0.0,
        "reason": _reason(facts),
        "bytes": entry.bytes,
    }


def _reason(facts: Mapping[str, int | str]) -> str:
    reason = str(facts.get("kept", ""))
    if facts.get("beginning") == "lost":
        reason += " (its beginning is lost: there was more than the ring holds)"
    return reason


def _begin_anew() -> None:
    for flight in list(Flight._all):
        flight._begin_anew()


os.register_at_fork(after_in_child=_begin_anew)
