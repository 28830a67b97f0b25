"""The variables of frames, as marey shows them."""

import re
import subprocess
import time

import pytest

READY_SECONDS = 30  # for the program to come so far, however busy the machine is
HOLDS = {
    "positional": "1",
    "default": "2",
    "by_name": "'n'",
    "tokens": "3",
    "rest": "(3, 4)",
    "more": "{'extra': 9}",
    "none": "None",
    "true": "True",
    "false": "False",
    "zero": "0",
    "negative": "-12345678901",
    "large": str(2**59 + 7),
    "huge": "<int of up to 150 bits>",
    "nanoseconds": str(10**18 + 2**62),
    "most": str(2**63 - 1),
    "least": str(1 - 2**63),
    "too_large": "<int of up to 90 bits>",
    "number": "0.1",
    "whole": "3.0",
    "infinite": "-inf",
    "tiny": "2.5e-300",
    "text": "'plain'",
    "quoted": r"'a\'b\\c\n\x00'",
    "wide": "'naïve ☃ 😀'",
    "long": "'" + "x" * 120 + "'...",
    "lone": r"'\ud800'",
    "data": r"b'\x00abc\xff\''",
    "empty": "()",
    "one": "(1,)",
    "many": "(0, 1, 2, 3, 4, 5, 6, 7, ...)",
    "nested": "[[[[...]]]]",
    "recursive": "[[[[...]]]]",
    "pairs": "{'a': 1, 'api_key': ***, 2: [1, 2]}",
    "some": "{7}",
    "frozen": "frozenset({8})",
    "none_in_it": "set()",
    "red": "__main__.Color(1)",
    "point": "__main__.Point((1, 2))",
    "ordered": "collections.OrderedDict({'k': 1})",
    "plain": "<__main__.Plain at 0x...>",
    "kind": "<class '__main__.Plain'>",
    "module": "<module 'time'>",
    "inner": "<function at 0x...>",
    "shared": "'cell'",
    "password": "***",
    "accessToken": "***",
}


@pytest.fixture
def values(build, run):
    def read(name):
        pid = run(name).pid
        deadline = time.monotonic() + READY_SECONDS
        command = [str(build / "values"), str(pid)]
        while (
            time.monotonic() < deadline
            and b"inner\n" not in subprocess.run(command, capture_output=True, check=False).stdout
        ):
            time.sleep(0.1)
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert (done.returncode, done.stderr) == (0, "")
        frames = {}
        for line in done.stdout.splitlines():
            kind, _, rest = line.partition(" ")
            if kind == "F":
                frames[rest.rpartition(".")[2]] = variables = {}
            else:
                name, value = rest.partition(" ")[2].split(" = ", 1)
                variables[name] = (rest.split()[0], re.sub("0x[0-9a-f]{6,}", "0x...", value))
        return frames

    return read


def test_variables_look_as_in_python(values):
    frames = values("locals.py")
    assert {name: value for name, (_, value) in frames["holds"].items()} == HOLDS
    assert {name: value for name, (_, value) in frames["deleted_items"].items()} == {
        "gone": "{1: None, 2: None, 4: None}",
        "removed": "{1, 3}",
    }


def test_arguments_and_cells_are_told_apart(values):
    frames = values("locals.py")
    kinds = {name: kind for name, (kind, _) in frames["holds"].items()}
    arguments = {"positional", "default", "rest", "by_name", "password", "accessToken"}
    assert {name for name in kinds if kinds[name] == "argument"} == arguments | {"tokens", "more"}
    assert kinds["shared"] == "cell"
    assert kinds["zero"] == "local"
    assert frames["inner"] == {"x": ("argument", "5"), "shared": ("free", "'cell'")}


def test_no_secret_is_shown(build, run):
    done = subprocess.run(
        [str(build / "values"), str(run("locals.py").pid)], capture_output=True, check=True
    )
    assert b"hunter2" not in done.stdout
    assert b"s3cr3t" not in done.stdout
