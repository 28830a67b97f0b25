"""live/events: the state as it changes, as server-sent events."""

from __future__ import annotations

import json
import threading
import time

from .messages import Answer, Stream, Wrong

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .live_page import Live
    from .rights import Visitor

_STREAMS_MAX = 16  # at a time, of a process
_STREAM_S = 10.0  # then the browser comes back: a server that is to end waits for open answers
_RETRY_MS = 2000


class Streams:
    """The streams of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: set[object] = set()

    @property
    def open(self) -> int:
        """How many there are."""
        return len(self._open)

    def answer(self, live: Live, visitor: Visitor, can_stream: bool) -> Answer:
        """A stream; of one event, where it would hold a thread that requests wait for. Raises
        Wrong where there are too many.
        """
        with self._lock:
            if self.open >= _STREAMS_MAX:
                raise Wrong(503, f"{_STREAMS_MAX} streams are open: no more at a time")
            stream = _Events(self._open, live, visitor, _STREAM_S if can_stream else 0)
        headers = (("X-Accel-Buffering", "no"),)  # nginx hands pieces on at once
        return Answer(200, "text/event-stream", stream=stream, headers=headers)


class _Events(Stream):
    def __init__(self, among: set[object], live: Live, visitor: Visitor, seconds: float) -> None:
        self._live, self._visitor = live, visitor
        self._among, self._place = among, object()
        among.add(self._place)
        self._ends = time.monotonic() + seconds
        self._last: dict[str, Any] = {}

    def step(self) -> bytes | None:
        if self._place not in self._among or (self._last and time.monotonic() >= self._ends):
            self.close()
            return None
        figures = self._live.shared_figures()
        said = {**figures, "now": 0}
        if said == self._last:
            return b""
        start = "" if self._last else f"retry: {_RETRY_MS}\n"
        self._last = said
        text = json.dumps(self._live.with_visitor(figures, self._visitor))
        return f"{start}event: state\ndata: {text}\n\n".encode()

    def close(self) -> None:
        self._among.discard(self._place)  # without a lock: a destructor may come at any time

    def __del__(self) -> None:
        self.close()
