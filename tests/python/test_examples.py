"""The examples do what they say, alone and recorded. Traces are read by the official protos."""

import collections
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import traces
from command import UNRECORDED, run_program

import marey

EXAMPLES = Path(__file__).parents[2] / "examples"
COMMAND = Path(sys.executable).parent / "marey"


@pytest.fixture
def build(tmp_path):
    """build("hello"): the example, compiled by the line that stands in it."""
    if not (shutil.which("cc") and shutil.which("pkg-config")):
        pytest.skip("needs cc and pkg-config")

    def compile_it(name):
        source = shutil.copy(EXAMPLES / f"{name}.c", tmp_path)
        lines = [line.strip(" *\n") for line in Path(source).read_text().splitlines()]
        [line] = [line for line in lines if line.startswith("cc -O2 ")]
        path = os.path.join(marey.get_lib_dir(), "pkgconfig")
        run_program("sh", "-c", f"{line} -Wall -Wextra -Werror", cwd=tmp_path, PKG_CONFIG_PATH=path)
        return tmp_path / name

    return compile_it


# ------------------------------------------------------------------------------- C


def test_hello_counts_and_shows_how(build, tmp_path):
    hello = build("hello")
    text = "one two\nthree\n" * 20_000  # in pieces, some of which end within a word
    (tmp_path / "text").write_text(text)
    output = run_program(hello, "text", "hello.c", "missing", cwd=tmp_path, status=1)
    assert output.split()[:5] == ["40000", "lines", "60000", "words", "text"]

    trace = traces.load(tmp_path / "hello.perfetto-trace")
    pieces = -(-len(text) // 65536)
    piece = ("piece", [("count", [])])
    thread = trace.track("hello", kind="thread")
    assert trace.tree(thread) == [("file", [piece] * pieces), ("file", [piece])]
    assert trace.roots(thread)[0].args == {"path": "text", "lines": 40_000, "words": 60_000}
    assert trace.roots(thread)[0].location[0].endswith("hello.c")
    reads = trace.roots("disk")
    assert sum(read.args["bytes"] for read in reads) == len(text) + os.path.getsize(
        tmp_path / "hello.c"
    )
    own = len((tmp_path / "hello.c").read_text().split())
    assert trace.values("words seen") == [60_000, 60_000 + own]
    assert trace.track("words seen").unit == "words"
    assert trace.instant("cannot open").args == {"path": "missing"}
    assert trace.attributes["language"] == "C"
    whole = [events for events in trace.flows.values() if len(events) == 2]
    assert [[event.name for event in events] for events in whole] == [["read", "piece"]] * (
        pieces + 1
    )


def test_hello_does_its_work_where_it_cannot_record(build, tmp_path):
    hello = build("hello")
    (tmp_path / "hello.perfetto-trace").mkdir()
    assert "hello.c" in run_program(hello, "hello.c", cwd=tmp_path)


@pytest.mark.parametrize("detail", [False, True])
def test_threads_share_the_work(build, tmp_path, detail):
    program = build("threads")
    output = run_program(program, 3, *(["detail"] if detail else []), cwd=tmp_path)
    assert output == "78498 primes below 1000000\n"

    trace = traces.load(tmp_path / "threads.perfetto-trace")
    blocks = trace.named("block")
    assert sorted(block.args["numbers"]["first"] for block in blocks) == list(
        range(0, 1_000_000, 5000)
    )
    assert sum(block.args["primes"] for block in blocks) == 78498
    assert {block.track.name for block in blocks} <= {"worker 0", "worker 1", "worker 2"}
    assert [[event.name for event in events] for events in trace.flows.values()] == [
        ["put", "block"]
    ] * 200
    assert len(trace.values("queue")) == 400 and trace.values("queue")[-1] == 0
    assert min(trace.values("queue")) >= 0 and max(trace.values("queue")) <= 16
    assert len(trace.named("take")) == (203 if detail else 0)
    assert {span.category for span in trace.named("take")} <= {"detail"}
    assert trace.values("resident memory")


def test_c_examples_join_the_file_of_marey_run(build, tmp_path):
    program = build("threads")
    file = tmp_path / "run.perfetto-trace"
    run_program(COMMAND, "run", "-q", "-o", file, program, cwd=tmp_path)
    assert not (tmp_path / "threads.perfetto-trace").exists()
    assert len(traces.load(file).named("block")) == 200


# -------------------------------------------------------------------------- Python


@pytest.fixture
def library(tmp_path):
    """A small library to index: 60 modules and one that is no Python."""
    folder = tmp_path / "library"
    (folder / "package" / "tests").mkdir(parents=True)
    for number in range(60):
        (folder / "package" / f"module{number}.py").write_text(
            f"import os, sys\n\nclass Thing{number}:\n    def method(self):\n"
            f"        return Thing{number}, common, common\n"
        )
    (folder / "package" / "tests" / "test_it.py").write_text("import unittest\n")
    (folder / "broken.py").write_text("def :\n")
    return folder


def index(*before, folder, cwd, names=("Thing7", "method", "nothing")):
    return run_program(
        *before,
        EXAMPLES / "index_stdlib.py",
        "--workers=2",
        f"--folder={folder}",
        *names,
        cwd=cwd,
    )


def without_time(output):
    return output.partition("indexed by 2 processes in")[0], output.partition(" s\n")[2]


def test_the_index_is_right(library, tmp_path):
    output = index(sys.executable, folder=library, cwd=tmp_path)
    assert ": 61 files, 301 lines, " in output
    lines = [" ".join(line.split()) for line in output.splitlines()]
    assert lines[3:5] == ["common 120 os 60 files", "Thing0 1 sys 60 files"]
    assert lines[-3:] == [
        "Thing7 1 uses package/module7.py:3 class Thing7",
        "method 0 uses package/module0.py:4 and 59 more def method(self)",
        "nothing 0 uses defined nowhere",
    ]


def test_the_index_is_the_same_recorded(library, tmp_path):
    file = tmp_path / "index.perfetto-trace"
    alone = index(sys.executable, folder=library, cwd=tmp_path)
    recorded = index(COMMAND, "run", "-q", "-o", file, folder=library, cwd=tmp_path)
    assert without_time(recorded) == without_time(alone)


@pytest.fixture
def trace(library, tmp_path):
    file = tmp_path / "index.perfetto-trace"
    index(COMMAND, "run", "-q", "-o", file, folder=library, cwd=tmp_path)
    return traces.load(file)


def test_all_processes_threads_and_tasks_of_the_index_are_in_one_file(trace):
    spans = trace.spans
    processes = [track for track in trace.tracks.values() if track.kind == "process"]
    names = collections.Counter(track.name for track in processes)
    assert names["index_stdlib"] == 1 and names["indexer"] == 2
    indexed = [span for span in spans if span.name == "index"]
    assert len(indexed) == 61
    assert {process_of(trace, span.track).name for span in indexed} == {"indexer"}
    assert {span.track.name for span in spans if span.name in ("index", "merge")} == {"MainThread"}
    ordinary = [span for span in indexed if span.args["file"] != "broken.py"]
    assert all(
        [child.name for child in span.children if child.name != "gc"] == ["parse", "walk", "words"]
        for span in ordinary
    )
    assert all(span.args["lines"] == 5 and span.args["definitions"] == 2 for span in ordinary)
    assert trace.instant("cannot parse").args["file"] == "broken.py"
    readers = {span.track.name for span in spans if span.name == "read"}
    assert readers == {"reader 0", "reader 1"}
    assert trace.attributes["files"] == 61


def process_of(trace, track):
    """The process track that a thread's or a custom track belongs to."""
    [found] = [
        other
        for other in trace.tracks.values()
        if other.kind == "process" and other.pid == track.pid
    ]
    return found


def test_each_file_of_the_index_has_its_arrows(trace):
    ways = collections.Counter(
        tuple(event.name for event in events)
        for events in trace.flows.values()
        if events[0].name == "read"
    )
    assert ways == {("read", "submit", "index", "merge"): 61}


def test_counters_of_the_index_end_at_nothing(trace):
    for name in ("sources waiting", "sources in work"):
        assert trace.track(name).unit == "files"
        values = trace.values(name)
        assert len(values) == 122 and min(values) >= 0 and values[-1] == 0
    assert max(trace.values("sources in work")) <= 7


def test_each_question_is_a_task_with_its_own_track(trace):
    answers = {span.args["question"]: span for span in trace.named("answer")}
    assert set(answers) == {"Thing7", "method", "nothing"}
    for name, span in answers.items():
        assert span.track.name == f"where is {name}?"
        wanted = [] if name == "nothing" else ["wait for the gate", "definition"]
        assert [child.name for child in span.children if child.name != "gc"] == wanted
    starts = [
        [event.name for event in events]
        for events in trace.flows.values()
        if events[0].name == "create task"
    ]
    assert starts.count(["create task", "answer"]) == 3


@pytest.fixture
def server(tmp_path):
    """examples/hot_server.py: (get(path) -> (status, text), process, its standard error)."""
    with open(tmp_path / "err", "w") as err:
        process = subprocess.Popen(
            [sys.executable, EXAMPLES / "hot_server.py", "0"],
            stdout=subprocess.PIPE,
            stderr=err,
            text=True,
            env=UNRECORDED,
            cwd=tmp_path,
        )
    address = process.stdout.readline().strip().rpartition("hot")[0]

    def get(path):
        try:
            with urllib.request.urlopen(address + path, timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    yield get, process, tmp_path / "err"
    process.kill()
    process.wait()
    process.stdout.close()


def test_the_server_says_what_it_spends_its_time_on(server):
    get, process, err = server
    threads = [
        threading.Thread(target=get, args=(path,)) for path in ("primes/60000", "words/4000")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert get("primes/100") == (200, "25\n") and get("words/30") == (200, "30\n")
    end = time.monotonic() + 60
    # A busy machine samples when it can.
    while not any("primes" in line.split(";")[-1] for line in get("folded")[1].splitlines()):
        assert time.monotonic() < end
        get("primes/60000")
    status, hot = get("hot")
    assert status == 200 and "primes" in hot and "hot_server.py:" in hot
    assert "do_GET" in get("tree")[1]
    assert re.match(
        r"\d+ samples of \d+ threads in [\d.]+ s, \d+ a second of 100;", get("stats")[1]
    )
    for path in ("", "hot/5", "primes/", "primes/1e5", "primes/99999999", "nothing/3"):
        assert get(path) == (
            404,
            "there is /hot, /tree, /folded, /stats, /primes/NUMBER, /words/NUMBER\n",
        )

    process.send_signal(signal.SIGUSR1)
    end = time.monotonic() + 60
    while "serve_forever" not in err.read_text():
        assert time.monotonic() < end
        time.sleep(0.02)
    assert get("primes/100") == (200, "25\n")
