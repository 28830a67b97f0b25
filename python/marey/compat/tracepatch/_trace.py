"""trace: the calls of a block, or of each call of a function. And what works on the nodes."""

from __future__ import annotations

import copy
import os
import platform
import random
import socket
import sys
import warnings
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ... import _calls as native
from ..._calls_wrap import wrap_each
from . import _storage
from ._nodes import TraceNode, TraceSummary, collapse_tree, fold_repeated_calls, from_calls
from ._render import render_summary_header, render_tree
from ._storage import nodes_to_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import IO, Any, TypeVar

    from ._storage import PathLike

    F = TypeVar("F", bound=Callable[..., Any])

__all__ = [
    "TraceConfig",
    "TraceNode",
    "TraceSummary",
    "collapse_tree",
    "fold_repeated_calls",
    "nodes_to_json",
    "render_summary_header",
    "render_tree",
    "trace",
]

# What is left out always: calls by the thousand that nobody asked for.
_IGNORED = ("json", "threading", "unittest.mock")
_REPR_LEAST = 8  # bytes that the recorder keeps of a value, at least
_LONGEST = 1e9  # seconds: more is for ever


@dataclass(frozen=True)
class TraceConfig:
    """What a trace records."""

    ignore_modules: tuple[str, ...] = ()
    include_modules: tuple[str, ...] = ()
    max_depth: int = 30
    max_calls: int = 10_000
    max_repr: int = 120
    max_time: float = 60.0
    track_memory: bool = False
    sample: float | None = None


class _Recording(native.calls):
    """The calls of a trace."""

    owner: trace


class trace:
    """Record the calls of a block, or of each call of the function that it decorates: a plain one,
    a coroutine, a generator or an asynchronous one.

    ignore_modules, include_modules: modules with all below them; ignore comes first. max_depth:
    calls within calls, up to 500; the time of deeper ones is their callers'. max_calls: how many;
    0: nothing is recorded at all. max_repr: characters of each value, and of all arguments of a
    call together, up to 4096. max_time: seconds. cache: write the trace into .tracepatch/traces
    below cache_dir, or the current directory, when it ends; without a word on it, where there is a
    cache_dir. track_memory: what each call leaves behind, by tracemalloc. sample: the part of the
    calls to keep, chosen by chance: 0.1 for a tenth.

    Files that cannot be written are a RuntimeWarning: the program's own errors come first.
    Raises TypeError, ValueError for what is no option.
    """

    def __init__(
        self,
        *,
        ignore_modules: Iterable[str] | None = None,
        include_modules: Iterable[str] | None = None,
        max_depth: int = 30,
        max_calls: int = 10_000,
        max_repr: int = 120,
        max_time: float = 60.0,
        cache: bool | None = None,
        cache_dir: PathLike | None = None,
        label: str | None = None,
        track_memory: bool = False,
        sample: float | None = None,
    ) -> None:
        if sample is not None and not 0 <= sample <= 1:
            raise ValueError(f"sample={sample}: 0 to 1 wanted")
        self._config = TraceConfig(
            tuple(ignore_modules or ()),
            tuple(include_modules or ()),
            max_depth,
            max_calls,
            max_repr,
            max_time,
            track_memory,
            sample,
        )
        self._is_cached = cache_dir is not None if cache is None else cache
        self._cache_dir = cache_dir
        self._label = label
        self._renew()

    def _renew(self) -> None:
        """As if nothing had been recorded yet."""
        self._trace_id = os.urandom(4).hex()
        self._calls = self._recording()
        self._began: datetime | None = None
        self._roots: list[TraceNode] | None = None
        self._cache_path: Path | None = None

    def _recording(self) -> _Recording | None:
        """What records. None: nothing is to be."""
        wants = self._config
        if wants.max_calls == 0 and not isinstance(wants.max_calls, bool):
            return None
        most = wants.max_calls
        if wants.sample:  # calls are thinned out when they are looked at
            most = int(most / wants.sample)
        made = _Recording(
            include=wants.include_modules or None,
            ignore=(*_IGNORED, *wants.ignore_modules),
            max_depth=min(wants.max_depth, native._DEPTH_MAX),
            max_calls=most,
            max_time=wants.max_time if wants.max_time < _LONGEST else None,
            max_repr=min(max(wants.max_repr, _REPR_LEAST), native._REPR_MAX),
            repr=True,
            label=self._label,
            memory=wants.track_memory,
        )
        made.owner = self
        return made

    # -------------------------------------------------------------------- recording

    def __enter__(self) -> trace:
        if self._began is not None:
            if self._calls is not None and self._calls._scope.is_open:
                raise RuntimeError("this trace is recording already")
            self._renew()
        self._began = datetime.now()
        if self._calls is not None:
            self._calls.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        if self._calls is not None:
            self._calls.__exit__()
        self._save()

    async def __aenter__(self) -> trace:
        return self.__enter__()

    async def __aexit__(self, *error: object) -> None:
        self.__exit__()

    def __call__(self, function: F) -> F:
        """Decorate: each call of the function has a trace of its own. The latest that has ended is
        the function's attribute `trace`.
        """

        def make() -> native.calls:
            fresh = copy.copy(self)
            fresh._renew()
            fresh._began = datetime.now()
            assert fresh._calls is not None
            return fresh._calls

        def ended(wrapper: Any, scope: native.calls) -> None:
            assert isinstance(scope, _Recording)
            wrapper.trace, wrapper.calls = scope.owner, scope
            scope.owner._save()

        if self._calls is None:
            return function
        wrapped: F = wrap_each(function, make, ended)
        wrapped.trace = None  # type: ignore[attr-defined]
        return wrapped

    def _save(self) -> None:
        if not self._is_cached or not self.call_count:
            return
        try:
            path = _storage.new_path(
                self._cache_dir, self._label, self._began or datetime.now(), self._trace_id
            )
            self.to_json(path)
        except OSError as error:
            warnings.warn(f"the trace is not saved: {error}", RuntimeWarning, stacklevel=3)
            return
        self._cache_path = path

    # ---------------------------------------------------------------- what there is

    @property
    def calls(self) -> native.calls | None:
        """What recorded it, with all that marey.calls can do; None where nothing was to be."""
        return self._calls

    @property
    def roots(self) -> list[TraceNode]:
        """The outermost calls. While the block runs: those so far."""
        if self._roots is not None:
            return self._roots
        if self._calls is None or self._began is None:
            return []
        wants = self._config
        chance = random.Random(self._trace_id)
        sample = wants.sample
        keeps = None if sample is None else lambda: chance.random() < sample
        roots = from_calls(self._calls.roots, wants.max_repr, keeps)
        if not self._calls._scope.is_open:
            self._roots = roots
        return roots

    @property
    def call_count(self) -> int:
        """How many calls were recorded, so far."""
        if self._calls is None:
            return 0
        if self._config.sample is None:
            return self._calls.call_count
        return self.summary().call_count

    @property
    def was_limited(self) -> bool:
        """Whether a limit ended the recording. max_depth ends nothing: see limit_reason."""
        return self.limit_reason not in (None, "max_depth", "stack")

    @property
    def limit_reason(self) -> str | None:
        """ "max_calls", "max_time", "memory"; "max_depth" where only deep calls are missing."""
        if self._calls is None:
            return "max_calls" if self._began is not None else None
        return self._calls.limit_reason

    @property
    def cache_path(self) -> Path | None:
        """The file that the end wrote; None: none."""
        return self._cache_path

    def summary(self) -> TraceSummary:
        """The numbers."""
        return TraceSummary.from_roots(self.roots)

    # ----------------------------------------------------------------------- to read

    def tree(self, **options: Any) -> str:
        """The calls as text. options: those of render_tree."""
        if self._began is None:
            return "<trace not started>"
        return render_tree(self.roots, **options) if self.roots else "<no calls captured>"

    def explain(self, *, verbose: bool = False) -> str:
        """What is remarkable, in words. verbose: with how recursions grow."""
        from ._educational import explain

        return explain(self.roots, verbose=verbose)

    def show(self) -> None:
        """In a notebook a page of the calls; elsewhere the tree on the standard output."""
        from ._jupyter import show

        show(self)

    # ---------------------------------------------------------------------- to files

    def to_json(self, path: PathLike | IO[str]) -> None:
        """The trace into a path or an open text file. Raises OSError."""
        roots = self.roots
        summary = TraceSummary.from_roots(roots)
        began = self._began or datetime.now()
        config = vars(self._config)
        payload = {
            "tracepatch_version": "1.0.2",
            "schema_version": 1,
            "timestamp": began.isoformat(),
            "label": self._label,
            "trace_id": self._trace_id,
            "hostname": socket.gethostname(),
            "python_version": platform.python_version(),
            "platform": sys.platform,
            "working_directory": os.getcwd(),
            "duration_ms": round(summary.total_duration_ms, 4),
            "call_count": summary.call_count,
            "was_limited": self.was_limited,
            "limit_reason": self.limit_reason,
            "config": {
                name: config[name]
                for name in (
                    "max_depth",
                    "max_calls",
                    "max_repr",
                    "max_time",
                    "ignore_modules",
                    "include_modules",
                    "track_memory",
                    "sample",
                )
            },
            "stats": {
                "max_depth_reached": summary.max_depth_reached,
                "unique_functions": summary.unique_function_count,
                "unique_modules": summary.unique_module_count,
                "slowest_call_ms": round(summary.slowest_call_ms, 4),
                "slowest_call_name": summary.slowest_call_name,
            },
        }
        _storage.write_json(payload, roots, path)

    def to_flamegraph(self, path: PathLike) -> None:
        """The calls as a flame graph, an SVG file. Raises OSError."""
        from ._flamegraph import nodes_to_flamegraph

        _storage.write_text(
            path, nodes_to_flamegraph(self.roots, title=self._label or "Flamegraph")
        )

    @classmethod
    def logs(cls, cache_dir: PathLike | None = None, limit: int = 50) -> list[dict[str, Any]]:
        """The latest traces below a folder: file, timestamp, label, call_count, was_limited. What
        is no trace is left out.
        """
        found: list[dict[str, Any]] = []
        for path in _storage.saved(cache_dir):
            if len(found) >= limit:
                break
            try:
                found.append(_storage.entry(path))
            except (OSError, ValueError):
                continue
        return found

    @classmethod
    def load(cls, path: PathLike) -> dict[str, Any]:
        """What a file has. Raises OSError, and ValueError where it is no trace."""
        return _storage.read(path)
