"""The plugin for pytest, where one of its options is given: a trace of each test, and what was
slow. Nothing here fails a test: what goes wrong is told in the summary.

With xdist, workers record, and tell the process that prints the summary by `workeroutput`.
"""

from __future__ import annotations

import hashlib
import os
import time
from contextlib import contextmanager, suppress

import pytest

from . import _marey
from ._background import Background
from ._calls import _scope, calls
from ._kept import plain
from ._record import SUFFIX, record
from ._sampler import Sampler

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from typing import Any

    Row = tuple[str, str, float, float]  # function, place, seconds in itself and in all

_LIMIT = 256 << 20  # bytes of a test's trace
_HZ = 1000
_ROWS = 5  # functions of a slow test
_SHOWN = 20  # paths and troubles in the summary
_NAME_MAX = 150  # characters of a file's name
_RUNNERS = (
    *("_pytest", "pytest", "pluggy", "xdist", "execnet", "pytest_asyncio", "pytest_timeout"),
    *("anyio.pytest_plugin", "_hypothesis_pytestplugin"),
)


def _text(what: str) -> str:
    """One line that is harmless for a terminal."""
    return "".join(c if c.isprintable() else "?" for c in what)


class _Test:
    """A test that runs. start() raises where it cannot be recorded; what began before that is ended
    by stop().
    """

    def __init__(self, item: pytest.Item, path: str, what: str) -> None:
        self.nodeid, self.path = item.nodeid, path
        self.failed = False
        self.sampler: Sampler | None = None
        name = getattr(item, "originalname", None) or item.name  # without parameters
        self._name = f"test {name[:100]}".replace("\0", "")
        self._what = what
        self._scope: _marey.Scope | None = None
        self._recording: Background | None = None
        self._span: _marey.span | None = None

    def start(self) -> None:
        self._began = time.monotonic()
        if not _marey.recording():
            os.makedirs(os.path.dirname(self.path), exist_ok=True)
            self._recording = Background(self.path, limit=_LIMIT, tags={"test": self.nodeid})
            self._recording.start()
        self._span = _marey.span(self._name, test=self.nodeid)
        self._span.__enter__()
        if self._what == "samples":
            self.sampler = Sampler(_HZ, record=True)
            self.sampler.start()

    def open_calls(self) -> _marey.Scope | None:
        """Record calls from now on; to be closed. None where that is not wanted, or done already.

        The runner's own work around a test's functions is so left out.
        """
        if self._what != "calls" or (self._scope is not None and self._scope.is_open):
            return None
        self._scope = _scope(
            ignore=_RUNNERS, max_depth=500, max_calls=0, threads="all", log_bytes=0
        )
        self._scope.open()
        return self._scope

    def stop(self) -> None:
        self.seconds = time.monotonic() - self._began
        if self.sampler is not None:
            self.sampler.stop()
        if self._span is not None:
            self._span.set(failed=self.failed)
            self._span.__exit__()
        #: Whether the trace has all of the test: it did not record by itself.
        self.whole = record._active is self._recording
        if self._recording is not None:
            self._recording.stop()

    @property
    def recorded(self) -> bool:
        """Whether there is a file of it, and not only a part of another recording."""
        return self._recording is not None

    def rows(self) -> list[Row]:
        """The functions that took most, by the time in themselves."""
        if self.sampler is not None:
            seconds = self.seconds
            return [
                (h.function, f"{h.file}:{h.line}", h.self_share * seconds, h.total_share * seconds)
                for h in self.sampler.hot(_ROWS)
            ]
        if self._what != "calls" or not self.recorded:
            return []
        found = sorted(calls.load(self.path).stats(), key=lambda s: s.self_time, reverse=True)
        return [(s.name, f"{s.file}:{s.line}", s.self_time, s.total) for s in found[:_ROWS]]


class Plugin:
    """Hooks of one pytest process, which runs tests, or shows what xdist's workers ran."""

    def __init__(self, config: pytest.Config) -> None:
        option = config.option
        self._config = config
        self._folder: str = option.marey_dir
        self._keep_failed: bool = option.marey_on_failure
        self._keep_all: bool = option.marey and not option.marey_on_failure
        self._slowest_wanted: int = max(0, option.marey_slowest or 0)
        self._what: str = option.marey_what
        self._worker: str = getattr(config, "workerinput", {}).get("workerid", "")
        self._names: set[str] = set()
        self._test: _Test | None = None
        self._kept = 0
        self._failed: list[str] = []
        self._slowest: list[tuple[float, str, list[Row]]] = []
        self._troubles: dict[str, int] = {}

    # ---- what must not disturb

    @contextmanager
    def _guard(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            self._trouble(f"{type(error).__name__}: {error}")

    def _trouble(self, text: str) -> None:
        if text in self._troubles or len(self._troubles) < _SHOWN:
            self._troubles[text] = self._troubles.get(text, 0) + 1

    # ---- tests

    def _path(self, nodeid: str) -> str:
        """The file of a test, test_a.py-TestB-test_c-x for test_a.py::TestB::test_c[x]: of no other
        test of this process, and of no other worker.
        """
        file, _, inside = nodeid.partition("::")
        rest = f"{os.path.basename(file)}-{inside}"
        name = plain(rest, _NAME_MAX) + (f"-{self._worker}" if self._worker else "")
        if name in self._names or len(rest) > _NAME_MAX:
            name += "-" + hashlib.sha256(nodeid.encode("utf-8", "replace")).hexdigest()[:8]
        self._names.add(name)
        return os.path.join(self._folder, name + SUFFIX)

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, None, None]:
        with self._guard():
            self._test = _Test(item, self._path(item.nodeid), self._what)
            self._test.start()
        yield
        test, self._test = self._test, None
        if test is not None:
            with self._guard():
                test.stop()
                self._take(test)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and self._test is not None:
            self._test.failed = True

    def _take(self, test: _Test) -> None:
        """Keep what is wanted of a test that ran."""
        if not test.whole:
            self._trouble("a test recorded by itself: its own trace ends where that began")
        try:
            with self._guard():
                self._rank(test)
        finally:
            if test.recorded and not (self._keep_all or (self._keep_failed and test.failed)):
                with suppress(FileNotFoundError):
                    os.unlink(test.path)
            elif test.recorded:
                self._kept += 1
                if test.failed:
                    self._failed.append(test.path)
            else:
                self._trouble("tests are spans of the recording that was on already")

    def _rank(self, test: _Test) -> None:
        full = len(self._slowest) >= self._slowest_wanted
        if not self._slowest_wanted or (full and test.seconds <= self._slowest[-1][0]):
            return
        self._slowest.append((test.seconds, test.nodeid, test.rows()))
        self._sort()

    def _sort(self) -> None:
        self._slowest.sort(key=lambda test: -test[0])
        del self._slowest[self._slowest_wanted :]

    # ---- within a test

    @contextmanager
    def _calls(self) -> Iterator[None]:
        """What runs inside is recorded, call by call."""
        scope = None
        with self._guard():
            scope = None if self._test is None else self._test.open_calls()
        try:
            yield
        finally:
            if scope is not None:
                with self._guard():
                    scope.close()

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_setup(self) -> Generator[None, None, None]:
        with _marey.span("setup"):
            yield

    @pytest.hookimpl(hookwrapper=True, trylast=True)  # the innermost
    def pytest_fixture_setup(self, fixturedef: Any) -> Generator[None, None, None]:
        name, scope = str(fixturedef.argname), str(fixturedef.scope)
        with _marey.span("fixture", name=name, scope=scope), self._calls():
            yield

    @pytest.hookimpl(hookwrapper=True, trylast=True)
    def pytest_runtest_call(self) -> Generator[None, None, None]:
        with _marey.span("call"), self._calls():
            yield

    @pytest.hookimpl(hookwrapper=True, trylast=True)
    def pytest_runtest_teardown(self) -> Generator[None, None, None]:
        with _marey.span("teardown"), self._calls():
            yield

    # ---- xdist

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        output = getattr(self._config, "workeroutput", None)
        if output is not None:
            output["marey"] = [
                self._kept,
                self._failed[:_SHOWN],
                self._slowest,
                list(self._troubles.items()),
            ]

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: Any) -> None:
        with self._guard():
            told = getattr(node, "workeroutput", {}).get("marey")
            if told is None:
                self._trouble(f"{node.gateway.id} ended without a word; its traces are there")
                return
            kept, failed, slowest, troubles = told
            self._kept += kept
            self._failed += failed
            self._slowest += slowest
            for text, count in troubles:
                self._troubles[text] = self._troubles.get(text, 0) + count
            self._sort()

    # ---- the summary

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        with self._guard():
            terminalreporter.section("marey")
            for line in self._summary():
                terminalreporter.write_line(_text(line))

    def _summary(self) -> Iterator[str]:
        for seconds, nodeid, rows in self._slowest:
            yield f"{seconds:8.3f}s  {nodeid}"
            for function, place, own, total in rows:
                yield f"{own:8.3f}s self {total:8.3f}s total  {function} ({place})"
        if self._keep_all or self._keep_failed:
            traces = "1 trace" if self._kept == 1 else f"{self._kept} traces"
            of = " of failing tests" if self._keep_failed else ""
            yield f"{traces}{of} in {self._folder}" + (": marey tree FILE" if self._kept else "")
        for path in self._failed[:_SHOWN]:
            yield f"  failed: {os.path.relpath(path, self._folder)}"
        for text, count in self._troubles.items():
            yield f"warning: {text}" + (f" ({count} times)" if count > 1 else "")
