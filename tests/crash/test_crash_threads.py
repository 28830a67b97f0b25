"""Spans and threads that do not behave, and recordings that start and stop under them."""

import pytest
from crash.look import Look, look, run, sanitized

FOREIGN_END = "span of another thread ended"


@pytest.fixture
def trace(tmp_path):
    return tmp_path / "t.perfetto-trace"


def test_unbalanced(trace):
    run("threads", "unbalanced", trace)
    thread = look(trace).only_thread()
    left_open = ("left open inside", False, [("and inside that", False, [])])
    assert thread.trees() == [
        ("first", False, []),
        ("scope", False, [left_open]),
        ("outer", True, [("open", True, [])]),
    ]
    assert thread.unmatched_ends == 0


def chain(span):
    """The names of spans each of which is the only one in the one before."""
    names = [span.name]
    while span.children:
        (span,) = span.children
        assert span.end
        names.append(span.name)
    return names


def test_nesting_beyond_what_a_reader_takes(trace):
    done = run("threads", "deep", trace)
    seen = look(trace)
    for track in (seen.only_thread(), seen.named("own")):
        deep, after = track.roots
        assert chain(deep) == ["deep"] * 512
        assert chain(after) == ["after"]
        assert track.unmatched_ends == 0
    assert [span.args["depth"] for span in seen.only_thread().spans[:-1]] == list(range(512))
    assert done.said["depth"] == 2 * (1000 - 512)
    assert seen.lost() == {"depth": done.said["depth"]}
    assert seen.only_thread().instants() == ["at the bottom"]


def test_ten_thousand_threads(trace):
    done = run("threads", "many", trace)
    seen = look(trace)
    numbers = [span.args["number"] for span in seen.spans() if span.name == "life"]
    assert sorted(numbers) == list(range(10000))
    assert all(span.end for span in seen.spans())
    assert not any(done.said.values())
    sequences = {packet.trusted_packet_sequence_id for packet in seen.trace.packet}
    assert len(sequences) < 100
    assert trace.stat().st_size < 10000 * 1024


def test_span_ended_on_another_thread(trace):
    run("threads", "foreign", trace)
    seen = look(trace)
    trees = sorted(track.trees() for track in seen.threads().values())
    assert trees == [
        [("of the other thread", False, [])],
        [("outer", False, [("ended elsewhere", False, [])])],
    ]
    instants = sorted(track.instants() for track in seen.threads().values())
    assert instants == [["goes on"], [FOREIGN_END]]


def test_span_of_a_thread_that_is_gone(trace):
    """It must not be taken for one of the thread that got the dead one's place."""
    run("threads", "recycled", trace)
    seen = look(trace)
    dead = ("left open", True, [("taken along", True, [])])
    alive = ("outer", False, [("middle", False, [("inner", False, [])])])
    tracks = {track.trees()[0][0]: track for track in seen.threads().values()}
    assert tracks["left open"].trees() == [dead]
    assert tracks["outer"].trees() == [alive]
    assert tracks["outer"].instants() == [FOREIGN_END, "goes on"]


def test_started_and_stopped_a_thousand_times(tmp_path):
    times = 200 if sanitized() else 1000
    run("threads", "restart", tmp_path, times)
    events = 0
    for number in range(times):
        data = (tmp_path / str(number)).read_bytes()
        if number % 20 == 0:
            seen = look(tmp_path / str(number))
            assert all(track.unmatched_ends == 0 for track in seen.tracks.values())
        else:
            seen = Look(data)
        assert seen.named("counter").values() == [number]
        for thread in seen.threads().values():
            assert {span.name for span in thread.spans} <= {"loop", "inner"}
            for span in thread.spans:
                assert not span.children or span.name == "loop"
            events += len(thread.spans)
    assert events > times


def test_one_recording_after_the_other(tmp_path):
    run("threads", "two", tmp_path / "a", tmp_path / "b")
    assert look(tmp_path / "a").only_thread().trees() == [("first", True, [])]
    assert look(tmp_path / "b").only_thread().trees() == [("second", True, [])]


def test_exit_while_others_record(trace):
    for _ in range(5):
        run("threads", "exit", trace)
        seen = look(trace)
        assert seen.names()["main"] == 1
        assert len(seen.threads()) >= 2


def test_cancelled_threads(trace):
    run("threads", "cancelled", trace)
    seen = look(trace)
    assert seen.names()["after"] == 1


def test_smallest_stack(trace):
    if sanitized():
        pytest.skip("a sanitizer's frames are larger")
    done = run("threads", "small-stack", trace)
    assert "size limit" in done.errors
    assert look(trace).names()["life"] > 1


def test_recording_in_the_destructors_of_a_thread(trace):
    run("threads", "late", trace)
    assert look(trace).names() == {"alive": 20, "in a destructor": 20}
