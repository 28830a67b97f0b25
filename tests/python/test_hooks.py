"""The hooks that see every call, below marey.calls.

They are src/python/hook*.c, here with a recorder of the tests' own (tests/hooks/probe.c).
Each program runs in a process of its own: what is tried here could crash it."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HOOKS = ROOT / "tests" / "hooks"
OLD = sys.version_info < (3, 12)

pytestmark = pytest.mark.skipif(not shutil.which("cc"), reason="needs cc")


@pytest.fixture(scope="session")
def probe(tmp_path_factory):
    """The folder with hook_probe, built for this Python."""
    folder = tmp_path_factory.mktemp("probe")
    includes = {sysconfig.get_path("include"), sysconfig.get_path("platinclude")}
    subprocess.run(
        ["cc", "-std=gnu11", "-O2", "-g", "-fPIC", "-shared", "-D_GNU_SOURCE", "-Wall", "-Werror"]
        + [f"-I{ROOT / part}" for part in ("include", "src", "src/python")]
        + [word for include in includes for word in ("-isystem", include)]
        + [str(HOOKS / "probe.c"), *map(str, sorted((ROOT / "src/python").glob("hook*.c")))]
        + ["-o", str(folder / f"hook_probe{sysconfig.get_config_var('EXT_SUFFIX')}")]
        + ["-ldl", "-lpthread"],
        check=True,
    )
    return folder


@pytest.fixture
def run(probe, tmp_path):
    """run(text, *args, status=0): a program that may import hook_probe as p; returns its lines."""

    def do(text, *args, status=0):
        file = tmp_path / "program.py"
        file.write_text(text)
        return do_file(file, *args, status=status)

    def do_file(file, *args, status=0):
        path = os.pathsep.join([str(probe), str(HOOKS), os.environ.get("PYTHONPATH", "")])
        env = {**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": "0", "PYTHONFAULTHANDLER": "1"}
        done = subprocess.run(
            [sys.executable, str(file), *args],
            env=env,
            capture_output=True,
            text=True,
            timeout=120,
            cwd=tmp_path,
        )
        assert done.returncode == status, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout.splitlines()

    do.file = do_file
    return do


# The beginning of the programs: see tests/hooks/see.py.
SEE = """
import sys
import hook_probe as p
from see import on, off, counts
"""


# ------------------------------------------------------------- against cProfile


@pytest.mark.parametrize(
    "work",
    [
        "json_both_ways",
        "jinja",
        "pip",
        "highlight",
        "decimals",
        "operators",
        "recursion",
        "generators",
        "tasks",
    ],
)
def test_counts_are_those_of_cprofile(run, work):
    lines = run.file(HOOKS / "against_cprofile.py", work)
    assert len(lines) == 1, lines
    assert int(lines[0].split()[0]) > 100, lines


def test_c_functions_are_those_of_cprofile(run):
    lines = run.file(HOOKS / "against_cprofile.py", "--c", "highlight")
    assert len(lines) == 1, lines
    assert int(lines[0].split()[0]) > 1000, lines


# ------------------------------------------------------------------ what is told


def test_a_call_its_arguments_and_its_result(run):
    assert run(
        SEE
        + """
def f(a, b=2, *more, c, d=4, **rest):
    inner = lambda: (a, d, more)  # their places are cells
    return len(more)
def g(): pass
on(); f(1, "x", 3, c=5, e=6); f(1, c=2); g(); told = off()
print(*told, sep="\\n")
"""
    ) == [
        "> f a=1, b='x', c=5, d=4, more=<1>, rest=dict",
        "r f 1",
        "> f a=1, b=2, c=2, d=4, more=<0>, rest=dict",
        "r f 0",
        "> g",
        "r g NoneType",
    ]


def test_an_argument_that_is_a_cell_itself(run):
    assert run(
        SEE
        + """
def f(cell): pass
def g(cell): return lambda: cell
cell = (lambda x: lambda: x)(1).__closure__[0]
on(); f(cell); g(cell); told = off()
print(told[0], told[2], sep="\\n")
"""
    ) == ["> f cell=cell", "> g cell=cell"]


def test_exceptions_that_pass_and_those_that_are_caught(run):
    assert run(
        SEE
        + """
def raises(n):
    if n: raises(n - 1)
    else: {}["key"]
def catches():
    try: raises(1)
    except KeyError: return "caught"
class Own(Exception):
    def __init__(self, text): super().__init__(text); print("made", text)
def own(): raise Own("once")
on(); catches()
try: own()
except Own: pass
print(*off(), sep="\\n")
"""
    ) == [
        "made once",
        "> catches",
        " > raises n=1",
        "  > raises n=0",
        "  x raises KeyError()",
        " x raises KeyError()",
        "r catches 'caught'",
        "> own",
        " > __init__ self=Own(), text='once'",
        " r __init__ NoneType",
        "x own Own()",
    ]


def test_the_pieces_of_generators(run):
    assert run(
        SEE
        + """
def inner(n):
    got = yield n
    return got
def outer():
    try: yield (yield from inner(1))
    except KeyError: yield "caught"
on()
g = outer(); next(g); g.send("sent"); g.throw(KeyError)
try: next(g)
except StopIteration: pass
print(*off(), sep="\\n")
"""
    ) == [
        "> outer",
        " > inner n=1",
        " y inner 1",
        "y outer 1",
        "~ outer",
        " ~ inner",
        " r inner 'sent'",
        "y outer 'sent'",
        "! outer",
        "y outer 'caught'",
        "~ outer",
        "r outer NoneType",
    ]


def test_generators_that_are_closed_freed_or_never_begun(run):
    """CPython 3.13 does not run a generator for a close() that nothing in it could see."""
    run(
        SEE
        + """
import gc
def g():
    try: yield 1
    finally: done.append(1)
done = []
on()
a = g(); next(a); a.close()
b = g(); next(b); del b
d = g(); del d
e = g()
try: e.throw(ValueError)
except ValueError: pass
gc.collect()
off()
entered, resumed, thrown, returned, yielded, awaits, raised, lost = counts("g")
assert (entered, resumed, yielded, lost) == (2, 0, 2, 0), counts("g")
assert thrown == raised >= 3, counts("g")
assert done == [1, 1]
"""
    )


def test_coroutines_and_asynchronous_generators(run):
    assert run(
        SEE
        + """
class Wait:
    def __await__(self): yield "to the loop"
async def leaf(): await Wait(); return 1
async def numbers():
    yield await leaf()
async def main():
    async for n in numbers(): return n
on()
c = main(); c.send(None)
try: c.send(None)
except StopIteration as stop: assert stop.value == 1
told = off()
print(*[line for line in told if "await" not in line], sep="\\n")
"""
    )[:11] == [
        "> main",
        " > numbers",
        "  > leaf",
        "  a leaf NULL",
        " a numbers NULL",
        "a main NULL",
        "~ main",
        " ~ numbers",
        "  ~ leaf",
        "  r leaf 1",
        " y numbers 1",
    ]


def test_c_functions_in_the_calls_that_make_them(run):
    told = run(
        SEE
        + """
def key(x): return abs(x)
def f():
    sorted([2, 1], key=key)
    try: [].index(3)
    except ValueError: pass
on(True); f(); told = off(True)
print(*[line.split(" built")[0].split(" method")[0] for line in told], sep="\\n")
"""
    )
    inside = ["  > key x=2", "   c", "   r NULL", "  r key 2"]
    inside += ["  > key x=1", "   c", "   r NULL", "  r key 1"]
    assert told == ["> f", " c", *inside, " r NULL", " c", " x NULL", "r f NoneType"]


# --------------------------------------------------------------------- who asks


def test_filters_that_change_while_calls_are_open(run):
    run(
        SEE
        + """
def leaf(): pass
def switch(n):
    leaf()
    p.only("nothing" if n == 1 else __file__)
    leaf()
    if n: switch(n - 1)
    leaf()
on(); switch(2); leaf(); off()
# 2: seen; within it 1: seen, turns off; within it 0: not seen, turns on again
assert counts("switch")[:1] == [2] and counts("switch")[3] == 2, counts("switch")
assert counts("leaf")[0] == 2 + 1 + 1 + 1 + 1 + 1 + 1, counts("leaf")
assert p.totals()["open"] == 0 and p.totals()["unnested"] == 0, p.totals()
"""
    )


def test_several_users(run):
    run(
        SEE
        + """
def f(): len([])
on(); p.start(True, False, True, __file__)
f(); p.stop(True); f(); p.stop(False); f(); off()
assert counts("f")[0] == 2 and p.totals()["c_entered"] in (1, 2), (counts("f"), p.totals())
p.stop(False)  # one too many
on(); f(); off()
assert counts("f")[0] == 1
"""
    )


def test_calls_that_are_open_when_it_starts_and_stops(run):
    run(
        SEE
        + """
def leaf(): return 1
def starts():
    leaf(); on(); leaf()
    return leaf()
def outer():
    starts(); leaf()
def stops():
    leaf(); off(); leaf()
def deep(n, do):
    if n: deep(n - 1, do)
    else: do()
outer()
def generator():
    yield 1
    leaf()
    yield 2
running = generator(); next(running)
off(); outer(); next(running)
deep(3, stops); off()
assert counts("leaf")[0] == 2 + 1 + 1 + 1, counts("leaf")
assert counts("starts")[0] == counts("outer")[0] == 0
assert counts("deep")[0] == 4 and counts("deep")[3] == 0
assert p.totals()["unnested"] == 0, p.totals()
for _ in range(100): deep(2, on); leaf(); deep(2, stops)
assert p.totals()["bad"] == 0 and p.totals()["unnested"] == 0, p.totals()
"""
    )


# -------------------------------------------------------------------- recursion


def test_the_recursion_limit_is_where_it_was(run):
    run(
        SEE
        + """
def down(n):
    global deepest
    deepest = n
    down(n + 1)
def through_c(n):
    global deepest
    deepest = n
    list(map(through_c, [n + 1]))
def depth(function):
    try: function(0)
    except RecursionError as error: text = str(error)
    return deepest, text
for function in down, through_c:
    depth(function)
    before = depth(function)
    on(); during = depth(function); off()
    assert before == during, (before, during)
assert sys.getrecursionlimit() == 1000
totals = p.totals()
assert not totals["unnested"] and not totals["memory"] and not totals["open"], totals
"""
    )


def test_deep_recursion_does_not_run_out_of_the_c_stack(run):
    """Calls from Python to Python need no C stack since 3.11: there may be as many as memory
    holds."""
    run(
        SEE
        + """
import threading
def down(n): return down(n - 1) + 1 if n else 0
sys.setrecursionlimit(10**6)
most = 150_000 if sys.version_info >= (3, 11) else 8_000
def check():
    on()
    assert down(most) == most
    assert down(10) == 10
    off()
    entered, returned = counts("down")[0], counts("down")[3]
    assert entered == returned and not p.totals()["bad"], (entered, p.totals())
    if sys.version_info >= (3, 12): assert entered == most + 12, entered
    elif sys.version_info >= (3, 11):
        assert p.totals()["deep"] and 500 < entered < most, (entered, p.totals())
check()
if sys.version_info >= (3, 11):
    threading.stack_size(512 << 10)
    thread = threading.Thread(target=check); thread.start(); thread.join()
"""
    )


def test_a_million_generators_deep(run):
    run(
        SEE
        + """
def chain(source):
    for item in source: yield item + 1
chains = [iter([0])]  # all are kept: CPython itself does not bear to free one within the other
for _ in range(1_000_000): chains.append(chain(chains[-1]))
sys.setrecursionlimit(900)
on()
try: next(chains[-1])
except RecursionError: print("too deep")
off()
assert sum(counts("chain")[:3]) == sum(counts("chain")[3:]) > 100, counts("chain")
import os; os._exit(0)
"""
    )


def test_tracebacks_are_as_they_were(run):
    run(
        SEE
        + """
import traceback
def inner(): raise ValueError("text")
def outer():
    try: inner()
    except ValueError as error: raise KeyError("other") from error
def text():
    try: outer()
    except KeyError: return traceback.format_exc()
text()
before = text(); on(); during = text(); off()
assert before == during.replace("", ""), (before, during)
"""
    )


def test_nothing_is_kept(run):
    run(
        SEE
        + """
import gc, weakref
class Big: pass
def f(x):
    y = x
    return x
def fails(x): raise ValueError(x)
def g(x): yield x
on()
big = Big(); ref = weakref.ref(big)
refs = sys.getrefcount(big)
f(big); assert sys.getrefcount(big) == refs
try: fails(big)
except ValueError: pass
list(g(big))
w = g(big); next(w); del w
del big
assert ref() is None
off()
"""
    )


# ---------------------------------------------------------------------- threads


def test_threads_that_run_already_and_threads_that_come(run):
    run(
        SEE
        + """
import threading
def leaf(): return 1
def work(begun, go):
    begun.release(); go.acquire()
    for _ in range(1000): leaf()
def outer(*args): work(*args)
begun, go = threading.Semaphore(0), threading.Semaphore(0)
old = [threading.Thread(target=outer, args=(begun, go)) for _ in range(4)]
for t in old: t.start()
for t in old: begun.acquire()
on()
new = [threading.Thread(target=outer, args=(begun, go)) for _ in range(4)]
for t in new: t.start()
for t in old + new: go.release()
for t in old + new: t.join()
off()
assert counts("leaf")[0] == counts("leaf")[3] == 8000, counts("leaf")
assert counts("work")[0] == 4, counts("work")
assert p.totals()["unnested"] == 0, p.totals()
"""
    )


def test_started_and_stopped_while_threads_call(run):
    run(
        SEE
        + """
import threading, time
def leaf(n):
    if n: leaf(n - 1)
def g():
    yield 1
    leaf(2)
    yield 2
def work():
    while not done: leaf(5); list(g())
done = False
threads = [threading.Thread(target=work) for _ in range(4)]
sys.setswitchinterval(1e-4)
for t in threads: t.start()
for i in range(60):
    p.start(i % 2, False, False, __file__); time.sleep(0.002)
    if i % 3: p.only("nothing"); p.only(__file__)
    p.stop(i % 2)
done = True
for t in threads: t.join()
totals = p.totals()
assert not totals["bad"] and not totals["memory"], totals
entered = counts("leaf")
assert entered[0] > 1000, entered
"""
    )


def test_fork(run):
    run(
        SEE
        + """
import os
def leaf(): return 1
def child():
    leaf()
    return os.fork() or leaf()
on()
pid = child()
if pid == 1:
    leaf()
    p.stop(False)
    bad = p.totals()["bad"] or p.totals()["unnested"]
    os._exit(1 if bad or counts("leaf")[0] != 3 or counts("child")[3] else 0)
off()
_, status = os.waitpid(pid, 0)
assert status == 0, status
assert counts("leaf")[0] == 1 and counts("child")[3] == 1
"""
    )


def test_the_interpreter_ends_with_the_hook_on(run):
    assert run(
        SEE
        + """
import atexit, threading
class Last:
    def __del__(self): leaf()
def leaf(): pass
def forever():
    while True: leaf()
last = Last(); last.me = last
also = Last()
atexit.register(leaf)
threading.Thread(target=forever, daemon=True).start()
on(True)
leaf()
print("ends")
"""
    ) == ["ends"]


def test_another_copy_of_the_module(run):
    run(
        SEE
        + """
first = p
del sys.modules["hook_probe"]
import hook_probe as second
def f(): pass
on()
if second is not first:
    try: second.start(False, False, False, "")
    except RuntimeError as error: assert "another copy" in str(error)
    else: raise AssertionError
f(); off()
second.start(False, False, False, __file__); f(); second.stop(False)
"""
    )


def test_subinterpreters(run):
    """The hook is the interpreter's that started it."""
    run(
        SEE
        + """
try: import _xxsubinterpreters as subs
except ImportError:
    try: import _interpreters as subs
    except ImportError: sys.exit()
def f(): pass
other = subs.create()
inside = '''
import hook_probe as p
def f(): pass
p.start(False, False, False, "")
f(); f()
p.stop(False)
f()
'''
run_it = getattr(subs, "exec", None) or subs.run_string
on(); f()
failed = run_it(other, inside)
assert not failed, failed
f(); off()
by_file = {file: n[0] for (file, line, name), n in p.counts().items() if name == "f"}
assert by_file.pop(__file__) == 2 and list(by_file.values()) == [2], by_file
p.start(False, False, False, "")
subs.destroy(other)
f()
p.stop(False)
"""
    )


# ----------------------------------------------------------- others with a hook


def test_programs_that_set_a_profiler_or_a_tracer(run):
    run(
        SEE
        + """
import cProfile
seen = []
def own(frame, event, arg):
    if frame.f_code.co_name in "f helper": seen.append((event, frame.f_code.co_name))
    return own
def helper(): pass
def f(): helper(); len([])
for c_calls in False, True:
    for setter, getter in (sys.setprofile, sys.getprofile), (sys.settrace, sys.gettrace):
        seen.clear(); setter(own); f(); setter(None); without = list(seen)
        on(c_calls); f(); seen.clear()
        setter(own); f(); assert getter() is own; setter(None)
        f(); off(c_calls)
        assert seen == without, (seen, without)
        assert counts("f")[0] == counts("helper")[0] == 3, (counts("f"), setter)
        assert counts("own") == [0] * 8, "the tracer is no part of the program"
        if c_calls: assert p.totals()["c_entered"] >= 3, p.totals()
        assert getter() is None
        seen.clear(); setter(own); on(c_calls); f(); assert getter() is own; off(c_calls)
        f(); assert getter() is own
        setter(None)
        assert ("call", "f") in seen and counts("f")[0] == 1
on(True)
profile = cProfile.Profile(); profile.enable(); f(); profile.disable(); f(); off(True)
assert counts("f")[0] == 2
calls = {getattr(e.code, "co_name", e.code): e.callcount for e in profile.getstats()}
assert calls["f"] == 1
"""
    )


@pytest.mark.skipif(OLD, reason="sys.monitoring is of 3.12")
def test_other_tools_of_sys_monitoring(run):
    run(
        SEE
        + """
m = sys.monitoring; E = m.events
def f(): return 1
def tool(code, offset, *rest): seen.append(code.co_name)
seen = []
m.use_tool_id(2, "other"); m.register_callback(2, E.PY_START, tool); m.set_events(2, E.PY_START)
on(); f(); off()
assert seen.count("f") == 1 and counts("f")[0] == 1
f(); assert seen.count("f") == 2
taken = [m.get_tool(i) for i in range(6)]
assert taken == [None, None, "other", None, None, None], taken
m.use_tool_id(4, "four"); on(); f(); assert m.get_tool(3) == "marey"; off()
m.use_tool_id(3, "three"); m.use_tool_id(5, "five")
try: on()
except RuntimeError as error: text = str(error)
assert "four (4)" in text and "three (3)" in text and "five (5)" in text, text
m.free_tool_id(4)
on(); f(); m.free_tool_id(4); m.use_tool_id(4, "thief"); f(); off()
assert m.get_tool(4) == "thief"
"""
    )


@pytest.mark.skipif(OLD, reason="sys.monitoring is of 3.12")
def test_a_tool_that_raises(run):
    run(
        SEE
        + """
m = sys.monitoring; E = m.events
def leaf(): return 1
def outer():
    try: leaf()
    except ValueError: return "caught"
def fails(code, *rest):
    if code.co_name == "leaf": raise ValueError
for event in E.PY_START, E.PY_RETURN:
    for tool in 0, 5:
        m.use_tool_id(tool, "fails"); m.register_callback(tool, event, fails)
        m.set_events(tool, event)
        on(); assert outer() == "caught"; off()
        assert p.totals()["open"] == 0, p.totals()
        m.set_events(tool, 0); m.free_tool_id(tool)
"""
    )


@pytest.mark.skipif(not OLD, reason="frame evaluation is the hook before 3.12")
def test_other_evaluators(run):
    run(
        SEE
        + """
def f(): pass
# There before: called by us, and there again afterwards.
p.evaluator(1); on(); f(); before = p.evaluated(); f(); assert p.evaluated() > before; off()
before = p.evaluated(); f(); assert p.evaluated() == before + 1
p.evaluator(0)
assert counts("f")[0] == 2
# Comes later, and calls us: we stay below him, and go on when started again.
on(); p.evaluator(1); f(); off(); assert counts("f")[0] == 1
f()
on(); f(); off(); assert counts("f")[0] == 1, counts("f")
p.evaluator(0)  # puts us back
on(); f(); off(); assert counts("f")[0] == 1
before = p.evaluated(); f(); assert p.evaluated() == before
# Comes later, and calls nobody.
on(); p.evaluator(2); f(); off()
try: on()
except RuntimeError as error: assert "hook_probe" in str(error), error
else: raise AssertionError
p.evaluator(3)  # puts the interpreter's own back
on(); f(); off(); assert counts("f")[0] == 1
"""
    )


def test_greenlets(run):
    """Calls that do not nest: told as lost, never a crash."""
    pytest.importorskip("greenlet")
    run(
        SEE
        + """
import greenlet
def leaf(): pass
def deep(n, other):
    leaf()
    if n: deep(n - 1, other)
    else:
        for _ in range(3): other().switch(); leaf()
    leaf()
def a(): deep(5, lambda: second)
def b(): deep(3, lambda: first)
on()
first, second = greenlet.greenlet(a), greenlet.greenlet(b)
first.switch(); second.switch(); leaf()
off()
totals = p.totals()
assert totals["open"] == 0 and totals["unnested"] > 0, totals
entered, *rest = counts("deep")
assert entered == sum(rest[2:]), counts("deep")
"""
    )
