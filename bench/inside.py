"""inside.py FOLDER: what it costs a computing thread to be sampled from within its process, beside
the tools that do it in Python, in the Python that runs it.

Emits series, see series.py:
inside         one round of computing, 15 calls deep, alone and with each sampler on
inside.rates   how many samples a second each took: asked for, and taken
inside.start   how long Sampler.start() and stop() take
inside.memory  what the process grew by while millions of samples were added up
FOLDER takes the files of those that write any.
"""

import sys
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from series import Contestant, emit, race

import marey

try:
    import live_trace.main as live_trace
except ImportError:
    live_trace = None
try:
    from ox_profile.core.launchers import SimpleLauncher
except ImportError:
    SimpleLauncher = None

RATES = (100, 1_000, 10_000)
DEPTH, FIB, COUNT, ROUNDS, STARTS = 15, 20, 150, 21, 200
MEMORY_SECONDS = 10
HARDLY = 10  # so many ticks without a sample are a fault


# ---- the work


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def deeper(depth, function):
    return deeper(depth - 1, function) if depth else function()


def compute(n):
    """A fibonacci number n times, far down."""
    for _ in range(n):
        deeper(DEPTH, partial(fib, FIB))


# ---- the samplers; each yields a function that says how many samples it has taken


@contextmanager
def marey_on(hz):
    with marey.sample(hz=hz) as sampler:
        yield lambda: sampler.stats().samples
        rest = sampler.stats()
    if not rest.samples and rest.ticks >= HARDLY:
        raise RuntimeError(f"no sample: {rest}")


@contextmanager
def live_trace_on(folder, interval=0.0001):
    path = folder / "live-trace.log"
    tracer = live_trace.start(interval=interval, outfile_template=str(path))
    yield lambda: path.read_bytes().count(b"#START") if path.exists() else 0
    tracer.stop()
    path.unlink(missing_ok=True)


@contextmanager
def ox_profile_on(interval=0.0001):
    launcher = SimpleLauncher.launch()
    launcher.set_interval(interval)
    yield lambda: launcher.tracker.calls
    launcher.cancel()
    launcher.join()


def contestants(folder):
    """{name: (samples a second asked for, how to switch it on)}"""
    found = {f"marey {hz:,} Hz": (hz, partial(marey_on, hz)) for hz in RATES}
    if live_trace:
        found["live-trace 10,000 Hz"] = (10_000, partial(live_trace_on, folder))
    if SimpleLauncher:
        found["ox_profile 10,000 Hz"] = (10_000, ox_profile_on)
    return found


def rates(found):
    """What each takes of a thread that computes for two seconds."""
    for who, (hz, around) in found.items():
        with around() as taken:
            before, start = taken(), time.perf_counter()
            while time.perf_counter() - start < 2:
                compute(10)
            seconds = time.perf_counter() - start
            emit(group="inside.rates", who=who, asked=hz, taken=(taken() - before) / seconds)


def starts():
    """Nanoseconds of each start and each stop."""
    series = {"start": [], "stop": []}
    sampler = marey.Sampler(hz=1000)
    for _ in range(STARTS):
        times = [time.perf_counter_ns()]
        for call in (sampler.start, sampler.stop):
            call()
            times.append(time.perf_counter_ns())
        series["start"].append(times[1] - times[0])
        series["stop"].append(times[2] - times[1])
        compute(1)
    for who, ns in series.items():
        emit(group="inside.start", who=who, wall_ns=ns)


def resident():
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) << 10
    raise LookupError("VmRSS")


def memory():
    """A sampler that has seen everything once, and then again and again."""
    with marey.sample(hz=10_000) as sampler:
        compute(300)
        before, samples = resident(), sampler.stats().samples
        end = time.monotonic() + MEMORY_SECONDS
        while time.monotonic() < end:
            compute(10)
        samples = sampler.stats().samples - samples
        emit(group="inside.memory", samples=samples, grown=resident() - before)


def main():
    folder = Path(sys.argv[1])
    found = contestants(folder)
    computing = [Contestant("nothing", compute, COUNT)]
    computing += [Contestant(who, compute, COUNT, around) for who, (_, around) in found.items()]
    race("inside", computing, ROUNDS)
    rates(found)
    starts()
    memory()


if __name__ == "__main__":
    main()
