"""marey._page: what servers in Python answer a browser with. It answers as `marey view` does,
whatever it is asked, by any number of threads, and gives its memory back.
"""

import ast
import gc
import gzip
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from viewer import viewing

import marey
from marey import _page

PACKAGE = Path(marey.__file__).parent

RECORDER = """
import marey, sys, time
with marey.record(sys.argv[1]), marey.Sampler(hz=500):
    with marey.span("handle", user="Ännchen"):
        for row in range(40):
            with marey.span("load", row=row):
                sum(range(5000))
    end = time.thread_time() + 0.2
    while time.thread_time() < end:
        pass
    marey.instant("done")
"""
QUESTIONS = [
    "api/trace",
    "api/timeline?width=300&tracks=0,1,2",
    "api/functions",
    "api/functions?of=spans&weight=count",
    "api/span-table",
    "api/slices?name=load&limit=3",
    "api/flame?of=samples&weight=count",
    "api/tree",
    "api/search?q=LO",
    "api/span?id=1",
    "api/flows",
    "convert?format=folded",
    "convert?format=pprof",
    "convert?format=html",
    "convert?format=csv&from=0&to=1000000",
    "api/span?id=99999999",
    "api/nothing",
    "convert?format=nothing",
]


def record(path, script=RECORDER):
    subprocess.run([sys.executable, "-c", script, path], check=True, timeout=120)
    return path


@pytest.fixture(scope="module")
def trace(tmp_path_factory):
    return record(tmp_path_factory.mktemp("page") / "a ü.perfetto-trace")


@pytest.fixture
def page(trace):
    page = _page.Page(str(trace), trace.name)
    yield page
    page.close()


def ask(page, question):
    return page.answer(*question.split("?"))


def error(answer):
    return json.loads(answer[-1])["error"]


def resident_bytes():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


# ----------------------------------------------------------------------- what it says


def test_answers_are_those_of_marey_view(page, trace):
    with viewing("--no-browser", trace) as viewer:
        for question in QUESTIONS:
            status, headers, body = viewer.ask(f"/{viewer.token}/{question}")
            body = body.replace(b'"perfetto_server": true', b'"perfetto_server": false')
            assert ask(page, question) == (status, headers["Content-Type"], body), question


def test_a_trace_in_memory_is_answered_as_the_file(page, trace):
    memory = _page.Page(trace.read_bytes(), trace.name)
    for question in QUESTIONS:
        assert ask(memory, question) == ask(page, question), question


def test_a_compressed_file(page, trace, tmp_path):
    (tmp_path / "packed").write_bytes(gzip.compress(trace.read_bytes()))
    packed = _page.Page(tmp_path / "packed", trace.name)
    for question in ("api/functions", "api/tree", "convert?format=csv"):
        assert ask(packed, question) == ask(page, question)


def test_conversions_have_names(page):
    status, kind, name, content = page.convert("format=folded")
    assert (status, kind, name) == (200, "application/octet-stream", "a __.folded")
    assert content == page.answer("convert", "format=folded")[2]
    assert page.convert("format=speedscope")[2] == "a __.speedscope.json"
    assert page.convert("format=html")[3].startswith(b"<!doctype html>")
    status, _, name, content = page.convert("format=nothing")
    assert status == 404 and name is None and b"error" in content


def test_profiles_of_processes_one_behind_the_other(tmp_path):
    script = """
import marey, sys
with marey.Sampler(hz=1000, mode="cpu") as sampler:
    while sampler.stats().samples < 20:
        sum(range(1_000_000))
sampler.save(sys.argv[1])
"""
    files = [record(tmp_path / name, script) for name in ("one", "two", "three")]
    page = _page.Page([file.read_bytes() for file in files], "all")
    told = json.loads(page.answer("api/trace")[2])
    assert len(told["processes"]) == 3 and told["notes"] == []
    assert told["counts"]["samples"] >= 60
    single = [_page.Page(file, "one").convert("format=folded")[3].split() for file in files]
    assert sum(len(page.convert(f"format=folded&threads={i}")[3].split()) for i in range(3)) == sum(
        map(len, single)
    )


def test_the_pages_files():
    kind, etag, content = _page.asset("index.html")
    assert kind == "text/html; charset=utf-8" and etag.startswith('"') and etag.endswith('"')
    page = gzip.decompress(content)
    assert page.lower().startswith(b"<!doctype html>")
    for part in page.decode().split('"'):
        if part.startswith("./assets/"):
            assert gzip.decompress(_page.asset(part[2:])[2]), part
    for path in ("", "single.html", "../index.html", "index.html\0", "\ud800", "assets"):
        assert _page.asset(path) is None
    assert "unsafe" not in _page.policy() and "default-src 'none'" in _page.policy()
    assert _page.policy("index.html") == _page.policy()
    assert "style-src 'self' 'unsafe-inline'" in _page.policy("speedscope/index.html")


# ------------------------------------------------------------------------- what is wrong


@pytest.mark.parametrize("text", ["", "/", "../api/trace", "api/trace\0", "\ud800", "ä" * 100_000])
def test_any_path_has_an_answer(page, text):
    assert page.answer(text)[0] == 404


@pytest.mark.parametrize(
    "text",
    ["\0", "from", "from=1\0", "from=x", "of=\ud800", "from=" + "9" * 99, "&" * 100_000, "a=%4"],
)
def test_any_query_has_an_answer(page, text):
    for status, *_, content in (page.answer("api/functions", text), page.convert(text)):
        assert status == 400 and json.loads(content)["error"]


@pytest.mark.parametrize(
    "content", [b"", b"\0" * 1000, b"no trace", b"\x1f\x8b\x08", [], [b"", b"x"], b"\x0a\xff" * 500]
)
def test_what_is_no_trace(content):
    with pytest.raises(ValueError, match="not a trace"):
        _page.Page(content, "name")


def test_damage_is_said(trace):
    content = trace.read_bytes()
    notes = json.loads(_page.Page(content + b"\x0a\x7f", "cut").answer("api/trace")[2])["notes"]
    assert notes and "damage" in notes[0]


def test_files_that_cannot_be_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with (tmp_path / "huge").open("wb") as huge:
        huge.truncate((1 << 30) + 1)
    for name, kind in (
        ("nowhere", FileNotFoundError),
        ("nowhere/else", FileNotFoundError),
        (".", OSError),
        ("pipe", OSError),
        ("huge", OSError),
    ):
        with pytest.raises(kind) as raised:
            _page.Page(tmp_path / name, "name")
        assert str(tmp_path / name) in str(raised.value)
    (tmp_path / "text").write_text("words")
    with pytest.raises(ValueError, match="not a trace"):
        _page.Page(str(tmp_path / "text"), "name")


def test_the_standard_input_is_no_file(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError):
        _page.Page("-", "name")


def test_wrong_use():
    for source in (5, None, ["x"], [b"", 5]):
        with pytest.raises(TypeError):
            _page.Page(source, "name")
    with pytest.raises(ValueError, match="more than"):
        _page.Page([b""] * 5000, "name")
    with pytest.raises(ValueError, match="null"):
        _page.Page("a\0b", "name")


def test_a_closed_page_says_so(trace):
    page = _page.Page(trace, "name")
    page.close()
    page.close()
    for asked in (lambda: page.answer("api/trace"), lambda: page.convert("format=folded")):
        with pytest.raises(ValueError, match="closed"):
            asked()


# -------------------------------------------------------------------- threads and memory


def test_threads_ask_at_once_and_one_closes(trace):
    page = _page.Page(trace, "name")
    known = {question: ask(page, question) for question in QUESTIONS}

    def work(turn):
        for place in range(len(QUESTIONS)):
            question = QUESTIONS[(place + turn) % len(QUESTIONS)]
            try:
                assert ask(page, question) == known[question]
            except ValueError:
                return
        if turn == 7:
            page.close()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(24)))


def test_memory_is_given_back(tmp_path):
    script = """
import marey, sys
with marey.record(sys.argv[1]):
    for i in range(40000):
        with marey.span("load"): pass
"""
    content = record(tmp_path / "large", script).read_bytes()

    def turn():
        page = _page.Page([content], "name")
        for question in ("api/functions?of=spans", "api/tree", "convert?format=folded"):
            assert ask(page, question)[0] == 200
        page.close()

    for _ in range(3):
        turn()
    before = resident_bytes()
    for _ in range(10):
        turn()
    gc.collect()
    assert resident_bytes() - before < 5 * len(content)  # of ten pages, each larger than that


def test_a_forked_child_asks_the_page(trace, script):
    script(
        """
import os, sys
from marey import _page
page = _page.Page(sys.argv[1], "name")
before = page.answer("api/trace")
child = os.fork()
if not child:
    os._exit(page.answer("api/trace") != before)
assert os.waitpid(child, 0)[1] == 0
""",
        trace,
    )


# ------------------------------------------------------------------------ the module


def test_who_records_does_not_load_it(script):
    script("import marey, marey.integrations, sys\nassert 'marey._page' not in sys.modules")


def test_the_stub_says_all_that_the_module_has():
    stub = ast.parse((PACKAGE / "_page.pyi").read_text())
    kinds = (ast.FunctionDef, ast.ClassDef)
    written = {node.name: node for node in stub.body if isinstance(node, kinds)}
    assert set(written) == {name for name in vars(_page) if not name.startswith("__")}
    methods = {node.name for node in written["Page"].body} - {"__new__"}
    assert methods == {name for name in vars(_page.Page) if not name.startswith("_")}
    assert all(getattr(_page.Page, name).__doc__ for name in methods)
