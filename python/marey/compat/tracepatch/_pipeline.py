"""Pipeline: one trace of several steps, with the calls and the time of each."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from . import _trace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


@dataclass
class StepResult:
    """A step, filled in when it is over, in whatever way."""

    name: str
    call_count: int = 0
    duration_s: float = 0.0


def _duration(seconds: float) -> str:
    if seconds >= 1:
        return f"{seconds:.2f}s"
    return f"{seconds * 1000:.1f}ms" if seconds >= 0.001 else f"{seconds * 1e6:.1f}µs"


@dataclass
class PipelineResult:
    """The steps in their order. total_duration_s: of the whole."""

    label: str
    steps: list[StepResult] = field(default_factory=list)
    total_duration_s: float = 0.0

    def table(self) -> str:
        """A line a step."""
        header = f"{'Step':<20}{'Calls':>8}{'Duration':>12}{'% of Total':>12}"
        lines = [header, "─" * len(header)]
        for step in self.steps:
            part = step.duration_s / self.total_duration_s if self.total_duration_s else 0.0
            lines.append(
                f"{step.name:<20}{step.call_count:>8}{_duration(step.duration_s):>12}{part:>12.1%}"
            )
        return "\n".join(lines)


class _Step:
    """The block of a step. No function of others runs for it: that would be one of its calls."""

    def __init__(self, pipeline: Pipeline, name: str) -> None:
        self._pipeline, self._result = pipeline, StepResult(name)

    def __enter__(self) -> StepResult:
        self._calls, self._began = self._pipeline._trace.call_count, time.perf_counter()
        return self._result

    def __exit__(self, *error: object) -> None:
        self._result.duration_s = time.perf_counter() - self._began
        self._result.call_count = self._pipeline._trace.call_count - self._calls
        self._pipeline._steps.append(self._result)


class Pipeline:
    """A trace whose steps are told apart: `with Pipeline() as p:`, `with p.step("load"):`.

    trace_kwargs: what trace() takes.
    """

    def __init__(self, *, label: str = "pipeline", **trace_kwargs: Any) -> None:
        self._label = label
        self._trace = _trace.trace(label=label, **trace_kwargs)
        self._steps: list[StepResult] = []
        self._began = self._ended = 0.0

    def __enter__(self) -> Pipeline:
        self._trace.__enter__()
        self._steps, self._began, self._ended = [], time.perf_counter(), 0.0
        return self

    def __exit__(self, *error: object) -> None:
        self._ended = time.perf_counter()
        self._trace.__exit__(*error)

    async def __aenter__(self) -> Pipeline:
        return self.__enter__()

    async def __aexit__(self, *error: object) -> None:
        self.__exit__(*error)

    def step(self, name: str) -> _Step:
        """A step, as a block: `with p.step("load") as result:`."""
        return _Step(self, name)

    @property
    def steps(self) -> list[StepResult]:
        """Those that are over."""
        return list(self._steps)

    @property
    def result(self) -> PipelineResult:
        """What there is of it so far."""
        until = self._ended or (time.perf_counter() if self._began else 0.0)
        return PipelineResult(self._label, self.steps, until - self._began)

    @property
    def trace(self) -> _trace.trace:
        """The calls of all steps, and of what is between them."""
        return self._trace

    def summary(self) -> str:
        """Prints the table, and returns it."""
        text = self.result.table()
        print(text)
        return text
