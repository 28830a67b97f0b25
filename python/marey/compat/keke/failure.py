"""keke.failure: a trace is kept only where the block fails."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import time
from functools import wraps
from pathlib import Path
from typing import Any, Callable, TypeVar

from . import get_tracer
from ._output import TraceOutput

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

F = TypeVar("F", bound=Callable[..., Any])

DEFAULT_TRACE_DIR = Path("/tmp/failure_traces")
SEQUENCE = 0
SEQUENCE_DIGITS = 4
KEEP_MAX = 100  # files of a folder
LOG = logging.getLogger(__name__)


class TraceOnFailure:
    """Records the block, and saves it where an exception leaves it; any, KeyboardInterrupt too.

    always_trace: save it in any case. path: the folder, in which the newest 100 stay. Where a
    TraceOutput is active already this does nothing. That saving fails is logged, and hides nothing.
    """

    def __init__(self, always_trace: bool = False, path: Path = DEFAULT_TRACE_DIR) -> None:
        self.always_trace = always_trace
        self.path = path
        self.buf = io.StringIO()
        self._output = TraceOutput(self.buf, close_output_file=False)

    def __enter__(self) -> Self:
        if get_tracer():
            LOG.warning("Already tracing, TraceOnFailure is a no-op")
        else:
            self._output.__enter__()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._output.__exit__(exc_type, exc_value, traceback)
        reason = exc_type.__name__ if exc_type else "AlwaysTrace" if self.always_trace else None
        if reason and self.buf.tell():
            try:
                _save(self.buf.getvalue(), reason, Path(self.path))
            except Exception:
                LOG.exception("While saving for %s", reason)


def save_trace_on_failure(func: F) -> F:
    """The same for each call of a function. The attributes `always_trace` and `path` of this
    decorator count, as they are at the time of the call.
    """

    @wraps(func)
    def inner(*args: Any, **kwargs: Any) -> Any:
        options: Any = save_trace_on_failure
        with TraceOnFailure(options.always_trace, options.path):
            return func(*args, **kwargs)

    return inner  # type: ignore[return-value]


save_trace_on_failure.always_trace = False  # type: ignore[attr-defined]
save_trace_on_failure.path = DEFAULT_TRACE_DIR  # type: ignore[attr-defined]


def _save(text: str, reason: str, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    try:
        _remove_oldest(folder)
    except OSError:
        LOG.exception("old traces in %s stay", folder)
    path = _trace_path(folder)
    LOG.warning("Saving trace to %s because %s", path, reason)
    path.write_text(text, encoding="utf-8")


def _trace_path(folder: Path) -> Path:
    global SEQUENCE
    number, SEQUENCE = SEQUENCE, (SEQUENCE + 1) % 10**SEQUENCE_DIGITS
    date = time.strftime("%Y-%m-%d_%H%M%S")
    return folder / f"{os.getpid()}_{date}_{number:0{SEQUENCE_DIGITS}}.trace"


def _get_ctime(folder: Path, name: str) -> float:
    """Of a file that is gone meanwhile: now, so it is removed last."""
    try:
        return (folder / name).stat().st_ctime
    except OSError:
        return time.time()


def _remove_oldest(folder: Path, keep: int = KEEP_MAX) -> None:
    """Until less than `keep` entries are left. Other processes may do the same."""
    try:
        entries = sorted(os.listdir(folder), key=lambda name: _get_ctime(folder, name))
    except FileNotFoundError:
        return
    for name in entries[: max(0, len(entries) - keep + 1)]:
        with contextlib.suppress(OSError):
            (folder / name).unlink()
