"""marey.span and marey.instant: what a program did is what the trace shows."""

import gc
import sys
import threading

import beside
import pytest
import traces
from hypothesis import given, settings
from hypothesis import strategies as st

import marey


def test_spans_nest_as_the_blocks_do(recorded):
    with recorded() as box:
        with marey.span("outer"):
            with marey.span("first"):
                pass
            with marey.span("second"), marey.span("inside"):
                pass
        with marey.span("after"):
            pass
    assert box.trace.tree("MainThread") == [
        ("outer", [("first", []), ("second", [("inside", [])])]),
        ("after", []),
    ]


def test_times_are_those_of_marey_now(recorded):
    with recorded() as box:
        before = marey.now()
        with marey.span("timed"):
            inside = marey.now()
        after = marey.now()
    span = box.trace.span("timed")
    assert before <= span.begin <= inside <= span.end <= after


def test_arguments_and_results(recorded):
    with recorded() as box:
        with marey.span("load", path="x", size=3) as span:
            span.set(rows=1)
            span.set(rows=5, complete=True)
        with marey.span("five", a=1, b=2, c=3, d=4, e=5):
            pass
    assert box.trace.span("load").args == {"path": "x", "size": 3, "rows": 5, "complete": True}
    assert box.trace.span("five").args == {"a": 1, "b": 2, "c": 3, "d": 4, "e": 5}


def test_argument_names_that_are_no_identifiers(recorded):
    with recorded() as box, marey.span("x", **{"a b": 1, "naïve": 2, "name": 3, "self": 4}):
        pass
    assert box.trace.span("x").args == {"a b": 1, "naïve": 2, "name": 3, "self": 4}


def test_arguments_are_read_when_the_span_begins_and_results_when_it_ends(recorded):
    before, after = [1], [1]
    span = marey.span("late", before=before)
    before.append(2)
    with recorded() as box, span:
        before.append(3)
        span.set(after=after)
        after.append(2)
    assert box.trace.span("late").args == {"before": [1, 2], "after": [1, 2]}


def test_an_exception_marks_the_span_and_goes_on(recorded):
    with recorded() as box:
        fails = pytest.raises(ValueError, match="no such row")
        with fails as caught, marey.span("outer"), marey.span("inner", row=7):
            raise ValueError("no such row")
        assert caught.value.__traceback__ is not None
    assert box.trace.span("inner").args == {"row": 7, "exception": "ValueError: no such row"}
    assert box.trace.span("outer").args == {"exception": "ValueError: no such row"}


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (ValueError(), "ValueError"),
        (KeyError("k"), "KeyError: 'k'"),
        (KeyError(3), "KeyError: 3"),
        (OSError(2, "No such file", "a/b"), "FileNotFoundError: [Errno 2] No such file: 'a/b'"),
        (RuntimeError("a", 1), "RuntimeError: a, 1"),
        (SystemExit(3), "SystemExit: 3"),
        (ValueError("x" * 10000), "ValueError: " + "x" * 500),
        (ValueError(["list"]), "ValueError: <list>"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_the_text_of_an_exception(recorded, error, shown):
    with recorded() as box, pytest.raises(type(error)), marey.span("x"):
        raise error
    assert box.trace.span("x").args["exception"] == shown


class Hostile(Exception):
    """Any of its own code fails."""

    def __str__(self):
        raise AssertionError("its code ran")

    __repr__ = __str__


def test_no_code_of_an_exception_runs(recorded):
    error = Hostile(Hostile("inner"), "text")
    with recorded() as box, pytest.raises(Hostile), marey.span("x"):
        raise error
    assert box.trace.span("x").args["exception"] == f"{__name__}.Hostile: {__name__}.Hostile, text"


def test_one_object_may_be_entered_again_and_again(recorded):
    span = marey.span("again", number=1)
    with recorded() as box:
        for _ in range(3):
            with span:
                pass
    assert box.trace.tree("MainThread") == [("again", [])] * 3
    assert [s.args for s in box.trace.spans] == [{"number": 1}] * 3


def test_one_object_may_be_entered_while_it_is_entered(recorded):
    span = marey.span("deep")

    def recurse(depth):
        with span:
            span.set(depth=depth)
            if depth < 20:
                recurse(depth + 1)

    with recorded() as box:
        recurse(0)
    assert [s.args["depth"] for s in box.trace.spans] == list(range(21))
    assert all(s.end is not None for s in box.trace.spans)
    depth = 0
    tree = box.trace.tree("MainThread")
    while tree:
        depth, tree = depth + 1, tree[0][1]
    assert depth == 21


def test_one_object_shared_by_threads(recorded):
    span = marey.span("shared")
    inside, leave = (threading.Barrier(5, timeout=beside.LIMIT) for _ in range(2))

    def work():
        with span:
            inside.wait()
            with marey.span("own"):
                leave.wait()

    with recorded() as box:
        names = [f"worker {n}" for n in range(4)]
        with beside.threads(*[work] * 4, names=names):
            inside.wait()
            leave.wait()
    for n in range(4):
        assert box.trace.tree(f"worker {n}") == [("shared", [("own", [])])]
    assert all(span.end for span in box.trace.spans)


def test_leaving_without_entering_is_nothing(recorded):
    with recorded() as box:
        span = marey.span("never")
        span.__exit__(None, None, None)
        span.__exit__()
        span.set(lost=1)
        with marey.span("outer"):
            span.__exit__(None, None, None)
    assert box.trace.tree() == [("outer", [])]


def test_spans_left_open_end_with_the_one_around(recorded):
    with recorded() as box:
        with marey.span("outer"):
            marey.span("left open").__enter__()
        with marey.span("next"):
            pass
    assert box.trace.tree() == [("outer", [("left open", [])]), ("next", [])]
    assert box.trace.span("left open").end is not None


def test_recording_that_starts_or_stops_inside_a_span(tmp_path):
    outer, inner = marey.span("outer"), marey.span("inner")
    with outer:
        with marey.record(tmp_path / "a", gc=False), inner:
            pass
        record = marey.record(tmp_path / "b", gc=False).start()
        with outer:
            pass
        with marey.span("cut"):
            record.stop()
            with inner:
                pass
    assert traces.load(tmp_path / "a").tree() == [("inner", [])]
    assert traces.load(tmp_path / "b").tree() == [("outer", []), ("cut", [])]
    assert traces.load(tmp_path / "b").span("cut").end is None


def test_recording_that_starts_between_two_enterings(recorded):
    """Each leaving belongs to its own entering, recorded or not."""
    span = marey.span("s")
    with recorded() as box, span:
        marey.categories.disable("off")
        off = marey.span("o", "off")
        with off:
            marey.categories.enable("off")
            with off:
                marey.categories.disable("off")
                with off:
                    pass
                with marey.span("still inside"):
                    pass
    assert box.trace.tree() == [("s", [("o", [("still inside", [])])])]


def test_off_a_span_does_nothing():
    assert not marey.recording()
    with marey.span("off", "category", value=object()) as span:
        span.set(result=1)
        marey.instant("off", number=1)
    assert span.name == "off"


def test_instants(recorded):
    with recorded() as box:
        marey.instant("plain")
        with marey.span("span"):
            marey.instant("with", category="net", attempt=2)
    assert box.trace.instant("plain").args == {}
    event = box.trace.instant("with")
    assert (event.category, event.args) == ("net", {"attempt": 2})
    assert event.track is box.trace.track("MainThread")
    span = box.trace.span("span")
    assert span.begin <= event.begin <= span.end


@pytest.mark.parametrize("name", ["", "naïve", "日本語", "\U0001f600", "a\tb", "x" * 512])
def test_names_arrive_as_they_are(recorded, name):
    with recorded() as box:
        for _ in range(2):
            with marey.span(name):
                pass
    assert [s.name for s in box.trace.spans] == [name, name]


def test_names_that_cannot_be_kept_as_they_are(recorded):
    class Text(str):
        __slots__ = ()

        def __str__(self):
            raise AssertionError("its code ran")

    with recorded() as box:
        for name in (
            "a\0b",
            "lone \ud800 surrogate",
            "é" * 10_000_000,
            "x" * 10_000_000,
            Text("sub"),
        ):
            with marey.span(name):
                pass
    names = [s.name for s in box.trace.spans]
    assert names[0] == "a\u2400b"
    assert names[1].startswith("lone ")
    assert names[1].endswith(" surrogate")
    assert names[2].startswith("é" * 200)
    assert names[3].startswith("x" * 400)
    assert all(len(name.encode()) <= 512 for name in names)
    assert names[2].endswith("...")
    assert names[3].endswith("...")
    assert names[4] == "sub"


def test_more_names_than_there_is_room_for(script, path):
    """In a process of its own: names are kept for as long as it lives."""
    script(
        """
import sys, marey
with marey.record(sys.argv[1], gc=False):
    for n in range(40_000):
        with marey.span(f"name {n}", **{f"argument {n % 50}": n}):
            pass
    with marey.span("late"):
        pass
""",
        path,
    )
    spans = traces.load(path).spans
    assert len(spans) == 40_001
    known = [s for n, s in enumerate(spans) if s.name == f"name {n}"]
    assert len(known) > 30_000
    assert {s.name for s in spans} - {s.name for s in known} == {"(too many names)"}


@pytest.mark.parametrize(
    "call",
    [
        lambda: marey.span(),
        lambda: marey.span(5),
        lambda: marey.span(name="x"),
        lambda: marey.span("x", 5),
        lambda: marey.span("x", track=5),
        lambda: marey.span("x", flow=5),
        lambda: marey.span("x", flow=[marey.flow(), 5]),
        lambda: marey.span("x", None, None, None, None),
        lambda: marey.span("x").set(5),
        lambda: marey.span("x")(),
        lambda: marey.span("x")(5),
        lambda: marey.span("x")(int),
        lambda: marey.instant(),
        lambda: marey.instant(b"x"),
        lambda: marey.instant("x", 5),
        lambda: marey.Track(),
        lambda: marey.Counter(),
        lambda: marey.span.__new__(marey.span),
    ],
)
def test_calls_of_the_wrong_form_are_errors_on_and_off(recorded, call):
    with pytest.raises(TypeError):
        call()
    with recorded(), pytest.raises(TypeError):
        call()


def test_objects_in_a_cycle_with_a_span_are_freed(recorded):
    class Node:
        pass

    alive = []
    with recorded():
        for _ in range(3):
            node = Node()
            node.span = marey.span("x", node=node)
            node.span.__enter__()
            node.span.set(node=node)
            alive.append(__import__("weakref").ref(node))
            del node
        gc.collect()
        assert [ref() for ref in alive] == [None] * 3


def measure(work, times):
    """How much memory grows by doing it `times` times, in bytes, after it has been done before."""
    import tracemalloc

    work(times // 4 + 1)
    gc.collect()
    tracemalloc.start()
    try:
        work(16)
        before = tracemalloc.get_traced_memory()[0]
        work(times)
        gc.collect()
        return tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()


def test_nothing_leaks(recorded):
    values = {"a": [1, "text", None, {2, 3}], "b": b"bytes", "c": 1 << 80, "é": "ü" * 100}

    def work(times):
        for n in range(times):
            with marey.span("a", **values) as span, span:
                span.set(**values)
            try:
                with marey.span(f"name {n % 3}", category="c", flow=marey.flow()):
                    raise KeyError("x")
            except KeyError:
                pass
            marey.instant("i", track=marey.track("t"), **values)
            track = marey.track("t", "thread")
            track.begin("x", n=1)
            track.end()
            track.counter("c").set(n)

    references = []
    with recorded():
        grown = min(measure(work, 2000) for _ in range(2))  # a leak grows each time
        before = [sys.getrefcount(x) for x in (marey.span, None, values["a"], "a")]
        work(300)
        references = [sys.getrefcount(x) for x in (marey.span, None, values["a"], "a")]
    assert grown < 60_000  # an object a time would be 100,000
    assert all(abs(a - b) < 20 for a, b in zip(before, references) if a < 1 << 28)


TREES = st.recursive(
    st.tuples(st.text(max_size=8), st.just([])),
    lambda inner: st.tuples(st.text(max_size=8), st.lists(inner, max_size=5)),
    max_leaves=60,
)


@settings(max_examples=60, deadline=None)
@given(st.lists(TREES, max_size=4))
def test_any_tree_of_spans_comes_back(tmp_path_factory, trees):
    def play(tree):
        name, inner = tree
        with marey.span(name):
            for one in inner:
                play(one)

    def shown(tree):
        return tree[0].replace("\0", "\u2400"), [shown(one) for one in tree[1]]

    with traces.recorded(tmp_path_factory.mktemp("tree") / "t") as box:
        for tree in trees:
            play(tree)
    assert box.trace.tree() == [shown(tree) for tree in trees]
