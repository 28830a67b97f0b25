"""What is done wrong, or goes wrong, is in the trace as well as it can be, and disturbs nobody."""

import os
import sys
import sysconfig
import threading
import time

import pytest
import traces
from disk import small_disk

import marey

PAGE = os.sysconf("SC_PAGE_SIZE")


def test_deeper_than_a_viewer_shows(recorded):
    def deeper(n):
        with marey.span("level", n=n):
            if n < 900:
                deeper(n + 1)

    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(5000)
    try:
        with recorded() as box:
            deeper(1)
            with marey.span("after"):
                pass
            lost = marey.status()["losses"]["depth"]
    finally:
        sys.setrecursionlimit(limit)
    levels = box.trace.named("level")
    assert [s.args["n"] for s in levels] == list(range(1, 513))
    assert all(s.end is not None for s in levels)
    assert box.trace.span("after").parent is None
    assert lost == 900 - 512


def test_two_thousand_threads(recorded):
    def work(n):
        with marey.span("thread", n=n):
            pass

    with recorded() as box:
        for start in range(0, 2000, 50):
            threads = [threading.Thread(target=work, args=(start + n,)) for n in range(50)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
    spans = box.trace.named("thread")
    assert sorted(s.args["n"] for s in spans) == list(range(2000))
    assert all(s.end is not None and s.parent is None for s in spans)
    assert len({s.track.uuid for s in spans}) == 2000
    assert os.stat(box.record.path).st_size < 32 << 20


def test_a_span_ended_by_another_thread(recorded):
    """It stays the beginner's: it ends with the one around it; the other thread notes its try."""
    span = marey.span("handed over")
    with recorded() as box:
        with marey.span("outer"):
            span.__enter__()
            thread = threading.Thread(target=span.__exit__, name="other")
            thread.start()
            thread.join()
        with marey.span("after"):
            pass
    assert box.trace.tree("MainThread") == [("outer", [("handed over", [])]), ("after", [])]
    assert box.trace.span("handed over").end is not None
    assert [i.track.name for i in box.trace.instants] == ["other"]


def test_a_thread_that_ends_with_its_spans_open(recorded):
    def work():
        marey.span("left open").__enter__()

    with recorded() as box:
        thread = threading.Thread(target=work, name="short")
        thread.start()
        thread.join()
        thread = threading.Thread(target=work, name="short again")
        thread.start()
        thread.join()
    assert box.trace.tree("short") == box.trace.tree("short again") == [("left open", [])]


def test_threads_that_go_on_while_a_recording_stops(tmp_path):
    stop = threading.Event()
    failures = []

    def work():
        try:
            while not stop.is_set():
                with marey.span("outer", n=1), marey.span("inner") as span:
                    span.set(text="é" * 50)
                    marey.instant("x")
                    time.sleep(0.0002)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for n in range(30):
            with marey.record(tmp_path / f"{n}"):
                time.sleep(0.003)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not failures
    assert sum(len(traces.load(tmp_path / f"{n}").spans) for n in range(30)) > 100


def test_an_object_shared_by_threads_while_recordings_come_and_go(tmp_path):
    """Each leaving belongs to its own entering, also where only one of the two was recorded."""
    shared, stop = marey.span("shared"), threading.Event()

    def work():
        while not stop.is_set():
            with shared, marey.span("inside"):
                time.sleep(0.0003)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for n in range(20):
            with marey.record(tmp_path / f"{n}", gc=False):
                time.sleep(0.005)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    for n in range(20):
        trace = traces.load(tmp_path / f"{n}")
        assert not trace.instants
        for span in trace.spans:
            assert not span.children or span.name == "shared"
            assert all(child.name == "inside" for child in span.children)


def test_a_full_disk(tmp_path, script):
    """The file stays valid, the loss is counted, the program goes on."""
    with small_disk(tmp_path / "disk", "256k") as disk:
        out = script(
            """
import marey, sys
with marey.record(sys.argv[1], gc=False):
    for n in range(50_000):
        with marey.span("turn", n=n):
            pass
    print(marey.status()["losses"]["disk"])
print("unharmed")
""",
            disk / "t",
        )
        lost, last = out.split()
        assert int(lost) > 0
        assert last == "unharmed"
        trace = traces.load(disk / "t")
        assert [s.args["n"] for s in trace.named("turn")][:100] == list(range(100))


def test_a_memory_limit(script, path):
    out = script(
        """
import marey, resource, sys
with marey.record(sys.argv[1], gc=False):
    for n in range(1000):
        with marey.span("before", n=n):
            pass
    with open("/proc/self/statm") as file:
        used = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + (1 << 20), -1))
    for n in range(20_000):
        with marey.span("within the limit"):
            pass
print("unharmed")
""",
        path,
    )
    assert out.strip() == "unharmed"
    assert len(traces.load(path).named("before")) == 1000


@pytest.mark.parametrize("kind", ["_xxsubinterpreters", "_interpreters"])
def test_other_interpreters_of_the_process(path, script, kind):
    pytest.importorskip(kind)
    script(
        f"""
import sys, threading, marey
import {kind} as interpreters
code = '''
import marey, threading
span = marey.span("shared name", n=1)
with span:
    with marey.span("inner", where="elsewhere"):
        marey.counter("c").set(1)
def work():
    with marey.span("thread of another interpreter"):
        pass
thread = threading.Thread(target=work, name="theirs")
thread.start(); thread.join()
@marey.traced
def function():
    return 1
function()
try:
    marey.record("other").start()
except marey.Error as error:
    assert "recording already" in str(error)
else:
    raise AssertionError
'''
with marey.record(sys.argv[1], gc=False):
    with marey.span("shared name", n=0):
        pass
    for _ in range(3):
        if sys.version_info < (3, 12):
            one = interpreters.create(isolated=False)  # isolated ones may not have threads
        else:
            one = interpreters.create()
        error = interpreters.run_string(one, code)
        assert error is None, error
        interpreters.destroy(one)
    with marey.span("after"):
        pass
""",
        path,
    )
    trace = traces.load(path)
    assert [s.args["n"] for s in trace.named("shared name")] == [0, 1, 1, 1]
    assert len(trace.named("thread of another interpreter")) == 3
    assert {s.track.name for s in trace.named("thread of another interpreter")} == {"theirs"}
    assert len(trace.named("function")) == 3
    assert trace.span("after")


def test_the_module_can_be_imported_anew(recorded):
    import gc
    import weakref

    def copies():
        for _ in range(5):
            old = {
                name: sys.modules.pop(name)
                for name in list(sys.modules)
                if name.startswith("marey")
            }
            try:
                import marey as again

                with again.span("of the copy", n=1):
                    again.counter("c").set(1)
                yield weakref.ref(again._marey.span)
            finally:
                sys.modules.update(old)

    with recorded() as box:
        spans = list(copies())
        gc.collect()
        gc.collect()
    assert len(box.trace.named("of the copy")) == 5
    if not sysconfig.get_config_var("Py_GIL_DISABLED"):  # 3.13 without it never frees a type
        assert [ref() for ref in spans[:-1]] == [None] * 4


def test_spans_in_finalizers_and_at_exit(script, path):
    script(
        """
import atexit, marey, sys
record = marey.record(sys.argv[1], gc=True).start()
class Thing:
    def __del__(self, marey=marey):
        with marey.span("finalizer", thing=self):
            pass
keep = Thing()
cycle = Thing()
cycle.me = cycle
atexit.register(lambda: marey.instant("at exit"))
""",
        path,
    )
    trace = traces.load(path)
    assert trace.instant("at exit")
    assert len(trace.named("finalizer")) == 2


def test_a_daemon_thread_at_exit(script, path):
    script(
        """
import marey, sys, threading, time
record = marey.record(sys.argv[1], gc=True).start()
started = threading.Event()
def forever():
    while True:
        with marey.span("daemon"):
            started.set()
            time.sleep(0.0005)
threading.Thread(target=forever, daemon=True).start()
started.wait()
""",
        path,
    )
    assert traces.load(path).named("daemon")


def test_a_signal_handler_in_python(recorded):
    import signal

    def handler(number, frame):
        with marey.span("handler"):
            pass

    old = signal.signal(signal.SIGALRM, handler)
    try:
        with recorded() as box:
            signal.setitimer(signal.ITIMER_REAL, 0.001, 0.0005)
            end = time.monotonic() + 0.3
            while time.monotonic() < end:
                with marey.span("outer"), marey.span("inner", text="x" * 100):
                    sum(range(2000))
            signal.setitimer(signal.ITIMER_REAL, 0)
    finally:
        signal.signal(signal.SIGALRM, old)
    assert len(box.trace.named("handler")) > 10
    for span in box.trace.spans:
        assert span.end is not None
        assert span.name != "inner" or span.parent.name == "outer"
