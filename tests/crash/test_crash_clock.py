"""Times: in order across threads and processes, and those of the system's clock."""

import pytest
from crash.look import COUNTER, look, run, sanitized

MICROSECOND = 1000


@pytest.fixture
def trace(tmp_path):
    return tmp_path / "t.perfetto-trace"


def test_token_handed_around_by_two_processes_of_two_threads(trace):
    run("clock", "token", trace)
    seen = look(trace)
    assert len(seen.pids()) == 2
    times = {
        args["turn"]: time
        for track in seen.threads().values()
        for time, _, _, args, _ in track.events
    }
    assert len(times) == 4 * 3000
    order = [times[turn] for turn in range(len(times))]
    back = [first - second for first, second in zip(order, order[1:])]
    assert max(back) < 2 * MICROSECOND


def test_against_the_systems_clock(trace):
    done = run("clock", "system", trace, 2500)
    seen = look(trace)
    assert len(seen.threads()) == 3
    worst = 0
    for track in seen.threads().values():
        times = [time for time, *_ in track.events]
        assert times == sorted(times)
        noted = [span for span in track.spans if span.name == "noted"]
        assert len(noted) >= 2
        for span in noted:
            early, late = span.args["before"] - span.begin, span.begin - span.args["after"]
            worst = max(worst, early, late, span.args["after"] - span.end)
    assert worst < (200 if sanitized() else 5) * MICROSECOND
    assert -20 * MICROSECOND < done.said["now"] < done.said["window"] + 20 * MICROSECOND


def test_times_never_go_back_in_a_thread(trace):
    """In the file's order: each thread's packets stand in the order of their times."""
    run("clock", "system", trace, 300)
    sequences = {}
    for packet in look(trace).trace.packet:
        if packet.HasField("track_event") and not packet.timestamp_clock_id:
            sequences.setdefault(packet.trusted_packet_sequence_id, []).append(packet.timestamp)
    assert len(sequences) == 3
    # Each is the time since the packet before: as an unsigned number, a step back would be huge.
    assert all(max(steps) < 10**12 for steps in sequences.values())


def test_times_of_ones_own_in_any_order(trace):
    run("clock", "own", trace)
    seen = look(trace)
    track = seen.named("own")
    dawn, *spans = track.spans
    assert (dawn.name, dawn.begin, dawn.end) == ("at the dawn of time", 1, 2)
    assert [span.args["i"] for span in spans] == list(range(1, 11))
    assert all(span.end - span.begin == 500 for span in spans)
    counter = seen.named("numbers")
    at = sorted((time, value) for time, kind, _, _, value in counter.events if kind == COUNTER)
    assert [value for _, value in at] == list(range(1, 11))
    assert counter.descriptor.counter.unit_name == "items"
    assert seen.only_thread().instants() == ["now"] * 10
