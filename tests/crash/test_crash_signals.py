"""Signal handlers that record in the middle of recording: nothing is torn, nobody waits."""

import pytest
from crash.look import look, run


@pytest.fixture
def trace(tmp_path):
    return tmp_path / "t.perfetto-trace"


def test_handlers_while_threads_record(trace):
    done = run("signals", "events", trace)
    seen = look(trace)
    recorded = seen.names()["handler"]
    assert done.said["handled"] >= 2000
    # Each event of a handler is recorded or, if it interrupted one, counted: three of each.
    assert recorded * 3 + done.said["reentry"] == done.said["handled"] * 3
    assert recorded > 0
    assert done.said["reentry"] > 10
    assert seen.lost().get("reentry", 0) == done.said["reentry"]
    for track in seen.threads().values():
        assert track.unmatched_ends == 0
        for span in track.spans:
            assert span.name != "inner" or {c.name for c in span.children} <= {"handler"}
            assert span.name != "loop" or "inner" in {child.name for child in span.children}
            assert span.end


def test_handlers_while_sessions_come_and_go(tmp_path):
    done = run("signals", "sessions", tmp_path)
    assert done.said["handled"] > 50
    for number in range(300):
        names = look(tmp_path / str(number)).names()
        assert names["main"] == 1
        assert set(names) <= {"main", "handler"}


def test_handlers_that_add_names(trace):
    done = run("signals", "names", trace)
    assert len(look(trace).only_thread().instants()) == 25000
    assert done.said["reentry"] == 0


def test_handler_that_is_the_first_to_record(trace):
    done = run("signals", "alone", trace)
    assert look(trace).names()["handler"] == done.said["handled"]
