"""Each asyncio task is a track of its own, and a flow leads to it from where it was made."""

import asyncio
import contextvars
import gc
import random
import sys
import threading
import weakref

import pytest
import traces
from hypothesis import given, settings
from hypothesis import strategies as st

import marey


def test_a_hundred_interleaved_tasks_nest_rightly(recorded):
    chance = random.Random(5)

    async def pause():
        for _ in range(chance.randrange(4)):
            await asyncio.sleep(0)

    async def work(n, depth=0):
        with marey.span(f"span {n} {depth}"):
            await pause()
            if depth < 4:
                await work(n, depth + 1)
                await pause()

    async def main():
        await asyncio.gather(*(work(n) for n in range(100)))

    with recorded() as box:
        asyncio.run(main())
    wanted = []
    for n in range(100):
        tree = []
        for depth in reversed(range(5)):
            tree = [(f"span {n} {depth}", tree)]
        wanted += tree
    assert sorted(box.trace.tree()) == sorted(wanted)
    assert len({s.track.uuid for s in box.trace.roots()}) == 100


def test_tracks_of_tasks_are_named_and_stand_below_their_thread(recorded):
    async def work():
        with marey.span("work"):
            await asyncio.sleep(0)

    async def main():
        await asyncio.gather(*(loop_task(f"job {n}") for n in range(3)))

    def loop_task(name):
        return asyncio.get_running_loop().create_task(work(), name=name)

    def run():
        asyncio.run(main())

    with recorded() as box:
        thread = threading.Thread(target=run, name="loop thread")
        thread.start()
        thread.join()
    trace = box.trace
    assert {s.track.name for s in trace.named("work")} == {"job 0", "job 1", "job 2"}
    assert trace.parents(trace.track("job 1"))[:2] == ["asyncio", "loop thread"]


def test_a_flow_leads_from_a_tasks_creation_to_its_first_span(recorded):
    async def child(n):
        await asyncio.sleep(0)
        with marey.span("first", n=n):
            await asyncio.sleep(0)
        with marey.span("second"):
            pass

    async def main():
        with marey.span("parent"):
            tasks = [asyncio.ensure_future(child(n)) for n in range(3)]
        await asyncio.gather(*tasks)

    with recorded() as box:
        asyncio.run(main())
    parent = box.trace.span("parent")
    made = [i for i in box.trace.instants if i.name == "create task" and i.track is parent.track]
    assert len(made) == 3
    for n, instant in enumerate(made):
        assert parent.begin <= instant.begin <= parent.end
        assert instant.category == "asyncio"
        source, target = box.trace.flows[instant.flows[0]]
        assert source is instant
        assert (target.name, target.args) == ("first", {"n": n})
        assert instant.args["coroutine"].endswith("child")


def test_instants_and_set_belong_to_the_task(recorded):
    span = marey.span("shared object")

    async def work(n):
        with span:
            await asyncio.sleep(0)
            marey.instant("inside", n=n)
            span.set(n=n)
            await asyncio.sleep(0)

    async def main():
        await asyncio.gather(*(work(n) for n in range(10)))

    with recorded() as box:
        asyncio.run(main())
    spans = {s.track.uuid: s.args["n"] for s in box.trace.spans}
    instants = {i.track.uuid: i.args["n"] for i in box.trace.instants if i.name == "inside"}
    assert sorted(spans.values()) == list(range(10))
    assert spans == instants


def test_outside_of_tasks_it_is_the_thread(recorded):
    async def main():
        loop = asyncio.get_running_loop()
        done = loop.create_future()

        def callback():
            with marey.span("callback"):
                done.set_result(None)

        loop.call_soon(callback)
        with marey.span("task"):
            await done

    with recorded() as box:
        with marey.span("before"):
            asyncio.run(main())
        with marey.span("after"):
            pass
    assert box.trace.tree("MainThread") == [("before", [("callback", [])]), ("after", [])]
    assert box.trace.span("task").track.name.startswith("Task-")


def test_contexts_inside_a_task_are_still_the_task(recorded):
    variable = contextvars.ContextVar("variable", default=0)

    def inner():
        with marey.span("in a context"):
            variable.set(5)

    async def main():
        before = dict(contextvars.copy_context().items())
        with marey.span("outer"):
            contextvars.copy_context().run(inner)
            with marey.span("again"):
                pass
        assert dict(contextvars.copy_context().items()) == before

    with recorded() as box:
        asyncio.run(main())
    assert box.trace.tree() == [("outer", [("in a context", []), ("again", [])])]


def test_an_executor_runs_in_its_own_threads(recorded):
    def work():
        with marey.span("blocking"):
            pass

    async def main():
        with marey.span("waits"):
            await asyncio.get_running_loop().run_in_executor(None, work)

    with recorded() as box:
        asyncio.run(main())
    assert box.trace.span("blocking").track.kind == "thread"
    assert box.trace.span("waits").track.kind == "custom"


def test_a_span_that_a_task_leaves_open(recorded):
    async def work():
        marey.span("left open").__enter__()

    async def main():
        await asyncio.create_task(work(), name="careless")
        with marey.span("unharmed"):
            pass

    with recorded() as box:
        asyncio.run(main())
    assert box.trace.span("left open").end is None
    assert box.trace.span("unharmed").parent is None


def test_a_span_ended_by_another_task(recorded):
    span = marey.span("handed over")

    async def begin():
        span.__enter__()

    async def end():
        with marey.span("own"):
            span.__exit__(None, None, None)

    async def main():
        await asyncio.create_task(begin(), name="begins")
        await asyncio.create_task(end(), name="ends")

    with recorded() as box:
        asyncio.run(main())
    assert box.trace.span("handed over").track.name == "begins"
    assert box.trace.span("handed over").end is not None
    assert box.trace.span("own").track.name == "ends"


def test_several_loops_in_several_threads(recorded):
    async def work(n):
        with marey.span("work", n=n):
            await asyncio.sleep(0.001)

    async def main(start):
        await asyncio.gather(*(work(start + n) for n in range(10)))

    with recorded() as box:
        threads = [
            threading.Thread(target=lambda n=n: asyncio.run(main(10 * n)), name=f"loop {n}")
            for n in range(3)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for span in box.trace.spans:
        assert box.trace.parents(span.track)[:2] == ["asyncio", f"loop {span.args['n'] // 10}"]
    assert len(box.trace.spans) == 30


def test_tasks_and_their_tracks_are_freed(recorded):
    async def work():
        with marey.span("x"):
            await asyncio.sleep(0)

    async def main():
        tasks = [asyncio.create_task(work()) for _ in range(50)]
        refs = [weakref.ref(task) for task in tasks]
        await asyncio.gather(*tasks)
        found = [weakref.ref(task._marey_track) for task in tasks]
        del tasks
        await asyncio.sleep(0)
        gc.collect()
        return refs, found

    with recorded():
        refs, found = asyncio.run(main())
        gc.collect()
        assert [ref() for ref in refs] == [None] * 50
        assert [ref() for ref in found] == [None] * 50


def test_tasks_without_a_dict_and_of_pure_python(recorded):
    class Slim:
        """As little of a task as asyncio needs."""

        __slots__ = ("__weakref__", "future")

        def get_name(self):
            return "slim"

    task = Slim()

    async def main():
        loop = asyncio.get_running_loop()
        current = asyncio.current_task()
        leave, enter = asyncio.tasks._leave_task, asyncio.tasks._enter_task
        leave(loop, current)
        enter(loop, task)
        try:
            contextvars.copy_context().run(play)
        finally:
            leave(loop, task)
            enter(loop, current)

    def play():
        with marey.span("slim work"), marey.span("inside"):
            pass

    with recorded() as box:
        asyncio.run(main())
    assert box.trace.tree() == [("slim work", [("inside", [])])]
    assert box.trace.span("slim work").track.name == "slim"


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="asyncio itself does not know them then")
def test_pure_python_tasks(recorded):
    async def work(n):
        with marey.span("work", n=n):
            await asyncio.sleep(0)
            with marey.span("inner"):
                await asyncio.sleep(0)

    async def main():
        loop = asyncio.get_running_loop()
        task = asyncio.tasks._PyTask
        loop.set_task_factory(lambda loop, coro, **options: task(coro, loop=loop))
        await asyncio.gather(*(work(n) for n in range(5)))

    with recorded() as box:
        asyncio.run(main())
    assert box.trace.tree() == [("work", [("inner", [])])] * 5


@pytest.mark.skipif(sys.version_info < (3, 12), reason="there are no eager tasks before 3.12")
def test_eager_tasks(recorded):
    async def work(n):
        with marey.span("eager", n=n):
            await asyncio.sleep(0)
            with marey.span("later"):
                pass

    async def main():
        asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
        with marey.span("main"):
            tasks = [asyncio.create_task(work(n)) for n in range(3)]
            with marey.span("main inside"):
                await asyncio.gather(*tasks)

    with recorded() as box:
        asyncio.run(main())
    assert sorted(box.trace.tree()) == [("eager", [("later", [])])] * 3 + [
        ("main", [("main inside", [])])
    ]


def test_a_loop_of_another_make(recorded):
    uvloop = pytest.importorskip("uvloop")

    async def work():
        with marey.span("work"):
            await asyncio.sleep(0)

    async def main():
        await asyncio.gather(*(work() for _ in range(5)))

    loop = uvloop.new_event_loop()
    with recorded() as box:
        loop.run_until_complete(main())
        loop.close()
    assert box.trace.tree() == [("work", [])] * 5
    assert len(box.trace.flows) >= 5


def test_what_hangs_in_asyncio_is_taken_out_again(path):
    before = asyncio.BaseEventLoop.create_task
    with marey.record(path, gc=False):
        inside = asyncio.BaseEventLoop.create_task
        assert inside is not before
        assert inside.__name__ == "create_task"
    assert asyncio.BaseEventLoop.create_task is before
    record = marey.record(path, gc=False).start()
    other = asyncio.BaseEventLoop.create_task
    try:
        asyncio.BaseEventLoop.create_task = mine = lambda *args, **kwargs: other(*args, **kwargs)
        record.stop()
        assert asyncio.BaseEventLoop.create_task is mine
    finally:
        asyncio.BaseEventLoop.create_task = before


def test_asyncio_imported_while_recording(script, path):
    script(
        """
import sys, marey
with marey.record(sys.argv[1]):
    assert "asyncio" not in sys.modules
    import asyncio
    assert asyncio.base_events.__loader__.__class__.__module__ != "marey._hooks"
    assert asyncio.base_events.__spec__.loader is asyncio.base_events.__loader__
    async def child():
        with marey.span("child"):
            pass
    async def main():
        await asyncio.create_task(child())
    asyncio.run(main())
assert asyncio.BaseEventLoop.create_task.__module__ == "asyncio.base_events"
assert not any("marey" in type(finder).__module__ for finder in sys.meta_path)
""",
        path,
    )
    trace = traces.load(path)
    child = trace.span("child")
    assert [e.name for e in trace.flows[child.flows[0]]] == ["create task", "child"]


def test_tasks_that_outlive_a_recording(tmp_path):
    async def work(started, go_on):
        with marey.span("long"):
            started.set()
            await go_on.wait()
        with marey.span("next"):
            await asyncio.sleep(0)

    async def main():
        started, go_on = asyncio.Event(), asyncio.Event()
        record = marey.record(tmp_path / "a", gc=False).start()
        task = asyncio.create_task(work(started, go_on), name="survivor")
        await started.wait()
        record.stop()
        with marey.record(tmp_path / "b", gc=False):
            go_on.set()
            await task

    asyncio.run(main())
    assert traces.load(tmp_path / "a").span("long").end is None
    assert traces.load(tmp_path / "b").tree() == [("next", [])]
    assert traces.load(tmp_path / "b").span("next").track.name == "survivor"


@st.composite
def programs(draw):
    """Tasks, each a list of what it does: open, close, let others run."""
    return draw(
        st.lists(st.lists(st.sampled_from(["open", "close", "wait"]), max_size=12), max_size=6)
    )


@settings(max_examples=40, deadline=None)
@given(programs())
def test_any_interleaving_of_tasks(tmp_path_factory, program):
    def tree_of(steps):
        roots, stack = [], []
        for number, step in enumerate(steps):
            if step == "open":
                node = (f"s{number}", [])
                (stack[-1][1] if stack else roots).append(node)
                stack.append(node)
            elif step == "close" and stack:
                stack.pop()
        return roots

    async def play(steps):
        stack = []
        for number, step in enumerate(steps):
            if step == "open":
                stack.append(marey.span(f"s{number}"))
                stack[-1].__enter__()
            elif step == "close" and stack:
                stack.pop().__exit__(None, None, None)
            elif step == "wait":
                await asyncio.sleep(0)

    async def main():
        loop = asyncio.get_running_loop()
        await asyncio.gather(
            *(loop.create_task(play(steps), name=f"t{n}") for n, steps in enumerate(program))
        )

    with traces.recorded(tmp_path_factory.mktemp("tasks") / "t") as box:
        asyncio.run(main())
    for n, steps in enumerate(program):
        wanted = tree_of(steps)
        assert (box.trace.tree(f"t{n}") if wanted else []) == wanted
