"""Fixtures of the Python tests."""

import functools
import os
import subprocess
import sys
import tempfile

import pytest
import traces

import marey


@pytest.fixture
def path(tmp_path):
    """A file to record into."""
    return tmp_path / "test.perfetto-trace"


@pytest.fixture
def recorded(path):
    """with recorded(**options) as box: ...; box.trace"""
    return functools.partial(traces.recorded, path)


@pytest.fixture
def script(tmp_path):
    """script(text, *args, status=0, **environment): run a program; returns its standard output."""

    def run(text, *args, status=0, **environment):
        file = tmp_path / "script.py"
        file.write_text(text)
        done = subprocess.run(
            [sys.executable, str(file), *map(str, args)],
            env={**os.environ, **{key: str(value) for key, value in environment.items()}},
            capture_output=True,
            text=True,
            timeout=120,
            cwd=tmp_path,
        )
        assert done.returncode == status, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr, done.stderr
        return done.stdout

    return run


@pytest.fixture(autouse=True)
def nothing_is_left_on():
    """No test leaves a recording, a hook or a changed list behind."""
    before = list(sys.meta_path)
    yield
    assert not marey.recording()
    assert sys.meta_path == before
    marey.categories.set(None)
    marey.secrets.reset()


@pytest.fixture
def live_folder(monkeypatch):
    """Where the worker processes of live pages meet; its path is short, as sockets want it."""
    with tempfile.TemporaryDirectory(prefix="m-", dir="/tmp") as folder:
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        yield folder
