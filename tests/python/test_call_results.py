"""What marey.calls recorded, as a person and a program read it: tree, nodes, numbers, files."""

import asyncio
import contextlib
import io
import json
import os
import re
import stat
import threading

import call_traces
import pytest

import marey


def load_user(uid):
    return {"id": uid, "name": "Alice"}


def validate(user):
    return user["id"] > 0


def handle(uid):
    user = load_user(uid)
    validate(user)
    return user


class Shop:
    def price(self, item, tax=True):
        if item == 13:
            raise ValueError("unlucky")
        return item * 2

    def total(self, count):
        with contextlib.suppress(ValueError):
            self.price(13)
        return sum([self.price(item) for item in range(count)])


def without_times(tree):
    """The tree with T for each time, and without what must not matter: comprehensions."""
    return re.sub(r"\d+(\.\d+)?(ns|us|ms|s)\b", "T", tree)


def trace_of(name, folder):
    path = folder / f"{name}.perfetto-trace"
    path.write_bytes(call_traces.TRACES[name]())
    return marey.calls.load(path)


@pytest.fixture
def handled():
    with marey.calls() as t:
        handle(42)
    return t


@pytest.fixture
def shopped():
    with marey.calls(label="shop") as t:
        Shop().total(5)
    return t


# ------------------------------------------------------------------------------ tree


def test_the_first_example(handled):
    """The tree of tracepatch's README, as its users know it."""
    assert without_times(handled.tree(self_time=False)).splitlines() == [
        "└── handle(uid=42) -> {'id': 42, 'name': 'Alice'}  [T]",
        "    ├── load_user(uid=42) -> {'id': 42, 'name': 'Alice'}  [T]",
        "    └── validate(user={'id': 42, 'name': 'Alice'}) -> True  [T]",
        "3 calls of 3 functions, T",
    ]


def test_options_of_the_tree(handled):
    module = __name__
    plain = without_times(handled.tree(style="ascii", args=False, results=False, modules=True))
    assert plain.splitlines()[:3] == [
        f"`-- {module}.handle()  [T, self T]",
        f"    |-- {module}.load_user()  [T]",
        f"    `-- {module}.validate()  [T]",
    ]
    line = handle.__code__.co_firstlineno
    assert f"({__file__}:{line})" in handled.tree(locations=True)
    assert "load_user" not in handled.tree(depth=1)
    assert "[2 calls inside]" in handled.tree(depth=1)
    assert "\x1b[" in handled.tree(color=True)
    assert "\x1b" not in handled.tree()
    assert "1 of them not shown" in handled.tree(rows=2)
    assert "load_user" not in handled.tree(min_time=10.0)
    assert max(map(len, handled.tree(width=50).splitlines())) <= 50


def test_repeated_calls_are_one_row(shopped):
    lines = without_times(shopped.tree()).splitlines()
    assert any("price(" in line and "[x5] avg T min T max T  [T]" in line for line in lines)
    assert any("item=..., tax=True" in line and "-> ..." in line for line in lines)
    assert sum("price(" in line for line in shopped.tree(fold=None).splitlines()) == 6


def test_a_caught_exception_stands_where_it_was_raised(shopped):
    lines = without_times(shopped.tree(fold=None)).splitlines()
    assert any("price(" in line and "!! ValueError: unlucky  [T]" in line for line in lines)
    (total,) = [call for call in shopped.results if call.name == "total"]
    assert (total.result, total.exception) == (20, None)


def test_what_was_limited_stands_at_the_top():
    with marey.calls(max_depth=1, label="flat") as t:
        handle(42)
    assert (t.was_limited, t.limit_reason) == (True, "max_depth")
    assert t.tree().splitlines()[0] == (
        "flat: 1 call, limited by max_depth, 2 calls left out (their time is their callers')"
    )
    assert (t.results.skipped, t.results.scopes[0].skipped, t.roots[0].skipped) == (2, 2, 2)


def test_nothing_recorded():
    with marey.calls() as t:
        pass
    assert (t.tree(), t.roots, t.stats(), t.call_count) == ("no calls", [], [], 0)
    assert json.loads(t.to_json())["calls"] == []
    assert marey.calls().tree() == "no calls"


def test_print_asks_the_file(handled):
    file = io.StringIO()
    handled.print(file, self_time=False)
    assert without_times(file.getvalue()).startswith("`-- handle(uid=42)")
    assert file.getvalue().endswith("\n")
    utf8 = io.TextIOWrapper(io.BytesIO(), encoding="UTF-8")
    handled.print(utf8)
    utf8.flush()
    assert "└── handle" in utf8.buffer.getvalue().decode()


@pytest.mark.parametrize(
    ("option", "value", "error"),
    [
        ("rows", -1, ValueError),
        ("rows", 2.5, TypeError),
        ("depth", 1 << 40, ValueError),
        ("fold", "3", TypeError),
        ("width", -5, ValueError),
        ("min_time", -0.1, ValueError),
        ("min_time", float("nan"), ValueError),
        ("style", "html", ValueError),
    ],
)
def test_a_wrong_option_is_named(handled, option, value, error):
    with pytest.raises(error, match=option):
        handled.tree(**{option: value})


def test_an_unknown_option_is_named(handled):
    with pytest.raises(TypeError, match="colour"):
        handled.tree(colour=True)


# ----------------------------------------------------------------------------- nodes


def test_nodes(handled):
    (root,) = handled.roots
    assert (root.name, root.qualname, root.module) == ("handle", "handle", __name__)
    assert (root.file, root.line) == (__file__, handle.__code__.co_firstlineno)
    assert (root.args, root.result, root.exception) == (
        {"uid": 42},
        "{'id': 42, 'name': 'Alice'}",
        None,
    )
    first, second = root.children
    assert (first.name, second.name, second.args["user"]) == ("load_user", "validate", root.result)
    assert second.result is True
    assert (root.parent, first.parent, first.children) == (None, root, [])
    assert first.parent is not root and hash(first.parent) == hash(root) and first != second
    assert 0 <= root.start <= first.start <= second.start
    assert root.self_ns == root.elapsed_ns - first.elapsed_ns - second.elapsed_ns
    assert root.elapsed == root.elapsed_ns / 1e9
    assert root.start_ns < second.start_ns < marey.now()
    assert (root.thread, root.task) == (threading.current_thread().name, None)
    assert (root.pieces, root.waiting_ns, root.is_open, root.is_span) == (1, 0, False, False)
    assert repr(root).startswith("<call handle, ")
    assert [call.name for call in handled.results] == ["handle", "load_user", "validate"]


def test_a_node_outlives_its_result():
    def root():
        with marey.calls() as t:
            handle(1)
        return t.roots[0]

    assert [child.name for child in root().children] == ["load_user", "validate"]


def test_nodes_are_not_made_by_hand():
    with pytest.raises(TypeError):
        type(marey._marey.load_calls(call_traces.handle(), None).roots[0])()


def test_coroutines_and_generators_are_one_call_each():
    async def inner(n):
        await asyncio.sleep(0.005)
        return n

    async def outer():
        return await asyncio.gather(inner(1), inner(2))

    def numbers(n):
        yield from range(n)

    with marey.calls(ignore=["asyncio", "selectors", "weakref", "_weakrefset"]) as t:
        asyncio.run(outer())
        list(numbers(3))
        unfinished = numbers(9)
        next(unfinished)
    found = {}
    for call in t.results:
        found.setdefault(call.name, []).append(call)
    assert sorted(call.result for call in found["inner"]) == [1, 2]
    for call in found["inner"]:
        assert call.pieces >= 2 and call.waiting_ns > call.self_ns
        assert call.task.startswith("Task-") and call.thread
        assert call.elapsed >= 0.004
    first, second = found["numbers"]
    assert (first.is_suspended, first.result, second.is_suspended) == (False, "None", True)
    assert ", not exhausted]" in t.tree(fold=None)
    unfinished.close()


def test_spans_stand_among_the_calls(path):
    with marey.record(path), marey.calls() as t, marey.span("part", size=3) as span:
        handle(1)
        span.set(rows="five")
    result = marey.calls.load(path)
    (part,) = [call for call in result if call.is_span]
    assert (part.name, part.args, part.children[0].name) == ("part", {"size": 3}, "handle")
    assert "part  size=3, rows='five'  [" in result.tree()
    assert result.call_count == t.call_count == 3


# --------------------------------------------------------------------------- numbers


def test_stats_count_recursion_once():
    def fib(n):
        return n if n < 2 else fib(n - 1) + fib(n - 2)

    with marey.calls(max_depth=100) as t:
        fib(10)
    (row,) = t.stats()
    assert (row.name.rsplit(".", 1)[-1], row.module, row.calls) == ("fib", __name__, 177)
    assert row.total == t.roots[0].elapsed
    assert row.self_time == pytest.approx(row.total)
    assert row.min <= row.p50 <= row.p99 <= row.max == row.total
    assert (row.exceptions, row.open, row.waiting) == (0, 0, 0.0)


def test_stats_count_exceptions(shopped):
    rows = {row.name.rsplit(".", 1)[-1]: row for row in shopped.stats()}
    assert (rows["price"].calls, rows["price"].exceptions) == (6, 1)
    assert shopped.stats()[0].total == max(row.total for row in shopped.stats())


def test_the_table(shopped):
    head, *lines = shopped.table().splitlines()
    assert head.split()[:5] == ["FUNCTION", "CALLS", "TOTAL", "SELF", "MEAN"]
    rows = [line.split() for line in lines]  # names are qualified from Python 3.11 on
    assert any(
        row[0].startswith(__name__) and row[0].endswith(".price") and row[1] == "6" for row in rows
    )
    assert shopped.table(1).splitlines()[-1].startswith("... and ")


# --------------------------------------------------------------------------- filters


def names(result):
    return [call.name for call in result]


def test_filters(tmp_path):
    shop = trace_of("shop", tmp_path)
    assert names(shop.filter(name="Cart.*")) == ["checkout"] + ["price"] * 5
    assert names(shop.filter(name=["pay", "report"])) == ["pay", "report"]
    assert names(shop.filter(name=["!tidy", "!round", "!Cart.price", "!payment"])) == [
        "main",
        "checkout",
        "pay",
        "report",
    ]
    assert names(shop.filter(module="shop")) == ["checkout"] + ["price"] * 5
    assert names(shop.filter(exception=True)) == ["pay", "report", "tidy"]
    assert names(shop.filter(exception="KeyError")) == ["report"]
    assert names(shop.filter(exception="*no route")) == ["pay"]
    assert names(shop.filter(min_time=0.001)) == ["main", "checkout", "payment", "pay"]
    assert names(shop.filter(name="Cart.*").filter(name="price")) == ["price"] * 5
    assert names(shop.filter()) == names(shop)
    assert shop.filter(name="nothing").tree() == "no calls"


def test_a_call_takes_the_place_of_one_that_is_left_out(tmp_path):
    shop = trace_of("shop", tmp_path)
    left = shop.filter(name=["main", "pay"])
    (main,) = left.roots
    assert [child.name for child in main.children] == ["pay"]
    assert main.self_ns == main.elapsed_ns - main.children[0].elapsed_ns


@pytest.mark.parametrize(
    ("option", "value", "error"),
    [
        ("name", 5, TypeError),
        ("name", [b"x"], TypeError),
        ("module", "a\0b", ValueError),
        ("min_time", -1, ValueError),
        ("exception", 7, TypeError),
    ],
)
def test_a_wrong_filter_is_named(handled, option, value, error):
    with pytest.raises(error, match=option if value != 5 else "name|iterable"):
        handled.filter(**{option: value})


# ----------------------------------------------------------------------------- files


def test_json(handled, tmp_path):
    for to in (str(tmp_path / "a.json"), tmp_path / "b.json"):
        assert handled.to_json(to) is None
        with open(to) as file:
            said = json.load(file)
        assert stat.S_IMODE(os.stat(to).st_mode) & 0o077 == 0
    file = io.StringIO()
    handled.to_json(file, indent=None)
    assert json.loads(file.getvalue()) == said == json.loads(handled.to_json())
    lines = handled.to_json().splitlines()
    assert sum('"name": ' in line for line in lines) == 3  # a line a call
    (root,) = said["calls"]
    assert (said["version"], said["call_count"]) == (1, 3)
    assert (root["name"], root["module"], root["args"]) == ("handle", __name__, {"uid": 42})
    assert [child["name"] for child in root["children"]] == ["load_user", "validate"]
    assert root["children"][1]["result"] is True
    assert root["elapsed_ns"] == handled.roots[0].elapsed_ns
    assert said["scopes"][0]["was_limited"] is False


def test_saved_and_loaded(shopped, tmp_path):
    path = tmp_path / "shop.perfetto-trace"
    shopped.save(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    loaded = marey.calls.load(path)
    assert loaded.tree() == shopped.tree()
    assert loaded.to_json() == shopped.to_json()
    assert (loaded.label, loaded.call_count) == ("shop", shopped.call_count)
    loaded.save(path)
    loaded.save(tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == path.read_bytes()
    assert marey.calls.load(os.fsencode(path)).call_count == loaded.call_count


def test_files_that_cannot_be(handled, tmp_path):
    missing = tmp_path / "missing" / "file"
    for write in (handled.to_json, handled.save):
        with pytest.raises(FileNotFoundError) as caught:
            write(missing)
        assert str(missing) in str(caught.value)
    with pytest.raises(FileNotFoundError) as caught:
        marey.calls.load(missing)
    assert caught.value.filename == str(missing)
    with pytest.raises(IsADirectoryError):
        marey.calls.load(tmp_path)
    with pytest.raises(OSError, match=r"No space left.*'/dev/full'"):
        handled.to_json("/dev/full")
    with pytest.raises(ValueError, match="NUL"):
        marey.calls.load("a\0b")
    (tmp_path / "text").write_text("this is no trace\n")
    with pytest.raises(marey.Error, match="text: not a trace"):
        marey.calls.load(tmp_path / "text")
    with pytest.raises(TypeError):
        marey.calls.load(5)
    assert os.listdir(tmp_path) == ["text"]


def test_a_damaged_trace_shows_what_is_left(tmp_path):
    data = call_traces.many()
    path = tmp_path / "cut.perfetto-trace"
    path.write_bytes(data[: len(data) // 2])
    result = marey.calls.load(path)
    assert result.tree().startswith("the trace is damaged: calls may be missing\n")
    assert result.roots[0].is_open
    assert 0 < result.call_count < 601


def test_a_deep_trace(tmp_path):
    deep = trace_of("deep", tmp_path)
    depth, level = 0, deep.roots
    while level:
        depth, level = depth + 1, level[0].children
    assert depth == 500
    assert len(deep.tree(rows=None).splitlines()) == 501
    assert max(map(len, deep.tree(rows=None, width=80).splitlines())) <= 80


def test_a_compressed_trace(tmp_path):
    import gzip

    path = tmp_path / "t.gz"
    path.write_bytes(gzip.compress(call_traces.handle()))
    assert marey.calls.load(path).call_count == 3


def test_results_may_be_read_while_recording_and_from_threads(handled):
    with marey.calls() as t:
        handle(1)
        early = t.results
        handle(2)
    assert (early.call_count, t.results.call_count) == (3, 6)
    trees = []
    threads = [threading.Thread(target=lambda: trees.append(t.tree())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert trees == [t.tree()] * 8
