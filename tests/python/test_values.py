"""What is shown of a value, for every kind of it; and that no value disturbs the program."""

import collections
import datetime
import decimal
import enum
import fractions
import math
import pathlib
import string
import uuid

import pytest
import traces
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import marey


def shown(recorded, **values):
    """What the trace shows of values given when a span begins; set() and instants show the same."""
    with recorded() as box:
        with marey.span("begin", **values):
            pass
        with marey.span("end") as span:
            span.set(**values)
        marey.instant("instant", **values)
    args = box.trace.span("begin").args
    assert same(args, box.trace.span("end").args)
    assert same(args, box.trace.instant("instant").args)
    return args


def same(a, b):
    return repr(a) == repr(b)  # so that nan is nan


class Colour(enum.Enum):
    RED = 1


class Number(enum.IntEnum):
    ONE = 1


class Bits(enum.Flag):
    A = 1
    B = 2


class Hostile:
    """Any of its own code fails, or never ends."""

    def fail(self, *args):
        raise AssertionError("its code ran")

    __str__ = __repr__ = __len__ = __iter__ = __bool__ = __eq__ = __index__ = __float__ = fail
    __int__ = __format__ = __fspath__ = __getattribute__ = __class_getitem__ = fail
    __hash__ = object.__hash__


class Recursive:
    def __repr__(self):
        return repr(self)

    __str__ = __repr__


class Meta(type):
    def __getattribute__(cls, name):
        raise AssertionError("its code ran")

    def __instancecheck__(cls, other):
        raise AssertionError("its code ran")


class OfMeta(metaclass=Meta):
    pass


class Text(str):
    __slots__ = ()

    def __str__(self):
        raise AssertionError("its code ran")

    encode = __len__ = __iter__ = __hash__ = __str__


class Integer(int):
    def __int__(self):
        raise AssertionError("its code ran")

    __index__ = __str__ = __repr__ = bit_length = __int__


class Zone(datetime.tzinfo):
    def utcoffset(self, time):
        raise AssertionError("its code ran")


Point = collections.namedtuple("Point", "x y")


SHOWN = [
    (True, True),
    (False, False),
    (0, 0),
    (-5, -5),
    (2**63 - 1, 2**63 - 1),
    (-(2**63), -(2**63)),
    (2**63, 2**63),
    (2**64 - 1, 2**64 - 1),
    (2**64, "0x10000000000000000"),
    (-(2**63) - 1, "-0x8000000000000001"),
    (1 << 1_000_000, "<int of 1000001 bits>"),
    (Integer(7), 7),
    (Integer(1 << 70), "0x400000000000000000"),
    (0.5, 0.5),
    (-0.0, -0.0),
    (math.inf, math.inf),
    (1 + 2j, "(1.0 + 2.0j)"),
    (None, "None"),
    ("", ""),
    ("text", "text"),
    ("naïve \U0001f600 日本語", "naïve \U0001f600 日本語"),
    (Text("sub"), "sub"),
    (b"", "b'' (0 bytes)"),
    (b"a\x00'\xff", "b'a\\x00\\x27\\xff' (4 bytes)"),
    (bytearray(100), "b'" + "\\x00" * 48 + "'... (100 bytes)"),
    ([], "[]"),
    ({}, "{}"),
    ([1, "a", None, [2.5]], [1, "a", "None", [2.5]]),
    ((1, (2, 3)), [1, [2, 3]]),
    ({7}, [7]),
    (frozenset([7]), [7]),
    ({"a": 1, 2: "b", None: {"c": []}}, {"a": 1, "2": "b", "None": {"c": "[]"}}),
    (Point(1, 2), [1, 2]),
    (collections.OrderedDict(a=1), {"a": 1}),
    (Colour.RED, "Colour.RED"),
    (Number.ONE, "Number.ONE"),
    (Bits.A, "Bits.A"),
    (pathlib.PurePosixPath("/a/b"), "/a/b"),
    (pathlib.Path("naïve"), "naïve"),
    (pathlib.PureWindowsPath("c:/a"), "c:\\a"),
    (ValueError("text"), "ValueError: text"),
    (int, "<class int>"),
    (pathlib.PurePath, f"<class {pathlib.PurePath.__module__}.PurePath>"),
    (len, "<builtin_function_or_method>"),
    (string.capwords, "capwords"),
    (datetime.date(2020, 1, 2), "2020-01-02"),
    (datetime.datetime(2020, 1, 2, tzinfo=datetime.timezone.utc), "2020-01-02 00:00:00+00:00"),
    (datetime.datetime(2020, 1, 2, tzinfo=Zone()), "<datetime.datetime>"),
    (datetime.timedelta(1), "1 day, 0:00:00"),
    (decimal.Decimal("1.50"), "1.50"),
    (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    (fractions.Fraction(1, 2), "<fractions.Fraction>"),
    (Recursive(), f"<{__name__}.Recursive>"),
    (OfMeta, f"<class {__name__}.OfMeta>"),
    (OfMeta(), f"<{__name__}.OfMeta>"),
    (range(3), "<range>"),
]


@pytest.mark.parametrize("number", range(len(SHOWN)))  # pytest would look into the values
def test_what_is_shown(recorded, number):
    value, wanted = SHOWN[number]
    args = shown(recorded, value=value)
    assert same(args, {"value": wanted})
    assert type(args["value"]) is type(wanted)


def test_nan_is_nan(recorded):
    assert math.isnan(shown(recorded, value=math.nan)["value"])


def test_no_code_of_a_hostile_object_runs(recorded):
    hostile = Hostile()
    args = shown(recorded, a=hostile, b=[hostile], c={"k": hostile}, d={hostile: 1})
    text = f"<{__name__}.Hostile>"
    assert args == {"a": text, "b": [text], "c": {"k": text}, "d": {text: 1}}


def test_what_holds_itself(recorded):
    loop = [1]
    loop.append(loop)
    knot = {"a": 1}
    knot["self"] = [knot]
    twice = [2]
    args = shown(recorded, loop=loop, knot=knot, twice=[twice, twice])
    assert args == {
        "loop": [1, "<circular>"],
        "knot": {"a": 1, "self": ["<circular>"]},
        "twice": [[2], [2]],
    }


def test_text_that_is_no_text(recorded):
    args = shown(recorded, nul="a\0b", lone="a\ud800b", key={"\ud800\0": 1})
    assert args["nul"] == "a\u2400b"
    assert args["lone"].startswith("a")
    assert args["lone"].endswith("b")
    assert "\ufffd" in args["lone"]
    assert list(args["key"].values()) == [1]


def test_enormous_text(recorded):
    big, wide = "x" * 10_000_000, "\U0001f600" * 2_500_000
    args = shown(recorded, big=big, wide=wide, inside=[big, wide], key={big: 1})
    for text, start in ((args["big"], "x" * 4000), (args["wide"], "\U0001f600" * 1000)):
        assert text.startswith(start)
        assert text.endswith("...")
        assert len(text.encode()) <= 4096
    assert args["inside"][0] == args["big"]
    assert args["inside"][1] == args["wide"]
    assert len(next(iter(args["key"])).encode()) <= 512


def test_long_containers_are_cut(recorded):
    args = shown(recorded, a=list(range(1000)), b={n: n for n in range(1000)}, c=list(range(64)))
    assert args["a"] == [*range(63), "... (937 more)"]
    assert args["b"] == {**{str(n): n for n in range(63)}, "...": "... (937 more)"}
    assert args["c"] == list(range(64))


def test_deep_containers_are_cut(recorded):
    value = []
    for _ in range(100_000):
        value = [value]
    args = shown(recorded, value=value)
    depth, inside = 0, args["value"]
    while isinstance(inside, list):
        depth, inside = depth + 1, inside[0]
    assert (depth, inside) == (15, "... (1 more)")
    while value:
        value = value.pop()


def test_wide_and_deep_containers_are_cut(recorded):
    value = 1
    for _ in range(8):
        value = [value] * 8
    args = shown(recorded, value=value)
    assert len(str(args)) < 20_000
    assert "more)" in str(args)


def test_many_arguments_are_cut(recorded):
    args = shown(recorded, **{f"a{n}": n for n in range(200)})
    assert args == {**{f"a{n}": n for n in range(63)}, "...": "... (137 more)"}


def test_arguments_too_large_for_an_event_are_counted(recorded):
    with recorded() as box:
        with marey.span("fat", **{f"a{n}": "x" * 4000 for n in range(40)}):
            pass
        losses = marey.status()["losses"]
    args = box.trace.span("fat").args
    assert 4 < len(args) < 40
    assert losses["arguments"] == 1


def test_secrets_are_kept_out(recorded):
    given = {
        "password": "hunter2",
        "db_password": 1,
        "accessToken": [1],
        "API_KEY": None,
        "Authorization": {"a": 1},
    }
    args = shown(
        recorded, **given, tokens=3, nested={"headers": {"X-Auth-Token": "x", "Accept": "y"}}
    )
    assert args == {
        **dict.fromkeys(given, "***"),
        "tokens": 3,
        "nested": {"headers": {"X-Auth-Token": "***", "Accept": "y"}},
    }


def test_secrets_can_be_changed(recorded):
    assert "token" in marey.secrets
    marey.secrets.add("colour")
    marey.secrets.discard("token")
    assert shown(recorded, colour=1, token=2) == {"colour": "***", "token": 2}
    marey.secrets.set(["Red Green"])
    assert shown(recorded, colour=1, red_green=2) == {"colour": 1, "red_green": "***"}
    assert list(marey.secrets) == ["Red Green"]
    with pytest.raises(TypeError):
        marey.secrets.add(5)
    assert len(marey.secrets) == 1


def test_numbers_of_numpy(recorded):
    numpy = pytest.importorskip("numpy")
    args = shown(
        recorded, i=numpy.int64(5), f=numpy.float32(0.5), a=numpy.zeros(1), b=numpy.bool_(1)
    )
    assert (args["i"], args["f"], args["a"]) == (5, 0.5, "<numpy.ndarray>")


def test_an_exception_in_flight_is_not_touched(recorded):
    class Noisy:
        def __del__(self):
            with marey.span("dying", value=object(), text="\ud800") as span:
                span.set(big=1 << 100)

    def fail():
        noisy = Noisy()
        raise LookupError("first", noisy is None)

    with recorded() as box, pytest.raises(LookupError, match="first"):
        fail()
    del fail
    __import__("gc").collect()
    assert len(box.trace.named("dying")) <= 1


LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**80), 2**80)
    | st.floats(allow_nan=False)
    | st.text(max_size=20)
    | st.binary(max_size=20)
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=6), inner, max_size=6)
    ),
    max_leaves=40,
)


def expected(value):
    """What the documentation says is shown of it."""
    if value is None:
        return "None"
    if isinstance(value, (bool, float)):
        return value
    if isinstance(value, int):
        return value if -(2**63) <= value < 2**64 else hex(value)
    if isinstance(value, str):
        return value.replace("\0", "\u2400").encode("utf-8", "replace").decode()
    if isinstance(value, bytes):
        return None
    if isinstance(value, list):
        return [expected(one) for one in value] or "[]"
    return {expected(key): expected(one) for key, one in value.items()} or "{}"


def alike(found, wanted):
    if wanted is None:
        return isinstance(found, str) and found.endswith(" bytes)")
    if isinstance(wanted, list):
        return len(found) == len(wanted) and all(map(alike, found, wanted))
    if isinstance(wanted, dict):
        return list(found) == list(wanted) and all(map(alike, found.values(), wanted.values()))
    return same(found, wanted)


def entries(value):
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return len(inner) + sum(map(entries, inner))


@settings(max_examples=80, deadline=None)
@given(
    st.dictionaries(
        st.text(st.characters(codec="utf-8"), min_size=1, max_size=6), VALUES, max_size=6
    )
)
def test_any_value_comes_back(tmp_path_factory, values):
    assume(entries(values) <= 192)  # more of an event are counted, and left out
    marey.secrets.set([])
    given = {f"_{name}": value for name, value in values.items()}
    path = tmp_path_factory.mktemp("value") / "t"
    with traces.recorded(path) as box, marey.span("x", track=None, **given):
        pass
    wanted = {expected(name): expected(value) for name, value in given.items()}
    assert alike(box.trace.span("x").args, wanted)
