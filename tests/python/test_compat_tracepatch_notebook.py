"""tracepatch in notebooks: `%%tracepatch`, and what show() shows there."""

import html
import re

import pytest

pytest.importorskip("IPython")
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output


@pytest.fixture
def shell(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shell = InteractiveShell.instance()
    shell.run_line_magic("load_ext", "marey.compat.tracepatch")
    shell.run_cell("def work(n):\n    return n\ndef all_of_it():\n    return work(1) + work(2)")
    yield shell
    InteractiveShell.clear_instance()


def run(shell, cell):
    """What the cell showed: its outputs, what was printed, and how it ended."""
    with capture_output() as captured:
        result = shell.run_cell(cell)
    return captured.outputs, captured.stdout, result


def test_a_cell_is_traced_and_shown(shell, tmp_path):
    _, printed, result = run(shell, "%%tracepatch --label cell\nx = all_of_it()")
    assert result.success
    assert "└── __main__.all_of_it() -> 3" in printed
    assert "    ├── __main__.work(n=1) -> 1" in printed
    assert "IPython" not in printed
    assert shell.user_ns["x"] == 3
    assert list(tmp_path.iterdir()) == []


def test_the_value_of_the_last_line_is_shown_too(shell):
    _, printed, result = run(shell, "%%tracepatch\nall_of_it() + 100")
    assert result.success and "all_of_it() -> 3" in printed
    assert re.fullmatch(r"Out\[\d+\]: 103", printed.splitlines()[-1])
    assert "Out[" not in run(shell, "%%tracepatch\nall_of_it() + 100;")[1]


def test_a_cell_has_the_limits_that_it_asks_for(shell):
    printed = run(shell, "%%tracepatch --max-depth 2 --max-repr 9\nall_of_it()")[1]
    assert "all_of_it" in printed and "work" not in printed
    printed = run(shell, "%%tracepatch --max-calls 2 --max-time 9.5 --no-cache\nall_of_it()")[1]
    assert "all_of_it" in printed and "work" not in printed


def test_a_cell_that_fails_is_shown_and_says_so(shell):
    _, printed, result = run(shell, "%%tracepatch\nall_of_it()\nwork()")
    assert isinstance(result.error_in_exec, TypeError)
    assert "all_of_it() -> 3" in printed


@pytest.mark.parametrize("line", ["--max-depth x", "--nope", "--label"])
def test_wrong_options_are_the_cells_error(shell, line):
    _, _, result = run(shell, f"%%tracepatch {line}\nwork(1)")
    assert isinstance(result.error_in_exec, ValueError)
    assert "%%tracepatch: " in str(result.error_in_exec)


def test_a_notebook_shows_a_page(shell, monkeypatch):
    monkeypatch.setattr(shell, "kernel", object(), raising=False)
    outputs, printed, _ = run(shell, "%%tracepatch --label '<mine>'\nx = all_of_it()")
    (page,) = [output.data["text/html"] for output in outputs]
    assert page.startswith("<iframe srcdoc=") and printed == ""
    inside = html.unescape(page)
    assert "all_of_it" in inside and "&lt;mine&gt;" in inside and "<mine>" not in inside
