"""tracepatch's plugin for pytest, in runs of pytest of their own."""

import xml.etree.ElementTree

import pytest
from command import run_pytest

from marey.compat.tracepatch import trace

PLUGIN = "marey.compat.tracepatch.pytest_plugin"
SHOP = """
import time
def pay(order):
    check(order)
    return order
def check(order):
    if order < 0:
        raise ValueError(order)
def slow():
    time.sleep(0.02)
    check(1)
def recurse(n):
    return n and recurse(n - 1)
"""


@pytest.fixture
def run(tmp_path):
    """run(tests, *options) -> (exit status, output)"""

    def run(tests, *options):
        (tmp_path / "shop.py").write_text(SHOP)
        (tmp_path / "test_it.py").write_text("import pytest, shop\n" + tests)
        return run_pytest(tmp_path, "-p", PLUGIN, "-p", "no:randomly", *options)

    return run


def test_assertions_see_the_calls_so_far(run, tmp_path):
    status, output = run("""
@pytest.fixture
def paid():
    shop.pay(7)
def test_all(tracepatch, paid):
    assert tracepatch.call_count == 1                   # the test's own
    shop.pay(1)
    tracepatch.assert_called("shop.pay")
    tracepatch.assert_called_once("shop.pay")           # the fixture's is none of them
    tracepatch.assert_called_n_times("shop.*", 2)
    tracepatch.assert_not_called("shop.slow")
    tracepatch.assert_not_called("_pytest*")
    tracepatch.assert_max_calls(30)
    tracepatch.assert_max_depth(2)
    tracepatch.assert_under_ms("shop.*", 60_000)
    tracepatch.assert_no_exceptions()
    tracepatch.assert_call_order(["shop.pay", "shop.check"])
    shop.slow()
    tracepatch.assert_self_time_under_ms("shop.check", 60_000)
    assert "shop.pay(order=1) -> 1" in tracepatch.tree()
    assert tracepatch.roots[0].name == "test_all" and not tracepatch.was_limited
""")
    assert status == 0, output
    assert not (tmp_path / ".tracepatch").exists()


FAILING = {
    "assert_called('shop.none')": "Expected a call matching 'shop.none', but none found",
    "assert_not_called('shop.p*')": "matching 'shop.p*', but found: shop.pay",
    "assert_called_once('shop.check')": "exactly 1 call(s) matching 'shop.check', but found 2",
    "assert_max_calls(2)": "Expected at most 2 calls, but got",
    "assert_max_depth(1)": "Expected max depth 1, but reached 4",
    "assert_under_ms('shop.slow', 1)": "shop.slow took",
    "assert_self_time_under_ms('shop.slow', 1)": "shop.slow self-time was",
    "assert_no_exceptions()": "shop.pay raised an exception: ValueError: -1",
    "assert_call_order(['shop.slow', 'shop.pay'])": "Expected 'shop.pay' to be called after",
    "assert_call_order(['shop.none'])": "Expected a call matching 'shop.none', but none found",
}


def test_assertions_that_fail(run):
    status, output = run(f"""
@pytest.mark.parametrize(("assertion", "message"), {list(FAILING.items())!r})
def test_it(tracepatch, assertion, message):
    try:
        shop.pay(-1)
    except ValueError:
        pass
    shop.slow()
    shop.recurse(3)
    with pytest.raises(pytest.fail.Exception) as caught:
        eval("tracepatch." + assertion)
    assert message in str(caught.value)
""")
    assert status == 0, output
    assert f"{len(FAILING)} passed" in output


MIXED = """
import os
class TestIt:
    @pytest.mark.parametrize("n", [1, -1])
    def test_pay(self, n, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        shop.pay(n)
@pytest.mark.tracepatch(max_calls=2, label="few")
def test_few():
    shop.pay(1)
def test_without():
    shop.pay(1)
"""


def test_traces_of_failing_tests(run, tmp_path):
    status, output = run(MIXED, "--tracepatch", "--tracepatch-save-on-failure")
    assert status == 1 and "1 failed, 3 passed" in output
    [file] = (tmp_path / ".tracepatch/traces").glob("*.json")
    assert file.name == "test_it.py__TestIt__test_pay_-1_.json"
    assert [call["name"] for call in trace.load(file)["trace"]] == ["test_pay"]


def test_all_traces_somewhere_else(run, tmp_path):
    status, output = run(MIXED, "--tracepatch-save", "--tracepatch-output", "out/deep")
    assert status == 1, output
    [file] = (tmp_path / "out/deep").iterdir()  # the one that is marked
    data = trace.load(file)
    assert (data["label"], data["was_limited"], data["call_count"]) == ("few", True, 2)
    run(MIXED, "--tracepatch", "--tracepatch-save", "--tracepatch-output", "out/deep")
    assert len(list((tmp_path / "out/deep").iterdir())) == 4


def test_limits_that_fail_tests_and_the_report(run, tmp_path):
    status, output = run(MIXED, "--tracepatch-fail-on-limited", "--junitxml", "report.xml")
    assert status == 1
    assert "Trace was limited for test_it.py::test_few" in output
    assert "2 failed, 2 passed" in output
    cases = xml.etree.ElementTree.parse(tmp_path / "report.xml").iter("testcase")
    [few] = [case for case in cases if case.get("name") == "test_few"]
    found = {one.get("name"): one.get("value") for one in few.iter("property")}
    assert found == {"tracepatch.call_count": "2", "tracepatch.was_limited": "True"}


def test_a_folder_that_cannot_be_written_fails_no_test(run, tmp_path):
    (tmp_path / "file").write_text("")
    status, output = run(
        "def test_it(tracepatch): pass", "--tracepatch-save", "--tracepatch-output", "file"
    )
    assert status == 0
    assert "is not saved" in output


def test_long_names_and_unittest(run, tmp_path):
    status, output = run(
        f"""
import unittest
class TestOld(unittest.TestCase):
    def test_pay(self):
        shop.pay(1)
@pytest.mark.parametrize("text", ["{"x" * 300}y", "{"x" * 300}z"])
def test_long(text):
    shop.pay(1)
""",
        "--tracepatch",
        "--tracepatch-save",
        "--tracepatch-output",
        "out",
    )
    assert status == 0, output
    assert len(list((tmp_path / "out").iterdir())) == 3


def test_a_mark_with_what_is_no_option(run):
    status, output = run("@pytest.mark.tracepatch(maximum=1)\ndef test_it(): pass")
    assert status == 1
    assert "maximum" in output
