"""marey.traced, and marey.span as a decorator, around every kind of function."""

import asyncio
import copy
import functools
import inspect
import pickle
import sys
import threading

import pytest

import marey


@marey.traced
def plain(a, b=2, *rest, key=None, **others):
    """Its text."""
    return a + b


@marey.traced(args=True, result=True)
def shown(a, b=2, *rest, key=None, **others):
    return a + b


@marey.traced(name="another name", category="cat", args=["b", "key"])
def chosen(a, b, *rest, key=None, other=None):
    return None


def test_a_function(recorded):
    with recorded() as box:
        assert plain(1) == 3
        assert plain(1, b=3, key=4) == 4
    assert box.trace.tree() == [("plain", []), ("plain", [])]
    assert box.trace.spans[0].args == {}
    file, function, line = box.trace.spans[0].location
    assert (file, function) == (__file__, "plain")
    assert line == inspect.unwrap(plain).__code__.co_firstlineno


def test_arguments_and_result(recorded):
    with recorded() as box:
        shown(1)
        shown(1, 3, "x", "y", key="k", more=[1])
        chosen(1, 2, 3, key=4, other=5)
    first, second, third = box.trace.spans
    assert first.args == {"a": 1, "result": 3}
    assert second.args == {"a": 1, "b": 3, "rest": ["x", "y"], "key": "k", "more": [1], "result": 4}
    assert (third.name, third.category) == ("another name", "cat")
    assert third.args == {"b": 2, "key": 4}


def test_an_exception_goes_through_and_marks_the_span(recorded):
    @marey.traced(result=True)
    def fail(error):
        raise error

    error = LookupError("nothing there")
    with recorded() as box:
        with pytest.raises(LookupError) as caught:
            fail(error)
        assert caught.value is error
        with pytest.raises(TypeError, match="missing 1 required"):
            plain()
    assert box.trace.spans[0].args == {"exception": "LookupError: nothing there"}
    assert "missing 1 required" in box.trace.span("plain").args["exception"]


def test_it_keeps_what_the_function_says_of_itself():
    assert plain.__name__ == "plain"
    assert plain.__doc__ == "Its text."
    assert plain.__module__ == __name__
    assert str(inspect.signature(plain)) == "(a, b=2, *rest, key=None, **others)"
    assert inspect.unwrap(plain) is plain.__wrapped__
    plain.attribute = 5
    assert plain.attribute == 5
    del plain.attribute
    assert pickle.loads(pickle.dumps(plain)) is plain
    assert copy.deepcopy(plain) is plain
    assert "plain" in repr(plain)
    assert functools.partial(plain, 1)() == 3


class Thing:
    def __init__(self, number):
        self.number = number

    @marey.traced(args=True)
    def method(self, more):
        return self.number + more

    @marey.traced
    @classmethod
    def of_class(cls):
        return cls

    @classmethod
    @marey.traced
    def of_class_too(cls):
        return cls

    @marey.traced
    @staticmethod
    def of_nobody(x):
        return x

    @property
    @marey.traced
    def value(self):
        return self.number

    @marey.traced
    def __call__(self, x):
        return x


def test_methods(recorded):
    thing = Thing(5)
    with recorded() as box:
        assert thing.method(1) == 6
        assert Thing.method(thing, more=2) == 7
        bound = thing.method
        assert bound(3) == 8
        assert bound.__self__ is thing
        assert Thing.of_class() is Thing
        assert thing.of_class_too() is Thing
        assert thing.of_nobody(1) == Thing.of_nobody(1) == 1
        assert thing.value == 5
        assert thing(4) == 4
    assert [s.name for s in box.trace.spans] == [
        *["Thing.method"] * 3,
        "Thing.of_class",
        "Thing.of_class_too",
        *["Thing.of_nobody"] * 2,
        "Thing.value",
        "Thing.__call__",
    ]
    assert [s.args for s in box.trace.spans[:3]] == [{"more": 1}, {"more": 2}, {"more": 3}]


def test_callables_that_are_no_functions(recorded):
    class Callable:
        def __call__(self, x):
            return x

    with recorded() as box:
        assert marey.traced(len)([1]) == 1
        assert marey.traced(args=True)(Callable())(2) == 2
        assert marey.traced(args=True)(functools.partial(lambda a, b: a, 1))(b=2) == 1
        assert marey.traced(Thing(1).method)(1) == 2
    names = [s.name for s in box.trace.spans]
    assert names[0] == "len"
    assert names[1].endswith("Callable")
    assert box.trace.spans[1].args == {"args": [2]}
    assert box.trace.spans[2].args == {"b": 2}


@pytest.mark.parametrize("wrong", [int, 5, "text", None.__class__])
def test_what_cannot_be_traced(wrong):
    with pytest.raises(TypeError):
        marey.traced(wrong)
    with pytest.raises(TypeError):
        marey.traced(name="x")(wrong)


def test_deep_recursion_ends_as_ever(recorded):
    @marey.traced
    def forever(n):
        return forever(n + 1)

    with recorded() as box:
        with pytest.raises(RecursionError):
            forever(0)
        depth = marey.status()["losses"]["depth"]
        with marey.span("after"):
            pass
    spans = [s for s in box.trace.spans if s.name != "after"]
    assert len(spans) > 100
    assert all(s.end is not None for s in spans)
    assert box.trace.span("after").parent is None
    assert len(spans) <= 512
    assert (depth > 0) == (len(spans) == 512)


def test_a_span_is_a_decorator(recorded):
    kept = []

    @marey.span("load", kind="a", kept=kept)
    def load(x):
        return x

    @marey.span("coroutine")
    async def coroutine():
        return 7

    @marey.span("generator")
    def generator():
        yield 8

    kept.append(1)
    with recorded() as box:
        assert load(5) == 5
        assert asyncio.run(coroutine()) == 7
        assert list(generator()) == [8]
    assert box.trace.span("load").args == {"kind": "a", "kept": [1]}
    assert box.trace.span("coroutine").end
    assert len(box.trace.named("generator")) == 2
    assert load.__name__ == "load"


def test_a_category_that_is_off(recorded):
    with recorded(categories="-cat") as box:
        chosen(1, 2)
        marey.categories.enable("cat")
        chosen(1, 2)
    assert len(box.trace.spans) == 1


def test_recording_that_starts_or_stops_within_a_call(tmp_path):
    @marey.traced
    def toggle():
        record = marey.record(tmp_path / "t", gc=False).start()
        plain(1)
        return record

    record = toggle()

    @marey.traced
    def stop():
        record.stop()

    stop()
    plain(1)
    trace = __import__("traces").load(tmp_path / "t")
    assert trace.tree() == [("plain", []), (stop.__qualname__, [])]


# ------------------------------------------------------------------ coroutines


@marey.traced(args=True, result=True)
async def fetch(url, *, retries=0):
    with marey.span("wait"):
        await asyncio.sleep(0)
    return len(url)


def test_a_coroutine_is_one_span_on_its_tasks_track(recorded):
    async def main():
        return await asyncio.gather(*(fetch("x" * n, retries=n) for n in range(5)))

    assert inspect.iscoroutinefunction(fetch)
    assert sys.version_info >= (3, 14) or asyncio.iscoroutinefunction(fetch)  # deprecated then
    with recorded() as box:
        assert asyncio.run(main()) == list(range(5))
    assert box.trace.tree() == [("fetch", [("wait", [])])] * 5
    assert len({s.track.uuid for s in box.trace.spans}) == 5
    assert sorted(s.args["result"] for s in box.trace.named("fetch")) == list(range(5))
    assert box.trace.named("fetch")[0].location[1] == "fetch"


def test_a_coroutine_begins_with_its_first_step(recorded):
    with recorded() as box:
        coroutine = fetch("abc")
        with marey.span("before"):
            pass
        asyncio.run(coroutine)
    assert box.trace.span("before").end <= box.trace.span("fetch").begin


def test_a_coroutine_that_fails_or_is_cancelled(recorded):
    @marey.traced
    async def fail():
        raise ValueError("no")

    @marey.traced
    async def forever():
        await asyncio.sleep(100)

    async def main():
        with pytest.raises(ValueError, match="no"):
            await fail()
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(forever(), 0.01)

    with recorded() as box:
        asyncio.run(main())
    failed, cancelled = box.trace.spans
    assert failed.args == {"exception": "ValueError: no"}
    assert "CancelledError" in cancelled.args["exception"]
    assert cancelled.end is not None


# ------------------------------------------------------------------ generators


@marey.traced(args=True, result=True)
def count(limit):
    received = []
    for n in range(limit):
        try:
            received.append((yield n))
        except KeyError as error:
            received.append(error)
    return received


def test_a_generator_is_a_span_for_each_piece(recorded):
    assert inspect.isgeneratorfunction(count)
    with recorded() as box, marey.span("consumer"):
        assert list(count(2)) == [0, 1]
    assert box.trace.tree() == [("consumer", [("count", [])] * 3)]
    pieces = box.trace.named("count")
    assert [p.args for p in pieces] == [
        {"limit": 2, "step": 0, "result": 0},
        {"step": 1, "result": 1},
        {"step": 2},
    ]
    assert pieces[0].location[1] == "count"


def test_a_generator_takes_all_that_generators_take(recorded):
    with recorded() as box:
        generator = count(3)
        assert next(generator) == 0
        assert generator.send("sent") == 1
        assert generator.throw(KeyError("thrown")) == 2
        with pytest.raises(StopIteration) as stop:
            generator.send("last")
        received = stop.value.value
        closed = count(3)
        next(closed)
        closed.close()
        count(3).close()
        broken = count(3)
        next(broken)
        with pytest.raises(ValueError, match="not caught"):
            broken.throw(ValueError("not caught"))
        with pytest.raises(StopIteration):
            next(broken)
    assert received[0] == "sent"
    assert isinstance(received[1], KeyError)
    assert received[2] == "last"
    assert [s.args["exception"] for s in box.trace.spans if "exception" in s.args] == [
        "ValueError: not caught"
    ]
    assert all(s.end for s in box.trace.spans)


def test_generators_delegate(recorded):
    @marey.traced
    def outer():
        return (yield from count(2))

    with recorded() as box:
        assert list(outer()) == [0, 1]
    assert [(name.split(".")[-1], inner) for name, inner in box.trace.tree()] == [
        ("outer", [("count", [])])
    ] * 3


@marey.traced(args=True, result=True)
async def stream(limit):
    for n in range(limit):
        await asyncio.sleep(0)
        try:
            got = yield n
        except KeyError:
            yield "caught"
        else:
            if got:
                yield got


def test_an_asynchronous_generator_is_a_span_for_each_piece(recorded):
    assert inspect.isasyncgenfunction(stream)

    async def main():
        with marey.span("consumer"):
            return [n async for n in stream(2)]

    with recorded() as box:
        assert asyncio.run(main()) == [0, 1]
    assert box.trace.tree() == [("consumer", [("stream", [])] * 3)]
    assert [s.args for s in box.trace.named("stream")] == [
        {"limit": 2, "step": 0, "result": 0},
        {"step": 1, "result": 1},
        {"step": 2},
    ]


def test_an_asynchronous_generator_takes_all_that_they_take(recorded):
    async def main():
        generator = stream(3)
        assert await generator.asend(None) == 0
        assert await generator.asend("sent") == "sent"
        assert await generator.asend(None) == 1
        assert await generator.athrow(KeyError()) == "caught"
        await generator.aclose()
        broken = stream(3)
        await broken.asend(None)
        with pytest.raises(ValueError, match="not caught"):
            await broken.athrow(ValueError("not caught"))
        with pytest.raises(StopAsyncIteration):
            await broken.asend(None)
        await stream(1).aclose()

    with recorded() as box:
        asyncio.run(main())
    assert [s.args["exception"] for s in box.trace.spans if "exception" in s.args] == [
        "ValueError: not caught"
    ]
    assert all(s.end for s in box.trace.spans)


def test_off_everything_works_as_ever():
    assert plain(1) == 3
    assert list(count(2)) == [0, 1]

    async def main():
        return await fetch("abc"), [n async for n in stream(2)]

    assert asyncio.run(main()) == (3, [0, 1])


def test_a_profile_function_sees_the_call_itself(recorded):
    """The functions that are called have the frames that they always had."""
    seen = []

    @marey.traced
    def caller():
        return sys._getframe(1).f_code.co_name

    with recorded():
        seen.append(caller())
    assert seen == ["test_a_profile_function_sees_the_call_itself"]


def test_many_threads_in_one_function(recorded):
    @marey.traced(args=True)
    def work(n):
        with marey.span("inside"):
            return n

    def loop():
        for n in range(200):
            work(n)

    with recorded() as box:
        threads = [threading.Thread(target=loop, name=f"t{n}") for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for n in range(4):
        assert [root.children[0].name for root in box.trace.roots(f"t{n}")] == ["inside"] * 200
