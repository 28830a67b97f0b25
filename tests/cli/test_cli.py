"""The command, as a user meets it.

Each folder of cases/ is a case: `case.sh` is run by bash in an empty folder, with `marey` in its
PATH and `trace NAME`, which writes one of make_trace.py's traces. What it prints must be the file
`stdout`, what it exits with the file `status` (otherwise 0), what it says on the standard error the
file `stderr` (otherwise nothing). To write those files anew, and then look at each difference:
MAREY_UPDATE=1 pytest tests/cli."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from command import find_marey

HERE = Path(__file__).resolve().parent
CASES = sorted(path.parent.name for path in HERE.glob("cases/*/case.sh"))
UPDATE = bool(os.environ.get("MAREY_UPDATE"))
KEPT = ("HOME", "LD_LIBRARY_PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS")


def environment(folder):
    """Few variables, the same everywhere; the command, the trace maker and this Python."""
    tools = folder / "bin"
    tools.mkdir()
    (tools / "marey").symlink_to(find_marey())
    (tools / "python3").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (tools / "trace").write_text(f'#!/bin/sh\nexec python3 "{HERE / "make_trace.py"}" "$@"\n')
    for tool in ("python3", "trace"):
        (tools / tool).chmod(0o755)
    kept = {key: os.environ[key] for key in KEPT if key in os.environ}
    path = f"{tools}:{os.environ['PATH']}"
    return {**kept, "PATH": path, "LC_ALL": "C.UTF-8", "TZ": "UTC", "PYTHONDONTWRITEBYTECODE": "1"}


def compare(case, name, actual, default=""):
    path = case / name
    if UPDATE:
        if actual != default:
            path.write_text(actual)
        elif path.exists():
            path.unlink()
    expected = path.read_bytes().decode() if path.exists() else default
    assert actual == expected, f"{path}: not as expected"


@pytest.mark.parametrize("name", CASES)
def test_case(name, tmp_path):
    case = HERE / "cases" / name
    folder = tmp_path / "work"
    folder.mkdir()
    done = subprocess.run(
        ["bash", "-u", str(case / "case.sh")],
        cwd=folder,
        env=environment(tmp_path),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )
    compare(case, "stdout", done.stdout.decode())
    compare(case, "stderr", done.stderr.decode())
    compare(case, "status", f"{done.returncode}\n", default="0\n")


def test_every_case_is_run():
    assert len(CASES) >= 25
