"""dropins.py FOLDER: each drop-in of marey.compat beside the tool whose interface it has.

FOLDER takes the files that they write. A tool that is not installed is left out. Emits series, see
series.py:
dropins.keke         a span, `with kev("x")`
dropins.tracepatch   a traced call with its arguments: fib(15), of trace()
dropins.tg4perfetto  a call of a function under @trace_func
dropins.live_trace   a sample of ten threads, eleven calls deep and more, into a file
dropins.ox_profile   the same, by a SimpleLauncher at 1,000 Hz: CPU time of the process a sample, of
                     which most is to be woken as often
dropins.ox_profile_100  of a hundred threads
"""

import importlib
import sys
import threading
import time
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path

from series import QUICK, Contestant, emit, race

ROUNDS = 7
SPANS, CALLS, SAMPLES = 20_000, 1_973, 50
THREADS, MANY, DEPTH = 10, 100, 11


def both(name):
    """(who, module) of the original, where there is one, and of the drop-in."""
    for who, where in (("original", name), ("marey", f"marey.compat.{name}")):
        try:
            yield who, importlib.import_module(where)
        except ImportError:
            print(f"bench: {where} is not installed: left out", file=sys.stderr)


# ---- spans


def race_keke(folder):
    def loop(keke, n):
        for _ in range(n):
            with keke.kev("x"):
                pass

    @contextmanager
    def on(keke, path):
        with open(path, "w") as file, keke.TraceOutput(file=file):
            yield

    made = [
        Contestant(who, partial(loop, keke), SPANS, partial(on, keke, folder / f"keke-{who}"))
        for who, keke in both("keke")
    ]
    race("dropins.keke", made, ROUNDS)


def race_tg4perfetto(folder):
    def contestant(who, tool):
        @tool.trace_func
        def traced():
            pass

        def loop(n):
            for _ in range(n):
                traced()

        # Only where it is called is the file made, and only the drop-in's is complete afterwards.
        return Contestant(who, loop, SPANS, lambda: tool.open(str(folder / f"tg4-{who}")))

    race("dropins.tg4perfetto", [contestant(*one) for one in both("tg4perfetto")], ROUNDS)


# ---- calls


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def race_tracepatch():
    def on(tool):
        return tool.trace(max_calls=10**9, max_depth=100, cache=False)

    made = [
        Contestant(who, lambda n: fib(15), CALLS, partial(on, tool))
        for who, tool in both("tracepatch")
    ]
    race("dropins.tracepatch", made, ROUNDS)


# ---- samples


@contextmanager
def waiting(count):
    """So many threads that wait, some calls deep."""
    ended = threading.Event()

    def wait(depth):
        return wait(depth - 1) if depth else ended.wait()

    threads = [threading.Thread(target=wait, args=(DEPTH,)) for _ in range(count)]
    for thread in threads:
        thread.start()
    time.sleep(0.1)
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def race_live_trace(folder):
    def contestant(who, name):
        tracer = importlib.import_module(f"{name}.tracer")
        writer = importlib.import_module(f"{name}.writer")
        log = writer.WriterToLogTemplate(str(folder / f"live-{who}"))
        one = tracer.Tracer(log)

        def loop(n):
            for _ in range(n):
                one.log_stacktraces()

        return Contestant(who, loop, SAMPLES, nullcontext)

    made = [contestant(who, module.__name__) for who, module in both("live_trace")]
    with waiting(THREADS):
        race("dropins.live_trace", made, ROUNDS)


def samples_of_ox_profile(group, threads):
    """A second of samples for each, in turns; samples are what each says that it took."""
    found = {}
    with waiting(threads):
        for _ in range(1 if QUICK else 5):
            for who, module in both("ox_profile"):
                launchers = importlib.import_module(f"{module.__name__}.core.launchers")
                launcher = launchers.SimpleLauncher(interval=0.001)
                launcher.start()
                launcher.unpause()
                began = time.process_time_ns()
                time.sleep(1)
                spent = time.process_time_ns() - began
                launcher.pause()
                found.setdefault(who, []).append(spent / launcher.tracker.calls)
                launcher.cancel()
                launcher.unpause()
    for who, series in found.items():
        emit(group=group, who=who, process_ns=series, thread_ns=series)


def main():
    folder = Path(sys.argv[1])
    race_keke(folder)
    race_tg4perfetto(folder)
    race_tracepatch()
    race_live_trace(folder)
    samples_of_ox_profile("dropins.ox_profile", THREADS)
    samples_of_ox_profile("dropins.ox_profile_100", MANY)


main()
