"""marey.calls(memory=True): how much memory each call leaves behind."""

import asyncio
import contextlib
import tracemalloc

import pytest

import marey

KEPT = []
LARGE = 1_000_000
ERROR = 20_000  # bytes: of lists that grow, of the loop's own


def keep(size=LARGE):
    KEPT.append(bytearray(size))


def drop():
    KEPT.clear()


def fail():
    keep()
    raise ValueError


def pieces():
    for _ in range(3):
        keep()
        yield


async def waits():
    keep()
    await asyncio.sleep(0)
    keep()


@pytest.fixture(autouse=True)
def nothing_is_kept():
    yield
    KEPT.clear()
    assert not tracemalloc.is_tracing()


def of(call, expected):
    assert call.memory == pytest.approx(expected, abs=ERROR), call


def test_what_is_left_behind_and_what_is_given_back():
    def both():
        keep()
        keep()
        drop()

    with marey.calls(memory=True, include=__name__) as scope:
        both()
        with contextlib.suppress(ValueError):
            fail()
        keep(0)
    call, failing, nothing = scope.roots
    of(call, 0)
    for child, expected in zip(call.children, (LARGE, LARGE, -2 * LARGE)):
        of(child, expected)
    of(failing, LARGE)
    of(nothing, 0)


def test_generators_and_coroutines_are_all_their_pieces():
    def wants():
        for _ in pieces():
            keep()

    with marey.calls(memory=True, include=__name__) as scope:
        wants()
        asyncio.run(waits())
    call, coroutine = scope.roots
    of(call, 6 * LARGE)
    of(next(child for child in call.children if child.name == "pieces"), 3 * LARGE)
    of(coroutine, 2 * LARGE)


def test_it_is_for_who_asks_for_it():
    with marey.calls(include=__name__) as outer:
        with marey.calls(memory=True, include=__name__) as inner:
            keep()
        assert not tracemalloc.is_tracing()
    assert outer.roots[0].memory is None
    assert "(memory)" not in inner.roots[0].args
    of(inner.roots[0], LARGE)


def test_it_is_in_the_file_and_with_slow_calls_alone(path):
    with marey.record(path), marey.calls(memory=True, include=__name__, min_duration=1e-9) as scope:
        keep()
    of(scope.roots[0], LARGE)
    [call] = marey.calls.load(path).roots
    assert call.memory == scope.roots[0].memory


def test_tracemalloc_goes_on_where_it_was_on_before():
    tracemalloc.start()
    try:
        with marey.calls(memory=True), marey.calls(memory=True):
            keep()
        assert tracemalloc.is_tracing()
    finally:
        tracemalloc.stop()


def test_each_call_of_a_decorated_function_and_scopes_side_by_side():
    @marey.calls(memory=True)
    def decorated():
        keep()

    with marey.calls(memory=True):
        decorated()
        assert tracemalloc.is_tracing()
    of(decorated.calls.roots[0], LARGE)
    scope = marey.calls(memory=True)
    with contextlib.suppress(ValueError), scope:
        fail()
    of(scope.roots[0], LARGE)
