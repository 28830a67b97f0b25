"""What takes samples by hand."""

from __future__ import annotations

import sys
from typing import Any

from . import metrics

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .recording import CountingRecorder, ProfileRecord


class Sampler:
    """Takes a sample of all threads when it is called, into a recorder.

    get_measure_tool may say what is recorded of a frame. freezer: a context manager around each
    sample; none is needed.
    """

    def __init__(self, my_db: CountingRecorder, freezer: Any = None) -> None:
        self.my_db = my_db
        self.freezer = freezer

    def show(self, *args: Any, **kwargs: Any) -> str:
        """As the recorder's."""
        return self.my_db.show(*args, **kwargs)

    def query(self, *args: Any, **kwargs: Any) -> tuple[list[ProfileRecord], int]:
        """As the recorder's."""
        return self.my_db.query(*args, **kwargs)

    def get_measure_tool(self) -> Any:
        """What makes a measurement of a frame."""
        return metrics.Measurement

    def run(self) -> None:
        """Take a sample now."""
        if self.freezer is None:
            self._take()
        else:
            with self.freezer:
                self._take()

    def _take(self) -> None:
        measure = self.get_measure_tool()
        for frame in sys._current_frames().values():
            self.my_db.record(measure(frame))

    def __call__(self, *args: Any, **kwargs: Any) -> None:
        self.run(*args, **kwargs)
