"""tg4perfetto's interface: its documentation's programs, and what went wrong there; traces are
decoded by the official protos.
"""

import asyncio
import gc
import os
import signal
import subprocess
import sys
import textwrap
import threading

import pytest
import traces

from marey.compat import tg4perfetto
from marey.compat.tg4perfetto import (
    TraceGenerator,
    count,
    instant,
    trace,
    trace_func,
    trace_func_args,
    track,
)
from marey.compat.tg4perfetto._values import shown

TOP, STATS = track("TOP_TRACK"), count("num_active_threads")  # before anything is open


@pytest.fixture
def recorded(tmp_path):
    """Runs a function within `open`, and reads the file."""

    def run(work, name="x.perfetto-trace"):
        path = tmp_path / name
        with tg4perfetto.open(str(path)):
            work()
        return traces.load(path)

    return run


# ---------------------------------------------------------------- the documentation's programs


def test_the_profiling_example(recorded):
    """A merge sort in threads, as the README has it, with less to sort."""

    @trace_func_args
    def merge(x, x1, x2):
        x[:] = sorted([*x1, *x2])
        return x

    def merge_sort_wrapper(x, flow_id):
        instant("START_THREAD", incoming_flow_ids=[flow_id[0]])
        TOP.instant("START_THREAD", incoming_flow_ids=[flow_id[1]])
        return merge_sort(x)

    def merge_sort_threaded(x):
        flow_ids = instant("INVOKE_THREAD", num_outgoing_flow_ids=2)
        thread = threading.Thread(target=merge_sort_wrapper, args=(x, flow_ids))
        thread.start()
        return x, thread

    @trace_func
    def merge_sort(x):
        half = len(x) // 2
        if len(x) <= 20:
            return sorted(x)
        STATS.increment(1)
        x1, t1 = merge_sort_threaded(x[:half])
        STATS.increment(1)
        x2, t2 = merge_sort_threaded(x[half:])
        for thread in (t1, t2):
            thread.join()
            STATS.increment(-1)
        return merge(x, sorted(x1), sorted(x2))

    @trace_func(TOP)
    def validate(xarray):
        assert xarray == sorted(xarray)

    def work():
        with TOP.trace("SORT").get_outgoing_flow_ids(1) as out_flow_id:
            xarray = merge_sort([(17 * x + 8) % 100 for x in range(40)])
            p = out_flow_id[0]
        with TOP.trace("VALIDATE").set_incoming_flow_ids([p]):
            instant("CHECKING", {"final_result": xarray})
            validate(xarray)

    found = recorded(work)
    assert found.tree("TOP_TRACK") == [("SORT", []), ("VALIDATE", [("validate", [])])]
    assert found.tree("MainThread") == [("merge_sort", [("merge", [])])]
    assert len(found.named("merge_sort")) == 3
    merged = found.span("merge").args
    assert len(merged["kargs"]) == 3
    assert merged["kargs"][0]["array"][-1] == "... (24 more items)"
    assert merged["kwargs"] == "[empty]"
    assert found.values("num_active_threads") == [1, 2, 1, 0]
    checked = found.instant("CHECKING")
    assert checked.args["final_result"][16] == "... (24 more items)"
    assert checked.location[0] == __file__
    (arrow,) = found.span("VALIDATE").flows
    assert found.flows[arrow] == [found.span("SORT"), found.span("VALIDATE")]
    assert not found.span("SORT").flows  # it leads away from the end
    starts = [event for event in found.instants if event.name == "START_THREAD"]
    invoked = [event for event in found.instants if event.name == "INVOKE_THREAD"]
    assert sorted(f for e in starts for f in e.flows) == sorted(f for e in invoked for f in e.flows)


def test_the_generator_example(tmp_path):
    """Times out of order, groups in groups, arrows, arguments within arguments."""
    path = tmp_path / "x.pt"
    generator = TraceGenerator(str(path))
    group = generator.create_group("aaa", "example_track")
    group.open(100, "SOME_TRACK")
    group.close(250, [4])
    generator.create_counter_track("bbb").count(0, 3).count(200, 5).count(400, 7)
    group.create_counter_track("bbb").count(0, 2).count(200, 4)
    group.create_track("ddd").open(100, "WXX").close(300, [3])
    generator.flush()
    group = generator.create_group("vvv")
    one, two = group.create_track("ddd2"), group.create_track("ddd3")
    two.open(400, "WXX4", {"aaa": "bbb", "ccc": "ddd"}, [3, 4]).close(670, [2])
    two.open(300, "WXX3", {"aaa": "bbb"})
    complex_one = {
        "aaa": "abc",
        "ccc": [[1], 2, "a", {"abcdef": "fdsa", "ggg": True}],
        "eee": {"ccc": True, "eee": {"hhh": 0x1234567, "f": 1.5}},
        7: None,
    }
    two.instant(700, "ADE2", complex_one, [2]).close(900, [1])
    one.open(900, "WXX2", None, [1]).close(1000)
    pool = generator.create_group("abc.2").create_group("XX")
    pool.create_track().open(100, "X").close(500)
    pool.create_track().open(300, "Y").close(600)
    generator.flush()
    found = traces.load(path)
    assert found.span("SOME_TRACK").track.pid == 1
    assert found.tree("ddd3") == [("WXX3", [("WXX4", [])])]
    assert [found.span(name).end for name in ("SOME_TRACK", "WXX", "WXX3", "WXX4")] == [
        *(250, 300, 900, 670)
    ]
    assert found.span("WXX4").args == {"aaa": "bbb", "ccc": "ddd"}
    shown_one = found.instant("ADE2").args
    assert shown_one["ccc"] == [{"array": [1]}, 2, "a", {"abcdef": "fdsa", "ggg": True}]
    assert shown_one["eee"] == {"ccc": True, "eee": {"hhh": 0x1234567, "f": 1.5}}
    assert shown_one["7"] == "<class 'NoneType'>"
    assert found.flows[4] == [found.span("SOME_TRACK"), found.span("WXX4")]
    assert found.flows[3] == [found.span("WXX"), found.span("WXX4")]
    assert sum(track.name == "XX" for track in found.tracks.values()) == 3


# ---------------------------------------------------------------------------------- spans


def test_flows_are_handed_out_also_when_nothing_records():
    first = instant("x", num_outgoing_flow_ids=2)
    with trace("y").get_outgoing_flow_ids(1) as second:
        pass
    assert second == [first[1] + 1]
    assert first[1] == first[0] + 1


def test_arguments_and_the_place_of_a_span(recorded):
    def work():
        with trace("load", 1, "two", key=[]):
            pass
        with trace("other").set_caller(test_flows_are_handed_out_also_when_nothing_records):
            pass
        with trace("third").set_caller(("f.py", 7, "g")):
            pass

    found = recorded(work)
    assert found.span("load").args == {"kargs": [1, "two"], "kwargs": {"key": "[empty]"}}
    assert found.span("load").location[0] == __file__
    assert "test_flows" in str(found.span("other").location)
    assert found.span("third").location[0] == "f.py"


def test_an_exception_goes_its_way(recorded):
    def work():
        with pytest.raises(KeyError), trace("x"):
            raise KeyError

    assert recorded(work).span("x").end is not None


def test_unknown_keywords_of_instants_are_ignored(recorded):
    assert recorded(lambda: instant("x", None, whatever=1)).instant("x").args == {}


def test_the_file_is_complete_when_the_with_ends(tmp_path):
    path = tmp_path / "x.pt"
    gc.disable()
    try:
        with tg4perfetto.open(path):
            instant("x", {"a": [1, {"b": 2}]})
        assert traces.load(path).instant("x").args == {"a": [1, {"b": 2}]}
    finally:
        gc.enable()


def test_a_killed_program_keeps_its_events(tmp_path):
    program = """
        import os, signal, sys
        from marey.compat import tg4perfetto
        with tg4perfetto.open(sys.argv[1]):
            for _ in range(2000): tg4perfetto.instant("x")
            os.kill(os.getpid(), signal.SIGKILL)
    """
    path = tmp_path / "x.pt"
    command = [sys.executable, "-c", textwrap.dedent(program), str(path)]
    assert subprocess.run(command).returncode == -signal.SIGKILL
    assert len(traces.load(path).instants) == 2000


def test_one_recording_at_a_time(tmp_path):
    with tg4perfetto.open(tmp_path / "a.pt"):
        with pytest.raises(AssertionError, match="Nested"), tg4perfetto.open(tmp_path / "b.pt"):
            pass
        instant("still")
    assert traces.load(tmp_path / "a.pt").instant("still")


def test_a_second_file_has_its_tracks_too(recorded):
    for name in ("a.pt", "b.pt"):
        found = recorded(lambda: (TOP.instant("x"), STATS.count(2.5), instant("y")), name)
        assert found.instant("x").track.name == "TOP_TRACK"
        assert found.values("num_active_threads") == [2.5]
        assert found.instant("y").track.kind == "thread"


def test_a_file_that_cannot_be(tmp_path):
    with pytest.raises(FileNotFoundError), tg4perfetto.open(tmp_path / "no" / "x.pt"):
        pass
    with pytest.raises(FileNotFoundError):
        TraceGenerator(tmp_path / "no" / "x.pt")


# ------------------------------------------------------------------------------ functions


def test_functions_of_all_kinds(recorded):
    @trace_func
    async def wait(n):
        await asyncio.sleep(0.02)
        return n

    @trace_func_args
    async def wait_args(n):
        await asyncio.sleep(0.02)
        return n

    @trace_func_args
    def steps(n):
        got = yield n
        return got

    def all_steps():
        return (yield from steps(3))

    def work():
        assert asyncio.run(wait(3)) == 3
        assert asyncio.run(wait_args(4)) == 4
        made = all_steps()
        next(made)
        with pytest.raises(StopIteration) as ended:
            made.send(9)
        assert ended.value.value == 9

    found = recorded(work)
    for name in ("wait", "wait_args"):
        span = found.span(name)
        assert span.end - span.begin >= 15_000_000
    assert found.span("wait_args").args["kargs"] == [4]
    assert found.named("steps")[0].args["kargs"] == [3]


def test_a_function_on_a_track_with_its_arguments(recorded):
    @trace_func_args(TOP)
    def work(a, b=2):
        """Its text."""
        return a + b

    found = recorded(lambda: work(1, b=5))
    assert found.span("work").track.name == "TOP_TRACK"
    assert found.span("work").args == {"kargs": [1], "kwargs": {"b": 5}}
    assert (work(1), work.__doc__) == (3, "Its text.")


def test_what_cannot_be_logged_breaks_nothing(recorded):
    @trace_func_args
    def work(*args):
        return len(args)

    own = []
    own.append(own)
    counted = []
    found = recorded(lambda: counted.append(work(1 << 70, "\ud800", own, object(), b"x", None)))
    assert counted == [6]
    args = found.span("work").args["kargs"]
    assert args[0] == hex(1 << 70)
    assert args[3:] == ["<class 'object'>", "<class 'bytes'>", "<class 'NoneType'>"]


def test_a_span_may_be_entered_again(recorded):
    def work():
        span = tg4perfetto.trace("again").set_incoming_flow_ids([3])
        for _ in range(2):
            with span:
                pass

    assert len(recorded(work).named("again")) == 2


def test_only_functions_and_tracks_are_decorators():
    with pytest.raises(AssertionError):
        trace_func(3)


def test_builtins_too(recorded):
    assert recorded(lambda: trace_func(len)([1])).span("len")


# --------------------------------------------------------------------------------- values


def test_many_items():
    assert shown(list(range(20))) == [*range(16), "... (4 more items)"]
    made = shown({n: n for n in range(20)})
    assert list(made)[-1] == "..."
    assert made["..."] == "(5 more items)"
    assert len(made) == 16
    assert shown([[1], (2,)]) == [{"array": [1]}, {"array": [2]}]
    assert shown({}) == shown([]) == shown(()) == "[empty]"


def test_float_counters(recorded):
    counter = count("load")
    found = recorded(lambda: (counter.count(0.5), counter.increment(0.25)))
    assert found.values("load") == [0.5, 0.75]


def test_a_fork_writes_nothing_twice(tmp_path):
    path = tmp_path / "x.pt"
    with tg4perfetto.open(path):
        instant("before")
        pid = os.fork()
        if pid == 0:
            instant("child")
            os._exit(0)
        os.waitpid(pid, 0)
        instant("after")
    names = sorted(event.name for event in traces.load(path).instants)
    assert names == ["after", "before", "child"]


def test_generators_close_by_themselves_and_with_with(tmp_path):
    with TraceGenerator(tmp_path / "a.pt") as generator:
        generator.create_group("p").instant(5, "x")
    assert traces.load(tmp_path / "a.pt").instant("x").begin == 5
    TraceGenerator(tmp_path / "b.pt").create_group("p").instant(5, "y")
    assert traces.load(tmp_path / "b.pt").instant("y")


def test_the_generator_takes_any_number(tmp_path):
    with TraceGenerator(tmp_path / "a.pt") as generator:
        generator.create_counter_track("c").count(1, 0.5).count(2, 1 << 70).count(3, -1)
        generator.create_group("p").instant(4, "x", {"big": 1 << 70, "small": -5})
    found = traces.load(tmp_path / "a.pt")
    assert found.values("c") == [0.5, float(1 << 70), -1]
    assert found.instant("x").args == {"big": hex(1 << 70), "small": -5}


def test_tracks_and_counters_below_a_group_of_a_group(tmp_path):
    with TraceGenerator(tmp_path / "a.pt") as generator:
        queue = generator.create_group("scheduler").create_group("queue")
        queue.create_track().instant(1, "own name")
        queue.create_track("first").instant(2, "another name")
        queue.create_counter_track("depth").count(3, 4)
    found = traces.load(tmp_path / "a.pt")
    for event, name in (("own name", "queue"), ("another name", "first")):
        track = found.instant(event).track
        assert [track.name, *found.parents(track)[:1]] == [name, "queue"]
    assert found.values("depth") == [4]
