"""For pytest: `-p marey.compat.tracepatch.pytest_plugin`, or in the outermost conftest.py
`pytest_plugins = ["marey.compat.tracepatch.pytest_plugin"]`.

    def test_checkout(tracepatch):
        checkout(order)
        tracepatch.assert_called("app.pay")

The fixture has the calls of the test's own function so far, and all of them after it. Arguments of
trace() may be given by `@pytest.mark.tracepatch(max_depth=5)`, which is as good as the fixture.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
import os
import re
import unittest
import warnings
from contextlib import nullcontext
from fnmatch import fnmatchcase
from pathlib import Path
from typing import cast

import pytest

from . import _storage
from ._nodes import TraceSummary, walk
from ._trace import trace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from contextlib import AbstractContextManager
    from typing import Any, Callable, TypeVar

    F = TypeVar("F", bound=Callable[..., Any])

    from ._nodes import TraceNode

_NAME_MAX = 150  # characters of a file's name
_RUNNERS = ("_pytest", "pluggy", "unittest", "pytest_asyncio", "anyio.pytest_plugin")


def _aside(method: F) -> F:
    """The method, in which nothing is recorded: what an assertion does is no part of the test.
    It may call no other such method.
    """

    @functools.wraps(method)
    def made(self: TraceResult, *args: Any, **kwargs: Any) -> Any:
        calls = self._trace_obj.calls
        is_inside = calls is not None and calls._scope.is_open
        if calls is None or not is_inside:
            return method(self, *args, **kwargs)
        calls._scope.leave()
        try:
            return method(self, *args, **kwargs)
        finally:
            calls._scope.enter()

    return cast("F", made)


class TraceResult:
    """The calls of a test. What an assertion wants and does not find fails the test. Patterns are
    those of fnmatch, of the name with its module: "app.models.*".
    """

    def __init__(self, traced: trace, label: str) -> None:
        self._trace_obj, self._label = traced, label

    @property
    def call_count(self) -> int:
        """How many calls there are."""
        return self._trace_obj.call_count

    @property
    def was_limited(self) -> bool:
        """Whether a limit ended the recording."""
        return self._trace_obj.was_limited

    @property
    def roots(self) -> list[TraceNode]:
        """The outermost calls."""
        return self._trace_obj.roots

    @_aside
    def tree(self) -> str:
        """The calls as text."""
        return self._trace_obj.tree()

    def _like(self, pattern: str) -> Iterator[TraceNode]:
        return (node for node, _, _ in walk(self.roots) if fnmatchcase(node.full_name, pattern))

    @_aside
    def assert_called(self, pattern: str) -> None:
        """There is such a call."""
        if next(self._like(pattern), None) is None:
            pytest.fail(f"Expected a call matching '{pattern}', but none found")

    @_aside
    def assert_not_called(self, pattern: str) -> None:
        """There is no such call."""
        found = sorted({node.full_name for node in self._like(pattern)})
        if found:
            pytest.fail(f"Expected no calls matching '{pattern}', but found: {', '.join(found)}")

    def assert_called_once(self, pattern: str) -> None:
        """There is one."""
        self.assert_called_n_times(pattern, 1)

    @_aside
    def assert_called_n_times(self, pattern: str, n: int) -> None:
        """There are so many."""
        found = sum(1 for _ in self._like(pattern))
        if found != n:
            pytest.fail(f"Expected exactly {n} call(s) matching '{pattern}', but found {found}")

    @_aside
    def assert_max_calls(self, max_n: int) -> None:
        """There are no more calls than that."""
        if self.call_count > max_n:
            pytest.fail(f"Expected at most {max_n} calls, but got {self.call_count}")

    @_aside
    def assert_max_depth(self, max_d: int) -> None:
        """No call is deeper; one that nobody called has depth 0."""
        depth = TraceSummary.from_roots(self.roots).max_depth_reached
        if depth > max_d:
            pytest.fail(f"Expected max depth {max_d}, but reached {depth}")

    @_aside
    def assert_under_ms(self, pattern: str, max_ms: float) -> None:
        """Each such call took at most so many milliseconds."""
        for node in self._like(pattern):
            self._compare(node, "took", node.elapsed, max_ms)

    @_aside
    def assert_self_time_under_ms(self, pattern: str, max_ms: float) -> None:
        """Likewise, without the calls in it."""
        for node in self._like(pattern):
            inside = sum(child.elapsed for child in node.children)
            self._compare(node, "self-time was", max(0.0, node.elapsed - inside), max_ms)

    def _compare(self, node: TraceNode, what: str, seconds: float, max_ms: float) -> None:
        if seconds * 1000 > max_ms:
            pytest.fail(
                f"{node.full_name} {what} {seconds * 1000:.2f}ms, exceeding limit of {max_ms}ms"
            )

    @_aside
    def assert_no_exceptions(self) -> None:
        """No call was left by an exception."""
        for node, _, _ in walk(self.roots):
            if node.exception is not None:
                pytest.fail(f"{node.full_name} raised an exception: {node.exception}")

    @_aside
    def assert_call_order(self, patterns: list[str]) -> None:
        """The first call of each pattern begins before that of the next pattern."""
        nodes = [node.full_name for node, _, _ in walk(self.roots)]
        last, before = -1, ""
        for pattern in patterns:
            found = (at for at, name in enumerate(nodes) if fnmatchcase(name, pattern))
            at = next(found, None)
            if at is None:
                pytest.fail(f"Expected a call matching '{pattern}', but none found")
            if at <= last:
                pytest.fail(
                    f"Expected '{pattern}' to be called after '{before}', but it was before"
                )
            last, before = at, pattern


_TraceResult = TraceResult


# ---------------------------------------------------------------------- options, marks


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options."""
    add = parser.getgroup("tracepatch", "the calls of tests (tracepatch)").addoption
    add("--tracepatch", action="store_true", help="trace all tests")
    add("--tracepatch-save", action="store_true", help="save the traces")
    add("--tracepatch-save-on-failure", action="store_true", help="save those of failing tests")
    add("--tracepatch-fail-on-limited", action="store_true", help="a trace with a limit fails")
    add("--tracepatch-output", metavar="DIR", help="where to (.tracepatch/traces)")


def pytest_configure(config: pytest.Config) -> None:
    """The mark."""
    config.addinivalue_line("markers", "tracepatch(**kwargs): trace the test; arguments of trace()")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests that are to be traced want the fixture."""
    for item in items:
        wanted = config.getoption("tracepatch") or item.get_closest_marker("tracepatch")
        if wanted and isinstance(item, pytest.Function) and "tracepatch" not in item.fixturenames:
            item.fixturenames.append("tracepatch")


@pytest.fixture
def tracepatch(request: pytest.FixtureRequest) -> TraceResult:
    """The calls of the test."""
    mark = request.node.get_closest_marker("tracepatch")
    options = {"label": request.node.nodeid, **(mark.kwargs if mark else {})}
    options["ignore_modules"] = [*(options.get("ignore_modules") or ()), *_RUNNERS]
    result = TraceResult(trace(**options), request.node.nodeid)
    request.node.stash[_RESULT] = result
    return result


_RESULT = pytest.StashKey[TraceResult]()


# -------------------------------------------------------------------------------- tests


def _recording(item: pytest.Item) -> AbstractContextManager[Any]:
    result = item.stash.get(_RESULT, None)
    return nullcontext() if result is None else result._trace_obj


@pytest.hookimpl(hookwrapper=True, trylast=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, None, None]:
    """What the test's own function does, and nothing that the runner does around it."""
    function = pyfuncitem.obj
    if _RESULT not in pyfuncitem.stash or _is_run_by_others(pyfuncitem):
        yield
        return

    @functools.wraps(function)
    def recorded(*args: Any, **kwargs: Any) -> Any:
        with _recording(pyfuncitem):
            return function(*args, **kwargs)

    pyfuncitem.obj = recorded
    try:
        yield
    finally:
        pyfuncitem.obj = function


def _is_run_by_others(item: pytest.Item) -> bool:
    """A method of a unittest.TestCase, or a coroutine, which plugins run."""
    is_case = issubclass(getattr(item, "cls", None) or object, unittest.TestCase)
    return is_case or inspect.iscoroutinefunction(getattr(item, "obj", None))


@pytest.hookimpl(hookwrapper=True, trylast=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, None]:
    """What came of it; and what tests do of which pytest does not call the function itself."""
    with _recording(item) if _is_run_by_others(item) else nullcontext():
        outcome = yield
    result = item.stash.get(_RESULT, None)
    if result is None:
        return
    item.user_properties.append(("tracepatch.call_count", result.call_count))
    item.user_properties.append(("tracepatch.was_limited", result.was_limited))
    fails = item.config.getoption("tracepatch_fail_on_limited") and result.was_limited
    if fails and outcome.excinfo is None:  # an exception of the test's own comes first
        outcome.force_exception(pytest.fail.Exception(f"Trace was limited for {item.nodeid}"))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, Any, None]:
    """Saves what is wanted, when it is known how the test ended."""
    report = (yield).get_result()
    result = item.stash.get(_RESULT, None)
    option = item.config.option
    wanted = option.tracepatch_save or (option.tracepatch_save_on_failure and report.failed)
    if result is not None and call.when == "call" and wanted:
        try:
            result._trace_obj.to_json(_path(item))
        except OSError as error:
            warnings.warn(f"the trace of {item.nodeid} is not saved: {error}", stacklevel=1)


def _path(item: pytest.Item) -> Path:
    """The file of a test."""
    name = re.sub(r"[^\w.\-]", "_", item.nodeid)
    if len(name) > _NAME_MAX:
        digest = hashlib.sha256(item.nodeid.encode("utf-8", "replace")).hexdigest()
        name = f"{name[:_NAME_MAX]}-{digest[:8]}"
    started = item.config.invocation_params.dir  # the test may be elsewhere now
    output = item.config.getoption("tracepatch_output")
    folder = started / output if output else _storage.made_folder(started)
    os.makedirs(folder, exist_ok=True)
    return folder / f"{name}.json"
