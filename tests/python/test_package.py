"""The package itself: what it offers, what its stub says, what importing it costs, the command."""

import ast
import importlib.util
import inspect
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import traces

import marey
from marey import _marey

PACKAGE = Path(marey.__file__).parent
STUB = ast.parse((PACKAGE / "_marey.pyi").read_text())

installed = pytest.mark.skipif(
    not (Path(sys.executable).parent / "marey").exists(), reason="the command is not installed"
)


def test_everything_public_is_there_and_has_its_text():
    for name in marey.__all__:
        thing = getattr(marey, name)
        assert thing.__doc__, name
        if inspect.isclass(thing):
            for attribute, value in vars(thing).items():
                if not attribute.startswith("_") and callable(value):
                    assert value.__doc__, f"{name}.{attribute}"
    # "@": pytest adds names to what a plugin of its is installed with
    public = {name for name in dir(marey) if not name.startswith(("_", "@"))}
    public -= {"compat", "integrations"}  # there once somebody has imported them
    assert public == {*marey.__all__, "load_ipython_extension"}  # which is IPython's to call
    assert (PACKAGE / "py.typed").exists()


def stub_names(body):
    """name -> node of what a class or module of the stub defines."""
    kinds = (ast.FunctionDef, ast.ClassDef)
    names = {node.name: node for node in body if isinstance(node, kinds)}
    names.update({n.target.id: n for n in body if isinstance(n, ast.AnnAssign)})
    return names


def test_the_stub_says_all_that_the_module_has():
    written = stub_names(STUB.body)
    real = {name for name in vars(_marey) if not name.startswith("__")}
    assert real == {name for name in written if not name.startswith("_")}
    for name, node in written.items():
        if not isinstance(node, ast.ClassDef) or name.startswith("_"):
            continue
        attributes = {a for a in vars(getattr(_marey, name)) if not a.startswith("_")}
        assert attributes == {a for a in stub_names(node.body) if not a.startswith("_")}


@pytest.mark.skipif(not importlib.util.find_spec("mypy"), reason="mypy is not installed")
def test_types_of_a_program(tmp_path):
    (tmp_path / "program.py").write_text(
        """
import marey
from typing_extensions import assert_type

with marey.record("x", ring="1M", tags={"a": 1}) as record:
    assert_type(record, marey.record)
    with marey.span("x", "category", a=[1], b=object()) as span:
        span.set(rows=1)
    track = marey.track("t", "thread")
    track.begin("x", ts=marey.now(), flow=marey.flow(), n=1)
    assert_type(track.counter("c"), marey.Counter)
    assert_type(marey.status()["losses"]["disk"], int)

@marey.traced
def f(a: int) -> str:
    return str(a)

@marey.traced(args=["a"], result=True)
async def g(a: int) -> str:
    return str(a)

@marey.span("x")
def h(a: int) -> str:
    return str(a)

assert_type(f(1), str)
assert_type(h(1), str)
marey.span(5)  # type: ignore[arg-type]
marey.secrets.add("x")
marey.categories.set("a,b")
"""
    )
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--warn-unused-ignores", "program.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout


def test_importing_it_imports_little(script):
    out = script(
        """
import sys
before = set(sys.modules)
import marey
print(*sorted(name for name in set(sys.modules) - before if not name.startswith("marey")))
"""
    )
    assert set(out.split()) <= {"__future__", "errno"}


def test_a_session_works_where_the_pth_file_is_not_read(script, path):
    """As with python -S, or a package that only stands in PYTHONPATH."""
    program = f"""
import subprocess, sys
sys.path[:0] = [{str(PACKAGE.parent)!r}]
import marey, gc
with marey.record(sys.argv[1], children=True):
    code = "import sys, gc; sys.path[:0] = [%r]; import marey; gc.collect()" % sys.path[0]
    code += "; marey.instant('in', 'c')"
    subprocess.run([sys.executable, "-S", "-c", code], check=True)
"""
    script(program, path)
    trace = traces.load(path)
    assert trace.instant("in").category == "c"
    assert trace.named("gc")


# ------------------------------------------------------------------ the command


def run(*command, **options):
    return subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, timeout=60, **options
    )


@installed
def test_python_m_marey_is_the_command():
    done = run(sys.executable, "-m", "marey", "--version")
    assert done.returncode == 0
    assert marey.__version__ in done.stdout
    assert run(sys.executable, "-m", "marey", "no such command").returncode not in (0, 127)


def test_without_the_command_it_says_so(tmp_path):
    """A copy of the package alone."""
    shutil.copytree(PACKAGE, tmp_path / "marey")
    program = f"""
import sys
sys.path = [{str(tmp_path)!r}] + [p for p in sys.path if "site-packages" not in p]
import sysconfig, runpy
sysconfig.get_path = lambda *args: "/nowhere"
sys.argv[1:] = ["--version"]
runpy.run_module("marey", run_name="__main__")
"""
    done = run(sys.executable, "-I", "-c", program)
    assert done.returncode == 127
    assert "not installed" in done.stderr


@installed
def test_marey_run(tmp_path, path):
    (tmp_path / "app.py").write_text(
        """
import asyncio, gc, marey, sys, threading
assert marey.recording()
async def child():
    with marey.span("child"):
        await asyncio.sleep(0)
async def main():
    await asyncio.create_task(child(), name="the child")
asyncio.run(main())
gc.collect()
def work():
    with marey.span("work"):
        pass
thread = threading.Thread(target=work, name="worker")
thread.start(); thread.join()
with marey.record("another file", tags={"run": 5}) as record:
    assert record.path == sys.argv[1]
assert marey.recording()
sys.exit(7)
"""
    )
    done = run("marey", "run", "-o", path, "app.py", path, cwd=tmp_path)
    assert done.returncode == 7, done.stderr
    trace = traces.load(path)
    child = trace.span("child")
    assert child.track.name == "the child"
    assert [e.name for e in trace.flows[child.flows[0]]] == ["create task", "child"]
    assert trace.span("work").track.name == "worker"
    assert trace.named("gc")
    assert trace.attributes["run"] == 5
    assert "app.py" in {t.name for t in trace.tracks.values() if t.kind == "process"}
    assert not (tmp_path / "another file").exists()
