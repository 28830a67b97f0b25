"""The plugin for pytest, in runs of pytest of their own."""

import pytest
import traces
from command import run_pytest

TESTS = """
import time
import marey
import pytest

def compute(n):
    return sum(i * i for i in range(n))

@pytest.fixture
def number():
    with marey.span("making a number"):
        yield 3

def test_good(number):
    with marey.span("inside", number=number):
        compute(10)

@pytest.mark.parametrize("way", ["a/b", "a-b"])
def test_bad(way):
    compute(20)
    assert way == "c"

class TestSlow:
    def test_slow(self):
        until = time.process_time() + 0.6
        while time.process_time() < until:
            compute(200)
"""


@pytest.fixture
def run(tmp_path):
    """run(*options, tests=...): (exit status, output) of pytest there."""

    def run(*options, tests=TESTS, plugins=()):
        (tmp_path / "test_it.py").write_text(tests)
        words = [
            word
            for plugin in ("xdist", "asyncio", "timeout", "hypothesispytest")
            if plugin not in plugins
            for word in ("-p", f"no:{plugin}")
        ]
        return run_pytest(tmp_path, *words, *options)

    return run


def names(folder):
    return sorted(file.name.replace(".perfetto-trace", "") for file in folder.iterdir())


def test_each_test_has_a_trace(run, tmp_path):
    status, out = run("--marey")
    assert status == 1 and "2 failed, 2 passed" in out, out
    folder = tmp_path / "marey-traces"
    assert f"4 traces in {folder}" in out
    found = names(folder)
    assert found[:2] == ["test_it.py-TestSlow-test_slow", "test_it.py-test_bad-a-b"]
    assert found[2].startswith("test_it.py-test_bad-a-b-") and found[3] == "test_it.py-test_good"
    trace = traces.load(folder / "test_it.py-test_good.perfetto-trace")
    test = trace.span("test test_good")
    assert test.args == {"test": "test_it.py::test_good", "failed": False}
    assert [child.name for child in test.children] == ["setup", "call", "teardown"]
    assert "making a number" in str(test.children[0].tree())  # a fixture
    assert "inside" in str(test.children[1].tree()) and "compute" in str(test.children[1].tree())
    assert "pluggy" not in str([span.args for span in trace.spans])  # of the runner itself
    failed = traces.load(folder / "test_it.py-test_bad-a-b.perfetto-trace")
    assert failed.span("test test_bad").args["failed"] is True


def test_only_failing_ones_are_kept(run, tmp_path):
    folder = tmp_path / "there"
    status, out = run("--marey-on-failure", "--marey-dir", "there", "--marey-what", "spans")
    assert status == 1 and f"2 traces of failing tests in {folder}" in out
    assert len(names(folder)) == 2 and all("test_bad" in name for name in names(folder))
    assert "failed: test_it.py-test_bad-a-b.perfetto-trace" in out


@pytest.mark.parametrize("what", ["calls", "samples"])
def test_where_the_time_of_the_slowest_went(run, tmp_path, what):
    status, out = run("--marey-slowest", "1", "--marey-what", what)
    assert status == 1
    lines = out[out.index("= marey =") :].splitlines()
    assert lines[1].endswith("test_it.py::TestSlow::test_slow"), out
    assert any("compute" in line and "test_it.py:" in line for line in lines[2:7]), out
    assert "test_good" not in "".join(lines[2:7]) and "warning" not in out
    assert not names(tmp_path / "marey-traces")


def test_workers_of_xdist_have_their_own_files(run, tmp_path):
    pytest.importorskip("xdist")
    status, out = run("--marey", "--marey-slowest", "1", "-n", "2", plugins=("xdist",))
    assert status == 1 and "4 traces in" in out, out
    assert {name[-4:-1] for name in names(tmp_path / "marey-traces")} <= {"-gw"}
    assert len(names(tmp_path / "marey-traces")) == 4
    assert "test_slow" in out and "compute (" in out and "warning" not in out


def test_tests_of_coroutines(run, tmp_path):
    pytest.importorskip("pytest_asyncio")
    tests = """
import asyncio
import marey
import pytest

async def step():
    await asyncio.sleep(0)

@pytest.mark.asyncio
async def test_later():
    with marey.span("inside"):
        await asyncio.gather(step(), step())
"""
    status, out = run("--marey", tests=tests, plugins=("asyncio",))
    assert status == 0, out
    trace = traces.load(tmp_path / "marey-traces" / "test_it.py-test_later.perfetto-trace")
    assert trace.span("inside") and "step" in {span.name for span in trace.spans}


def test_tests_that_record_by_themselves_are_not_disturbed(run, tmp_path):
    tests = """
import marey

def test_own(tmp_path):
    with marey.record(tmp_path / "own"), marey.span("x"):
        pass
    assert (tmp_path / "own").stat().st_size > 1000

def test_next():
    pass
"""
    status, out = run("--marey", tests=tests)
    assert status == 0 and "2 passed" in out, out
    assert "warning: a test recorded by itself" in out and "(2 times)" not in out


def test_what_goes_wrong_is_a_warning(run, tmp_path):
    (tmp_path / "file").write_text("")
    status, out = run("--marey", "--marey-dir", "file/folder", "-W", "error")
    assert status == 1 and "2 failed, 2 passed" in out, out
    assert "warning: NotADirectoryError" in out and "(4 times)" in out


def test_a_test_that_ends_python_leaves_its_trace(run, tmp_path):
    tests = """
import os
import marey

def test_ends():
    with marey.span("last"):
        os._exit(3)
"""
    status, _ = run("--marey-on-failure", tests=tests)
    assert status == 3
    trace = traces.load(tmp_path / "marey-traces" / "test_it.py-test_ends.perfetto-trace")
    assert trace.span("last").end is None


def test_off_it_imports_nothing_and_writes_nothing(run, tmp_path):
    tests = """
import sys

def test_it():
    assert "pytest_marey" in sys.modules
    assert not [name for name in sys.modules if name.split(".")[0] in ("marey", "_marey")]
"""
    status, out = run(tests=tests)
    assert status == 0, out
    assert "= marey =" not in out and not (tmp_path / "marey-traces").exists()


def test_help(run):
    status, out = run("--help")
    assert status == 0
    for option in ("--marey ", "--marey-on-failure", "--marey-slowest=N", "--marey-dir=DIR"):
        assert option in out
