"""What samples on and on."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import Any

import marey

from . import recording, sampling

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing_extensions import Self

_SHORTEST = 0.00001  # seconds; Marey's sampler takes no less


class SamplingTracker:
    """How far apart samples are."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget all."""
        self.calls, self.wait, self.wait_sq = 0, 0.0, 0.0

    def snap(self, prev: float) -> None:
        """A sample now. prev: the time.time() of the one before."""
        wait = time.time() - prev
        self.calls += 1
        self.wait += wait
        self.wait_sq += wait * wait

    def stats(self) -> dict[str, float] | str:
        """{"mean": seconds, "stdev": seconds}, or a text where there are no samples."""
        if not self.calls:
            return "No samples taken"
        mean = self.wait / self.calls
        return {"mean": mean, "stdev": max(0.0, self.wait_sq / self.calls - mean**2) ** 0.5}


class SimpleLauncher(threading.Thread):
    """Samples all threads each `interval` seconds, from start() on while it is not paused; at first
    it is. cancel() ends it for good.

    sampler: one that takes samples of its own kind is called by a thread of Python. Without one
    Marey's native thread takes them, and this thread does nothing but wait.
    """

    def __init__(
        self,
        sampler: Any = None,
        stop_flag: threading.Event | None = None,
        interval: float = 0.001,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        assert 0 < interval < 10
        super().__init__(*args, **kwargs)
        self.name = "ox_profiler_SimpleLauncher_Thread"
        self.daemon = True
        self.interval = interval
        self.stop_flag = stop_flag or threading.Event()
        self.stop_flag.clear()
        self.unpaused = threading.Event()
        self.sampler = sampler or sampling.Sampler(recording.CountingRecorder())
        self._native = None if sampler else marey.Sampler(hz=self._hz(), idle=True)
        if self._native is not None:
            self.sampler.my_db._samplers.append(self._native)
        self._tracker = SamplingTracker()
        self._gaps_before = 0, 0, 0  # when the interval was set
        self._changed = threading.Event()

    @classmethod
    def launch(cls) -> Self:
        """One that is started and samples."""
        made = cls()
        made.start()
        made.unpause()
        return made

    @property
    def tracker(self) -> SamplingTracker:
        """How far apart samples are: since the start, or since the interval was set."""
        if self._native is not None:
            now, before = self._gaps(), self._gaps_before
            self._tracker.calls = now[0] - before[0]
            self._tracker.wait = (now[1] - before[1]) / 1e6
            self._tracker.wait_sq = (now[2] - before[2]) / 1e12
        return self._tracker

    def _gaps(self) -> tuple[int, int, int]:
        """Of the native sampler: how many, microseconds in all, and the squares of each in all."""
        assert self._native is not None
        stats = self._native._core.stats()
        return stats["ticks"], stats["gaps_us"], stats["gaps_us2"]

    def show(self, *args: Any, **kwargs: Any) -> str:
        """A table of the functions with the most hits."""
        return self.sampler.show(*args, **kwargs)

    def query(self, *args: Any, **kwargs: Any) -> tuple[list[recording.ProfileRecord], int]:
        """The functions with the most hits, and how many different stacks there are."""
        return self.sampler.query(*args, **kwargs)

    def set_interval(self, new_interval: float) -> None:
        """Sample each so many seconds from now on: more than 0, less than 10."""
        assert 0 < new_interval < 10
        self.interval = new_interval
        self._tracker.reset()
        if self._native is not None:
            self._native.set_interval(1 / self._hz())
            self._gaps_before = self._gaps()

    def pause(self) -> None:
        """Sample nothing until unpause(). What was seen stays."""
        self.unpaused.clear()
        if self._native is not None and self._native.state == "on":
            self._native.pause()

    def unpause(self) -> None:
        """Sample, or go on; from start() on, where that is still to come."""
        self.unpaused.set()
        if self._native is not None and self._native.state == "paused":
            self._native.resume()
        self._changed.set()

    def is_paused(self) -> bool:
        """Whether it waits for unpause()."""
        return not self.unpaused.is_set()

    def cancel(self) -> None:
        """End it."""
        self.stop_flag.set()
        self._changed.set()
        if self._native is not None:
            self._native.stop()

    def run(self) -> None:
        """What the thread does. Call start()."""
        if self._native is None:
            self._run_sampler()
            return
        self._native.start()
        with contextlib.suppress(marey.Error):  # cancelled meanwhile
            if self.is_paused():
                self._native.pause()
                if not self.is_paused():
                    self._native.resume()
        self.stop_flag.wait()
        self._native.stop()

    def _run_sampler(self) -> None:
        before = time.time()
        while not self.stop_flag.wait(self.interval):
            if self.is_paused():
                self._changed.clear()
                if self.is_paused() and not self.stop_flag.is_set():
                    self._changed.wait()
                before = time.time()
                continue
            self._tracker.snap(before)
            before = time.time()
            self.sampler()

    def _hz(self) -> float:
        return 1 / max(self.interval, _SHORTEST)
