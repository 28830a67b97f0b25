"""tracepatch's interface: what programs that used it rely on, and what went wrong there."""

import asyncio
import csv
import functools
import gc
import io
import json
import os
import random
import re
import stat
import sys
import threading
import time
import tracemalloc
import xml.etree.ElementTree

import beside
import pytest

from marey.compat import tracepatch
from marey.compat.tracepatch import Pipeline, TraceSummary, cli, load_config, trace
from marey.compat.tracepatch._flamegraph import nodes_to_flamegraph
from marey.compat.tracepatch._page import nodes_to_html
from marey.compat.tracepatch._trace import (
    TraceNode,
    collapse_tree,
    fold_repeated_calls,
    nodes_to_json,
    render_summary_header,
    render_tree,
)
from marey.compat.tracepatch.config import ConfigError, TracepatchConfig, save_config

deep_json = pytest.mark.skipif(
    hasattr(sys, "gettotalrefcount"), reason="the json of a debug build reads no 500 levels"
)


@pytest.fixture(autouse=True)
def no_collection():
    """What others left for the collector would call what they gave it, as a part of the trace."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith("TRACEPATCH_")]:
        monkeypatch.delenv(name)
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


def load_user(uid):
    return {"id": uid, "name": "Alice"}


def validate(user):
    return True


def handle(uid):
    user = load_user(uid)
    validate(user)
    return user


def fail(key):
    raise KeyError(key)


def catch():
    try:
        fail("k")
    except KeyError:
        return "caught"


def deep(n):
    return deep(n - 1) + 1 if n else 0


def without_times(text):
    return re.sub(r"[\d.]+(us|ms|s)\b", "T", text)


def node(name, elapsed=0.001, children=(), module="app", **more):
    return TraceNode(
        name=name, module=module, args="", elapsed=elapsed, children=list(children), **more
    )


def names(roots):
    return [(one.name, names(one.children)) for one in roots]


# ----------------------------------------------------------------------------- the trace


def test_the_tree_is_the_text_that_it_was():
    with trace() as t:
        handle(42)
    m, user = __name__, "{'id': 42, 'name': 'Alice'}"
    assert without_times(t.tree()) == (
        f"└── {m}.handle(uid=42) -> {user}  [T]\n"
        f"    ├── {m}.load_user(uid=42) -> {user}  [T]\n"
        f"    └── {m}.validate(user={user}) -> True  [T]"
    )


def test_before_and_without_calls_it_says_so():
    t = trace()
    assert t.tree() == "<trace not started>" and t.roots == [] and t.call_count == 0
    assert t.summary() == TraceSummary() and not t.was_limited and t.cache_path is None
    with t:
        pass
    assert t.tree() == "<no calls captured>"
    assert "no calls" in t.explain()


def test_a_node_has_all_that_it_had():
    before = time.perf_counter()
    with trace() as t:
        handle(1)
    after = time.perf_counter()
    root = t.roots[0]
    assert (root.name, root.module, root.args, root.depth) == ("handle", __name__, "uid=1", 0)
    assert root.return_value == "{'id': 1, 'name': 'Alice'}" and root.exception is None
    assert before <= root.start <= root.end <= after
    assert root.elapsed == pytest.approx(root.end - root.start)
    assert root.file == __file__ and root.lineno == handle.__code__.co_firstlineno
    assert root.memory_delta_kb is None
    assert [child.depth for child in root.children] == [1, 1]
    found = root.to_dict()
    assert [child["name"] for child in found["children"]] == ["load_user", "validate"]
    assert "exception" not in found and "children" not in found["children"][0]


def test_arguments_stand_as_they_were_given():
    class C:
        def m(self, a, b=4, *args, k, **kw):
            z = a
            return z

    with trace() as t:
        C().m(1, 2, 3, k="x", z=5)
    (root,) = t.roots
    name = re.escape(f"<{__name__}.test_arguments_stand_as_they_were_given.<locals>.C>")
    assert re.fullmatch(
        rf"self=(<.*C>|{name}), a=1, b=2, args=\(3,\), k='x', kw={{'z': 5}}", root.args
    )


def test_what_broke_a_value_is_shown_and_what_is_long_is_cut():
    class Bad:
        def __repr__(self):
            raise RuntimeError

    class Good:
        def __repr__(self):
            return "Good()"

    def show(value):
        return value

    endless = [1]
    endless.append(endless)
    with trace() as t:
        for value in (Bad(), Good(), "x" * 500, endless, None, True, 1.5):
            show(value)
    texts = [root.return_value for root in t.roots]
    assert texts[:2] == ["<unprintable>", "Good()"]
    assert texts[2] == "'" + "x" * 116 + "..." and texts[3].startswith("[1, [1, ")
    assert texts[4:] == ["None", "True", "1.5"]
    assert all(len(root.args) <= 120 for root in t.roots)
    with trace(max_repr=5) as t:
        show("x" * 500)
    assert (t.roots[0].args, t.roots[0].return_value) == ("va...", "'x...")


def test_secrets_are_not_kept(capsys):
    def login(user, password, headers):
        return {"token": password}

    with trace() as t:
        login("me", "hunter2", {"api_key": "hunter2"})
    text = io.StringIO()
    t.to_json(text)
    assert "hunter2" not in t.tree() + text.getvalue() and "password=***" in t.tree()


def test_who_catches_an_exception_keeps_its_result():
    with trace() as t:
        assert catch() == "caught"
    root = t.roots[0]
    assert (root.return_value, root.exception) == ("'caught'", None)
    assert (root.children[0].return_value, root.children[0].exception) == (None, "KeyError: 'k'")
    assert "fail(key='k') !! KeyError: 'k'  [" in t.tree()


def test_exceptions_reach_the_program_and_are_recorded():
    t = trace()
    with pytest.raises(KeyError), t:
        fail("k")
    assert t.roots[0].exception == "KeyError: 'k'"


def test_a_coroutine_is_one_node_and_tasks_have_their_own_traces():
    async def step(n):
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return n

    async def one(n):
        async with trace(include_modules=[__name__]) as t:
            await step(n)
        return t

    async def all_of_them():
        return await asyncio.gather(*map(one, range(3)))

    for number, t in enumerate(asyncio.run(all_of_them())):
        assert [(r.name, r.args, r.return_value) for r in t.roots] == [
            ("step", f"n={number}", str(number))
        ]


def test_a_generator_is_one_node():
    def numbers(n):
        yield from range(n)

    with trace(ignore_modules=["random"]) as t:
        assert list(numbers(3)) == [0, 1, 2]
        random.choice([1])
    assert [(r.name, r.args) for r in t.roots if r.module == __name__] == [("numbers", "n=3")]
    assert all(r.module == __name__ for r in t.roots)


# ------------------------------------------------------------------------------- limits


@pytest.mark.parametrize(
    ("options", "count", "limited", "reason"),
    [
        ({}, 31, False, None),
        ({"max_calls": 5}, 5, True, "max_calls"),
        ({"max_calls": 31}, 31, False, None),
        ({"max_depth": 4}, 4, False, "max_depth"),
        ({"max_depth": 4, "max_calls": 3}, 3, True, "max_calls"),
        ({"max_calls": 0}, 0, True, "max_calls"),
        ({"max_depth": 100_000, "max_repr": 10**6, "max_time": float("inf")}, 31, False, None),
    ],
)
def test_limits_are_told_as_they_were(options, count, limited, reason):
    t = trace(**{"max_depth": 40, **options})
    with t:
        assert deep(30) == 30
    assert (t.call_count, t.was_limited, t.limit_reason) == (count, limited, reason)
    assert t.summary().call_count == count
    text = io.StringIO()
    t.to_json(text)
    found = json.loads(text.getvalue())
    assert (found["call_count"], found["was_limited"], found["limit_reason"]) == (
        count,
        limited,
        reason,
    )


def test_max_time_ends_it_and_the_reason_stays():
    with trace(max_time=0.02) as t:
        handle(1)
        time.sleep(0.03)
        handle(2)
    assert t.call_count == 3 and t.was_limited and t.limit_reason == "max_time"
    with trace(max_calls=1, max_time=0.02) as t:
        handle(1)
    time.sleep(0.03)
    assert t.limit_reason == "max_calls"


def test_time_of_hidden_calls_is_their_callers():
    with trace(max_depth=1) as t:
        handle(1)
    assert names(t.roots) == [("handle", [])] and t.roots[0].elapsed > 0


def test_ignore_comes_before_include_and_children_are_kept():
    with trace(include_modules=[__name__], ignore_modules=[__name__]) as t:
        handle(1)
    assert t.call_count == 0
    module = {"__name__": "left_out.inside", "handle": handle}
    exec("def between(uid): return handle(uid)", module)
    with trace(ignore_modules=["left_out"]) as t:
        module["between"](1)
    assert [root.name for root in t.roots] == ["handle"]


def test_a_sample_is_about_so_many_and_children_move_up():
    with trace(sample=0.5) as t:
        for _ in range(300):
            handle(1)
    assert 300 < t.call_count < 600
    assert t.call_count == t.summary().call_count == TraceSummary.from_roots(t.roots).call_count
    assert {root.name for root in t.roots} == {"handle", "load_user", "validate"}
    with trace(sample=0) as t:
        handle(1)
    assert t.call_count == 0


@pytest.mark.parametrize(
    "options",
    [{"max_depth": 0}, {"max_calls": -1}, {"max_time": 0}, {"sample": 2}, {"ignore_modules": [""]}],
)
def test_wrong_options_are_said_at_once(options):
    with pytest.raises(ValueError, match=r"wanted|names nothing"):
        trace(**options)


def test_memory_that_calls_leave_behind(tmp_path):
    kept = []

    def keeps():
        kept.append(bytearray(2 << 20))

    def gives_back():
        keeps()
        kept.clear()

    with trace(track_memory=True, include_modules=[__name__]) as t:
        keeps()
        gives_back()
    assert not tracemalloc.is_tracing()
    left = [root.memory_delta_kb for root in t.roots]
    assert left == pytest.approx([2048, -2048], abs=16)
    assert re.search(r"keeps\(.*\) -> None  \[[^ ]+, \+2\.0 MB\]", t.tree())
    t.to_json(tmp_path / "t.json")
    data = trace.load(tmp_path / "t.json")
    assert data["config"]["track_memory"] is True
    assert data["trace"][0]["memory_delta_kb"] == round(left[0], 2)


# ------------------------------------------------------------- threads, others, again


def test_overlapping_traces_of_threads_each_see_their_own():
    ready = threading.Barrier(8, timeout=beside.LIMIT)
    found = {}

    def work(number):
        ready.wait()
        for _ in range(3):
            with trace() as t:
                ready.wait()
                for _ in range(50):
                    load_user(number)
                ready.wait()
            found.setdefault(number, []).append(
                [t.call_count, {root.args for root in t.roots if root.name == "load_user"}]
            )

    with beside.threads(*[functools.partial(work, number) for number in range(8)]):
        pass
    assert found == {number: [[50, {f"uid={number}"}]] * 3 for number in range(8)}


def test_others_tracers_stay_and_see_what_happens():
    seen = []

    def theirs(frame, event, arg):
        seen.append(frame.f_code.co_name)

    sys.settrace(theirs)
    threading.settrace(theirs)
    try:
        with trace() as t:
            handle(1)
        assert sys.gettrace() is theirs
        assert threading._trace_hook is theirs
    finally:
        sys.settrace(None)
        threading.settrace(None)
    assert t.call_count == 3 and "handle" in seen


def test_an_outer_trace_sees_what_an_inner_one_does():
    with trace() as outer:
        validate(1)
        with trace() as inner:
            handle(1)
    assert names(inner.roots) == [("handle", [("load_user", []), ("validate", [])])]
    assert [root.name for root in outer.roots] == ["validate", "handle"]


def test_an_object_may_be_used_again_but_not_inside_itself():
    t = trace()
    with t:
        handle(1)
        with pytest.raises(RuntimeError, match="recording already"):
            t.__enter__()
    first = t._trace_id
    assert re.fullmatch("[0-9a-f]{8}", first)
    with t:
        validate(1)
    assert names(t.roots) == [("validate", [])] and t._trace_id != first


def test_it_may_end_in_another_thread():
    t = trace(include_modules=[__name__])
    t.__enter__()
    handle(1)
    thread = threading.Thread(target=t.__exit__)
    thread.start()
    thread.join()
    handle(2)
    assert t.call_count == 3


# ---------------------------------------------------------------------------- decorated


def test_each_call_of_a_function_has_its_own_trace():
    @trace(label="l")
    def one(n):
        """Words."""
        return deep(n)

    assert (one.__name__, one.__doc__, one.trace) == ("one", "Words.", None)
    assert one(2) == 2
    first = one.trace
    assert one(1) == 1
    assert [first.call_count, one.trace.call_count] == [4, 3]
    assert first._trace_id != one.trace._trace_id
    assert first.roots[0].name == "one"


def test_all_kinds_of_functions_may_be_decorated():
    @trace(include_modules=[__name__])
    async def coroutine(n):
        await asyncio.sleep(0)
        return deep(n)

    @trace()
    def generator(n):
        for i in range(n):
            got = yield deep(i)
            assert got in (None, "sent")
        return "end"

    @trace()
    async def both(n):
        for i in range(n):
            yield deep(i)

    async def collect():
        return [item async for item in both(2)]

    assert asyncio.run(coroutine(1)) == 1
    assert names(coroutine.trace.roots) == [("coroutine", [("deep", [("deep", [])])])]
    it = generator(2)
    assert next(it) == 0
    validate(1)  # the consumer's
    assert it.send("sent") == 1
    with pytest.raises(StopIteration, match="end"):
        next(it)
    assert names(generator.trace.roots) == [("generator", [("deep", []), ("deep", [("deep", [])])])]
    assert asyncio.run(collect()) == [0, 1]
    assert both.trace.call_count == 4
    assert asyncio.iscoroutinefunction(coroutine)


def test_decorators_need_their_parentheses():
    with pytest.raises(TypeError):

        @trace
        def function():
            pass


def test_a_function_whose_trace_is_off_is_the_function():
    assert trace(max_calls=0)(handle) is handle


# -------------------------------------------------------------------------------- files


def test_no_file_is_written_unless_asked(empty_folder):
    with trace() as t:
        handle(1)
    assert t.cache_path is None and list(empty_folder.iterdir()) == []


def test_a_saved_trace_is_where_and_what_it_was(empty_folder):
    with trace(cache=True, label="../../etc/pass wd") as t:
        handle(1)
    folder = empty_folder / ".tracepatch"
    assert t.cache_path.parent == folder / "traces"
    assert re.fullmatch(r"------etc-pass-wd_\d{8}_\d{6}_[0-9a-f]{6}\.json", t.cache_path.name)
    assert t._trace_id[:6] in t.cache_path.name
    assert (folder / "traces/.gitignore").read_text() == "*\n" and (folder / "README.md").exists()
    assert not (folder / ".gitignore").exists()
    assert stat.S_IMODE(t.cache_path.stat().st_mode) == 0o600
    found = trace.load(t.cache_path)
    assert list(found) == [
        *("tracepatch_version", "schema_version", "timestamp", "label", "trace_id", "hostname"),
        *("python_version", "platform", "working_directory", "duration_ms", "call_count"),
        *("was_limited", "limit_reason", "config", "stats", "trace"),
    ]
    assert found["schema_version"] == 1 and found["label"] == "../../etc/pass wd"
    assert found["config"]["ignore_modules"] == [] and found["config"]["max_time"] == 60.0
    assert found["stats"]["unique_functions"] == 3 and found["stats"]["max_depth_reached"] == 1
    assert found["trace"] == [root.to_dict() for root in t.roots]
    assert t.cache_path.read_text() == json.dumps(found, indent=2)


def test_a_folder_is_made_and_a_long_name_is_cut(tmp_path):
    with trace(cache_dir=tmp_path / "a" / "b", label="ü" * 300) as t:
        handle(1)
    assert t.cache_path.parent == tmp_path / "a" / "b" / ".tracepatch" / "traces"
    assert trace.logs(tmp_path / "a" / "b")[0]["label"] == "ü" * 300


def test_what_cannot_be_saved_is_a_warning_and_no_error_of_the_program(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.warns(RuntimeWarning, match="not saved"), trace(cache_dir=tmp_path / "file") as t:
        handle(1)
    assert t.cache_path is None and t.call_count == 3

    @trace(cache_dir=tmp_path / "file")
    def failing():
        raise KeyError("mine")

    with pytest.warns(RuntimeWarning), pytest.raises(KeyError, match="mine"):
        failing()


def test_logs_are_the_latest_first_and_foreign_files_left_out(empty_folder):
    for label in ("b", "c", "a"):
        with trace(cache=True, label=label):
            handle(1)
        time.sleep(0.02)
    traces = empty_folder / ".tracepatch" / "traces"
    (traces / "zz.json").write_text("[1]")
    (traces / "zzz.json").write_text("{")
    assert [entry["label"] for entry in trace.logs()] == ["a", "c", "b"]
    assert [entry["label"] for entry in trace.logs(limit=1)] == ["a"]
    assert trace.logs(empty_folder / ".tracepatch") == trace.logs()
    assert trace.logs()[0].keys() == {"file", "timestamp", "label", "call_count", "was_limited"}


@deep_json
def test_deep_traces_are_written_read_and_shown(tmp_path, capsys):
    with trace(max_depth=500) as t:
        deep(480)
    path = tmp_path / "deep.json"
    t.to_json(path)
    assert trace.load(path)["stats"]["max_depth_reached"] == 480
    t.to_flamegraph(tmp_path / "deep.svg")
    assert cli.main(["tree", str(path), "--format", "json"]) == 0
    deepest = node("x")
    for _ in range(1_500):
        deepest = node("x", children=[deepest])
    for text in (
        nodes_to_json([deepest]),
        render_tree(collapse_tree(fold_repeated_calls([deepest]), max_depth=3)),
        nodes_to_html([deepest], "t"),
        nodes_to_flamegraph([deepest]),
    ):
        assert "x" in text
    assert TraceSummary.from_roots([deepest]).max_depth_reached == 1_500


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", '{"trace": 5}', '{"trace": [5]}', "[" * 100_000],
    ids=["empty", "list", "cut", "number", "numbers", "deep"],
)
def test_damaged_files_are_errors_and_no_tracebacks(tmp_path, capsys, text):
    path = tmp_path / "x.json"
    path.write_text(text)
    for command in (["tree"], ["stats"], ["explain"], ["export"], ["view"]):
        assert cli.main([*command, str(path)]) == 1
        assert "ERR:" in capsys.readouterr().err


# ------------------------------------------------------------------------------- shapes


def test_units_and_annotations():
    def shown(**more):
        return render_tree([node("f", **more)]).removeprefix("└── app.f()  ")

    assert shown(elapsed=0.000049) == "[49us]"
    assert shown(elapsed=0.00123) == "[1.23ms]"
    assert shown(elapsed=2.5) == "[2.500s]"
    assert shown(elapsed=0.04162, memory_delta_kb=1945.6) == "[41.62ms, +1.9 MB]"
    assert shown(elapsed=0.001, memory_delta_kb=-3) == "[1.00ms, -3.0 KB]"
    parent = node("f", 0.00019, [node("g", 0.000089)], file="file.py", lineno=4)
    line = render_tree([parent], show_self_time=True, show_source=True).split("\n")[0]
    assert line == "└── app.f()  [190us / self: 101us]  (file.py:4)"
    assert render_tree([parent], style="unicode").split("\n")[1] == "   └─ app.g()  [89us]"
    assert "\033[2m" in render_tree([parent], style="ansi")
    with pytest.raises(ValueError, match="style"):
        render_tree([parent], style="round")


def test_nothing_of_a_value_ends_a_line_or_moves_the_cursor():
    text = render_tree([node("f", return_value="a\nb\x1b[2J", file="\x1b", lineno=1)])
    assert "\x1b" not in text and "\n" not in text and r"-> a\nb\x1b[2J" in text


def test_calls_in_a_row_are_folded():
    times = (0.000004, 0.000003, 0.000007, 0.000004, 0.000004)
    run = [node("validate", elapsed, [node("inner")]) for elapsed in times]
    run[1].exception = "ValueError: x"
    made = fold_repeated_calls([*run, node("other"), node("validate")])
    assert [one.name for one in made] == ["validate", "other", "validate"]
    assert render_tree(made).split("\n")[0] == (
        "├── app.validate(...  [\u00d75]  [avg: 4us, min: 3us, max: 7us])"
        " !! 1 of 5: ValueError: x  [22us]"
    )
    assert names(made[0].children) == [("inner", [])]  # five, folded as well
    assert len(fold_repeated_calls(run[:2])) == 2
    assert len(fold_repeated_calls(run[:2], threshold=2)) == 1
    assert len(run) == 5 and run[0].args == ""  # what was given stays as it was


def test_what_is_below_is_summed_up():
    inner = [node("b", 0.000059, [node("c", 0.00001) for _ in range(7)])]
    made = collapse_tree([node("a", children=inner)], max_depth=0)
    assert names(made) == [("a", [("[+8 more calls, 59us total]", [])])]
    assert render_tree(made).split("\n")[1] == "    └── [+8 more calls, 59us total]"
    assert names(collapse_tree([node("a", children=inner)])) == names([node("a", children=inner)])


def test_the_header_has_the_numbers():
    text = render_summary_header([node("f", 0.002, [node("g")] * 2)], label="mine")
    assert text.startswith("Trace: mine\n────")
    assert "Recorded:     3 calls across 1 modules" in text and "Duration: 2.00ms" in text
    assert "Slowest:      app.f [2.00ms]" in text and "Most called: app.g [\u00d72]" in text
    assert "—" in render_summary_header([])


def test_json_of_nodes_has_all_keys_always():
    text = nodes_to_json([node("f", children=[node("g")])])
    found = json.loads(text)
    assert list(found[0]) == [
        *("name", "module", "args", "return_value", "exception", "start", "end"),
        *("elapsed_ms", "children"),
    ]
    assert found[0]["children"][0]["children"] == [] and json.dumps(found, indent=2) == text
    assert nodes_to_json([]) == "[]"


def test_pages_and_images_hold_no_markup_of_the_program():
    evil = "<script>alert(1)</script>"
    roots = [TraceNode(evil, evil, evil, return_value=evil, file=evil, elapsed=0.2)]
    roots[0].children = [TraceNode("g", "m", evil, exception=evil, elapsed=0.1)]
    page = nodes_to_html(roots, evil)
    assert "<script>alert" not in page and "&lt;script&gt;alert" in page
    image = nodes_to_flamegraph(roots, title=evil + "\x00\x1b")
    assert "<script" not in image
    xml.etree.ElementTree.fromstring(image.encode())
    assert "No calls" in nodes_to_flamegraph([])


def test_a_flame_graph_has_calls_where_they_were():
    late = node("late", 0.25, start=10.5, end=10.75)
    image = nodes_to_flamegraph(
        [node("all", 1.0, [late], start=10.0, end=11.0)], width=1020, row_height=20
    )
    boxes = re.findall(r'<rect x="([\d.]+)" y="(\d+)" width="([\d.]+)"', image)
    assert boxes == [("10.00", "30", "1000.00"), ("510.00", "50", "250.00")]
    assert image == nodes_to_flamegraph(
        [node("all", 1.0, [late], start=10.0, end=11.0)], width=1020, row_height=20
    )


def test_the_words_say_what_is_remarkable():
    with trace() as t:
        deep(12)
        for _ in range(3):
            catch()
    text = t.explain(verbose=True)
    assert "deep calls itself: 12 times, up to 12 levels deep" in text
    assert "fail raised KeyError: 'k', 3 times" in text and "O(n)" in text
    assert "nested 12 levels deep" in text and "O(n)" not in t.explain()


def test_show_prints_where_there_is_no_notebook(capsys):
    with trace() as t:
        handle(1)
    t.show()
    assert capsys.readouterr().out == t.tree() + "\n"


# ----------------------------------------------------------------------------- pipelines


def test_steps_have_their_calls_and_times_also_failing_ones(capsys):
    pipe = Pipeline(label="p", max_calls=100)
    with pipe:
        with pipe.step("load") as load:
            handle(1)
        with pytest.raises(KeyError), pipe.step("fail"):
            fail(1)
    assert (load.name, load.call_count) == ("load", 3) and load.duration_s > 0
    assert [(step.name, step.call_count) for step in pipe.steps] == [("load", 3), ("fail", 1)]
    text = pipe.summary()
    assert capsys.readouterr().out == text + "\n" and text == pipe.result.table()
    assert re.search(r"^load +3 +[\d.]+(ms|µs) +[\d.]+%$", text, re.M)
    assert pipe.trace.roots[0].name == "handle" and pipe.result.label == "p"

    async def same():
        async with Pipeline() as pipe:
            with pipe.step("one"):
                validate(1)
        return pipe.steps[0].call_count

    assert asyncio.run(same()) == 1


# ------------------------------------------------------------------------------- settings

needs_toml = pytest.mark.skipif(sys.version_info < (3, 11), reason="tomllib")


@needs_toml
def test_settings_are_found_here_or_above(empty_folder, monkeypatch):
    inside = empty_folder / "a" / "b"
    inside.mkdir(parents=True)
    monkeypatch.chdir(inside)
    assert load_config() == (TracepatchConfig.default(), None)
    (empty_folder / "pyproject.toml").write_text("[tool.tracepatch]\nmax_depth = 7\n")
    (inside.parent / "pyproject.toml").write_text("[tool.other]\nx = 1\n")
    config, path = load_config()
    assert config.max_depth == 7 and path == empty_folder / "pyproject.toml"
    assert load_config(search_parents=False)[1] is None
    (empty_folder / "tracepatch.toml").write_text("max_depth = 8\n")
    assert load_config()[0].max_depth == 8
    assert load_config(empty_folder / "pyproject.toml")[0].max_depth == 7


@needs_toml
@pytest.mark.parametrize(
    "text",
    [
        "max_depth = ",
        "max_depth = true",
        "max_depth = 0",
        "max_calls = -1",
        "max_repr = '5'",
        "max_time = 0",
        "tree_style = 'round'",
        "cache = 1",
        "ignore_modules = 'a'",
        "ignore_modules = ['']",
        "test = {files = [{nope = 1}]}",
    ],
)
def test_wrong_settings_are_errors(empty_folder, capsys, text):
    (empty_folder / "tracepatch.toml").write_text(text)
    with pytest.raises(ConfigError, match=re.escape("tracepatch.toml")):
        load_config()
    assert cli.main(["config", "--validate"]) == 1
    assert capsys.readouterr().err.startswith("ERR: ")


@needs_toml
def test_unknown_settings_are_told_and_missing_files_are_errors(empty_folder, capsys):
    (empty_folder / "tracepatch.toml").write_text("max_dept = 5\n")
    with pytest.warns(UserWarning, match="max_dept"):
        load_config()
    assert cli.main(["config", "--validate"]) == 0
    found = capsys.readouterr()
    assert found.err == "WARN: unknown setting: max_dept\n" and found.out.startswith("OK: ")
    with pytest.raises(ConfigError, match="No such file"):
        load_config("nowhere.toml")


def test_the_environment_comes_last(monkeypatch):
    for name, value in {
        "MAX_DEPTH": "3",
        "MAX_CALLS": "4",
        "MAX_REPR": "50",
        "MAX_TIME": "1.5",
        "LABEL": "x-{pid}",
        "OUTPUT_DIR": "out",
        "COLOR": "1",
    }.items():
        monkeypatch.setenv(f"TRACEPATCH_{name}", value)
    config, _ = load_config()
    assert (config.max_depth, config.max_calls, config.max_repr) == (3, 4, 50)
    assert (config.max_time, config.color, config.cache_dir) == (1.5, True, "out")
    wanted = config.to_trace_kwargs()
    assert wanted["cache"] and re.fullmatch(r"x-\d+", wanted["label"])
    monkeypatch.setenv("TRACEPATCH_NO_CACHE", "1")
    assert not load_config()[0].to_trace_kwargs()["cache"]
    monkeypatch.setenv("TRACEPATCH_ENABLED", "false")
    with trace(**load_config()[0].to_trace_kwargs()) as t:
        handle(1)
    assert t.call_count == 0 and t.was_limited


@pytest.mark.parametrize(
    ("name", "value"), [("MAX_DEPTH", "x"), ("MAX_CALLS", "-1"), ("ENABLED", "perhaps")]
)
def test_wrong_words_of_the_environment_are_errors(monkeypatch, name, value):
    monkeypatch.setenv(f"TRACEPATCH_{name}", value)
    with pytest.raises(ConfigError, match=f"TRACEPATCH_{name}={value}"):
        load_config()


@needs_toml
def test_settings_survive_a_file(tmp_path):
    given = TracepatchConfig.from_dict(
        {
            "ignore_modules": ['a"b\\'],
            "max_time": 2.5,
            "cache": True,
            "default_label": "ü {hostname}",
            "max_repr_return": 7,
            "test": {
                "files": [{"path": "m.py", "functions": ["f"]}],
                "inputs": [{"function": "f", "args": [1, "x"], "kwargs": {"k y": True}}],
            },
        }
    )
    save_config(given, tmp_path / "tracepatch.toml")
    assert load_config(tmp_path / "tracepatch.toml")[0] == given


def test_labels_have_their_templates_filled_in():
    config = TracepatchConfig.default()
    assert config.expand_label() is None
    assert re.fullmatch(r".+-\d+-\d{8}_\d{6}", config.expand_label("{hostname}-{pid}-{timestamp}"))
    with pytest.raises(ConfigError, match="nope"):
        config.expand_label("{nope}")


# ------------------------------------------------------------------------------ commands


@pytest.fixture
def tph(capsys):
    """tph(*args, status=0): what the command prints."""

    def run(*args, status=0):
        try:
            found = cli.main(list(map(str, args)))
        except SystemExit as end:
            found = end.code
        run.out, run.err = capsys.readouterr()
        assert found == status, run.err
        return run.out

    return run


@pytest.fixture
def saved(tmp_path):
    with trace(label="mine") as t:
        for n in range(5):
            handle(n)
        catch()
    t.to_json(tmp_path / "t.json")
    return tmp_path / "t.json"


def test_logs_are_listed_by_label_and_limit(tph):
    assert "No trace logs" in tph("logs")
    for options in ({}, {"label": "web-1"}, {"label": "web-2", "max_calls": 1}):
        with trace(cache=True, **options):
            handle(1)
    assert tph("logs").startswith("Found 3 trace log(s):\n\n[1] ")
    assert "| web-2 | 1 calls [LIMITED]" in tph("logs", "--limited")
    assert "Found 2 " in tph("logs", "--label", "web-*") and "Found 1 " in tph("logs", "--limit", 1)
    assert "(no label)" in tph("logs", "--cache-dir", ".")


def test_a_trace_is_viewed(tph, saved):
    text = tph("view", saved)
    assert "Label: mine\nCall count: 17\n" in text and "Root calls: 6" in text
    raw = tph("view", saved, "--json").split("RAW JSON\n" + "=" * 70 + "\n")[1]
    assert json.loads(raw) == trace.load(saved)


def test_a_tree_is_shown_as_is_wanted(tph, saved):
    text = tph("tree", saved)
    assert text.startswith("Trace: mine\n──") and "Recorded:     17 calls" in text
    assert "handle(...  [\u00d75]" in text
    assert tph("tree", saved, "--no-stats", "--no-fold").count("handle(uid=") == 5
    assert "KeyError" not in tph("tree", saved, "--no-return")
    assert "uid" not in tph("tree", saved, "--no-args", "--no-fold")
    assert "[2 nested calls...]" in tph("tree", saved, "--depth", 1, "--no-fold")
    assert "test_compat_tracepatch.py:" in tph("tree", saved, "--show-source", "--self-time")
    assert "\033[32m" in tph("tree", saved, "--color")
    found = json.loads(tph("tree", saved, "--format", "json", "--no-fold"))
    assert len(found) == 6
    assert tph("tree", saved, "--format", "html").startswith("<!DOCTYPE html>")
    assert "Filter: nope.* (0/17 calls shown)\nNo calls match" in tph(
        "tree", saved, "--filter", "nope.*"
    )


def test_what_a_filter_leaves_out_gives_its_place_to_its_calls(tph, tmp_path):
    inner = node("inner", children=[node("mine"), node("again", module="lib.x")])
    roots = [node("outer", children=[node("between", children=[inner], module="lib.x")])]
    data = {"trace": [root.to_dict() for root in roots]}
    (tmp_path / "t.json").write_text(json.dumps(data))
    text = tph("tree", tmp_path / "t.json", "--filter", "!lib*", "--no-stats")
    assert without_times(text) == (
        "Filter: !lib* (3/5 calls shown)\n"
        "└── app.outer()  [T]\n    └── app.inner()  [T]\n        └── app.mine()  [T]\n"
    )
    text = tph("tree", tmp_path / "t.json", "--filter", "lib.*", "--no-stats")
    assert "└── lib.x.between()" in text and "    └── lib.x.again()" in text


@deep_json
def test_a_large_tree_is_collapsed_and_says_so(tph, tmp_path):
    with trace(max_depth=400) as t:
        deep(300)
    t.to_json(tmp_path / "t.json")
    text = tph("tree", tmp_path / "t.json", "--no-stats")
    assert text.count("deep(") == 5 and re.search(r"\[\+296 more calls, .* total\]", text)
    assert "WARN: Large trace" in tph.err
    assert tph("tree", tmp_path / "t.json", "--collapse", 400).count("deep(") == 301


def test_numbers_of_functions_do_not_count_recursions_twice(tph, tmp_path):
    inner = node("rec", 0.5, [node("rec", 0.25)])
    data = {"label": "r", "trace": [node("rec", 1.0, [inner]).to_dict()]}
    (tmp_path / "t.json").write_text(json.dumps(data))
    text = tph("stats", tmp_path / "t.json")
    assert re.search(r" 1\.  app\.rec +1\.000s  \(\u00d73,  avg 333\.33ms,  max 1\.000s\)", text)
    assert "self: 1.000s" in text and "3 calls (100%)" in text


def test_differences_are_told(tph, tmp_path):
    before = [node("same"), node("gone"), node("slow", 0.001), node("often")]
    after = [node("same"), node("new"), node("slow", 0.002), *[node("often", 0.0005)] * 2]
    for name, roots in (("a", before), ("b", after)):
        data = {"trace": [root.to_dict() for root in roots]}
        (tmp_path / f"{name}.json").write_text(json.dumps(data))
    lines = tph("diff", tmp_path / "a.json", tmp_path / "b.json").split("\n")[2:]
    assert [line.split()[:3] for line in lines if line] == [
        ["-", "app.gone", "removed"],
        ["+", "app.new", "added"],
        ["~", "app.often", "calls"],
        ["~", "app.slow", "slower"],
    ]
    assert "No significant" in tph("diff", tmp_path / "a.json", tmp_path / "a.json")


def test_a_trace_is_exported(tph, saved, tmp_path):
    rows = list(csv.reader(io.StringIO(tph("export", saved))))
    assert rows[0] == [
        *("module", "function", "args", "return_value", "elapsed_ms", "depth", "parent")
    ]
    assert (
        len(rows) == 18
        and rows[2][1] == "load_user"
        and rows[2][5:]
        == [
            "1",
            f"{__name__}.handle",
        ]
    )
    assert tph("export", saved, "--format", "html", "-o", tmp_path / "t.html").startswith("OK: ")
    assert (tmp_path / "t.html").read_text().startswith("<!DOCTYPE html>")
    xml.etree.ElementTree.fromstring(tph("export", saved, "--format", "flamegraph").encode())
    tph("export", saved, "-o", tmp_path / "no" / "t.csv", status=1)
    assert "No such file" in tph.err


def test_wrong_usage_is_2_and_missing_files_are_1(tph):
    for wrong in (
        ["tree"],
        ["nope"],
        ["tree", "x", "--style", "y"],
        ["clean", "--older-than", "7"],
    ):
        tph(*wrong, status=2)
    tph("tree", "nowhere.json", status=1)
    assert tph.err == "ERR: File not found: nowhere.json\n"
    tph("diff", "nowhere.json", "nowhere.json", status=1)
    assert "logs" in tph("help") and "logs" in tph() and "setup" not in tph()


def test_symbols_are_for_terminals(monkeypatch, tph, saved):
    assert cli.main(["tree", "nowhere.json"]) == 1
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    tph("tree", "nowhere.json", status=1)
    assert tph.err.endswith("✗ File not found: nowhere.json\n")


@needs_toml
def test_settings_are_made_once(tph, monkeypatch, empty_folder):
    assert tph("init", "-y").startswith("OK: Created tracepatch.toml")
    tph("init", "-y", status=1)
    assert "--force" in tph.err
    answers = iter(["app, lib", ""])
    monkeypatch.setattr("builtins.input", lambda question: next(answers))
    tph("init", "--force")
    config, _ = load_config()
    assert config.include_modules == ["app", "lib"] and config.cache
    assert "include_modules: app, lib" in tph("config")
    assert "OK: Config valid" in tph("config", "--validate")


def test_traces_are_removed_by_age(tph, empty_folder):
    for _ in range(2):
        with trace(cache=True) as t:
            handle(1)
    old = time.time() - 3 * 86400
    os.utime(t.cache_path, (old, old))
    assert tph("clean", "--older-than", "4d") == "OK: Removed 0 trace file(s)\n"
    assert tph("disable", "--older-than", "2d") == "OK: Removed 1 trace file(s)\n"
    assert len(trace.logs()) == 1
    (empty_folder / ".tracepatch" / "trace_runner.py").write_text("")
    assert tph("clean").startswith("OK: Removed 1 generated file(s)") and len(trace.logs()) == 1
    assert tph("clean", "--traces") == "OK: Removed 1 trace file(s)\n"
    tph("clean", "--all")
    assert not (empty_folder / ".tracepatch").exists()


PROGRAM = """
import marey.compat.tracepatch.cli as cli, sys
sys.exit(cli.main(sys.argv[1:]))
"""


def test_a_script_runs_and_its_trace_is_saved(script, tmp_path):
    (tmp_path / "job.py").write_text(
        "import sys\ndef work(n): return n\n"
        "if __name__ == '__main__': print(work(len(sys.argv)), __file__); sys.exit(3)\n"
    )
    assert script(PROGRAM, "run", "job.py", "--verbose", "-x", status=3) == "3 job.py\n"
    (entry,) = trace.logs(tmp_path)
    assert entry["label"] == "job" and entry["call_count"] == 2
    (root,) = trace.load(entry["file"])["trace"]
    assert root["name"] == "<module>" and root["children"][0]["args"] == "n=3"
    script(PROGRAM, "run", "nowhere.py", status=1)


@needs_toml
def test_the_functions_of_the_settings_run(script, tmp_path):
    (tmp_path / "mod.py").write_text(
        "def one(): return two(1)\ndef two(n): return n\nasync def three(k=1): return k\n"
    )
    settings = '[[test.files]]\npath = "mod.py"\nfunctions = ["one", "two", "three"]\n'
    (tmp_path / "tracepatch.toml").write_text(settings)
    script(PROGRAM, "run", status=1)  # what is two to be called with?
    inputs = '[[test.inputs]]\nfunction = "two"\nargs = [5]\n'
    (tmp_path / "tracepatch.toml").write_text(settings + inputs)
    script(PROGRAM, "setup")
    found = trace.load(trace.logs(tmp_path)[0]["file"])
    assert found["label"] == "test-run"
    calls = json.dumps(found["trace"])
    assert '"n=5"' in calls and '"three"' in calls and '"one"' in calls


def test_what_is_public_is_what_was():
    assert tracepatch.__all__ == [
        *("ConfigError", "Pipeline", "TraceSummary", "TracepatchConfig", "load_config", "trace")
    ]
    assert tracepatch.__version__ == "1.0.2"
