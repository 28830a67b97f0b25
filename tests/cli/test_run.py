"""`marey run` with programs that record: it reports what the official protos find in the file."""

import json
import os
import platform
import signal
import subprocess
import sys

import protoread
import pytest
from command import find_marey

PROGRAM = """
import multiprocessing, sys, threading
import marey

def work(count):
    for i in range(count):
        with marey.span("work", i=i):
            pass

if __name__ == "__main__":
    with marey.span("main"):
        thread = threading.Thread(target=work, args=(10,))
        thread.start()
        thread.join()
        child = multiprocessing.get_context(sys.argv[1]).Process(target=work, args=(20,))
        child.start()
        child.join()
        try:
            with marey.span("fails"):
                raise ValueError("no")
        except ValueError:
            pass
"""

KILLED = """
import os, signal
import marey

marey.span("kept").__enter__()
with marey.span("ended"):
    pass
os.kill(os.getpid(), signal.{signal})
"""


def run(folder, text, *words):
    """The program's exit status, the report, and the trace by the official protos."""
    (folder / "app.py").write_text(text)
    command = [find_marey(), "run", "--json", "app.py", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    report = json.loads(done.stderr.splitlines()[-1])
    return done.returncode, report, protoread.load((folder / report["file"]).read_bytes())


def table_of(report):
    return {row["name"]: row for row in report["span_table"]}


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_threads_and_processes(tmp_path, method):
    status, report, trace = run(tmp_path, PROGRAM, method)
    table = table_of(report)
    assert (status, report["exit_status"], report["damage"]) == (0, 0, [])
    assert {name: table[name]["count"] for name in ("main", "work", "fails")} == {
        "main": 1,
        "work": 30,
        "fails": 1,
    }
    assert [name for name, row in table.items() if row["errors"]] == ["fails"]
    expected = trace.table()
    for row in report["span_table"]:
        if row.get("category") == "gc":  # multiprocessing's own helpers end after the program
            continue
        same = expected[row["name"], row.get("category")]
        assert {key: row[key] for key in same} == same
    assert table["main"]["total_ns"] <= table["app.py"]["total_ns"] <= report["duration_ns"]


@pytest.mark.parametrize("name", ["SIGKILL", "SIGSEGV", "SIGTERM"])
def test_killed_programs_are_reported(tmp_path, name):
    number = signal.Signals[name]
    status, report, trace = run(tmp_path, KILLED.format(signal=name))
    assert status == -number
    assert (report["signal"], report["exit_status"]) == (number, 128 + number)
    table = table_of(report)
    assert (table["ended"]["count"], table["ended"]["no_end"]) == (1, 0)
    assert (table["kept"]["count"], table["kept"]["no_end"]) == (1, 1)
    assert table["app.py"]["errors"] == 1
    assert {span.name for span in trace.spans} >= {"kept", "ended", "app.py"}


def test_the_command_line_and_the_exit_status_are_in_the_trace(tmp_path):
    status, report, _ = run(tmp_path, "import sys; sys.exit(5)", "-x", "caf\u00e9")
    assert (status, report["exit_status"]) == (5, 5)
    data = (tmp_path / "app.perfetto-trace").read_bytes()
    events = [packet.track_event for packet in protoread.packets_of(data)]
    notes = [note for event in events for note in event.debug_annotations]
    (command,) = [note.array_values for note in notes if note.array_values]
    assert [value.string_value for value in command][1:] == ["app.py", "-x", "caf\u00e9"]
    assert 5 in [note.int_value for note in notes]


def test_a_large_ring_of_spans(tmp_path):
    """A ring keeps the last spans, whole, and says what it wrote over."""
    text = "import marey\nfor i in range(100_000):\n    with marey.span('turn'):\n        pass\n"
    (tmp_path / "app.py").write_text(text)
    command = [find_marey(), "run", "--json", "--ring", "1M", "-o", "r.perfetto-trace", "app.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    report = json.loads(done.stderr.splitlines()[-1])
    assert report["damage"] == []
    assert report["losses"]["ring"] > 0
    row = table_of(report)["turn"]
    expected = protoread.load((tmp_path / "r.perfetto-trace").read_bytes()).table()["turn", None]
    assert {key: row[key] for key in expected} == expected
    assert 10_000 < row["count"] < 100_000
    assert os.path.getsize(tmp_path / "r.perfetto-trace") <= (1 << 20) + 65536


def test_python_is_the_one_beside_the_command(tmp_path):
    if os.path.dirname(find_marey()) != os.path.dirname(sys.executable):
        pytest.skip("the command is not installed beside this Python")
    text = "import sys; open('who', 'w').write(sys.executable)"
    run(tmp_path, text)
    assert os.path.realpath((tmp_path / "who").read_text()) == os.path.realpath(sys.executable)


def test_the_python_that_ran_is_told_once(tmp_path):
    text = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import marey'])"
    run(tmp_path, text)
    said = subprocess.run(
        [find_marey(), "info", "--json", "app.perfetto-trace"],
        cwd=tmp_path,
        capture_output=True,
        check=True,
    )
    attributes = json.loads(said.stdout)["attributes"]
    assert attributes["python"] == platform.python_version()
    assert os.path.realpath(attributes["executable"]) == os.path.realpath(sys.executable)


def test_no_memory_for_the_report(tmp_path):
    """The report fails, says so, and the program's exit status is kept."""
    text = (
        "import marey, sys\nfor i in range(400_000):\n    with marey.span('turn'):\n        pass\n"
    )
    (tmp_path / "app.py").write_text(text + "sys.exit(4)\n")
    script = 'ulimit -S -v 40000; exec "$0" run -o t.perfetto-trace sh -c "$1" "$2"'
    program = 'ulimit -S -v unlimited; exec "$0" app.py'
    command = ["bash", "-c", script, find_marey(), program, sys.executable]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 4
    assert "t.perfetto-trace: out of memory" in done.stderr
    whole = subprocess.run([find_marey(), "check", "t.perfetto-trace"], cwd=tmp_path, check=False)
    assert whole.returncode == 0
