"""The requests whose traces were kept: a list, and each as the page of `marey view`."""

from __future__ import annotations

import os
import threading
from typing import Any

from .. import _page
from .messages import Wrong

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .worker import Worker

_OPEN_MAX = 4  # traces that are kept open for more questions
_COLUMNS = ("name", "when", "request", "status", "duration", "reason", "bytes")


class KeptPages:
    """Any thread may call these."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._lock = threading.Lock()
        self._pages: dict[tuple[str, int, int], _page.Page] = {}

    def rows(self) -> dict[str, Any]:
        """Columns, the newest first."""
        recorder = self._worker.recorder
        rows = [] if recorder is None else recorder.kept()
        state = {} if recorder is None else recorder.state()
        return {
            "rows": {name: [row[name] for row in rows] for name in _COLUMNS},
            "folder": state.get("folder"),
            "problem": state.get("problem"),
        }

    def path(self, name: str) -> str:
        """Of a trace's file; it is one of the folder's list. Raises Wrong."""
        recorder = self._worker.recorder
        path = None if recorder is None else recorder.open(name)
        if path is None:
            raise Wrong(404, "there is no such trace")
        return path

    def page(self, name: str, path: str) -> _page.Page:
        """The page of `marey view` on it. Raises Wrong."""
        try:
            status = os.stat(path)
        except OSError:
            raise Wrong(404, "there is no such trace any more") from None
        key = (path, status.st_mtime_ns, status.st_size)
        with self._lock:
            page = self._pages.pop(key, None)
            if page is None:
                try:
                    page = _page.Page(path, name)
                except (OSError, ValueError) as error:
                    raise Wrong(503, f"the trace cannot be read: {error}") from None
            while len(self._pages) >= _OPEN_MAX:
                del self._pages[next(iter(self._pages))]  # the one that was asked longest ago
            self._pages[key] = page
            return page
