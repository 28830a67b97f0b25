"""Programs that would show it if `marey run --calls` changed anything, and programs that are
killed."""

import os
import signal
import struct
import subprocess
import sys
import time

import calls_seen
import pytest
from command import find_marey
from perfetto.protos.perfetto.trace import perfetto_trace_pb2 as protos

RECURSION = """
import sys, threading
def down(n):
    global deepest
    deepest = n
    return down(n + 1)
def through_c(n):
    global deepest
    deepest = n
    return list(map(through_c, [n + 1]))
def depth(function):
    try: function(0)
    except RecursionError as error: return deepest, str(error), sys.getrecursionlimit()
for function in down, through_c: print(depth(function), depth(function))
"""

DEEP = """
import sys, threading
def down(n): return down(n - 1) + 1 if n else 0
sys.setrecursionlimit(10**6)
most = 30_000 if sys.version_info >= (3, 11) else 5_000
print(down(most))
if sys.version_info >= (3, 11):
    threading.stack_size(256 << 10)
    thread = threading.Thread(target=lambda: print(down(most)))
    thread.start(); thread.join()
"""

GENERATORS = """
import sys
def chain(source):
    for item in source: yield item + 1
chains = [iter([0])] * 1_000_001
for i in range(1_000_000): chains[i + 1] = chain(chains[i])
try: next(chains[-1])
except RecursionError: print("too deep")
short = iter([0])
for _ in range(100): short = chain(short)
print(next(short))
sys.stdout.flush()
import os; os._exit(0)
"""

TRACERS = """
import sys
def helper(): return 1
def f(): helper(); len([])
def own(frame, event, arg):
    if frame.f_code.co_name in "f helper": seen.append((event, frame.f_code.co_name))
    return own
for setter, getter in (sys.setprofile, sys.getprofile), (sys.settrace, sys.gettrace):
    seen = []
    before = getter(); setter(own); f(); setter(before)
    print(seen, before)
    f()
import cProfile
profile = cProfile.Profile()
profile.runcall(f)
print(sorted(e.code.co_name for e in profile.getstats() if not isinstance(e.code, str)))
"""

TRACEBACKS = """
import contextlib, sys, traceback
class Own(Exception):
    def __str__(self): print("asked"); return "own"
def raises(): raise Own
def wraps():
    try: raises()
    except Own as error: raise KeyError("k") from error
try: wraps()
except KeyError: print(traceback.format_exc().replace("~", "").replace("^", ""))
def g():
    try: yield
    except GeneratorExit: print("closed"); raise
a = g(); next(a); del a
with contextlib.suppress(StopIteration): next(iter(()))
print(sys.exc_info())
wraps()
"""

ENDS = """
import atexit, os, sys, threading, warnings
warnings.simplefilter("ignore")  # of forks while threads run: it names the process
def leaf(): return 1
class Last:
    def __del__(self): leaf(); print("gone")
def forever():
    while True: leaf()
last = Last()
threading.Thread(target=forever, daemon=True).start()
atexit.register(lambda: print(leaf()))
child = os.fork()
if not child:
    leaf()
    os._exit(3)
print(os.waitpid(child, 0)[1])
sys.stdout.flush()
def exits(): leaf(); sys.exit(5)
exits()
"""

PROGRAMS = {
    "recursion": RECURSION,
    "deep": DEEP,
    "generators": GENERATORS,
    "tracers": TRACERS,
    "tracebacks": TRACEBACKS,
    "ends": ENDS,
}


def outcome(command, folder):
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=120
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("options", [["--include", "__main__"], ["--args", "--c-calls"]])
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_does_what_it_does_without(name, options, tmp_path):
    (tmp_path / "app.py").write_text(PROGRAMS[name])
    plain = outcome([sys.executable, "app.py"], tmp_path)
    marey = [find_marey(), "run", "-q", "--no-samples", "--calls", *options, "app.py"]
    assert outcome(marey, tmp_path) == plain
    trace = protos.Trace.FromString((tmp_path / "app.perfetto-trace").read_bytes())
    assert sum(packet.HasField("track_event") for packet in trace.packet) > 20


KILLED = """
import mmap, os, struct, sys, threading, time
notes = mmap.mmap(os.open(sys.argv[1], os.O_RDWR), 4096)
def leaf(i): return i
def pieces():
    while True: yield leaf(0)
def work(slot):
    done, source = 0, pieces()
    while True:
        leaf(done) if slot else next(source)
        done += 1
        struct.pack_into("<Q", notes, 8 * slot, done)
        if not done % 64: time.sleep(0.002)  # or there is much to decode
for slot in range(3): threading.Thread(target=work, args=(slot,), name=f"slot {slot}").start()
"""


@pytest.mark.parametrize("wait", [0.0, 0.02])
def test_no_call_is_lost_by_a_kill(wait, tmp_path):
    (tmp_path / "app.py").write_text(KILLED)
    notes = tmp_path / "notes"
    notes.write_bytes(bytes(4096))
    command = [find_marey(), "run", "-q", "--no-samples", "--calls", "--include", "__main__"]
    process = subprocess.Popen(
        [*command, "app.py", str(notes)], cwd=tmp_path, start_new_session=True
    )
    try:
        deadline = time.monotonic() + 60
        while not all(struct.unpack("<3Q", notes.read_bytes()[:24])):
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.005)
        time.sleep(wait)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    seen = calls_seen.of_file(tmp_path / "app.perfetto-trace")
    leaves = seen.named("leaf")
    for slot, done in enumerate(struct.unpack("<3Q", notes.read_bytes()[:24])):
        mine = [node for node in leaves if node.track == f"slot {slot}"]
        assert done <= len(mine) <= done + 1, (slot, done, len(mine))
        open_ones = [node for node in mine if node.pieces[-1].end is None]
        assert len(open_ones) <= 1
