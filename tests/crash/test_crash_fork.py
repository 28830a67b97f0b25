"""Processes of one recording: forked, started, daemons; and files that go away under them."""

import pytest
from crash.look import environment, look, run

ECLOSED = -12


@pytest.fixture
def trace(tmp_path):
    return tmp_path / "t.perfetto-trace"


def test_fork_in_the_middle_of_a_span(trace):
    child = run("fork", "fork", trace).said["child"]
    seen = look(trace)
    (parent,) = seen.pids() - {child}
    (track,) = seen.threads(parent).values()
    assert track.trees() == [("outer", False, [("held", False, [])])]
    assert track.instants() == ["after the child"]
    (track,) = seen.threads(child).values()
    assert track.trees() == [("of the child", False, [])]
    assert track.unmatched_ends == 0
    assert seen.named("own").trees() == [("on the track", False, [])]
    assert seen.named("own").unmatched_ends == 0
    values = [t.values() for t in seen.tracks.values() if t.name == "counter"]
    assert sorted(values) == [[1], [2]]


def test_programs_started_by_vfork(trace):
    run("fork", "vfork", trace)
    seen = look(trace)
    assert seen.names() == {"outer": 1, "joined": 3}
    assert len(seen.pids()) == 4


def test_another_program_in_the_same_process(trace):
    pid = run("fork", "exec", trace).said["pid"]
    seen = look(trace)
    assert seen.pids() == {pid}
    assert seen.names() == {"before": 1, "joined": 1}


@pytest.mark.parametrize("words", [["joined"], ["joined", "category"]])
def test_program_started_in_a_session(trace, words):
    run("fork", "exec", trace)
    run("fork", *words, env=environment(MAREY_TRACE=str(trace)))
    name = "in a category" if len(words) > 1 else "joined"
    assert look(trace).names() == {"before": 1, "joined": 1} | {name: 1 + (name == "joined")}


@pytest.mark.parametrize("what", ["missing", "empty", "other", "folder", "ended"])
def test_program_started_in_what_is_no_session(tmp_path, what):
    """It runs as if nothing were set."""
    (tmp_path / "empty").touch()
    (tmp_path / "other").write_bytes(b"x" * 10000)
    (tmp_path / "folder").mkdir()
    run("threads", "unbalanced", tmp_path / "ended")
    before = (tmp_path / "ended").read_bytes()
    done = run("fork", "joined", env=environment(MAREY_TRACE=str(tmp_path / what)))
    assert done.errors == ""
    assert (tmp_path / "other").read_bytes() == b"x" * 10000
    assert (tmp_path / "ended").read_bytes() == before


def test_children_of_children(trace):
    run("fork", "nested", trace)
    seen = look(trace)
    assert sorted(span.args["number"] for span in seen.spans()) == [0, 1, 3, 5]
    assert all(span.end for span in seen.spans() if span.args["number"] == 0)


def test_fork_while_threads_record(trace):
    run("fork", "busy", trace)
    seen = look(trace)
    children = [span.args["number"] for span in seen.spans() if span.name == "child"]
    assert sorted(children) == list(range(100))


def test_daemon_that_closes_all_descriptors(tmp_path, trace):
    done = run("fork", "daemon", trace, tmp_path / "own", tmp_path / "snapshot")
    assert done.said["closed"] > 2
    assert (tmp_path / "own").read_bytes() == b"the program's own, still open"
    names = look(trace).names()
    assert names == {"before": 1, "much": 40000, "after": 1, "of the child": 1}
    assert done.said["snapshot"] == 0
    assert look(tmp_path / "snapshot").names() == {"before": 1}


def test_file_that_is_moved(tmp_path, trace):
    run("fork", "moved", trace)
    assert not trace.exists()
    moved = look(tmp_path / "t.perfetto-trace.moved")
    assert moved.names() == {"much": 40000, "after": 1, "of the child": 1}


def test_file_that_is_moved_and_replaced(tmp_path, trace):
    """There is no way back to it: that is a loss. The other file stays as it is."""
    done = run("fork", "moved", trace, "replace")
    assert trace.read_bytes() == b"another"
    seen = look(tmp_path / "t.perfetto-trace.moved")
    assert seen.names()["after"] == 1
    assert seen.lost()["disk"] >= done.said["disk"] > 0


def test_file_that_is_deleted(tmp_path, trace):
    run("fork", "deleted", trace, tmp_path / "snapshot")
    assert not trace.exists()
    assert look(tmp_path / "snapshot").names() == {"much": 20000, "after": 1}


def test_child_that_outlives_the_recording(tmp_path, trace):
    run("fork", "ended", trace, tmp_path / "own")
    names = look(trace).names()
    assert names["outer"] == names["of the child"] == 1
    assert names["late"] == 0
    assert look(tmp_path / "own").only_thread().instants() == ["in its own"]
