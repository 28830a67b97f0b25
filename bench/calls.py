"""calls.py FOLDER: what a recorded call costs, beside a bare hook and the tools that trace calls,
in the Python that runs it.

The work is a Fibonacci number: calls and next to nothing else. FOLDER takes the trace of a session.
Emits series, see series.py:
calls        nothing but the time of calls is recorded
calls.args   with arguments and results
calls.off    calls that are filtered out
and how many bytes a call takes, and how much memory ten million do that go into a file.
Fails where a scope does not hold the calls that there were.
"""

import cProfile
import subprocess
import sys
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import hook_floor
from series import Contestant, emit, race, warm_memory

import marey

try:
    from viztracer import VizTracer
except ImportError:
    VizTracer = None
try:
    import tracepatch
except ImportError:  # it wants 3.10
    tracepatch = None

FIB, CALLS, ROUNDS = 20, 21_891, 11
COUNT, SLOW_COUNT = 10 * CALLS, CALLS
MANY = 10_000_000
BARE = {"args": False, "results": False}


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def work(n):
    for _ in range(n // CALLS):
        fib(FIB)


# ---- switching on


@contextmanager
def floor_on():
    hook_floor.on()
    try:
        yield
    finally:
        hook_floor.off()


@contextmanager
def marey_on(**options):
    with marey.calls(max_calls=10**9, max_depth=100, **options) as scope:
        yield
    wanted = 0 if options.get("ignore") else COUNT
    assert abs(scope.call_count - wanted) < 100, scope.call_count


@contextmanager
def marey_session(folder):
    with marey.record(folder / "calls.perfetto-trace"), marey_on(**BARE):
        yield


@contextmanager
def cprofile_on():
    profile = cProfile.Profile()
    profile.enable()
    yield
    profile.disable()


@contextmanager
def viztracer_on(**options):
    tracer = VizTracer(tracer_entries=2 * COUNT, verbose=0, **options)
    tracer.start()
    yield
    tracer.stop()
    tracer.clear()
    tracer.terminate()
    sys.setprofile(None)


@contextmanager
def tracepatch_on():
    with tracepatch.trace(max_calls=10**9, max_depth=100, cache=False):
        yield


# ---- the races


def contestants(count=COUNT, **arounds):
    plain = [Contestant("loop", work, COUNT)]
    named = {who.replace("_", " "): around for who, around in arounds.items()}
    return plain + [Contestant(who, work, count, around) for who, around in named.items()]


def race_bare(folder):
    others = {"cProfile": cprofile_on}
    if VizTracer:
        others["viztracer"] = viztracer_on
    race(
        "calls",
        contestants(
            floor=floor_on,
            marey=partial(marey_on, **BARE),
            marey_into_a_session=partial(marey_session, folder),
            **others,
        ),
        ROUNDS,
    )


def race_args():
    made = contestants(marey=marey_on)
    if VizTracer:
        around = partial(viztracer_on, log_func_args=True, log_func_retval=True)
        made.append(Contestant("viztracer", work, SLOW_COUNT, around))
    if tracepatch:
        made.append(Contestant("tracepatch", work, SLOW_COUNT, tracepatch_on))
    race("calls.args", made, ROUNDS)


def race_off():
    others = {}
    if VizTracer:
        others["viztracer"] = partial(viztracer_on, exclude_files=[__file__])
    race("calls.off", contestants(marey=partial(marey_on, ignore="*", **BARE), **others), ROUNDS)


def sizes():
    for who, options in {"marey": BARE, "marey, arguments and result": {}}.items():
        with marey.calls(max_calls=10**9, max_depth=100, **options) as scope:
            work(COUNT)
        path = Path(sys.argv[1]) / "size.perfetto-trace"
        scope.save(path)
        emit(group="calls.bytes", who=who, bytes=path.stat().st_size / scope.call_count)
        path.unlink()


def memory_of_many(folder):
    """As `marey run --calls` records: into the file alone, nothing kept."""
    path = folder / "many.perfetto-trace"
    program = f"""
from pathlib import Path
import marey
from marey import _program_calls
def peak():
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) * 1024
def nothing():
    pass
with marey.record({str(path)!r}):
    _program_calls.start("")
    for _ in range(10_000):
        nothing()
    before = peak()
    for _ in range({MANY}):
        nothing()
    print(peak() - before)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    size = path.stat().st_size
    path.unlink()
    assert size > 20 * MANY, size
    emit(group="calls.memory", who="marey", grown=int(done.stdout), file_bytes=size)


def main():
    folder = Path(sys.argv[1])
    memory_of_many(folder)
    warm_memory(folder)
    race_bare(folder)
    race_args()
    race_off()
    sizes()


main()
