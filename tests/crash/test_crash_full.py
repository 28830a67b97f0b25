"""No space for the trace: the program goes on, the file stays whole, the loss is counted."""

import contextlib
import os
import subprocess

import pytest
from crash.look import environment, look, program, run, sanitized
from disk import small_disk as mounted

ELIMIT = -13


@pytest.fixture
def small_disk(tmp_path):
    """A file system of a megabyte."""
    with mounted(tmp_path / "disk", "1m") as folder:
        yield folder


def said_lines(done):
    return [line for line in done.errors.splitlines() if line.startswith("marey:")]


def check_relieved(trace, done, kind):
    """What was lost is counted, the rest is there, and the spans after it nest rightly."""
    seen = look(trace)
    thread = seen.only_thread()
    assert thread.trees() == [
        ("outer", False, [("inner", False, []), ("after", False, [])]),
        ("next", False, []),
    ]
    assert thread.unmatched_ends == 0
    instants = thread.instants()
    assert instants.count("in the lost one") == 1
    lost = done.said["attempts"] - instants.count("attempt")
    # Besides the instants: two spans, an end that was written late, a span with one within.
    assert done.said["lost_spans"] == 6
    assert done.said[kind] == lost + 9
    assert seen.lost() == {kind: done.said[kind]}
    assert len(said_lines(done)) == 1, done.errors
    assert str(trace) in said_lines(done)[0]


def test_full_disk(small_disk):
    trace = small_disk / "t.perfetto-trace"
    done = run("full", "disk", trace, small_disk / "ballast")
    check_relieved(trace, done, "disk")


def test_file_size_limit_of_the_process(tmp_path):
    trace = tmp_path / "t.perfetto-trace"
    done = run("full", "fsize", trace)
    check_relieved(trace, done, "limit")


@pytest.mark.skipif(sanitized(), reason="a sanitizer needs all address space")
def test_address_space_limit(tmp_path):
    trace = tmp_path / "t.perfetto-trace"
    done = run("full", "memory", trace)
    seen = look(trace)
    trees = sorted(track.trees() for track in seen.threads().values())
    assert trees == [[("after", False, [])], [("outer", False, [])]]
    # and the begin and the end of the span around them
    assert done.said["disk"] == done.said["attempts"] + 2
    assert seen.lost() == {"disk": done.said["disk"]}
    assert len(said_lines(done)) == 1, done.errors


def test_limit_of_the_recording(tmp_path):
    trace = tmp_path / "t.perfetto-trace"
    done = run("full", "limit", trace)
    seen = look(trace)
    assert trace.stat().st_size <= 256 << 10
    thread = seen.only_thread()
    assert thread.trees() == [("outer", True, [("inner", True, [])])]
    lost = done.said["attempts"] - thread.instants().count("attempt")
    assert seen.lost() == {"limit": done.said["limit"]}
    # as above, and all that follows: an instant, three spans, two ends
    assert done.said["limit"] == lost + 6 + 9
    assert len(said_lines(done)) == 1, done.errors


def test_eight_threads_on_a_full_disk(small_disk):
    trace = small_disk / "t.perfetto-trace"
    done = run("full", "threads", trace, small_disk / "ballast")
    seen = look(trace)
    recorded = sum(track.instants().count("attempt") for track in seen.threads().values())
    assert done.said["disk"] == done.said["attempts"] - recorded > 0
    assert seen.lost() == {"disk": done.said["disk"]}
    assert len(said_lines(done)) == 1, done.errors
    # What was claimed in vain was given back: else the file would be long, and empty, later.
    assert done.said["claimed"] == done.said["size"]


def test_nobody_reads_standard_error(small_disk):
    """A broken pipe there must not end the program."""
    trace = small_disk / "t.perfetto-trace"
    reader, writer = os.pipe()
    os.close(reader)
    command = [program("full"), "disk", trace, small_disk / "ballast"]
    options = {"stdout": subprocess.DEVNULL, "stderr": writer, "env": environment()}
    done = subprocess.run(command, timeout=20, check=False, **options)
    os.close(writer)
    assert done.returncode == 0
    assert look(trace).lost()["disk"] > 0


def test_standard_error_is_full(small_disk):
    """Nobody empties that pipe: the program does not wait for it."""
    trace = small_disk / "t.perfetto-trace"
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writer, bytes(4096))
    os.set_blocking(writer, True)
    command = [program("full"), "disk", trace, small_disk / "ballast"]
    options = {"stdout": subprocess.DEVNULL, "stderr": writer, "env": environment()}
    done = subprocess.run(command, timeout=20, check=False, **options)
    os.close(reader)
    os.close(writer)
    assert done.returncode == 0


@pytest.mark.parametrize("limit", [0, 1, 4096, 8191])
def test_not_even_the_head_has_room(tmp_path, limit):
    trace = tmp_path / "t.perfetto-trace"
    trace.write_bytes(b"what was there before")
    done = run("full", "start", trace, limit)
    assert done.said == {"opened": ELIMIT}
    assert trace.read_bytes() == b"what was there before"
    assert os.listdir(tmp_path) == [trace.name]


def test_only_the_head_has_room(tmp_path):
    trace = tmp_path / "t.perfetto-trace"
    done = run("full", "start", trace, 8192)
    assert done.said == {"opened": 0, "closed": 1}
    assert look(trace).lost()["limit"] >= 1
