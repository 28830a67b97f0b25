"""Process trees: every process that is started while its parent records is in the same file."""

import concurrent.futures
import multiprocessing
import os
import signal
import subprocess
import sys
import time

import pytest
import traces

import marey

CHILD = """
import marey, threading, gc, asyncio, sys
def work():
    with marey.span("in a thread"):
        pass
thread = threading.Thread(target=work, name="worker")
thread.start(); thread.join()
async def main():
    with marey.span("in a task"):
        gc.collect()
asyncio.run(main())
sys.exit(marey.recording() != (len(sys.argv) > 1))
"""


def processes(trace):
    return {t.name: t.pid for t in trace.tracks.values() if t.kind == "process"}


def process_of(trace, event):
    track = event.track
    while track.kind != "process":
        if track.kind == "thread":
            return track.pid
        track = trace.tracks[track.parent]
    return track.pid


def in_child(work):
    """Run work in a forked child that ends without any farewell; returns its pid."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
        except BaseException:
            os._exit(1)
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
    return pid


def test_a_forked_child_goes_on_in_the_file(recorded):
    def work():
        with marey.span("child"):
            marey.counter("c").set(1)

    with recorded() as box, marey.span("parent"):
        pid = in_child(work)
        with marey.span("afterwards"):
            pass
    trace = box.trace
    assert process_of(trace, trace.span("child")) == pid
    assert process_of(trace, trace.span("parent")) == os.getpid()
    assert trace.span("child").parent is None
    assert trace.span("afterwards").parent.name == "parent"


def test_fork_in_the_middle_of_a_span(recorded):
    """The span is its parent's: the child's leaving it is nothing; what it does is its own."""

    def work():
        with marey.span("inside"):
            pass
        span.__exit__(None, None, None)
        with span:
            pass

    with recorded() as box:
        span = marey.span("forked in the middle")
        with span:
            pid = in_child(work)
    trace = box.trace
    mine = [s for s in trace.named("forked in the middle") if process_of(trace, s) == os.getpid()]
    childs = [s for s in trace.spans if process_of(trace, s) == pid]
    assert len(mine) == 1
    assert mine[0].end is not None
    assert [(s.name, s.parent) for s in childs] == [
        ("inside", None),
        ("forked in the middle", None),
    ]
    assert all(s.end is not None for s in childs)


def test_a_child_outlives_a_recording(recorded):
    read, write = os.pipe()
    begun, begin = os.pipe()
    with recorded() as box:
        marey.instant("x")
        pid = os.fork()
        if pid == 0:
            try:
                with marey.span("child before"):
                    pass
                os.write(begin, b"x")
                os.read(read, 1)
                for _ in range(100_000):
                    with marey.span("child after"):
                        pass
                os._exit(0)
            finally:
                os._exit(1)
        os.read(begun, 1)
    os.write(write, b"x")
    assert os.waitpid(pid, 0)[1] == 0
    for end in (read, write, begun, begin):
        os.close(end)
    assert process_of(box.trace, box.trace.span("child before")) == pid


def test_a_child_that_records_is_in_its_parents_recording(path, tmp_path):
    def work():
        with marey.record(tmp_path / "other") as record:
            assert record.path == str(path)
            marey.instant("joined")
        assert marey.recording()
        assert not marey.status()["owner"]

    with marey.record(path, gc=False):
        in_child(work)
    assert traces.load(path).instant("joined")
    assert not (tmp_path / "other").exists()


def test_a_child_that_stops_its_copy_of_a_recording_stops_only_itself(path):
    with marey.record(path, gc=False) as record:

        def work():
            marey.instant("before")
            record.stop()
            assert not marey.recording()
            marey.instant("lost")

        in_child(work)
        assert marey.recording()
        marey.instant("after")
    assert [i.name for i in traces.load(path).instants] == ["before", "after"]


def test_subprocesses_join(recorded, tmp_path):
    (tmp_path / "child.py").write_text(CHILD)
    with recorded(children=True) as box:
        assert os.environ["MAREY_TRACE"] == box.record.path
        with marey.span("parent"):
            for environment in (None, dict(os.environ)):
                subprocess.run(
                    [sys.executable, tmp_path / "child.py", "on"], env=environment, check=True
                )
    assert "MAREY_TRACE" not in os.environ
    subprocess.run([sys.executable, tmp_path / "child.py"], check=True)
    trace = box.trace
    assert len(trace.named("in a thread")) == 2
    assert {s.track.name for s in trace.named("in a thread")} == {"worker"}
    assert {s.track.name for s in trace.named("in a task")} == {"Task-1"}
    assert [c.name for c in trace.named("in a task")[0].children] == ["gc"]
    pids = {process_of(trace, s) for s in trace.named("in a thread")}
    assert len(pids) == 2
    assert os.getpid() not in pids
    assert list(processes(trace)).count("child.py") == 1  # two tracks of one name


def test_without_children_they_do_not(recorded, tmp_path):
    (tmp_path / "child.py").write_text(CHILD)
    with recorded(children=False) as box:
        marey.instant("x")
        subprocess.run([sys.executable, tmp_path / "child.py"], check=True)
    assert len(processes(box.trace)) == 1


def test_a_session_that_is_gone_is_no_reason_to_fail(script, tmp_path):
    program = """
import marey, sys
assert not marey.recording()
marey.instant("nowhere")
with marey.record(sys.argv[1]) as record:
    print(record.path)
    marey.instant("somewhere")
"""
    with marey.record(tmp_path / "ended"):
        pass
    for gone in (tmp_path / "ended", tmp_path / "missing" / "x", ""):
        out = script(program, tmp_path / "own", MAREY_TRACE=gone)
        assert out.strip() == str(tmp_path / "own")
        assert [i.name for i in traces.load(tmp_path / "own").instants] == ["somewhere"]


def test_record_joins_the_session_of_the_environment(path, script, tmp_path):
    program = """
import marey, os, sys
with marey.record(sys.argv[1], tags={"of": "child"}) as record:
    print(record.path)
    marey.instant("child")
marey.instant("still on")
"""
    with marey.record(path, gc=False, children=True):
        out = script(program, tmp_path / "own")
    assert out.strip() == str(path)
    assert not (tmp_path / "own").exists()
    trace = traces.load(path)
    assert [i.name for i in trace.instants] == ["child", "still on"]
    assert trace.attributes["of"] == "child"


# ------------------------------------------------------- pools and processes


def job(flow, number):
    with marey.span("job", flow=flow, number=number):
        return os.getpid()


def named(numbers):
    with marey.span("named", numbers=numbers):
        pass


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing(recorded, method):
    context = multiprocessing.get_context(method)
    with recorded(children=True) as box:
        children = [context.Process(target=named, args=([n],), name=f"child {n}") for n in range(3)]
        for child in children:
            child.start()
        for child in children:
            child.join()
            assert child.exitcode == 0
    trace = box.trace
    pids = {child.name: child.pid for child in children}
    for n, span in enumerate(sorted(trace.named("named"), key=lambda s: s.args["numbers"])):
        assert process_of(trace, span) == pids[f"child {n}"]
        assert span.track.name == "MainThread"
    assert pids.items() <= processes(trace).items()
    assert len(trace.named("named")) == 3
    if method == "forkserver":
        from multiprocessing.forkserver import _forkserver

        _forkserver._stop()  # it would go on in the environment of this recording


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_process_pool(recorded, method):
    context = multiprocessing.get_context(method)
    flows = [marey.flow() for _ in range(20)]
    futures = []
    pool = concurrent.futures.ProcessPoolExecutor(2, mp_context=context)
    with recorded(children=True) as box, pool:
        for n, flow in enumerate(flows):
            marey.instant("put", flow=flow)
            futures.append(pool.submit(job, flow, n))
        pids = {future.result() for future in futures}
    trace = box.trace
    jobs = trace.named("job")
    assert sorted(s.args["number"] for s in jobs) == list(range(20))
    assert {process_of(trace, s) for s in jobs} == pids
    for flow in flows:
        assert [e.name for e in trace.flows[flow.id]] == ["put", "job"]


def test_children_that_are_killed(recorded):
    """What had begun is in the file; nothing else is harmed, and nobody waits for them."""
    read, write = os.pipe()
    with recorded() as box:
        pids = []
        for _ in range(4):
            pid = os.fork()
            if pid == 0:
                with marey.span("outer"):
                    os.write(write, b"x")
                while True:
                    with marey.span("outer"), marey.span("inner"):
                        time.sleep(0.0002)
            pids.append(pid)
            os.read(read, 1)
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        marey.instant("still here")
    os.close(read)
    os.close(write)
    seen = {process_of(box.trace, s) for s in box.trace.named("outer")}
    assert seen == set(pids)
    assert box.trace.instant("still here")


@pytest.mark.parametrize("end", ["os._exit(3)", "os.abort()", "os.kill(os.getpid(), 11)", "1/0"])
def test_however_a_program_ends_all_is_there(script, path, end):
    script(
        f"""
import marey, os, resource, sys, threading
sys.stderr = open(os.devnull, "w")
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
marey.record(sys.argv[1], gc=False).start()
def work():
    for n in range(1000):
        with marey.span("turn", n=n):
            pass
threads = [threading.Thread(target=work) for _ in range(3)]
for thread in threads: thread.start()
for thread in threads: thread.join()
marey.span("open").__enter__()
{end}
""",
        path,
        status={"os._exit(3)": 3, "os.abort()": -6, "os.kill(os.getpid(), 11)": -11, "1/0": 1}[end],
    )
    trace = traces.load(path)
    assert len(trace.named("turn")) == 3000
    assert trace.span("open").end is None


def test_nobody_waits_at_the_end(script, path):
    """Neither for a child that goes on, nor for a thread of Marey's own."""
    out = script(
        """
import marey, os, sys, time
marey.record(sys.argv[1], stats=60).start()
for n in range(20_000):
    with marey.span("turn"):
        pass
if os.fork() == 0:
    os.close(1); os.close(2)
    marey.instant("child")
    time.sleep(3)
    os._exit(0)
print(time.monotonic())
""",
        path,
    )
    assert time.monotonic() - float(out) < 2
    trace = traces.load(path)
    assert len(trace.named("turn")) == 20_000


def test_a_package_that_is_run_gives_its_name(tmp_path):
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "__init__.py").write_text("")
    (tmp_path / "shop" / "__main__.py").write_text(
        "import os, marey\n"
        "with marey.record('t.perfetto-trace', children=True):\n"
        "    pid = os.fork()\n"
        "    with marey.span('work'):\n"
        "        pass\n"
        "    os._exit(0) if not pid else os.waitpid(pid, 0)\n"
    )
    subprocess.run([sys.executable, "-m", "shop"], cwd=tmp_path, check=True)
    tracks = traces.load(tmp_path / "t.perfetto-trace").tracks.values()
    assert [track.name for track in tracks if track.kind == "process"] == ["shop"] * 2
