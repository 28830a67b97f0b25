"""marey.calls: what a scope on one thread shows of calls, their arguments, results, exceptions."""

import os
import pathlib
import sys

import calls_seen
import pytest

import marey

HERE = os.path.abspath(__file__)
QUALIFIED = sys.version_info >= (3, 11)  # before, a code object knows its own name alone


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


class Thing:
    def __init__(self, size):
        self.size = size

    def method(self, a, b=2, *args, c, d=4, **kwargs):
        return a

    @property
    def half(self):
        return self.size // 2

    @classmethod
    def make(cls, size):
        return cls(size)

    @staticmethod
    def plain(x):
        return -x

    def __repr__(self):
        raise RuntimeError("never asked")


def raises(text):
    raise ValueError(text)


def catches():
    try:
        raises("inside")
    except ValueError:
        return "caught"


def numbers(n):
    for i in range(n):
        got = yield i
        if got:
            yield got * 10
    return "done"


@pytest.fixture
def seen(tmp_path):
    def look(scope):
        return calls_seen.of(scope, tmp_path)

    return look


def shown(seen, function, *args, **options):
    with marey.calls(**options) as scope:
        function(*args)
    return seen(scope)


def test_calls_stand_within_their_callers(seen):
    with marey.calls() as scope:
        assert fib(3) == 2
    found = seen(scope)
    assert found.tree() == [("fib", [("fib", [("fib", []), ("fib", [])]), ("fib", [])])]
    assert [node.args for node in found.nodes] == [{"n": n} for n in (3, 2, 1, 0, 1)]
    assert [node.result for node in found.nodes] == [2, 1, 1, 0, 1]
    assert scope.call_count == 5 and not scope.was_limited and scope.limit_reason is None


def test_a_call_says_where_its_function_stands(seen):
    node = shown(seen, fib, 1).one("fib")
    assert node.location == (HERE, f"{__name__}.fib", fib.__code__.co_firstlineno)
    assert node.category == "call" and node.track == "MainThread"


def test_names_of_methods_properties_lambdas_and_class_bodies(seen):
    with marey.calls() as scope:
        thing = Thing.make(4)
        assert thing.half == 2
        Thing.plain(1)
        (lambda: 0)()

        class Body:
            pass

    names = [node.name for node in seen(scope).nodes]
    bare = [name.rpartition(".")[2] for name in names]
    assert bare[:5] == ["make", "__init__", "half", "plain", "<lambda>"]
    assert "Body" in bare
    if QUALIFIED:
        assert names[:3] == ["Thing.make", "Thing.__init__", "Thing.half"]


def test_arguments_are_shown_as_the_caller_passed_them(seen):
    with marey.calls() as scope:
        Thing(8).method(1, 3, 5, 6, c="x", z=None)
    node = seen(scope).one("method")
    assert list(node.args.items()) == [
        ("self", f"<{__name__}.Thing>"),
        ("a", 1),
        ("b", 3),
        ("*args", "(5, 6)"),
        ("c", "'x'"),
        ("d", 4),
        ("**kwargs", "{'z': None}"),
    ]


def test_an_argument_that_the_function_changes_or_captures_is_shown_as_it_was(seen):
    def outer(captured, changed):
        changed = changed + 1
        return lambda: (captured, changed)

    assert shown(seen, outer, "kept", 1).one("outer").args == {"captured": "'kept'", "changed": 1}


class Sub(list):
    pass


VALUES = [
    (1, 1),
    (True, True),
    (2.5, 2.5),
    (None, "None"),
    ("None", "'None'"),
    ("it's", '"it\'s"'),
    ("a\nb\x00\x7f", "'a\\nb\\x00\\x7f'"),
    ("h\u00e9\u20ac\U0001f600", "'h\u00e9\u20ac\U0001f600'"),
    ("\ud800", "'\\ud800'"),
    (b"ab\x00", "b'ab\\x00'"),
    ([], "[]"),
    ((), "()"),
    ((1,), "(1,)"),
    (set(), "set()"),
    ({1}, "{1}"),
    (frozenset((2,)), "frozenset({2})"),
    ({"a": [1, "x"]}, "{'a': [1, 'x']}"),
    ({"password": 1, "b": 2}, "{'password': ***, 'b': 2}"),
    (list(range(1000)), "<list of 1000>"),
    (Sub([1, 2]), f"<{__name__}.Sub of 2>"),
    (Thing, f"<class {__name__}.Thing>"),
    (Thing(1), f"<{__name__}.Thing>"),
    (fib, "<function fib>"),
    (pathlib.PurePosixPath("/a"), "/a"),
    (2**63, hex(2**63)),
]


@pytest.mark.parametrize(("value", "text"), VALUES, ids=[repr(text)[:20] for _, text in VALUES])
def test_values_are_shown_without_running_their_code(seen, value, text):
    def same(value):
        return value

    node = shown(seen, same, value).one("same")
    assert node.args["value"] == text
    assert type(node.args["value"]) is type(text)
    assert node.result == text


OWN = """
import collections, marey
Pair = collections.namedtuple("Pair", "a b")
def pair():
    return Pair(1, 2)
with marey.calls(include="<own>") as calls:
    pair()
print(calls.tree())
exec(compile("def said(): pass", "<string>", "exec"))
with marey.calls(include="<own>") as calls:
    said()
print(calls.tree())
"""


def test_own_calls_are_not_what_a_library_makes_as_it_runs(script):
    shown = script(OWN)
    assert "pair() -> <__main__.Pair" in shown
    assert "lambda" not in shown
    assert "said()" in shown  # of the program itself


def test_own_calls_are_none_of_templates(seen, tmp_path):
    jinja2 = pytest.importorskip("jinja2")
    (tmp_path / "cart.html").write_text("{% for row in rows() %}{{ row }}{% endfor %}")
    templates = jinja2.Environment(loader=jinja2.FileSystemLoader(tmp_path))

    def rows():
        return [1, 2]

    for template in (templates.get_template("cart.html"), templates.from_string("{{ rows() }}")):
        with marey.calls(include="<own>") as calls:
            assert template.render(rows=rows)
        assert seen(calls).names() == ["rows"]
    with marey.calls(include=f"{tmp_path}/") as calls:
        assert templates.get_template("cart.html").render(rows=rows) == "12"
    assert seen(calls).names() == ["root"]  # where it is asked for


def test_a_container_in_itself_ends(seen):
    loop = []
    loop.append(loop)
    text = shown(seen, lambda value: None, loop).one("<lambda>").args["value"]
    assert text.startswith("[[[[") and len(text) <= 120


def test_values_are_cut_at_max_repr(seen):
    def same(value):
        return value

    for length in (8, 100, 4096):
        node = shown(seen, same, "\u00e9" * 5000, max_repr=length).one("same")
        assert node.result == node.args["value"]
        assert node.result.endswith("...")
        assert length - 2 <= len(node.result.encode()) <= length


def test_secrets_are_not_kept(seen):
    def log_in(user, password, api_key=None, *, pin=0, **more):
        return user

    with marey.calls(redact=["pin", "colour"]) as scope:
        log_in("me", "hunter2", "k", pin=7, token="t", colour="red", size=3)
    node = seen(scope).one("log_in")
    assert node.args == {
        "user": "'me'",
        "password": "***",
        "api_key": "***",
        "pin": "***",
        "**more": "{'token': ***, 'colour': ***, 'size': 3}",
    }
    assert b"hunter2" not in scope._scope.bytes()


def test_names_that_become_secret_between_scopes(seen):
    def pay(iban):
        return None

    assert shown(seen, pay, "DE1").one("pay").args == {"iban": "'DE1'"}
    marey.secrets.add("iban")
    assert shown(seen, pay, "DE1").one("pay").args == {"iban": "***"}
    marey.secrets.reset()
    assert shown(seen, pay, "DE1").one("pay").args == {"iban": "'DE1'"}


def test_an_exception_that_leaves_a_call_is_shown(seen):
    with pytest.raises(ValueError, match="out"), marey.calls() as scope:
        raises("out")
    assert seen(scope).one("raises").exception == "ValueError: out"


def test_a_caught_exception_stays_inside_and_the_result_stays(seen):
    found = shown(seen, catches)
    assert found.tree() == [("catches", [("raises", [])])]
    assert found.one("catches").result == "'caught'" and not found.one("catches").exception
    assert found.one("raises").exception == "ValueError: inside"


def test_an_argument_called_exception_is_none(seen):
    def handle(exception, error=None):
        return "handled"

    with marey.calls() as scope:
        handle(KeyError("x"), error="y")
    assert seen(scope).one("handle").args["error"] == "'y'"
    assert scope.roots[0].exception is None
    assert "!!" not in scope.tree().split("handle", 1)[1]
    assert [row.exceptions for row in scope.stats()] == [0]


def test_without_args_and_results(seen):
    with marey.calls(args=False, results=False) as scope:
        fib(1)
        catches()
    found = seen(scope)
    assert all(not node.args and node.result is None for node in found.nodes)
    assert found.one("raises").exception == "ValueError: inside"


def test_repr_is_run_where_it_is_asked_for(seen):
    class Shown:
        def __repr__(self):
            return f"Shown({helper()})"

    def helper():
        return 7

    def use(good, bad):
        return good

    found = shown(seen, use, Shown(), Thing(1), repr=True)
    assert found.one("use").args == {"good": "Shown(7)", "bad": "<unprintable>"}
    assert found.one("use").result == "Shown(7)"
    assert found.names() == ["use"]  # what shows values is not among the calls


def test_of_containers_no_more_is_asked_than_fits(seen):
    asked = []

    class Asked:
        def __repr__(self):
            asked.append(self)
            return "x" * 30

    def use(many, settings):
        pass

    found = shown(seen, use, [Asked()] * 1_000_000, {"password": Asked()}, repr=True)
    args = found.one("use").args
    assert args["many"] == f"[{', '.join(['x' * 30] * 4)}"[:117] + "..."
    assert args["settings"] == "{'password': ***}"
    assert len(asked) == 4


def test_an_exception_reaches_a_generator_that_began_before(seen):
    import contextlib

    @contextlib.contextmanager
    def manager():
        with contextlib.suppress(KeyError):
            yield

    opened = manager()
    opened.__enter__()
    with marey.calls():
        error = KeyError("k")
        assert opened.__exit__(KeyError, error, None)  # its code is seen for the first time


def test_a_generator_is_one_call_in_pieces(seen):
    with marey.calls() as scope:
        it = numbers(2)
        assert next(it) == 0
        fib(0)
        assert it.send(5) == 50
        assert list(it) == [1]
    found = seen(scope)
    assert found.tree() == [("numbers", []), ("fib", [])]
    node = found.one("numbers")
    assert node.args == {"n": 2} and node.result == "'done'"
    assert [piece.args.get("(step)", 0) for piece in node.pieces] == [0, 1, 2, 3]
    assert [piece.args.get("(suspended)") for piece in node.pieces] == ["yield"] * 3 + [None]
    assert [piece.args["result"] for piece in node.pieces] == [0, 50, 1, "'done'"]
    assert scope.call_count == 2


def test_a_generator_begun_before_the_scope_is_not_of_it(seen):
    it = numbers(3)
    next(it)
    with marey.calls() as scope:
        next(it)
        fib(0)
    assert seen(scope).names() == ["fib"]


def test_generators_of_freed_memory_are_not_taken_for_others(seen):
    with marey.calls() as scope:
        for _ in range(50):
            next(numbers(2))  # freed while it waits
    found = seen(scope)
    assert len(found.named("numbers")) == 50 == scope.call_count
    assert all(len(node.pieces) <= 2 for node in found.nodes)


def test_include_and_ignore(seen):
    import textwrap

    def work():
        fib(1)
        textwrap.dedent("  x")

    for options, expected in (
        ({"include": __name__}, {"work", "fib"}),
        ({"include": "textwrap"}, {"dedent"}),
        ({"ignore": ["textwrap", "re*", "enum", "collections"]}, {"work", "fib"}),
        ({"include": "textw*"}, {"dedent"}),
        ({"include": "*/textwrap.py"}, {"dedent"}),
        ({"include": os.path.dirname(HERE) + "/"}, {"work", "fib"}),
        ({"include": ["python/" + os.path.basename(HERE)]}, {"work", "fib"}),
        ({"include": [__name__, "textwrap"], "ignore": __name__}, {"dedent"}),
        ({"include": "text"}, set()),
    ):
        assert set(shown(seen, work, **options).names()) == expected, options


def test_filters_change_from_scope_to_scope(seen):
    for _ in range(3):
        assert shown(seen, catches, include="nothing").names() == []
        assert shown(seen, catches).names() == ["catches", "raises"]


def deep(n):
    return n and deep(n - 1)


def test_max_depth_leaves_out_and_says_so(seen):
    with marey.calls(max_depth=3) as scope:
        deep(10)
        deep(0)
    found = seen(scope)
    assert found.tree() == [("deep", [("deep", [("deep", [])])]), ("deep", [])]
    assert [node.skipped for node in found.nodes] == [0, 0, 8, 0]
    assert scope.was_limited and scope.limit_reason == "max_depth"
    assert found.scopes[0].args["skipped"] == 8 and found.scopes[0].args["limit"] == "max_depth"


def test_max_calls_is_exact_and_what_is_open_ends(seen):
    with marey.calls(max_calls=4) as scope:
        assert fib(5) == 5
    found = seen(scope)
    assert scope.call_count == len(found.nodes) == 4
    assert scope.limit_reason == "max_calls"
    assert found.nodes[0].result == 5 and all(node.pieces[0].end for node in found.nodes)
    assert sum(node.skipped for node in found.nodes) == 15 - 4


def test_max_time_ends_the_recording(seen):
    import time

    with marey.calls(max_time=0.02) as scope:
        fib(1)
        time.sleep(0.03)
        fib(1)
    assert seen(scope).names() == ["fib"] and scope.limit_reason == "max_time"


def test_what_ended_the_recording_is_the_reason_and_else_max_depth(seen):
    with marey.calls(max_depth=1, max_calls=2) as scope:
        deep(2)
        assert scope.limit_reason == "max_depth"
        deep(2)
        deep(2)
        assert scope.limit_reason == "max_calls" and scope.call_count == 2
        deep(2)
    assert scope.limit_reason == "max_calls"


def test_min_duration_keeps_long_calls_and_their_callers(seen):
    import time

    def slow(seconds):
        quick()
        time.sleep(seconds)
        return quick()

    def quick():
        return 1

    def work(name):
        """How long it took beside the long call: on a busy machine short ones may be long."""
        began = time.perf_counter()
        quick()
        slow(0.02)
        slow(0.001)
        return time.perf_counter() - began - 0.02

    for _ in range(50):
        with marey.calls(min_duration=0.01) as scope:
            if work("x") < 0.01:
                break
    found = seen(scope)
    assert found.tree() == [(work.__qualname__ if QUALIFIED else "work", found.roots[0].tree()[1])]
    assert found.names() == ["work", "slow"] and scope.call_count == 2
    assert found.one("work").args == {"name": "'x'"} and found.one("slow").args == {"seconds": 0.02}
    assert found.one("slow").result == 1


def test_c_functions_where_they_are_asked_for(seen):
    def work():
        return len(sorted([3, 1]))

    assert shown(seen, work).names() == ["work"]
    found = shown(seen, work, c_calls=True)
    assert [n.name for n in found.nodes if n.category == "call,c"][:2] == ["sorted", "len"]
    assert found.one("sorted").location[1] == "builtins.sorted"
    assert found.tree()[0][1] == [("sorted", []), ("len", [])]


def test_scopes_within_one_another_see_the_same(seen):
    with marey.calls(label="outer") as outer:
        fib(1)
        with marey.calls(label="inner", args=False) as inner:
            fib(2)
        fib(0)
    assert seen(inner).names() == ["fib"] * 3
    assert [node.args for node in seen(outer).nodes] == [{"n": n} for n in (1, 2, 1, 0, 0)]
    assert all(not node.args for node in seen(inner).nodes)
    assert [span.name for span in seen(inner).scopes] == ["calls: inner"]


def test_scopes_may_overlap(seen):
    one, two = marey.calls(), marey.calls()
    one.__enter__()
    fib(0)
    two.__enter__()
    catches()
    one.__exit__()
    deep(0)
    two.__exit__()
    fib(0)
    assert seen(one).names() == ["fib", "catches", "raises"]
    assert seen(two).names() == ["catches", "raises", "deep"]


def test_a_call_that_goes_on_when_its_scope_ends(seen):
    scopes = []

    def begins():
        scopes.append(marey.calls().__enter__())
        fib(0)

    def ends():
        fib(1)
        scopes[0].__exit__()
        fib(0)

    begins()
    ends()
    found = seen(scopes[0])
    assert found.names() == ["fib", "ends", "fib"]
    assert found.one("ends").marks["(open)"] is True
    assert found.scopes[0].end and found.one("ends").pieces[0].end


def test_a_scope_goes_into_the_recording_as_well(recorded, tmp_path):
    with recorded() as box:
        with marey.span("around"), marey.calls(label="both") as scope, marey.span("inside"):
            fib(1)
        fib(1)
    assert box.trace.tree("MainThread") == [
        ("around", [("calls: both", [("inside", [("fib", [])])])])
    ]
    call = box.trace.span("fib")
    assert call.args == {"n": 1, "result": 1} and call.category == "call"
    own = calls_seen.of(scope, tmp_path)
    assert own.tree() == [("fib", [])]
    assert abs(own.one("fib").pieces[0].begin - call.begin) < 1_000_000  # one clock


def test_a_span_left_open_in_a_call_does_not_disturb_the_calls(recorded):
    def opens():
        marey.span("left").__enter__()

    with recorded() as box, marey.calls():
        opens()
        fib(0)
    assert box.trace.tree("MainThread")[0][1][-1] == ("fib", [])


def test_decorated_functions_have_a_scope_each_time(seen):
    @marey.calls(max_calls=100)
    def work(n):
        "Says."
        return fib(n)

    assert work.__name__ == "work" and work.__doc__ == "Says." and work.calls is None
    assert work(1) == 1
    first = work.calls
    assert work(2) == 1
    assert seen(first).tree()[0][1] == [("fib", [])]
    assert [n.name.rpartition(".")[2] for n in seen(work.calls).nodes] == ["work"] + ["fib"] * 3
    assert work.calls.label.endswith("work")
    with pytest.raises(ValueError, match="x"):
        marey.calls()(raises)("x")


def test_decorated_generators_see_their_own_pieces_alone(seen):
    @marey.calls()
    def produce():
        for i in range(2):
            fib(0)
            yield i

    for _ in produce():
        deep(0)  # the consumer's
    found = seen(produce.calls)
    assert sorted(found.names()) == ["fib", "fib", "produce"]
    assert len(found.one("produce").pieces) == 3


def test_a_scope_is_opened_once():
    with marey.calls() as scope, pytest.raises(RuntimeError, match="opened once"):
        scope.__enter__()
    with pytest.raises(RuntimeError):
        scope.__enter__()


def test_what_is_recorded_can_be_had_while_the_scope_is_open(seen):
    with marey.calls() as scope:
        fib(1)
        assert seen(scope).names()[0] == "fib"


@pytest.mark.parametrize(
    ("option", "value", "error"),
    [
        ("max_depth", 0, ValueError),
        ("max_depth", -1, ValueError),
        ("max_depth", 501, ValueError),
        ("max_depth", True, TypeError),
        ("max_depth", "3", TypeError),
        ("max_calls", 0, ValueError),
        ("max_calls", -5, ValueError),
        ("max_calls", 1.5, TypeError),
        ("max_time", 0, ValueError),
        ("max_time", -1.0, ValueError),
        ("max_time", float("nan"), ValueError),
        ("max_time", "1", TypeError),
        ("max_repr", 7, ValueError),
        ("max_repr", 5000, ValueError),
        ("min_duration", 0, ValueError),
        ("min_duration", -1, ValueError),
        ("threads", "some", ValueError),
        ("threads", None, ValueError),
        ("label", 3, TypeError),
        ("include", 3, TypeError),
        ("include", [1], TypeError),
        ("ignore", [""], ValueError),
        ("redact", ["a\0b"], ValueError),
        ("colour", 1, TypeError),
    ],
)
def test_bad_options_are_named(option, value, error):
    with pytest.raises(error, match=option):
        marey.calls(**{option: value})


def test_positional_arguments_are_refused():
    with pytest.raises(TypeError):
        marey.calls("app")
    with pytest.raises(TypeError, match="function"):
        marey.calls()(Thing)


def test_saving_where_that_cannot_be(tmp_path):
    with marey.calls() as scope:
        fib(1)
    with pytest.raises(FileNotFoundError):
        scope.save(tmp_path / "no" / "such")
    with pytest.raises(IsADirectoryError):
        scope.save(tmp_path)
    path = tmp_path / "mode"
    scope.save(path)
    assert path.stat().st_mode & 0o777 == 0o600


def test_nothing_of_the_program_is_kept(seen):
    import gc
    import weakref

    class Held:
        pass

    held = Held()
    gone = weakref.ref(held)

    def use(value):
        return [value]

    with marey.calls() as scope:
        use(held)
        before = sys.getrefcount(held)
        use(held)
        assert sys.getrefcount(held) == before
    del held
    gc.collect()
    assert gone() is None and scope.call_count == 2


def test_tracebacks_and_the_recursion_limit_stay(seen):
    import traceback

    limit = sys.getrecursionlimit()

    def trace():
        try:
            catches()
            raises("x")
        except ValueError as error:
            return [frame.name for frame in traceback.extract_tb(error.__traceback__)]

    plain = trace()
    with marey.calls():
        assert trace() == plain
        assert sys.getrecursionlimit() == limit


def test_recursion_to_the_limit(seen):
    def down(n):
        return down(n + 1)

    with marey.calls(include=__name__) as scope:
        with pytest.raises(RecursionError):
            down(0)
        fib(0)
    found = seen(scope)
    assert scope.limit_reason == "max_depth"
    assert found.names() == ["down"] * 30 + ["fib"]
    assert found.roots[0].exception.startswith("RecursionError")
