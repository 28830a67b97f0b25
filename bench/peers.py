"""The tools that Marey is measured beside: how each is switched on, and what its users write.

Each loop is as plain as the one that it is compared with. What is not installed is left out, and
said.
"""

import gc
import sys
from contextlib import contextmanager
from itertools import repeat
from pathlib import Path

from series import Contestant

try:
    import keke
except ImportError:
    keke = None
try:
    import viztracer
except ImportError:
    viztracer = None
try:
    import tg4perfetto
except ImportError:
    tg4perfetto = None

KEKE_COUNT, VIZTRACER_COUNT, TG4PERFETTO_COUNT = 10_000, 10_000, 4_000
ENTRIES = 100_000  # room for all that VizTracer records in a turn

_tracer = None  # the VizTracer that is on


def available(who):
    """Whether that tool is there; says so on standard error where not."""
    if {"keke": keke, "viztracer": viztracer, "tg4perfetto": tg4perfetto}[who]:
        return True
    print(f"bench: {who} is not installed: left out (see bench/requirements.txt)", file=sys.stderr)
    return False


# ---- switching on


@contextmanager
def keke_on(path):
    with open(path, "w") as file, keke.TraceOutput(file=file):
        yield


@contextmanager
def viztracer_on(sparse, entries=ENTRIES):
    """sparse: its way to record spans alone; instants need function tracing to be on. Yields the
    tracer. Before Python 3.12 a profile function comes with it, and would stay."""
    global _tracer
    _tracer = viztracer.VizTracer(log_sparse=sparse, tracer_entries=entries, verbose=0)
    if not sparse:
        _tracer.start()
    yield _tracer
    _tracer.stop()
    _tracer.clear()
    _tracer.terminate()
    sys.setprofile(None)


@contextmanager
def tg4perfetto_on(path):
    """It writes when it is collected, and a cycle keeps it until then."""
    with tg4perfetto.open(str(path)):
        yield
    gc.collect()


# ---- what users write


def keke_span(n):
    for _ in repeat(None, n):
        with keke.kev("x"):
            pass


def keke_span_argument(n):
    for _ in repeat(None, n):
        with keke.kev("x", rows=17):
            pass


def keke_instant(n):
    for _ in repeat(None, n):
        keke.kmark("x")


def keke_counter(n):
    for _ in repeat(None, n):
        keke.kcount("x", 17)


def viztracer_span(n):
    log_event = _tracer.log_event
    for _ in repeat(None, n):
        with log_event("x"):
            pass


def viztracer_instant(n):
    log_instant = _tracer.log_instant
    for _ in repeat(None, n):
        log_instant("x")


def viztracer_counter(n):
    log_var = _tracer.log_var
    for _ in repeat(None, n):
        log_var("x", 17)


def tg4perfetto_span(n):
    for _ in repeat(None, n):
        with tg4perfetto.trace("x"):
            pass


def tg4perfetto_span_argument(n):
    for _ in repeat(None, n):
        with tg4perfetto.trace("x", rows=17):
            pass


def tg4perfetto_instant(n):
    for _ in repeat(None, n):
        tg4perfetto.instant("x")


_tg4perfetto_counter = tg4perfetto and tg4perfetto.count("x")


def tg4perfetto_counter(n):
    for _ in repeat(None, n):
        _tg4perfetto_counter.increment(1)


# ---- as contestants


def _on(who, run, folder: Path):
    if who == "keke":
        return Contestant(who, run, KEKE_COUNT, lambda: keke_on(folder / "keke.json"))
    if who == "tg4perfetto":
        return Contestant(
            who, run, TG4PERFETTO_COUNT, lambda: tg4perfetto_on(folder / "tg.pftrace")
        )
    sparse = run is viztracer_span
    return Contestant(who, run, VIZTRACER_COUNT, lambda: viztracer_on(sparse))


def _installed(runs):
    return {who: run for who, run in runs.items() if available(who)}


SPAN = {"keke": keke_span, "viztracer": viztracer_span, "tg4perfetto": tg4perfetto_span}
ARGUMENT = {"keke": keke_span_argument, "tg4perfetto": tg4perfetto_span_argument}
INSTANT = {"keke": keke_instant, "viztracer": viztracer_instant, "tg4perfetto": tg4perfetto_instant}
COUNTER = {"keke": keke_counter, "viztracer": viztracer_counter, "tg4perfetto": tg4perfetto_counter}


def recording(runs, folder: Path):
    """Contestants that switch their tool on for each turn."""
    return [_on(who, run, folder) for who, run in _installed(runs).items()]


def idle(runs):
    """The same while their tool is off; VizTracer has nothing that may stay in a program then."""
    off = {who: run for who, run in _installed(runs).items() if who != "viztracer"}
    return [Contestant(who, run, KEKE_COUNT) for who, run in off.items()]
