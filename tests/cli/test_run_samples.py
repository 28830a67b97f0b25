"""`marey run` with samples: of the program and of all that it starts, beside their spans; nothing
changed for programs that have no Python."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import targets
import trace_samples as sampled
import tracecheck
from command import find_marey

WORKS = """\
import sys, time

def works(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass

works(0.7)
sys.exit(7)
"""

FAMILY = """\
import subprocess, sys, time

def {me}():
    end = time.process_time() + 1
    while time.process_time() < end:
        pass

{begin}
{me}()
{end}
"""

TRACE = "t.perfetto-trace"


def run(folder, *words, **options):
    command = [find_marey(), "run", "-o", TRACE, *map(str, words)]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=60, **options
    )


def report_of(done):
    return json.loads(done.stderr.splitlines()[-1])


@pytest.fixture
def works(tmp_path):
    (tmp_path / "app.py").write_text(WORKS)
    return tmp_path


def test_functions_stand_in_the_report(works):
    done = run(works, "app.py")
    assert (done.returncode, done.stdout) == (7, "")
    first, *rest = done.stderr.splitlines()
    assert first.startswith(f"marey: {TRACE}: ") and first.endswith("; exit status 7")
    (row,) = [line for line in rest if " works " in line]
    assert f"{works / 'app.py'}:" in row or "app.py:" in row
    assert "<====" in row
    assert any(line.startswith("app.py") for line in rest)  # the span of the run


def test_samples_and_spans_are_in_one_file(tmp_path):
    text = f"import marey\nwith marey.span('outer'):\n    exec({WORKS!r})\n"
    (tmp_path / "app.py").write_text(text)
    done = run(tmp_path, "--json", "app.py")
    report = report_of(done)
    assert (done.returncode, report["exit_status"], report["damage"]) == (7, 7, [])
    assert report["samples"] > 0
    assert "works" in [row["name"] for row in report["function_table"]]
    assert {"outer", "app.py"} <= {row["name"] for row in report["span_table"]}
    trace = tracecheck.load(str(tmp_path / TRACE))
    (outer,) = [span for span in trace.spans if span["name"] == "outer"]
    inside = [
        one
        for one in trace.samples
        if outer["ts"] <= one["ts"] <= outer["ts"] + outer["dur"]
        and one["stack"][-1]["function"] == "works"
    ]
    assert inside


def test_no_samples_where_none_are_wanted(works):
    done = run(works, "--json", "--no-samples", "app.py")
    report = report_of(done)
    assert (done.returncode, report["samples"]) == (7, 0)
    assert "function_table" not in report
    assert sampled.stacks(works / TRACE) == []


def test_children_and_grandchildren(tmp_path):
    for name, child in (("one", "two"), ("two", "three"), ("three", None)):
        begin = f"child = subprocess.Popen([sys.executable, '{child}.py'])" if child else ""
        end = "child.wait()" if child else ""
        (tmp_path / f"{name}.py").write_text(FAMILY.format(me=name, begin=begin, end=end))
    run(tmp_path, "sh", "-c", f"'{sys.executable}' one.py; true")
    assert {"one", "two", "three"} <= sampled.names(tmp_path / TRACE)


@pytest.mark.parametrize("command", [["true"], ["sh", "-c", "sleep 0.3"], ["make", "--version"]])
def test_a_program_without_python_is_no_complaint(tmp_path, command):
    done = run(tmp_path, *command)
    assert done.returncode == 0
    assert "sample" not in done.stderr
    report = report_of(run(tmp_path, "--json", *command))
    assert report["samples"] == 0
    assert "not_sampled" not in report


def test_a_ring_with_samples(works):
    done = run(works, "--json", "--ring", "256K", "--hz", "max", "app.py")
    assert done.returncode == 7
    assert report_of(done)["damage"] == []
    assert (works / TRACE).stat().st_size <= (256 << 10) + 65536
    assert "works" in {
        name
        for one in tracecheck.load(str(works / TRACE)).samples
        for name in [one["stack"][-1]["function"]]
    }


@pytest.mark.parametrize("name", ["SIGKILL", "SIGTERM", "SIGSEGV"])
def test_a_program_that_is_killed_while_it_is_sampled(tmp_path, name):
    (tmp_path / "app.py").write_text(
        WORKS.replace("sys.exit(7)", f"import os, signal; os.kill(os.getpid(), signal.{name})")
    )
    done = run(tmp_path, "--json", "app.py")
    assert done.returncode == -signal.Signals[name]
    assert report_of(done)["signal"] == signal.Signals[name]
    assert "works" in sampled.names(tmp_path / TRACE)


def test_marey_killed_leaves_the_program_alone(tmp_path):
    text = WORKS.replace("works(0.7)", "open('begun', 'w'); works(2)").replace(
        "sys.exit(7)", "open('ended', 'w')"
    )
    (tmp_path / "app.py").write_text(text)
    process = subprocess.Popen([find_marey(), "run", "-o", TRACE, "app.py"], cwd=tmp_path)
    try:
        wait_for(tmp_path / "begun")
        wait_until(lambda: "works" in sampled.names(tmp_path / TRACE))
    finally:
        process.kill()
        process.wait()
    assert not (tmp_path / "ended").exists()
    wait_for(tmp_path / "ended")
    assert "works" in sampled.names(tmp_path / TRACE)


def wait_until(happens):
    deadline = time.monotonic() + 60
    while not happens():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def wait_for(path):
    wait_until(path.exists)


def test_a_program_that_may_not_be_sampled(tmp_path):
    """One that only root may read is run all the same, and a line says why it was not sampled."""
    system = shutil.which("python3", path="/usr/bin:/bin")
    if not system:
        pytest.skip("needs a Python of the system")
    with targets.as_nobody() as (command, options):
        folder = Path(command).parent
        hidden = shutil.copy(os.path.realpath(system), folder / "hidden-python")
        os.chmod(hidden, 0o711)
        os.chmod(folder, 0o777)
        done = subprocess.run(
            [command, "run", "-o", f"{folder}/{TRACE}", hidden, "-c", "import sys; sys.exit(5)"],
            capture_output=True, text=True, check=False, cwd=folder, **options
        )  # fmt: skip
        assert done.returncode == 5
        (line,) = [line for line in done.stderr.splitlines() if "not sampled" in line]
    assert "(hidden-python): " in line
    assert "may not be read: it has more rights than this one" in line


@pytest.mark.parametrize("words", ["{}", "sh -c 'sleep 0.2; exec {}'", "sh -c '{}; true'"])
def test_a_python_that_is_not_known_is_told_by_its_version(tmp_path, words):
    """Run at once, in the place of a shell, or by one."""
    later = targets.make_later_python(tmp_path, 42, seconds=1)
    done = run(tmp_path, *shlex.split(words.format(later)))
    assert done.returncode in (0, 1)
    assert re.search(
        r"^  not sampled: \d+ \(later\): Python 3\.42, which is too new: 3\.9 to", done.stderr, re.M
    )


@pytest.mark.skipif(targets.has_gil(), reason="needs a Python without a GIL")
def test_mode_gil_without_a_gil(works):
    words = ["--mode", "gil", sys.executable, "app.py"]
    done = run(works, *words)
    assert done.returncode == 7
    assert "its Python runs without a GIL, and --mode gil takes" in done.stderr
    done = run(works, *words, env={**os.environ, "PYTHON_GIL": "1"})
    assert "not sampled" not in done.stderr
    assert "works" in sampled.names(works / TRACE)


def test_wrong_words(works):
    for words, says in (
        (["--hz", "x", "app.py"], "--hz: 'x' is not from 0.1 to 100000"),
        (["--mode", "x", "app.py"], "--mode: 'x' is none of wall, cpu and gil"),
        (["--no-smaples", "app.py"], "Did you mean '--no-samples'?"),
    ):
        done = run(works, *words)
        assert done.returncode == 2
        assert says in done.stderr
        assert not (works / TRACE).exists()
