"""What stands in the documents runs: blocks of Python, recorded and not; blocks of C compile."""

import os
import re
import shutil
import sys
from pathlib import Path

import pytest
import traces
from command import run_program

import marey

ROOT = Path(__file__).parents[2]
PAGES = (
    "README.md",
    "docs/recording.md",
    "docs/calls.md",
    "docs/sampling.md",
    "docs/migrating.md",
    "docs/reading.md",
    "docs/live.md",
)
COMMAND = Path(sys.executable).parent / "marey"

# What the documents take for granted.
PYTHON = """
import asyncio, signal, time
import marey

def load(path):
    return [path]
"""
C = """
#include <marey.h>
#include <stdio.h>
void block(const char *path, const char *text, long rows);
void block(const char *path, const char *text, long rows) {
(void)path, (void)text, (void)rows;
%s
}
"""


def blocks(language):
    """(page:line, text) of each block of a language."""
    for page in PAGES:
        text = (ROOT / page).read_text(encoding="utf-8")
        for found in re.finditer(rf"^```{language}\n(.*?)^```$", text, re.M | re.S):
            line = text.count("\n", 0, found.start()) + 1
            yield pytest.param(found[1], id=f"{page}:{line}")


def needs(text):
    """The packages a block needs that are not there for every Python (requirements.txt)."""
    imported = re.findall(r"^(?:from|import) (\w+)", text, re.M)
    return [name for name in ("celery", "fastapi") if name in imported]


@pytest.mark.parametrize("text", blocks("python"))
def test_python_runs(text, tmp_path):
    for name in needs(text):
        pytest.importorskip(name)
    (tmp_path / "block.py").write_text(PYTHON + text)
    run_program(sys.executable, "block.py", cwd=tmp_path)
    run_program(COMMAND, "run", "-q", "-o", "run.perfetto-trace", "block.py", cwd=tmp_path)
    for file in tmp_path.glob("*.perfetto-trace"):
        traces.load(file)


@pytest.mark.parametrize("text", blocks("c"))
def test_c_compiles(text, tmp_path):
    if not (shutil.which("cc") and shutil.which("pkg-config")):
        pytest.skip("needs cc and pkg-config")
    (tmp_path / "block.c").write_text(text if "int main" in text else C % text)
    path = os.path.join(marey.get_lib_dir(), "pkgconfig")
    command = "cc -Wall -Wextra -Werror -c block.c $(pkg-config --cflags marey)"
    run_program("sh", "-c", command, cwd=tmp_path, PKG_CONFIG_PATH=path)


def anchors(page):
    return {
        re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-")
        for heading in re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.M)
    }


@pytest.mark.parametrize(
    "page", sorted(ROOT.glob("*.md")) + sorted(ROOT.glob("docs/*.md")), ids=str
)
def test_links_lead_somewhere(page):
    text = page.read_text(encoding="utf-8")
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)", text):
        other = page.parent / target if target else page
        assert other.exists(), target
        assert not anchor or anchor in anchors(other), f"{target}#{anchor}"
