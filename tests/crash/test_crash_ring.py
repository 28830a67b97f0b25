"""Rings: what they keep, who holds their places, and copies taken while they turn."""

import concurrent.futures

import pytest
from crash.look import look, protos, run, sanitized

SMALL = 256 << 10


@pytest.fixture
def trace(tmp_path):
    return tmp_path / "t.perfetto-trace"


@pytest.mark.parametrize("size", [SMALL, 300_001, 1 << 20, 3_000_000])
def test_keeps_the_last(trace, size):
    events = 200_000
    done = run("ring", "keeps", trace, size, events)
    assert trace.stat().st_size <= size + (64 << 10)
    seen = look(trace)
    numbers = [span.args["number"] for span in seen.only_thread().spans]
    assert numbers == list(range(numbers[0], events)), "a gap"
    assert len(numbers) > size / 60  # some forty bytes a span
    assert seen.lost() == {"ring": done.said["ring"]}
    assert done.said["ring"] > 0


def test_a_ring_that_is_never_full(trace):
    run("ring", "keeps", trace, 1 << 20, 1000)
    seen = look(trace)
    assert [span.args["number"] for span in seen.only_thread().spans] == list(range(1000))
    assert seen.lost() == {}


def test_more_threads_than_places(trace):
    """Who finds none is counted; who is there keeps what it has."""
    done = run("ring", "crowd", trace)
    seen = look(trace)
    names = seen.names()
    assert names["after the crowd"] == 1
    assert 20 <= names["first"] < 60
    # Each that found no place lost a begin and an end.
    assert done.said["limit"] == 2 * (60 - names["first"])
    assert all(span.end for span in seen.spans())


def test_places_of_the_killed_are_free(trace):
    done = run("ring", "killed", trace)
    assert done.said["limit"] == 0
    seen = look(trace)
    assert seen.names()["after"] == 1
    assert 20 < seen.names()["held"] <= 32


def test_places_of_a_program_that_became_another(trace):
    done = run("ring", "exec", trace)
    assert done.said["limit"] == 0
    left = [span.args["left"] for span in look(trace).spans() if span.name == "program"]
    assert sorted(left)[:10] == list(range(10))


def test_events_that_no_chunk_has_room_for(trace):
    """They come without arguments, and it does not take for ever."""
    done = run("ring", "large", trace)
    seen = look(trace)
    assert seen.names()["large"] >= 1
    assert done.said["arguments"] == 3
    assert done.said["disk"] + done.said["limit"] <= 3


def check_nest(span, depth):
    assert span.name == f"d{depth}"
    assert span.args == {"depth": depth}
    for child in span.children:
        check_nest(child, depth + 1)


def check_snapshot(path):
    """Of a thread whose older events were overwritten the first spans seen are inner ones."""
    seen = look(path)
    for track in seen.threads().values():
        complete = False
        for span in track.roots:
            complete = complete or span.name == "d0"
            if complete and span.end:
                check_nest(span, 0)
    return len(seen.spans())


def test_two_hundred_snapshots_while_eight_threads_record(tmp_path, trace):
    count = 20 if sanitized() else 200
    done = run("ring", "snapshots", trace, tmp_path, count)
    assert done.said["ring"] > 0
    paths = [tmp_path / str(number) for number in range(count)]
    with concurrent.futures.ProcessPoolExecutor(2) as pool:
        spans = list(pool.map(check_snapshot, paths[::4]))
    assert sum(spans) > 1000 * len(spans)  # a copy that was itself held up may have none
    for path in paths:
        protos.Trace.FromString(path.read_bytes())


def test_closing_while_snapshots_are_taken(tmp_path, trace):
    run("ring", "closing", trace, tmp_path, 500)
    copies = [path for path in tmp_path.iterdir() if path != trace]
    assert copies
    assert all(path.name.isdigit() for path in copies)
    for path in sorted(copies)[:100]:
        assert set(look(path).names()) <= {"event"}
