"""What one worker process says of itself, and does when it is told to."""

from __future__ import annotations

import json
import os
import time

from .. import _marey, _page
from .sampling import WINDOWS, Sampling, checked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ..integrations._flight import Flight
    from ..integrations._requests import Requests


_THREADS_MAX = 500  # and tasks, that a dump shows of a process
_DEPTH_MAX = 200  # frames of a stack


class Worker:
    """This process. Any thread may call these; they raise what is a defect here."""

    def __init__(self, sampling: Sampling, requests: Requests | None) -> None:
        self.sampling = sampling
        self.requests = requests
        self.since = time.time()

    def after_fork(self) -> None:
        """In the child, which begins to count its own requests."""
        self.since = time.time()
        self.sampling.after_fork()

    @property
    def recorder(self) -> Flight | None:
        """What keeps slow and failed requests, where that was asked for."""
        return None if self.requests is None else self.requests.flight

    def answer(self, message: Any) -> bytes:
        """What another process of the group asks, see Live.ask."""
        what = message["what"]
        if what == "trace":
            return self.sampling.trace(_window(message["window"]), int(message["number"]) + 1)
        said = {"state": self.state, "routes": self.routes, "dump": self.dump}.get(what)
        if said is not None:
            return json.dumps(said()).encode()
        if what == "control":
            return json.dumps(self.control(message["action"], message["value"])).encode()
        raise ValueError(what)

    def control(self, action: object, value: object) -> dict[str, str | None]:
        """Steer the sampling: {"error": why that cannot be}."""
        try:
            return {"error": self.sampling.apply(*checked(action, value))}
        except ValueError as error:
            return {"error": str(error)}

    def state(self) -> dict[str, Any]:
        """Figures of this process; merge.state makes one of several."""
        requests, recorder = self.requests, self.recorder
        return {
            "pid": os.getpid(),
            "since": self.since,
            "rss": _rss(),
            "problem": self.sampling.problem,
            "sampling": self.sampling.state(),
            "requests": {"open": 0, "count": 0, "errors": 0}
            if requests is None
            else requests.counts(),
            "recording": None if recorder is None else recorder.state(),
        }

    def routes(self) -> Mapping[str, Any]:
        """Times of each route, in classes that can be added."""
        return {} if self.requests is None else self.requests.classes()

    def dump(self) -> dict[str, Any]:
        """All threads and tasks, and where they are."""
        found = json.loads(_marey.dump_json())
        threads, tasks = found["threads"], found["tasks"]
        return {
            "threads": [_stack(thread, _thread_state(thread)) for thread in threads[:_THREADS_MAX]],
            "tasks": [_stack(task, task["state"]) for task in tasks[:_THREADS_MAX]],
            "left_out": max(len(threads) - _THREADS_MAX, 0) + max(len(tasks) - _THREADS_MAX, 0),
        }


def _window(name: object) -> str:
    if name not in WINDOWS:
        raise ValueError(name)
    return str(name)


def _thread_state(thread: dict[str, Any]) -> str:
    if thread["collects_garbage"]:
        return "collecting garbage"
    return "waiting for the GIL" if thread["waits_for_gil"] else str(thread["state"])


def _stack(found: dict[str, Any], state: str) -> dict[str, Any]:
    """A thread, or a task, as live/dump has it."""
    name = found["name"] or ("main" if found.get("main") else "")
    frames = [
        {
            "function": frame["function"],
            "file": frame["file"],
            "line": frame["line"],
            "own": _page.is_own(frame["file"]),
        }
        for frame in found["frames"][:_DEPTH_MAX]
    ]
    return {
        "pid": os.getpid(),
        "tid": found["tid"],
        "name": name,
        "state": state,
        "stack": frames,
    }


def _rss() -> int:
    """Bytes of memory that this process has now, in whole MiB (less is no change that anybody wants
    to see); 0: not known. Source: proc(5), statm.
    """
    try:
        with open("/proc/self/statm", "rb") as file:
            pages = int(file.read().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") >> 20 << 20
    except (OSError, ValueError, IndexError):
        return 0
