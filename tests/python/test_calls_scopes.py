"""marey.calls: a scope sees what it caused, in threads and tasks, and nothing of its neighbours."""

import asyncio
import concurrent.futures
import contextlib
import functools
import os
import sys
import threading

import beside
import calls_seen
import pytest

import marey

OWN = {"include": __name__}


@pytest.fixture
def seen(tmp_path):
    return lambda scope: calls_seen.of(scope, tmp_path)


def leaf(number):
    return number


def work(number):
    for _ in range(3):
        leaf(number)
    return number


async def step(number):
    await asyncio.sleep(0)
    leaf(number)
    await asyncio.sleep(0.001)
    return leaf(number)


def numbers_of(found):
    return {node.args["number"] for node in found.nodes if "number" in node.args}


def test_other_threads_are_not_of_the_scope(seen):
    stop = threading.Event()

    def other():
        while not stop.is_set():
            work(-1)

    with beside.threads(other, other, until=stop), marey.calls(**OWN) as scope:
        for _ in range(50):
            work(1)
    found = seen(scope)
    assert numbers_of(found) == {1} and scope.call_count == 200 == len(found.nodes)


def test_threads_all_sees_everything_also_threads_that_run_already(seen):
    start, started, stop = threading.Event(), threading.Event(), threading.Event()

    def running():
        started.set()
        start.wait(beside.LIMIT)
        work(2)
        stop.wait(beside.LIMIT)

    with beside.threads(running, names=["running"], until=stop) as [thread]:
        assert started.wait(beside.LIMIT)
        with marey.calls(threads="all", **OWN) as scope:
            start.set()
            with beside.threads(functools.partial(work, 3), names=["fresh"]):
                pass
            work(1)
            stop.set()
            thread.join(beside.LIMIT)
    found = seen(scope)
    assert {node.args["number"]: node.track for node in found.named("work")} == {
        1: "MainThread",
        2: "running",
        3: "fresh",
    }
    assert len(found.named("leaf")) == 9


def test_threads_of_a_pool_each_have_their_scope(seen):
    """Ten at a time, in threads that are there before, again and again."""

    def request(number):
        with marey.calls(label=str(number), **OWN) as scope:
            work(number)
        return scope

    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        list(pool.map(work, range(10)))
        scopes = list(pool.map(request, range(200)))
    for number, scope in enumerate(scopes):
        found = seen(scope)
        assert [name.rpartition(".")[2] for name in found.names()] == ["work"] + ["leaf"] * 3
        assert numbers_of(found) == {number}


class Slim:
    """A task that has no __dict__: from then on tasks are looked for by calls of Python, too."""

    __slots__ = ("__weakref__",)

    def get_name(self):
        return "slim"


def test_a_scope_opens_where_tasks_are_found_by_calls(seen):
    slim = Slim()

    async def within_slim():
        loop, current = asyncio.get_running_loop(), asyncio.current_task()
        asyncio.tasks._leave_task(loop, current)
        asyncio.tasks._enter_task(loop, slim)
        try:
            with marey.calls(**OWN):
                leaf(0)
        finally:
            asyncio.tasks._leave_task(loop, slim)
            asyncio.tasks._enter_task(loop, current)

    async def in_a_task():
        with marey.calls(**OWN) as scope:
            leaf(1)
        return scope

    asyncio.run(within_slim())
    assert seen(asyncio.run(in_a_task())).names() == ["leaf"]


def test_two_hundred_requests_at_a_time_get_exactly_their_own_calls(seen):
    async def handler(number):
        async with marey.calls(label=f"request {number}", **OWN) as scope:
            first = asyncio.create_task(step(number))
            in_thread = await asyncio.to_thread(work, number)
            assert in_thread == await first == await step(number)
        return scope

    async def serve():
        loop = asyncio.get_running_loop()
        loop.set_default_executor(concurrent.futures.ThreadPoolExecutor(8))
        return await asyncio.gather(*(handler(number) for number in range(200)))

    if not hasattr(asyncio, "to_thread"):
        pytest.skip("asyncio.to_thread")
    for number, scope in enumerate(asyncio.run(serve())):
        found = seen(scope)
        bare = sorted(found.names())
        assert bare == ["leaf"] * 7 + ["step"] * 2 + ["work"], number
        assert numbers_of(found) == {number}
        assert scope.call_count == 10
        assert all(node.result == number for node in found.nodes)


def test_a_coroutine_is_one_call_and_its_awaits_are_children(seen):
    async def outer(number):
        value = await step(number)
        await asyncio.gather(step(number), step(number))
        return value

    async def main():
        with marey.calls(**OWN) as scope:
            await outer(5)
        return scope

    found = seen(asyncio.run(main()))
    outer_node = found.one("outer")
    assert outer_node.result == 5 and len(outer_node.pieces) == 4
    assert [child.tree() for child in outer_node.children] == [
        ("step", [("leaf", []), ("leaf", [])])
    ]
    assert [p.args.get("(suspended)") for p in outer_node.pieces] == ["await"] * 3 + [None]
    steps = found.named("step")
    assert len(steps) == 3 and len({node.track for node in steps}) == 3
    assert all(len(node.pieces) == 3 for node in steps)


def test_an_asynchronous_generator_yields_and_awaits(seen):
    async def produce(number):
        for i in range(2):
            await asyncio.sleep(0)
            yield number + i

    async def main():
        with marey.calls(**OWN) as scope:
            assert [value async for value in produce(3)] == [3, 4]
        return scope

    node = seen(asyncio.run(main())).one("produce")
    assert [piece.args.get("(suspended)") for piece in node.pieces] == [
        "await",
        "yield",
        "await",
        "yield",
        None,
    ]
    assert [p.args["result"] for p in node.pieces if p.args.get("(suspended)") == "yield"] == [3, 4]


def test_a_cancelled_coroutine_shows_it(seen):
    async def forever():
        await asyncio.sleep(100)

    async def main():
        with marey.calls(**OWN) as scope:
            task = asyncio.create_task(forever())
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        return scope

    found = seen(asyncio.run(main()))
    assert "CancelledError" in found.one("forever").exception


def test_a_task_that_outlasts_its_scope(seen):
    async def long(number):
        leaf(number)
        await asyncio.sleep(0.01)
        leaf(number + 1)

    async def main():
        with marey.calls(**OWN) as scope:
            task = asyncio.create_task(long(1))
            await asyncio.sleep(0)
        await task
        return scope

    found = seen(asyncio.run(main()))
    assert [(n.name.rpartition(".")[2], n.args["number"]) for n in found.nodes] == [
        ("long", 1),
        ("leaf", 1),
    ]


def test_a_scope_around_the_loop_has_each_task_on_its_track(seen):
    async def main():
        await asyncio.gather(step(1), step(2))

    with marey.calls(**OWN) as scope:
        asyncio.run(main())
    found = seen(scope)
    tracks = {node.args.get("number"): node.track for node in found.named("step")}
    assert len(set(tracks.values()) | {found.one("main").track}) == 3
    assert "MainThread" not in tracks.values()


def test_decorated_coroutines_side_by_side(seen):
    scopes = []

    @marey.calls(**OWN)
    async def handle(number):
        return await step(number)

    async def one(number):
        await handle(number)

    async def main():
        await asyncio.gather(*(one(number) for number in range(5)))

    asyncio.run(main())
    scopes.append(handle.calls)
    found = seen(scopes[0])
    assert len(numbers_of(found)) == 1 and len(found.named("step")) == 1


def test_decorated_asynchronous_generators(seen):
    @marey.calls(**OWN)
    async def produce():
        for i in range(2):
            leaf(i)
            yield i
            await asyncio.sleep(0)

    async def main():
        async for i in produce():
            work(i)  # the consumer's

    asyncio.run(main())
    found = seen(produce.calls)
    assert sorted(name.rpartition(".")[2] for name in found.names()) == ["leaf", "leaf", "produce"]


def test_closing_in_another_thread_or_context(seen):
    scope = marey.calls(**OWN).__enter__()
    work(1)
    thread = threading.Thread(target=scope.__exit__)
    thread.start()
    thread.join()
    work(2)
    found = seen(scope)
    assert numbers_of(found) == {1} and found.scopes[0].end


def test_a_scope_that_is_dropped_open_is_closed(seen):
    marey.calls(**OWN).__enter__()
    work(1)
    with marey.calls(**OWN) as scope:
        work(2)
    assert numbers_of(seen(scope)) == {2}


def test_scopes_nest_eight_deep_or_say_so():
    scopes = [marey.calls().__enter__() for _ in range(8)]
    with pytest.raises(RuntimeError, match="within one another"):
        marey.calls().__enter__()
    for scope in reversed(scopes):
        scope.__exit__()
    with marey.calls(**OWN) as scope:
        work(1)
    assert scope.call_count == 4


FILTERS = """
import marey
scopes = [marey.calls(include=f"module{i}") for i in range(32)]
try:
    marey.calls(include="another")
except RuntimeError as error:
    print(error)
del scopes
marey.calls(include="another")
"""


def test_many_different_filters_say_so(script):
    assert "include" in script(FILTERS)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="fork")
def test_a_fork_in_a_scope_has_no_part_in_it(seen):
    with marey.calls(**OWN) as scope:
        work(1)
        child = os.fork()
        if child == 0:
            status = 1
            try:
                work(2)
                scope.__exit__()
                with marey.calls(**OWN) as own:
                    work(3)
                status = 0 if (scope.call_count, own.call_count) == (4, 4) else 2
            finally:
                os._exit(status)
        assert os.waitpid(child, 0)[1] == 0
        work(4)
    assert numbers_of(seen(scope)) == {1, 4}


def test_a_program_that_sets_its_own_profiler_and_tracer(seen):
    events = []

    def profile(frame, event, arg):
        events.append(event)

    with marey.calls(**OWN) as scope:
        sys.setprofile(profile)
        work(1)
        sys.setprofile(None)
        sys.settrace(lambda *args: None)
        work(2)
        sys.settrace(None)
        work(3)
    assert events.count("call") >= 4
    assert numbers_of(seen(scope)) == {1, 2, 3} and scope.call_count == 12


def test_a_chain_of_many_generators(seen):
    def chain(depth):
        if depth:
            yield from chain(depth - 1)
        yield depth

    limit = sys.getrecursionlimit()
    with marey.calls(include=__name__, max_depth=10) as scope:
        assert len(list(chain(limit // 4))) == limit // 4 + 1
    found = seen(scope)
    assert len(found.named("chain")) == 10 and scope.limit_reason == "max_depth"


def test_a_million_generators_within_one_another(seen):
    def one(source):
        for value in source:  # noqa: UP028
            yield value

    with marey.calls(include=__name__, max_calls=1000) as scope:
        sources = [iter([1])]
        for _ in range(1_000_000):
            sources.append(one(sources[-1]))
        with contextlib.suppress(RecursionError):  # 3.13 goes through all of them
            next(sources[-1])
        while sources:  # outermost first: CPython itself does not survive them freed in a chain
            sources.pop()
        leaf(0)
    assert scope.was_limited and scope.call_count <= 1000


def test_memory_is_bounded(seen):
    def big(text):
        return text

    with marey.calls(include=__name__, max_calls=1_000_000_000, max_repr=4096) as scope:
        scope._scope = marey._calls._scope(include=__name__, max_repr=4096, log_bytes=1 << 20)
        scope._scope.open()
        scope._scope.enter()
        for _ in range(1000):
            big("x" * 5000)
        scope._scope.close()
    assert scope.limit_reason == "memory"
    assert scope.call_count > 100 and len(scope._scope.bytes()) < 2 << 20
    assert all(node.pieces[0].end for node in seen(scope).nodes)


@pytest.mark.skipif(not (3, 11) <= sys.version_info < (3, 12), reason="C stack of 3.11 alone")
def test_a_scope_says_that_the_c_stack_was_too_short(script):
    """On 3.11 a call that is seen needs C stack, one that is not does not."""
    script(
        """
import marey, sys
def down(n): return down(n - 1) + 1 if n else 0
sys.setrecursionlimit(10**6)
with marey.calls(max_depth=5) as t: assert down(50_000) == 50_000
assert t.was_limited and t.limit_reason == "max_depth"
with marey.calls(max_depth=500, max_calls=10**6, include="nothing") as t:
    assert down(50_000) == 50_000
assert t.was_limited and t.limit_reason == "stack", t.limit_reason
with marey.calls() as t: down(3)
assert not t.was_limited
"""
    )
