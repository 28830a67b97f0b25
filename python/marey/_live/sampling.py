"""The sampler of this process, as the page steers it: on, paused or off; how often; which mode."""

from __future__ import annotations

import math
import threading
from typing import NamedTuple

from .._record import _script_name
from .._sampler import _MODES, Sampler, _window

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .._sampler import Window

_INTERVAL_MIN, _INTERVAL_MAX = 0.00001, 10.0  # seconds, as Sampler.set_interval has it
#: The profile's windows by their names: seconds; None: since the start or the last reset.
WINDOWS: dict[str, Window] = {"minute": 60, "hour": 3600, "all": None}


class Wish(NamedTuple):
    """How the sampling of a group of processes is to be."""

    state: str
    hz: float
    mode: str


def checked(action: object, value: object) -> tuple[str, float | str | None]:
    """What the page asks for. Raises ValueError with the reason."""
    if not isinstance(action, str) or action not in (*Sampling.PLAIN, "interval", "mode"):
        known = ", ".join((*Sampling.PLAIN, "interval", "mode"))
        raise ValueError(f"action: one of {known} wanted")
    if action == "interval":
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ValueError("value: seconds wanted, a number")
        if not _INTERVAL_MIN <= value <= _INTERVAL_MAX:  # also false for a NaN
            raise ValueError(f"value: seconds from {_INTERVAL_MIN:f} to {_INTERVAL_MAX:g} wanted")
        return action, float(value)
    if action == "mode":
        if not isinstance(value, str) or value not in _MODES:
            raise ValueError(f"value: one of {', '.join(_MODES)} wanted")
        return action, value
    if value is not None:
        raise ValueError(f"value: {action} has none")
    return action, None


class Sampling:
    """The sampler of this process. Any thread may call these.

    Of a sampler that cannot do what it is to, `problem` says why.
    """

    PLAIN = ("start", "pause", "resume", "stop", "reset")

    def __init__(self, hz: float, mode: str, running: bool, **options: Any) -> None:
        self._options = options
        self._sampler = self._make(hz, mode)
        self._wanted = "on" if running else "off"
        self._lock = threading.Lock()
        self.problem: str | None = None

    def _make(self, hz: float, mode: Any) -> Sampler:
        # A forked child that answers requests begins its own; others have no part in it.
        return Sampler(hz, mode, after_fork="off", **self._options)

    def after_fork(self) -> None:
        """In the child: it is off until begin()."""
        self._lock = threading.Lock()  # another thread may have held it
        self.problem = None

    @property
    def wish(self) -> Wish:
        """How it was asked to be."""
        with self._lock:
            return Wish(self._wanted, 1e9 / self._sampler._core.stats()["interval_ns"], self.mode)

    @property
    def mode(self) -> str:
        """ "wall", "cpu" or "gil"."""
        return self._sampler.mode

    # ---- steering

    def begin(self, wish: Wish | None) -> None:
        """In a process that joins its group: what the others do (None: nobody is there)."""
        with self._lock:
            if wish is not None and wish.mode != self.mode:
                self._change_mode(wish.mode)
            if wish is not None:
                self._sampler.set_interval(1 / wish.hz)
                self._wanted = wish.state
            self._follow()

    def apply(self, action: str, value: float | str | None) -> str | None:
        """What `checked` let through. Returns why it cannot be done, or None."""
        with self._lock:
            if action in ("pause", "resume") and self._wanted == "off":
                return f"the sampling is off: there is nothing to {action}"
            if action == "interval":
                assert isinstance(value, float)
                self._sampler.set_interval(value)
            elif action == "mode":
                self._change_mode(str(value))
            elif action == "reset":
                self._sampler.clear()
            else:
                states = {"start": "on", "resume": "on", "pause": "paused", "stop": "off"}
                self._wanted = states[action]
            self._follow()
            return self.problem

    def _change_mode(self, mode: str) -> None:
        """Another sampler: what was seen so far is of another kind."""
        if mode != self.mode:
            hz = 1e9 / self._sampler._core.stats()["interval_ns"]
            self._sampler.stop()
            self._sampler = self._make(hz, mode)

    def _follow(self) -> None:
        """Have the sampler be as it is wanted."""
        self.problem = None
        try:
            if self._wanted == "off":
                self._sampler.stop()
            elif self._sampler.state == "off":
                self._sampler.start()
            if self._wanted == "paused" and self._sampler.state == "on":
                self._sampler.pause()
            elif self._wanted == "on" and self._sampler.state == "paused":
                self._sampler.resume()
        except Exception as error:  # the page says so; the application goes on
            self.problem = f"no samples: {error}"

    def stop(self) -> None:
        """End it, for good."""
        with self._lock:
            self._wanted = "off"
            self._sampler.stop()

    # ---- what it does and saw

    def state(self) -> dict[str, Any]:
        """Figures of this process, as live/state has them."""
        with self._lock:
            sampler = self._sampler
            stats, state = sampler.stats(), sampler.state
        return {
            "state": state,
            "hz": stats.hz,
            "achieved_hz": stats.achieved_hz,
            "mode": sampler.mode,
            "cost": stats.cost if math.isfinite(stats.cost) else 0.0,
            "samples": stats.samples,
            "torn": stats.torn,
            "missed": stats.missed,
            "jitter": stats.jitter,
        }

    def trace(self, window: str, sequence: int) -> bytes:
        """The profile of a window as a trace. sequence: other processes have other numbers, from 1
        on, so that their traces may stand one behind the other.
        """
        with self._lock:
            sampler = self._sampler
        return sampler._core.trace(_script_name(), _window(WINDOWS[window]), sequence)
