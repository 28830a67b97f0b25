"""%%marey in a notebook: what stands below the cell."""

import pytest

import marey

pytest.importorskip("IPython")
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output


@pytest.fixture
def shell():
    shell = InteractiveShell.instance()
    shell.run_line_magic("load_ext", "marey")
    shell.run_cell("def work(n):\n    return sum(i * i for i in range(n))")
    yield shell
    InteractiveShell.clear_instance()


def run(shell, cell):
    """What the cell showed: its outputs, what was printed, and how it ended."""
    with capture_output() as captured:
        result = shell.run_cell(cell)
    return captured.outputs, captured.stdout + captured.stderr, result


def texts(outputs):
    return [output.data["text/plain"] for output in outputs]


def test_samples(shell):
    outputs, printed, result = run(
        shell, "%%marey\nfor _ in range(50): work(100_000)\nprint('hey')"
    )
    assert result.success
    assert "hey" in printed
    table = texts(outputs)[0]
    assert "work" in table
    assert "run_cell" not in table
    assert "samples" in table.splitlines()[-1]


def test_calls_and_the_value_of_the_last_line(shell):
    outputs, printed, result = run(shell, "%%marey calls\nx = work(3)\nwork(4)")
    assert result.success
    tree = texts(outputs)[0]
    assert "work(n=3) -> 5" in tree
    assert "work(n=4) -> 14" in tree
    assert "IPython" not in tree
    assert "14" in "".join([printed, *texts(outputs)[1:]])
    assert shell.user_ns["x"] == 5


def test_spans(shell):
    outputs, _, _ = run(shell, "%%marey spans\nimport marey\nwith marey.span('x', n=1): pass")
    assert "└── x  n=1" in texts(outputs)[0]


def test_a_line(shell):
    outputs, printed, result = run(shell, "%marey work(2_000_000)")
    assert result.success
    assert "work" in texts(outputs)[0]
    assert str(sum(i * i for i in range(2_000_000))) in "".join([printed, *texts(outputs)[1:]])


def test_a_cell_that_fails_is_shown_and_fails(shell):
    outputs, _, result = run(shell, "%%marey calls\nwork('no')")
    assert isinstance(result.error_in_exec, TypeError)
    assert "TypeError" in texts(outputs)[0]
    assert not marey.recording()


def test_the_trace_is_at_hand(shell, tmp_path):
    path = tmp_path / "cell.perfetto-trace"
    outputs, _, _ = run(shell, f"%%marey calls -o {path}\nwork(3)")
    assert "work" in texts(outputs)[0]
    assert any(span.name.endswith("work") for span in marey.open_trace(path).spans())


def test_markup_in_names_is_text(shell):
    outputs, _, _ = run(shell, "%%marey spans\nimport marey\nwith marey.span('<b>&x'): pass")
    page = outputs[0].data["text/html"]
    assert "<b>&x" not in page
    assert "&lt;b&gt;&amp;x" in page


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("%%marey foo\n1", "invalid choice: 'foo'"),
        ("%%marey --hz x\n1", "--hz"),
        ("%marey", "STATEMENT"),
        ("%%marey\nimport asyncio\nawait asyncio.sleep(0)", "no await at the top"),
    ],
)
def test_wrong_use_is_said(shell, cell, message):
    _, printed, result = run(shell, cell)
    assert not result.success
    assert message in printed


def test_within_a_recording(shell, tmp_path):
    with marey.record(tmp_path / "own.perfetto-trace"):
        _, printed, result = run(shell, "%%marey\nwork(1)")
    assert not result.success
    assert "a recording is going on" in printed
