"""Names, texts and arguments that are not what one expects: something sensible is in the trace."""

import pytest
from crash.look import look, run

BAD, NUL = "\ufffd", "\u2400"


@pytest.fixture
def trace(tmp_path):
    return tmp_path / "t.perfetto-trace"


def test_nul_and_what_is_not_utf_8(trace):
    run("texts", "odd", trace)
    seen = look(trace)
    first, nul, null, empty = seen.only_thread().spans
    assert first.name == f"bad {BAD * 3} utf-8"
    assert first.args == {
        "nul": f"a{NUL}b",
        "none": "NULL",
        "surrogate": BAD * 3,
        "cut": BAD * 2,
        "good": "gr\u00fc\u00df \U0001f422",
        "empty": "",
        f"{BAD} key": "value",
    }
    assert (nul.name, null.name, empty.name) == (f"a{NUL}b", "(null)", "")
    assert seen.only_thread().name == f"thread {BAD}"
    assert seen.attributes[f"key {BAD}"] == f"value {BAD}"


def test_ten_megabytes(trace):
    run("texts", "long", trace)
    seen = look(trace)
    assert trace.stat().st_size < 1 << 20
    for span in seen.only_thread().spans:
        assert span.name == "x" * 509 + "..."
        assert span.args["text"] == "x" * 4093 + "..."
        assert span.args["wide"] == "\u20ac" * 1364 + "..."
    assert len(seen.only_thread().spans) == 20
    assert seen.named("\u20ac" * 169 + "...").values() == [1]


def test_more_arguments_than_an_event_takes(trace):
    done = run("texts", "many", trace)
    many, array, much, unknown, none = look(trace).only_thread().spans
    assert many.args == {"number": 63}  # of the same name the last
    assert array.args["array"][:64] == list(range(64))
    assert array.args["array"][64:] == ["(136 more)"]
    assert much.args["text"] == "x" * 4096
    assert unknown.args == {"text": "?"}
    assert none.args == {}
    assert done.said["arguments"] == 3  # the first, and begin and end of the third


def test_deep_dicts(trace):
    run("texts", "deep", trace)
    deep, shapes = look(trace).only_thread().spans
    value, levels = deep.args["in"], 1
    while not isinstance(value, str):
        (value,) = value.values() if isinstance(value, dict) else value
        levels += 1
    assert (value, levels) == ("...", 16)
    assert shapes.args == {
        "d": {"x": -1, "a": [0.5]},
        "no entries": "{}",
        "no items": "[]",
        "u": (1 << 64) - 1,
        "i": -1 << 63,
        "p": 16,
        "b": True,
    }


def test_dict_of_itself(trace):
    done = run("texts", "cyclic", trace)
    assert look(trace).names() == {"cyclic": 10}
    assert done.said["ms"] < 2000
    assert done.said["arguments"] == 10
    assert done.said["disk"] == 0


def test_too_many_names(trace):
    done = run("texts", "names", trace)
    seen = look(trace)
    names = seen.names()
    kept = 32767 - 20  # some are used by the recorder itself, and by the test
    assert all(names[f"n{number}"] == 2 for number in range(kept))
    assert names["(too many names)"] >= 2 * 1000
    assert sum(names.values()) == 2 * (32767 + 1000)
    assert seen.only_thread().instants() == ["(too many names)"]
    assert not any(done.said.values())


def test_arguments_of_every_size(trace):
    done = run("texts", "widths", trace)
    spans = look(trace).only_thread().spans
    assert [len(span.args["text"]) for span in spans] == list(range(0, 4000, 7))
    assert all(len(span.args["text"]) == span.args["width"] for span in spans)
    assert not any(done.said.values())
    assert trace.stat().st_size < 2 << 20
