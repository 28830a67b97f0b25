"""The profile of the last minute, hour, or all, of one worker process or of all: a trace in memory,
on which the page of `marey view` answers.
"""

from __future__ import annotations

import os
import threading
import time

from .. import _page
from .messages import Answer, Wrong, process_number
from .sampling import WINDOWS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .live_page import Live

_OLD_S = 1.0  # a snapshot is not shown for longer
_SNAPSHOTS_MAX = 4
_SECONDS = 2.0  # so long another process may take for its profile
_BYTES_MAX = 64 << 20  # of a process's


class Profiles:
    """Snapshots of profiles. Any thread may call these."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._lock = threading.Lock()
        self._pages: dict[tuple[str, int | None], tuple[float, _page.Page]] = {}

    def answer(self, window: str, question: str, query: str) -> Answer:
        """profile/WINDOW/QUESTION?QUERY. Raises Wrong."""
        from .answers import page_answer

        if window not in WINDOWS:
            raise Wrong(404, "there is no such window: minute, hour, all")
        if question != "convert" and not question.startswith("api/"):
            raise Wrong(404, "there is no such page")
        worker, rest = _without_worker(query)
        return page_answer(self._page_of(window, worker), question, rest)

    def _page_of(self, window: str, worker: int | None) -> _page.Page:
        with self._lock:
            age_and_page = self._pages.get((window, worker))
            if age_and_page is None or time.monotonic() - age_and_page[0] > _OLD_S:
                age_and_page = time.monotonic(), self._snapshot(window, worker)
                self._pages.pop((window, worker), None)
                while len(self._pages) >= _SNAPSHOTS_MAX:
                    del self._pages[next(iter(self._pages))]
                self._pages[window, worker] = age_and_page
            return age_and_page[1]

    def _snapshot(self, window: str, worker: int | None) -> _page.Page:
        traces = self._traces(window, worker)
        try:
            return _page.Page(traces, self._live.name)
        except (OSError, ValueError) as error:
            raise Wrong(503, f"the profile cannot be shown: {error}") from None

    def _traces(self, window: str, worker: int | None) -> list[bytes]:
        """Of each process; who does not answer is left out, as the state's problems say."""
        live = self._live
        own = worker in (None, os.getpid())
        traces = [live.worker.sampling.trace(window, 1)] if own else []
        message = {"what": "trace", "window": window}
        found = live.group.ask(live.others(worker), message, _SECONDS, _BYTES_MAX)
        traces.extend(trace for trace in found.values() if trace is not None)
        if not found and not own:
            raise Wrong(404, f"worker: there is no process {worker}")
        if not traces:
            raise Wrong(503, f"process {worker} did not answer")
        return traces


def _without_worker(query: str) -> tuple[int | None, str]:
    """The value of `worker`, and the rest as it stands. Raises Wrong."""
    parts = query.split("&") if query else []
    given = [part[len("worker=") :] for part in parts if part.startswith("worker=")]
    if len(given) > 1:
        raise Wrong(400, "worker: given twice")
    rest = "&".join(part for part in parts if not part.startswith("worker="))
    return process_number(given[0] if given else None), rest
