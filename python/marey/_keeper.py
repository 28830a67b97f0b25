"""Work that is done behind the program's back: one daemon thread a process, which begins with the
first work, and a queue that never makes anybody wait.

After each look at the queue it rests, nine times as long as the work took the processor: where more
is asked for than it does in a tenth of its time, submit() says so.
"""

from __future__ import annotations

import atexit
import os
import queue
import threading
import time
from collections import deque

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Work = Callable[[], None]

_WAITING_MAX = 16
_REST, _REST_MAX = 9, 5.0  # times the work; seconds
_END_SECONDS = 2.0  # the process waits so long at its end for what was asked for

# Both may be used by a destructor that runs in the middle of their own use.
_works: deque[Work] = deque()  # what is not done yet, the one that is being done in front
_bell: queue.SimpleQueue[None] = queue.SimpleQueue()
_thread: threading.Thread | None = None
_starting = threading.Lock()
_ending = threading.Event()


def submit(work: Work) -> bool:
    """Do this soon, in another thread; it must not raise. False: too much is waiting, it will not
    be done. Raises RuntimeError where there can be no thread.
    """
    if len(_works) >= _WAITING_MAX:
        return False
    _works.append(work)
    _bell.put(None)
    if _thread is None and _starting.acquire(blocking=False):  # else another thread starts it
        try:
            _start()
        except RuntimeError:
            _works.clear()
            raise
        finally:
            _starting.release()
    return True


def _start() -> None:
    global _thread
    if _thread is None:
        thread = threading.Thread(target=_run, name="marey keeper", daemon=True)
        thread.start()
        _thread = thread


def waiting() -> int:
    """How much is asked for and not done."""
    return len(_works)


def _run() -> None:
    while True:
        _bell.get()
        began = time.thread_time()
        for _ in range(len(_works)):  # what comes meanwhile waits until after the rest
            _works[0]()
            _works.popleft()
        _ending.wait(min((time.thread_time() - began) * _REST, _REST_MAX))


def finish() -> None:
    """The process ends: what was asked for is done without rests, but not for long."""
    _ending.set()
    deadline = time.monotonic() + _END_SECONDS
    while _works and time.monotonic() < deadline:
        time.sleep(0.01)


def _forget() -> None:
    """A forked child begins with nothing."""
    global _works, _bell, _thread, _starting, _ending
    _works, _bell, _thread = deque(), queue.SimpleQueue(), None
    _starting, _ending = threading.Lock(), threading.Event()


atexit.register(finish)
os.register_at_fork(after_in_child=_forget)
