"""Takes samples on and on, in a thread."""

from __future__ import annotations

import atexit
import logging
import os
import threading

from .tracer import Tracer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from .writer import BaseWriter

_SHORTEST = 0.0001  # seconds; without a pause the thread keeps the GIL, and sees the same again

logger = logging.getLogger(__name__)

is_running = threading.Semaphore()
is_running_tracer: list[TracerUsingBackgroundThread] = []


class TracerAlreadyRunning(Exception):
    """There is one already. Says where that one was made."""


class TracerUsingBackgroundThread(Tracer):
    """Takes a sample each `interval` seconds, from start() on until stop(), or until the thread
    ends that made it. One in a process.
    """

    def __init__(self, writer: BaseWriter, interval: float = 1.0) -> None:
        super().__init__(writer)
        if not is_running.acquire(blocking=False):
            raise TracerAlreadyRunning(is_running_tracer[0].init_stacktrace)
        is_running_tracer.append(self)
        self.interval = interval
        self.parent_thread = threading.current_thread()
        self.thread = threading.Thread(target=self.monitor, name="live-trace", daemon=True)
        self._stopped = threading.Event()
        self._has_failed = False
        atexit.register(self.stop)

    def get_current_frames(self) -> Iterator[tuple[int, FrameType]]:
        """(thread, innermost frame) of all threads but this one."""
        for thread, frame in super().get_current_frames():
            if thread != self.thread.ident:
                yield thread, frame

    @classmethod
    def could_start(cls) -> bool:
        """Whether there is none."""
        if not is_running.acquire(blocking=False):
            return False
        is_running.release()
        return True

    @classmethod
    def global_stop(cls) -> None:
        """Stop the one that there is."""
        for tracer in list(is_running_tracer):
            tracer.stop()

    def start(self) -> None:
        """Begin."""
        self.thread.start()

    def stop(self) -> None:
        """End. Where it has ended already, or never began: nothing."""
        self._stopped.set()
        if self.thread.is_alive() and self.thread is not threading.current_thread():
            self.thread.join()
        self._release()
        atexit.unregister(self.stop)

    def _release(self) -> None:
        if self in is_running_tracer:
            is_running_tracer.remove(self)
            is_running.release()

    def monitor(self) -> None:
        """What the thread does."""
        pause = max(self.interval, _SHORTEST)
        while not self._stopped.wait(pause) and self.parent_thread.is_alive():
            try:
                self.log_stacktraces()
                self._has_failed = False
            except Exception as error:  # the program goes on, and the next sample may work
                if not self._has_failed:
                    logger.warning("a sample is not written: %s", error)
                self._has_failed = True
        self._release()


def _forget_in_child() -> None:
    """The thread stayed in the parent."""
    global is_running
    is_running = threading.Semaphore()
    for tracer in is_running_tracer:
        atexit.unregister(tracer.stop)
    is_running_tracer.clear()


os.register_at_fork(after_in_child=_forget_in_child)
