"""__enter__ and __exit__ are parts of the span itself, so that `with` makes no object for them.

They behave as methods do.
"""

import contextlib
import gc
import sys
import sysconfig
import tracemalloc
import weakref

import pytest
from traces import load

import marey

free_threaded = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))


def test_a_held_method_keeps_its_span(tmp_path):
    path = tmp_path / "t.perfetto-trace"
    with marey.record(path, gc=False):
        span = marey.span("held")
        enter, leave = span.__enter__, span.__exit__
        del span
        gc.collect()
        assert enter() is enter.__self__ is leave.__self__
        leave(None, None, None)
        del enter, leave
    assert [tree.name for tree in load(path).roots()] == ["held"]


def test_methods_of_one_span_are_asked_for_many_times():
    span = marey.span("many")
    before = sys.getrefcount(span)
    methods = [span.__enter__ for _ in range(1000)] + [span.__exit__ for _ in range(1000)]
    assert all(method.__self__ is span for method in methods)
    del methods
    assert sys.getrefcount(span) == before


def test_they_are_found_on_the_type():
    span = marey.span("typed")
    assert marey.span.__enter__(span) is span
    assert marey.span.__exit__(span, None, None, None) is None
    with contextlib.ExitStack() as stack:
        assert stack.enter_context(span) is span


@pytest.mark.parametrize(
    "call",
    [
        lambda span: span.__enter__(1),
        lambda span: span.__enter__(x=1),
        lambda span: span.__exit__(None, None, x=1),
        lambda span: type(span).__enter__(),
        lambda span: type(span).__enter__(object()),
        lambda span: type(span).__exit__(1, None, None, None),
    ],
)
def test_wrong_calls_are_refused(call):
    with pytest.raises(TypeError):
        call(marey.span("wrong"))


@pytest.mark.skipif(free_threaded, reason="without the GIL spans have plain methods")
@pytest.mark.parametrize("recording", [False, True])
def test_a_with_statement_allocates_nothing(tmp_path, recording):
    def rounds():
        span = marey.span
        for _ in range(200):
            with span("x"):
                pass

    with (
        marey.record(tmp_path / "t.perfetto-trace", gc=False)
        if recording
        else contextlib.nullcontext()
    ):
        rounds()
        tracemalloc.start()
        try:
            rounds()
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            rounds()
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert peak - before < 150  # the loop's own iterator; two bound methods alone would be more


@pytest.mark.parametrize("late", [False, True])
def test_a_suspended_generator_in_a_cycle_with_its_span_is_freed(tmp_path, late):
    class Box:
        pass

    def play(box):
        with marey.span("x", **({} if late else {"box": box})) as span:
            if late:
                span.set(box=box)
            yield

    with marey.record(tmp_path / "t"):
        box = Box()
        box.generator = play(box)
        next(box.generator)
        alive = weakref.ref(box)
        del box
        gc.collect()
        assert alive() is None
