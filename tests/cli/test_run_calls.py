"""`marey run --calls`: the calls of a program and its children, in the file, by the official
protos."""

import os
import subprocess
import sys

import calls_seen
import pytest
from command import find_marey

PROGRAM = """
import multiprocessing, sys, threading

def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)

def work(password, n):
    return fib(n)

def slow():
    import time
    time.sleep(0.03)
    return fib(1)

def main(method):
    thread = threading.Thread(target=work, args=("pw", 3), name="worker")
    thread.start()
    thread.join()
    child = multiprocessing.get_context(method).Process(target=work, args=("pw", 2))
    child.start()
    child.join()
    slow()

if __name__ == "__main__":
    main(sys.argv[1])
"""


def run(folder, *options, text=PROGRAM, words=("fork",), status=0):
    (folder / "app.py").write_text(text)
    command = [find_marey(), "run", "-q", "--calls", *options, "app.py", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (status, ""), done.stderr
    return calls_seen.of_file(folder / "app.perfetto-trace")


def bare(seen):
    return [node.name.rpartition(".")[2] for node in seen.nodes]


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_calls_of_threads_and_children(tmp_path, method):
    seen = run(tmp_path, "--include", "__main__", "--include", "__mp_main__", words=[method])
    names = bare(seen)
    assert names.count("fib") == 5 + 3 + 1
    assert names.count("work") == 2 and names.count("main") == names.count("slow") == 1
    assert all(not node.args and node.result is None for node in seen.nodes)
    assert {node.track for node in seen.named("work")} == {"worker", "MainThread"}
    assert len({node.pieces[0].track.pid for node in seen.named("fib")}) == 2


def test_arguments_and_results_but_no_secrets(tmp_path):
    seen = run(tmp_path, "--args", "--include=__main__")
    work = seen.named("work")
    assert sorted(node.result for node in work) == [1, 2]
    assert {node.args["password"] for node in work} == {"***"}
    assert b"'pw'" not in (tmp_path / "app.perfetto-trace").read_bytes()


def test_everything_is_recorded_where_nothing_is_said(tmp_path):
    names = bare(run(tmp_path))
    assert {"fib", "start", "join", "_bootstrap", "<module>"} <= set(names)
    assert bare(run(tmp_path, "--ignore", "*")) == []


def test_what_is_left_out(tmp_path):
    names = bare(run(tmp_path, "--min-duration", "20ms", "--include", "__main__"))
    assert "slow" in names and "fib" not in names and "main" in names
    seen = run(tmp_path, "--max-depth", "3", "--include", "__main__")
    assert bare(seen).count("fib") == 3 + 3 + 0  # below work, below work; below main and slow
    assert sum(node.skipped for node in seen.nodes) > 0


def test_c_functions(tmp_path):
    text = "def f():\n    return len([1])\nf()\n"
    seen = run(tmp_path, "--c-calls", "--include", "__main__", text=text)
    assert [name for name in bare(seen) if name in ("f", "len")] == ["f", "len"]


KILLED = """
import os, signal
def inner():
    os.kill(os.getpid(), signal.SIGKILL)
def outer():
    inner()
for i in range(1000):
    (lambda: None)()
outer()
"""


def test_a_program_that_is_killed_keeps_every_call(tmp_path):
    seen = run(tmp_path, "--include", "__main__", text=KILLED, status=-9)
    assert bare(seen).count("<lambda>") == 1000
    (outer,) = seen.named("outer")
    assert outer.pieces[0].end is None and [n.name for n in outer.children] == ["inner"]


ENDLESS = """
def f():
    return None
def many(n):
    for _ in range(n):
        f()
import resource
many(1000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
many(1_000_000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_a_million_calls_take_no_memory_and_32_bytes_each(tmp_path):
    (tmp_path / "app.py").write_text(ENDLESS)
    command = [find_marey(), "run", "-q", "--calls", "--include", "__main__", "app.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert int(done.stdout) <= 16 << 10  # KiB: the pages of the file that are mapped
    assert os.path.getsize(tmp_path / "app.perfetto-trace") <= 32 * 1_001_000 + (1 << 20)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--args"], "--args is of --calls"),
        (["--include", "app"], "--include is of --calls"),
        (["--calls", "--include", ""], "--include"),
        (["--calls", "--ignore", "a\nb"], "--ignore"),
        (["--calls", "--min-duration", "0ms"], "--min-duration"),
        (["--calls", "--min-duration", "-1ms"], "--min-duration"),
        (["--calls", "--min-duration", "5 parsecs"], "--min-duration"),
        (["--calls", "--max-depth", "0"], "--max-depth"),
        (["--calls", "--max-depth", "501"], "--max-depth"),
        (["--calls", "--max-depth", "x"], "--max-depth"),
        (["--calls=yes"], "--calls"),
        (["--calls", "--inclde", "x"], "--include"),
        (["--calls", *["--include", "x" * 4000] * 5], "--include"),
    ],
)
def test_bad_options_are_named_and_nothing_runs(tmp_path, words, said):
    (tmp_path / "app.py").write_text("open('ran', 'w')")
    command = [find_marey(), "run", *words, "app.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and said in done.stderr and done.stdout == ""
    assert sorted(os.listdir(tmp_path)) == ["app.py"]


def test_calls_are_of_this_program_alone(tmp_path):
    """A recording inside one with --calls has none, unless it asks for them."""
    inner = f"{find_marey()} run -q -o inner.perfetto-trace inner.py"
    (tmp_path / "inner.py").write_text("def f(): pass\nf()\n")
    run(tmp_path, text=f"import os\nos.system({inner!r})\n")
    assert calls_seen.of_file(tmp_path / "inner.perfetto-trace").nodes == []


@pytest.mark.skipif(sys.version_info < (3, 12), reason="tool ids are of sys.monitoring")
def test_who_is_in_the_way_is_said(tmp_path):
    text = "import sys\nfor i in range(6):\n    sys.monitoring.use_tool_id(i, f'tool {i}')\n"
    text += "import marey\nwith marey.calls(): pass\n"
    (tmp_path / "app.py").write_text(text)
    done = subprocess.run(
        [sys.executable, "app.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1 and "tool" in done.stderr.splitlines()[-1]
