"""marey.track, marey.counter, marey.flow."""

import math
import pickle
import threading

import beside
import pytest

import marey


def test_a_track_with_times_of_its_own_in_any_order(recorded):
    gpu = marey.track("GPU 0")  # before the recording: that is fine
    with recorded() as box:
        now = marey.now()
        gpu.begin("late", ts=now + 5000, job=2)
        gpu.end(ts=now + 6000, rows=3)
        gpu.begin("early", ts=now + 1000)
        gpu.begin("inner", now + 2000)
        gpu.end(now + 3000)
        gpu.end(now + 4000)
        gpu.instant("mark", ts=now + 3500, n=1)
    trace = box.trace
    assert trace.tree("GPU 0") == [("early", [("inner", [])]), ("late", [])]
    late = trace.span("late")
    assert (late.begin, late.end, late.args) == (now + 5000, now + 6000, {"job": 2, "rows": 3})
    assert trace.instant("mark").begin == now + 3500
    assert trace.instant("mark").args == {"n": 1}


def test_a_track_with_the_time_that_it_is(recorded):
    track = marey.track("device")
    with recorded() as box:
        track.begin("outer")
        with track.span("block", "cat", n=1) as span:
            span.set(rows=2)
            track.instant("mark")
        track.end()
        track.end()  # of nothing
        with marey.span("by option", track=track):
            pass
    assert box.trace.tree("device") == [("outer", [("block", [])]), ("by option", [])]
    assert box.trace.span("block").args == {"n": 1, "rows": 2}
    assert box.trace.span("block").category == "cat"
    assert box.trace.instant("mark").track.name == "device"


def test_where_tracks_stand(recorded):
    with recorded() as box:
        for parent in (None, "process", "thread", "global"):
            marey.track(f"of {parent}", parent).instant("x")
        outer = marey.track("outer")
        inner = marey.track("inner", parent=outer)
        innermost = inner.track("innermost")
        innermost.instant("x")
        assert (outer.parent, inner.parent, innermost.parent) == (None, outer, inner)
        assert innermost.name == "innermost"
    trace = box.trace
    process = next(t.name for t in trace.tracks.values() if t.kind == "process")
    assert trace.parents(trace.track("of None")) == [process]
    assert trace.parents(trace.track("of process")) == [process]
    assert trace.parents(trace.track("of thread"))[0] == "MainThread"
    assert trace.parents(trace.track("of global")) == []
    assert trace.parents(trace.track("innermost")) == ["inner", "outer", process]


def test_a_parent_outlives_its_children(recorded):
    with recorded() as box:
        child = marey.track("parent").track("child")
        child.instant("x")
    assert box.trace.parents(box.trace.track("child"))[0] == "parent"


def test_two_tracks_of_one_name_are_two(recorded):
    with recorded() as box:
        for n in range(2):
            marey.track("same").begin("x", n=n)
    assert len({s.track.uuid for s in box.trace.spans}) == 2


def test_a_track_used_in_several_recordings(tmp_path):
    track, counter = marey.track("kept"), marey.counter("kept counter")
    for n in range(3):
        with __import__("traces").recorded(tmp_path / f"{n}") as box, track.span("x", n=n):
            counter.set(n)
        assert [s.args for s in box.trace.spans] == [{"n": n}]
        assert box.trace.values("kept counter") == [n]


def test_a_span_on_a_track_ended_by_another_thread(recorded):
    """A track belongs to no thread, so that is the ordinary case."""
    track = marey.track("requests")
    span = track.span("request")
    with recorded() as box:
        span.__enter__()
        thread = threading.Thread(target=span.__exit__)
        thread.start()
        thread.join()
    assert box.trace.span("request").end is not None


# -------------------------------------------------------------------- counters


def test_counters(recorded):
    with recorded() as box:
        queue = marey.counter("queue", unit="items")
        queue.set(17)
        queue.add(-1)
        queue.add()
        marey.counter("queue", "items").add(3)
        load = marey.counter("load")
        load.set(0.5)
        load.add(0.25)
        load.set(True)
        load.set(10**30)
        load.set(-math.inf)
    assert box.trace.values("queue") == [17, 16, 17, 20]
    assert box.trace.values("load") == [0.5, 0.75, 1, 1e30, -math.inf]
    assert box.trace.track("queue").unit == "items"


def test_counters_with_times_of_their_own(recorded):
    with recorded() as box:
        counter = marey.counter("c")
        now = marey.now()
        for n in (3, 1, 2):
            counter.at(now + n, n)
        counter.at(now, 0.5)
    events = [(e.begin - now, e.value) for e in box.trace.counters]
    assert events == [(0, 0.5), (1, 1), (2, 2), (3, 3)]


def test_the_sum_is_kept_while_nothing_records(recorded):
    counter = marey.counter("kept while off")
    counter.set(0)
    counter.add(5)
    with recorded() as box:
        counter.add(1)
    assert box.trace.values("kept while off") == [6]


def test_one_name_is_one_counter():
    a = marey.counter("one", unit="u")
    assert marey.counter("one", "u") is a
    assert marey.counter("one", "u", "process") is a
    assert marey.counter("one") is not a
    assert marey.counter("one", "u", "global") is not a
    track = marey.track("t")
    assert track.counter("one", "u") is not a
    assert (a.name, a.unit) == ("one", "u")


def test_counters_of_tracks(recorded):
    with recorded() as box:
        gpu = marey.track("GPU")
        gpu.counter("memory", unit="bytes").set(5)
        marey.counter("of thread", track="thread").set(6)
        marey.counter("of track", track=gpu).set(7)
    trace = box.trace
    assert trace.parents(trace.track("memory"))[0] == "GPU"
    assert trace.parents(trace.track("of track"))[0] == "GPU"
    assert trace.parents(trace.track("of thread"))[0] == "MainThread"
    assert [trace.values(n) for n in ("memory", "of thread", "of track")] == [[5], [6], [7]]


def test_many_threads_add(recorded):
    counter = marey.counter("sum")
    counter.set(0)

    def work():
        for _ in range(500):
            counter.add(1)

    with recorded() as box:
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        counter.add(0)
    assert box.trace.values("sum")[-1] == 2000


@pytest.mark.parametrize(
    ("error", "call"),
    [
        (TypeError, lambda: marey.counter()),
        (TypeError, lambda: marey.counter(5)),
        (TypeError, lambda: marey.counter("x", 5)),
        (TypeError, lambda: marey.counter("x", color="red")),
        (TypeError, lambda: marey.counter("x", "u", None, None)),
        (ValueError, lambda: marey.counter("x", track="nowhere")),
        (TypeError, lambda: marey.counter("x").set("5")),
        (TypeError, lambda: marey.counter("x").set(None)),
        (TypeError, lambda: marey.counter("x").add(1, 2)),
        (TypeError, lambda: marey.counter("x").at(1)),
        (TypeError, lambda: marey.counter("x").at(0.5, 1)),
        (TypeError, lambda: marey.track()),
        (TypeError, lambda: marey.track("x", None, None)),
        (TypeError, lambda: marey.track("x", father=None)),
        (ValueError, lambda: marey.track("x", "nowhere")),
        (ValueError, lambda: marey.track("x", 5)),
        (TypeError, lambda: marey.track("x").track(5)),
        (TypeError, lambda: marey.track("x").begin()),
        (TypeError, lambda: marey.track("x").begin("x", ts="now")),
        (OverflowError, lambda: marey.track("x").begin("x", ts=-1)),
        (OverflowError, lambda: marey.track("x").begin("x", ts=1 << 63)),
        (OverflowError, lambda: marey.track("x").end(ts=1 << 70)),
        (TypeError, lambda: marey.track("x").span("y", track=marey.track("z"))),
        (ValueError, lambda: marey.flow(0)),
        (OverflowError, lambda: marey.flow(-1)),
        (OverflowError, lambda: marey.flow(1 << 64)),
        (TypeError, lambda: marey.flow("x")),
    ],
)
def test_calls_of_the_wrong_form(recorded, error, call):
    with pytest.raises(error):
        call()
    with recorded(), pytest.raises(error):
        call()


def test_names_that_are_hard(recorded):
    with recorded() as box:
        marey.track("a\0b").instant("x")
        marey.track("lone \ud800").instant("x")
        marey.track("x" * 1_000_000).instant("x")
        marey.counter("é\0", unit="\0").set(1)
    names = [track.name for track in box.trace.tracks.values()]
    assert "a\u2400b" in names
    assert "é\u2400" in names
    assert max(len(name) for name in names) == 512


# ----------------------------------------------------------------------- flows


def test_flows_lead_from_span_to_span(recorded):
    flow, other = marey.flow(), marey.flow()
    with recorded() as box:
        with marey.span("out", flow=flow):
            pass
        with marey.span("step", flow=[flow, other]):
            marey.instant("mark", flow=other.end)
        track = marey.track("t")
        track.begin("in", flow=flow.end)
        track.end()
    assert [e.name for e in box.trace.flows[flow.id]] == ["out", "step", "in"]
    assert [e.name for e in box.trace.flows[other.id]] == ["step", "mark"]
    assert box.trace.span("in").flow_ends == [flow.id]
    assert box.trace.span("step").flows == [flow.id, other.id]
    assert box.trace.instant("mark").flow_ends == [other.id]


def test_flows_are_numbers_that_travel():
    flow = marey.flow()
    assert flow.id > 0
    assert marey.flow() != flow
    assert marey.flow(flow.id) == flow
    assert flow.end != flow
    assert flow.end.id == flow.id
    assert flow.end == marey.flow(flow.id, end=True)
    assert len({flow, marey.flow(flow.id), flow.end}) == 2
    for one in (flow, flow.end):
        assert pickle.loads(pickle.dumps(one)) == one
    assert str(flow.id) in repr(flow)


def test_a_flow_between_threads(recorded):
    import queue

    box_queue = queue.Queue()

    def work():
        flow = box_queue.get(timeout=beside.LIMIT)
        with marey.span("work", flow=flow):
            pass

    with recorded() as box, beside.threads(work, names=["worker"]):
        flow = marey.flow()
        with marey.span("put", flow=flow):
            box_queue.put(flow)
    first, second = box.trace.flows[flow.id]
    assert (first.track.name, second.track.name) == ("MainThread", "worker")
