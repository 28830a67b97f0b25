"""Where keke's events go: a text file of Chrome's JSON, a line an event, whole after a clean exit
and readable by viewers at any time before.
"""

from __future__ import annotations

import atexit
import gc
import json
import logging
import os
import re
import threading
from typing import IO, Any, Callable

from ... import _marey

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

LOG = logging.getLogger("marey.compat.keke")
_PAUSE = 0.05  # seconds after which a line stands in the file at the latest
_stack: list[TraceOutput] = []  # those that are entered, the innermost last


def active() -> TraceOutput | None:
    """The one that events go to now."""
    return _stack[-1] if _stack else None


def _use_innermost() -> None:
    _marey.use_log(_stack[-1]._log if _stack else None)


class TraceOutput:
    """Record into a text file that is open for writing; into nothing where it is None.

    thread_sortkeys: places of threads in the viewer, by a part of their names. pid, clock
    (seconds): instead of the process's own. close_output_file: close the file at the end.
    Raises TypeError or io.UnsupportedOperation where the file is binary, or is not for writing.
    """

    def __init__(
        self,
        file: IO[str] | None,
        thread_sortkeys: Mapping[str, int] = {
            "MainThread": -1,
            "Opener": 1,
            "ThreadPoolExecutor": 2,
            "Closer": 3,
        },
        pid: int | None = None,
        clock: Callable[[], float] | None = None,
        close_output_file: bool | None = True,
    ) -> None:
        if file is not None:
            file.write("")
        self.output = file
        self.close_output_file = close_output_file
        self.pid = os.getpid() if pid is None else pid
        self.clock = clock
        self.enabled = False
        self._sort_keys = dict(thread_sortkeys)
        self._much = threading.Event()  # waits to be written
        self._log = _marey.ChromeLog(clock, self.pid, self._meet, self._much.set)
        self._met: dict[int, str] = {}  # threads, and their names
        self._gc_start = -1
        self._writing = threading.Lock()
        self._ended = threading.Event()
        self._error: Exception | None = None

    # ------------------------------------------------------------- on and off

    def __enter__(self) -> None:
        if self.output is None:
            return
        if self.enabled or self._ended.is_set():
            raise RuntimeError("this TraceOutput has been used already; make another one")
        self.output.write("[\n")
        self.enabled = True
        _stack.append(self)
        _use_innermost()
        gc.callbacks.append(self._gc_callback)
        self._writer = threading.Thread(target=self.writer, name="keke writer", daemon=True)
        self._writer.start()

    def __exit__(self, *error: object) -> None:
        if not self.enabled or self.output is None:
            return
        self._end()
        self._writer.join()
        self._write()
        self._finish()
        if self._error is not None:
            if not error or error[0] is None:
                raise self._error
            LOG.warning("the trace is not whole: %s", self._error)

    def _end(self) -> None:
        """No event comes from now on."""
        self.enabled = False
        self._ended.set()
        self._much.set()
        gc.callbacks.remove(self._gc_callback)
        _stack.remove(self)
        _use_innermost()
        self._log.close()

    def _finish(self) -> None:
        assert self.output is not None
        if self._log.lost:
            LOG.warning("%d events lost: no memory for them, or the clock failed", self._log.lost)
        try:
            self.output.write("{}]\n")
            if self.close_output_file:
                self.output.close()
        except Exception as error:
            self._error = self._error or error

    # ----------------------------------------------------------------- events

    def put(self, obj: dict[str, Any], with_tid: bool) -> None:
        """Add an event; what it lacks of pid, ts and, where that is wanted, tid is filled in."""
        obj.setdefault("pid", self.pid)
        if "ts" not in obj:
            now = self._log.now()
            if now < 0:
                return
            obj["ts"] = now / 1000
        if with_tid:
            self.with_tid(obj)
        self._log.add(_line(obj))

    def with_tid(
        self, obj: dict[str, Any], id: int | None = None, name: str | None = None
    ) -> dict[str, Any]:
        """Adds the thread to an event, and returns it. id, name: of one that is none."""
        obj["tid"] = threading.get_native_id() if id is None else id
        self._meet(obj["tid"], name)
        return obj

    def _meet(self, tid: int, name: str | None = None) -> None:
        """Names a thread before its first event, and another one that gets its number later."""
        name = threading.current_thread().name if name is None else name
        if self._met.get(tid) == name:
            return
        self._met[tid] = name
        order = next((n for key, n in reversed(self._sort_keys.items()) if key in name), 0)
        head = {"pid": self.pid, "tid": tid}
        for ts, what, args in (
            (0, "thread_name", {"name": name}),
            (9, "thread_sort_index", {"sort_index": order}),
        ):
            event = {**head, "ts": ts, "ph": "M", "cat": "__metadata", "name": what, "args": args}
            self._log.add(_line(event))

    def _gc_callback(self, phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            self._gc_start = self._log.now()
            return
        begin, end = self._gc_start, self._log.now()
        self._gc_start = -1
        if begin >= 0 and end >= 0:
            event = {"cat": "gc", "name": "collect", "ph": "X", "tid": 0, "ts": begin / 1000}
            self.put({**event, "dur": (end - begin) / 1000, "args": info}, False)

    # ---------------------------------------------------------------- writing

    def writer(self) -> None:
        """The thread that writes what others leave."""
        while not self._ended.is_set():
            self._much.wait(_PAUSE)
            self._much.clear()
            self._write()

    def _write(self) -> None:
        """Write what has gathered; where another thread is at it, that is left to it."""
        if not self._writing.acquire(blocking=self._ended.is_set()):
            return
        try:
            text = self._log.take()
            if text and self._error is None:
                self._write_text(text)
        except Exception as error:  # a full disk, say: the program goes on
            self._error = error
            self._log.close()
        finally:
            self._writing.release()

    def _write_text(self, text: str) -> None:
        assert self.output is not None
        try:
            self.output.write(text)
        except UnicodeEncodeError:  # a file of less than Unicode
            self.output.write(_as_ascii(text))
        flush = getattr(self.output, "flush", None)
        if flush is not None:
            flush()


def _line(event: dict[str, Any]) -> str:
    return json.dumps(event, separators=(",", ":"), ensure_ascii=False, default=str) + ",\n"


def _as_ascii(text: str) -> str:
    return re.sub(r"[^\x00-\x7f]+", lambda found: json.dumps(found.group())[1:-1], text)


# ------------------------------------------------------------------- processes that end or fork


def _finish_all() -> None:
    """At the interpreter's exit: files of those that were never left are whole all the same."""
    while _stack:
        output = _stack[-1]
        output._end()
        output._write()
        output._finish()


_held: list[TraceOutput] = []  # while this process forks: nobody writes


def _before_fork() -> None:
    for output in _stack:
        output._write()  # so that a child has nothing in its buffer to write once more
        output._writing.acquire()
        _held.append(output)


def _after_fork() -> None:
    while _held:
        _held.pop()._writing.release()


def _forget_in_child() -> None:
    """The files are the parent's."""
    _after_fork()
    for output in _stack:
        output.enabled = False
        output._log.close()
        gc.callbacks.remove(output._gc_callback)
    _stack.clear()
    _use_innermost()


atexit.register(_finish_all)
os.register_at_fork(
    before=_before_fork, after_in_parent=_after_fork, after_in_child=_forget_in_child
)
