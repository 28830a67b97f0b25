"""The tables of CPython 3.9 to 3.12 are what the interpreters' headers say."""

import pathlib
import re
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).parent.parent.parent


def rows(text):
    """{version: {field: text}} of a table."""
    found = [
        dict(re.findall(r"\.(\w+) = (\w+)", row)) for row in re.findall(r"\{.*?\}", text, re.DOTALL)
    ]
    return {row["version"]: row for row in found}


def test_table_is_what_the_headers_say(interpreter, tmp_path):
    if interpreter[0] == "chroot" or not shutil.which("cc"):
        pytest.skip("needs a compiler beside the interpreter")
    ask = "import sysconfig, sys; print(sys.version_info[1], sysconfig.get_path('include'))"
    answer = subprocess.run(
        [*interpreter, "-c", ask], capture_output=True, text=True, check=True
    ).stdout
    minor, include = answer.strip().split(" ", 1)
    if int(minor) > 12 or not pathlib.Path(include, "internal").exists():
        pytest.skip("says itself where it keeps things, or has no headers")
    for flags in [], ["-DPy_DEBUG"]:
        program = tmp_path / "table"
        source = ROOT / "tools/layout_table.c"
        command = [
            "cc",
            "-w",
            f"-I{ROOT / 'src'}",
            f"-I{include}",
            *flags,
            str(source),
            "-o",
            str(program),
        ]
        subprocess.run(command, check=True)
        said = rows(
            subprocess.run([str(program)], capture_output=True, text=True, check=True).stdout
        )
        ours = rows((ROOT / "src/stack/layout_table.h").read_text())
        for version, row in said.items():
            assert ours[version] == row
