"""keke's interface: what programs that used it rely on, and what went wrong there."""

import asyncio
import gc
import io
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from unittest.mock import call, patch

import pytest

from marey.compat import keke
from marey.compat.keke import Scope, TraceOutput, kcount, kev, kmark, ktrace
from marey.compat.keke.failure import TraceOnFailure, _get_ctime, _remove_oldest
from marey.compat.keke.failure import save_trace_on_failure as on_failure
from marey.compat.keke.stats import get_fd_count, start


class Kept(io.StringIO):
    """Stays readable when it is closed."""

    def close(self):
        pass


def recorded(run, **options):
    """The events of what `run` does, without those about threads and garbage."""
    file = Kept()
    with TraceOutput(file, pid=4, **options):
        run()
    return events_of(file.getvalue())


def events_of(text):
    found = json.loads(text)
    assert found[-1] == {}
    meta = ("collect", "thread_name", "thread_sort_index")
    return [event for event in found[:-1] if event["name"] not in meta]


# ---------------------------------------------------------------------------- as documented


def test_the_shape_of_a_file():
    file = Kept()
    ticks = iter([123.0, 125.0, 125.25])
    gc.disable()
    try:
        with TraceOutput(file, pid=4, clock=lambda: next(ticks)):
            with kev("name", "cat", arg=1, text="x"):
                pass
            kmark("done")
    finally:
        gc.enable()
    lines = file.getvalue().split("\n")
    assert lines[0] == "["
    assert lines[-2:] == ["{}]", ""]
    assert all(line.endswith("},") for line in lines[1:-2])
    name, order, span, mark, end = json.loads(file.getvalue())
    tid = threading.get_native_id()
    head = {"pid": 4, "tid": tid, "ph": "M", "cat": "__metadata"}
    assert name == {**head, "ts": 0, "name": "thread_name", "args": {"name": "MainThread"}}
    assert order == {**head, "ts": 9, "name": "thread_sort_index", "args": {"sort_index": -1}}
    assert span == {
        **{"name": "name", "cat": "cat", "ph": "X", "pid": 4, "tid": tid},
        **{"ts": 123_000_000, "dur": 2_000_000, "args": {"arg": "1", "text": "x"}},
    }
    assert mark == {
        **{"name": "done", "cat": "mark", "ph": "i", "s": "t", "pid": 4, "tid": tid},
        "ts": 125_250_000,
    }
    assert end == {}


def test_an_exception_goes_its_way_and_its_span_is_there():
    def run():
        with pytest.raises(LookupError), kev("fails", n=1):
            raise LookupError

    assert [(event["name"], event["args"]) for event in recorded(run)] == [("fails", {"n": "1"})]


def test_arguments_of_any_name_but_two():
    with pytest.raises(TypeError, match="name"):
        kev("x", name="y")
    [event] = recorded(lambda: kev("x", cat="c", **{"a b": 1, "": 2})(int)())
    assert (event["cat"], event["args"]) == ("c", {"a b": "1", "": "2"})


def test_a_thread_that_gets_the_number_of_one_that_ended_is_named_again():
    file = Kept()
    output = TraceOutput(file)
    with output:
        for name in ("first", "first", "second"):
            output.put(output.with_tid({"name": "x"}, id=5, name=name), False)
    named = [event for event in json.loads(file.getvalue()) if event.get("name") == "thread_name"]
    assert [event["args"]["name"] for event in named] == ["first", "second"]


def test_a_collection_that_ends_without_a_beginning_is_none():
    file = Kept()
    output = TraceOutput(file)
    gc.disable()
    try:
        with output:
            output._gc_callback("stop", {"generation": 0, "collected": 0, "uncollectable": 0})
    finally:
        gc.enable()
    assert "collect" not in file.getvalue()


def test_values_are_read_when_the_span_ends():
    rows = []

    def run():
        with kev("load", rows=rows):
            rows.append(1)

    assert recorded(run)[0]["args"] == {"rows": "[1]"}


def test_a_span_is_a_decorator_too():
    @kev("work", "cat", n=1)
    def work(value):
        return value + 1

    found = recorded(lambda: (work(1), work(2)))
    assert [event["name"] for event in found] == ["work", "work"]
    assert found[0]["args"] == {"n": "1"}
    assert (work(1), work.__name__) == (2, "work")


def test_marks_and_counters():
    def run():
        kmark("a")
        kmark("b", "cat", Scope.PROCESS)
        kmark("c", scope=Scope.GLOBAL)
        kcount("n", 5)
        kcount("m", 1, a=-2, b=1.5, c=True)

    a, b, c, n, m = recorded(run)
    assert (a["s"], b["s"], c["s"]) == ("t", "p", "g")
    assert ("tid" in a, "tid" in b, "tid" in c) == (True, False, False)
    assert (n["ph"], n["args"]) == ("C", {"value": 5})
    assert m["args"] == {"value": 1, "a": -2, "b": 1.5, "c": True}
    with pytest.raises(AssertionError):
        kcount("nothing")


def test_no_file_is_no_recording():
    with TraceOutput(file=None) as entered:
        assert entered is None
        assert keke.get_tracer() is None
        with kev("x"):
            kmark("y")


def test_the_wrong_file_fails_at_once(tmp_path):
    with pytest.raises(TypeError):
        TraceOutput(io.BytesIO())
    path = tmp_path / "x"
    path.touch()
    with path.open() as file, pytest.raises(io.UnsupportedOperation):
        TraceOutput(file)


def test_the_file_is_closed_or_not():
    file = io.StringIO()
    with TraceOutput(file, close_output_file=False):
        pass
    assert json.loads(file.getvalue())[-1] == {}
    with TraceOutput(file):
        pass
    assert file.closed


def test_who_is_recording():
    outer = TraceOutput(Kept())
    assert keke.TRACER is None
    with outer:
        assert keke.TRACER is keke.get_tracer() is outer
    assert keke.TRACER is None


def test_garbage_collection_is_a_thread_of_its_own():
    file = Kept()
    given = []  # more with each CPython
    see = given.append
    gc.callbacks.append(lambda phase, info: see(info.keys()))
    try:
        with TraceOutput(file):
            gc.collect()
    finally:
        gc.callbacks.pop()
    found = [event for event in json.loads(file.getvalue()) if event.get("cat") == "gc"]
    assert found
    assert {event["tid"] for event in found} == {0}
    assert found[0]["args"].keys() == given[-1] >= {"generation", "collected", "uncollectable"}


def test_each_thread_is_named_before_its_first_event():
    file = Kept()
    with TraceOutput(file):
        for name in ("Opener-1", "worker"):
            thread = threading.Thread(target=lambda: kev("x").__call__(len)([]), name=name)
            thread.start()
            thread.join()
    found = json.loads(file.getvalue())[:-1]
    names, orders = {}, {}
    for event in found:
        if event["name"] == "thread_name":
            names[event["tid"]] = event["args"]["name"]
        elif event["name"] == "thread_sort_index":
            orders[names[event["tid"]]] = event["args"]["sort_index"]
        elif event["name"] == "x":
            assert event["tid"] in names
    assert orders["Opener-1"] == 1
    assert orders["worker"] == 0


# -------------------------------------------------------------------------------- functions


def test_ktrace_takes_empty_parentheses():
    with pytest.raises(TypeError, match="empty parens"):
        ktrace(len)


def test_ktrace_evaluates_expressions():
    @ktrace("a[0]", "len(a)", "b")
    def work(a, b=3, *, c=1):
        return a, b, c

    def run():
        assert work(["foo"], c=5) == (["foo"], 3, 5)
        assert work([]) == ([], 3, 1)

    first, second = recorded(run)
    assert first["name"] == "test_ktrace_evaluates_expressions.<locals>.work"
    assert first["args"] == {"a[0]": "foo", "len(a)": "1", "b": "3"}
    assert second["args"]["a[0]"] == "IndexError('list index out of range')"


def test_short_names():
    def work():
        pass

    found = recorded(lambda: (ktrace(shortname=True)(work)(), ktrace(shortname="w")(work)()))
    assert [event["name"] for event in found] == ["work", "w"]


def test_a_wrong_call_is_the_functions_own_error():
    @ktrace("a")
    def work(a):
        pass

    def run():
        with pytest.raises(TypeError, match=r"work\(\) missing 1 required positional argument"):
            work()

    recorded(run)


def test_nothing_is_evaluated_when_nothing_records():
    seen = []

    @ktrace("a.append(1)")
    def work(a):
        return a

    assert work(seen) == []


def test_a_generator_is_one_span_and_keeps_its_result():
    @ktrace()
    def steps():
        got = yield 1
        yield got
        return "end"

    def all_of():
        return (yield from steps())

    file = Kept()
    with TraceOutput(file):
        outer = all_of()
        assert next(outer) == 1
        time.sleep(0.12)
        assert "steps" not in file.getvalue()
        assert outer.send(7) == 7
        with pytest.raises(StopIteration) as ended:
            next(outer)
        time.sleep(0.12)
        assert "steps" in file.getvalue()
    assert ended.value.value == "end"
    assert len(events_of(file.getvalue())) == 1


def test_a_coroutine_lasts_as_long_as_it_does():
    @ktrace("n")
    async def work(n):
        await asyncio.sleep(0.05)
        return n

    found = recorded(lambda: asyncio.run(work(3)))
    assert found[0]["args"] == {"n": "3"}
    assert found[0]["dur"] >= 49_000
    assert asyncio.run(work(4)) == 4


def test_an_asynchronous_generator_gets_what_is_sent():
    @ktrace()
    async def steps():
        got = yield 1
        try:
            yield got
        except KeyError:
            yield "caught"

    async def use():
        made = steps()
        seen = [await made.asend(None), await made.asend(7), await made.athrow(KeyError())]
        await made.aclose()
        return seen

    seen = []
    found = recorded(lambda: seen.extend(asyncio.run(use())))
    assert seen == [1, 7, "caught"]
    assert len(found) == 1


# ------------------------------------------------------------------------- what went wrong


def test_a_value_that_fails_to_say_what_it_is():
    class Bad:
        def __str__(self):
            raise RuntimeError("no")

    def run():
        with pytest.raises(KeyError), kev("x", bad=Bad(), good=1):
            raise KeyError

    assert recorded(run)[0]["args"] == {"bad": "<Bad: str() raised RuntimeError>", "good": "1"}


def test_counters_that_json_has_no_number_for():
    def run():
        kcount("a", float("nan"))
        kcount("b", object())
        kcount("c", 1, d=float("inf"), e="7")
        kcount("d", 2)

    found = recorded(run)
    assert [(event["name"], event["args"]) for event in found] == [
        ("c", {"value": 1, "e": 7.0}),
        ("d", {"value": 2}),
    ]


@pytest.mark.parametrize(
    "text", ["emoji \U0001f600", 'a"b\\c', "line\nbreak\x00\x1b", "\ud800 lone"]
)
def test_any_text_is_a_name(text):
    file = Kept()
    with TraceOutput(file), kev(text, text, **{text: text}):
        pass
    (event,) = events_of(file.getvalue())
    shown = text.replace("\ud800", "?")
    assert (event["name"], event["cat"], event["args"]) == (shown, shown, {shown: shown})
    assert "\\ud83d" not in file.getvalue()


def test_a_file_of_ascii_gets_escapes(tmp_path):
    path = tmp_path / "x.trace"
    with TraceOutput(path.open("w", encoding="ascii")), kev("caf\xe9 \U0001f600"):
        pass
    assert events_of(path.read_text())[0]["name"] == "caf\xe9 \U0001f600"


def test_an_inner_output_and_then_the_outer_one_again():
    outer, inner = Kept(), Kept()
    with TraceOutput(outer):
        kmark("one")
        with TraceOutput(inner):
            kmark("two")
        kmark("three")
    assert [event["name"] for event in events_of(outer.getvalue())] == ["one", "three"]
    assert [event["name"] for event in events_of(inner.getvalue())] == ["two"]


def test_an_output_is_used_once():
    output = TraceOutput(Kept())
    with output:
        pass
    with pytest.raises(RuntimeError, match="used already"):
        output.__enter__()


def test_a_span_that_outlives_the_output_is_dropped():
    file = Kept()
    with TraceOutput(file):
        span = kev("x")
        span.__enter__()
    span.__exit__(None, None, None)
    assert events_of(file.getvalue()) == []


def test_a_full_disk_is_said_at_the_end_and_hides_nothing():
    with pytest.raises(OSError, match="No space left"), TraceOutput(open("/dev/full", "w")):
        many(10_000)
    assert keke.get_tracer() is None
    with pytest.raises(KeyError), TraceOutput(open("/dev/full", "w")):
        raise KeyError


def test_many_threads_lose_nothing(tmp_path):
    path = tmp_path / "x.trace"
    with TraceOutput(path.open("w")):
        threads = [threading.Thread(target=many, args=(2000,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(events_of(path.read_text())) == 16_000


def many(count):
    for number in range(count):
        with kev("x", n=number):
            pass


# ------------------------------------------------------------------------- ends of processes


def run_program(tmp_path, program):
    path = tmp_path / "x.trace"
    text = textwrap.dedent(program)
    command = [sys.executable, "-c", f"from marey.compat.keke import *\n{text}", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    return done, path


def test_a_missing_exit_ends_the_program_and_leaves_a_whole_file(tmp_path):
    program = """
        import sys
        from marey.compat.keke import TraceOutput
        TraceOutput(open(sys.argv[1], "w")).__enter__()
        with kev("x"): pass
    """
    done, path = run_program(tmp_path, program)
    assert (done.returncode, done.stderr) == (0, "")
    assert [event["name"] for event in events_of(path.read_text())] == ["x"]


def test_a_killed_program_leaves_lines_that_viewers_read(tmp_path):
    program = """
        import os, signal, sys, time
        from marey.compat.keke import TraceOutput
        with TraceOutput(open(sys.argv[1], "w")):
            for _ in range(1000):
                with kev("x"): pass
            time.sleep(0.2)
            os.kill(os.getpid(), signal.SIGKILL)
    """
    done, path = run_program(tmp_path, program)
    assert done.returncode == -signal.SIGKILL
    text = path.read_text()
    assert text.startswith("[\n")
    assert text.endswith("},\n")
    assert sum(e.get("name") == "x" for e in json.loads(text + "{}]")) == 1000


def test_a_forked_child_writes_nothing(tmp_path):
    program = """
        import os, sys, warnings
        from marey.compat.keke import TraceOutput
        warnings.simplefilter("ignore", DeprecationWarning)  # of a fork where there are threads
        with TraceOutput(open(sys.argv[1], "w")):
            with kev("before"): pass
            if os.fork() == 0:
                with kev("child"): pass
                sys.exit()  # by way of __exit__
            os.wait()
            with kev("after"): pass
    """
    done, path = run_program(tmp_path, program)
    assert (done.returncode, done.stderr) == (0, "")
    assert [event["name"] for event in events_of(path.read_text())] == ["before", "after"]


# ----------------------------------------------------------------------------------- failure


@ktrace()
def fails():
    raise ValueError("no")


def test_only_failures_are_saved(tmp_path):
    with TraceOnFailure(path=tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ValueError, match="no"), TraceOnFailure(path=tmp_path):
        fails()
    (saved,) = tmp_path.iterdir()
    assert saved.name.startswith(f"{os.getpid()}_")
    assert saved.suffix == ".trace"
    assert events_of(saved.read_text())[0]["name"] == "fails"


def test_any_exception_counts(tmp_path):
    with pytest.raises(KeyboardInterrupt), TraceOnFailure(path=tmp_path):
        raise KeyboardInterrupt
    assert len(list(tmp_path.iterdir())) == 1


def test_always(tmp_path):
    with TraceOnFailure(always_trace=True, path=tmp_path):
        pass
    assert len(list(tmp_path.iterdir())) == 1


def test_within_a_recording_it_does_nothing(tmp_path, caplog):
    with TraceOutput(Kept()), TraceOnFailure(always_trace=True, path=tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []
    assert "Already tracing" in caplog.text


def test_a_folder_that_cannot_be_hides_nothing(tmp_path, caplog):
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="no"), TraceOnFailure(path=tmp_path / "file"):
        fails()
    assert "While saving for ValueError" in caplog.text


def test_the_decorator_looks_at_its_attributes_when_it_is_called(tmp_path):
    @on_failure
    def work():
        fails()

    with patch.object(on_failure, "path", tmp_path), pytest.raises(ValueError, match="no"):
        work()
    assert len(list(tmp_path.iterdir())) == 1


def test_the_oldest_are_removed(tmp_path):
    _remove_oldest(tmp_path / "none")
    _remove_oldest(tmp_path, keep=0)
    for number in range(5):
        (tmp_path / str(number)).touch()
        time.sleep(0.01)
    (tmp_path / "folder").mkdir()
    _remove_oldest(tmp_path, keep=3)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["4", "folder"]
    with patch("time.time", return_value=4):
        assert _get_ctime(Path(), "impossible") == 4


# ------------------------------------------------------------------------------------- stats


def test_the_counters_of_the_process():
    where = "marey.compat.keke.stats"
    done = threading.Event()
    times = patch(f"{where}.time.time", side_effect=[0, 0.5, 1.0])
    cpu = patch(f"{where}.time.process_time", side_effect=[1, 2, 2])
    with patch(f"{where}.time.sleep"), times, cpu, patch(f"{where}.keke.kcount") as counted:
        start(["cpu"])
        while len(counted.mock_calls) < 2:
            done.wait(0.01)
    assert counted.mock_calls == [call("proc_cpu_pct", 200), call("proc_cpu_pct", 0)]
    assert get_fd_count() >= 3


def test_an_unknown_counter():
    with pytest.raises(KeyError):
        start(["x"])
