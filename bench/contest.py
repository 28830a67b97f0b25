"""contest.py FOLDER: what recording from Python costs, beside the floor and the peers, in the
Python that runs it.

FOLDER takes the files; it should be on tmpfs, so that no tool waits for a disk. Emits series, see
series.py:
python.off    nothing records
python.on     Marey records into a file: floor and Marey alone, many rounds
python.peers  each tool in its turn; Marey records all along
python.more, python.argument, python.instant, python.counter   the same for what else is recorded
and how many allocations a span makes. Fails where a trace does not hold what was recorded.
"""

import platform
import sys
from itertools import repeat
from pathlib import Path

import floor
import ours
import peers
from series import Contestant, emit, race, warm_memory
from verify import expect

import marey

COUNT = 200_000  # so that each turn claims its share of the file
ROUNDS, ROUNDS_OFF, ROUNDS_PEERS, ROUNDS_MORE = 31, 15, 9, 5
CHECKED = 5_000


# ---- the loops; the first is taken off all others


def loop(n):
    for _ in repeat(None, n):
        pass


def floor_span(n):
    for _ in repeat(None, n):
        with floor.span("x"):
            pass


def plain_call(n):
    for _ in repeat(None, n):
        plain_function()


def plain_function():
    pass


def named(**runs):
    """Contestants of our own: name=loop."""
    return [Contestant(who.replace("_", " "), run, COUNT) for who, run in runs.items()]


# ---- the races


def race_off():
    own = named(
        loop=loop,
        floor=floor_span,
        marey=ours.span,
        span_with_an_argument=ours.span_argument,
        instant=ours.instant,
        plain_call=plain_call,
        traced_call=ours.traced_call,
    )
    race("python.off", [*own, *peers.idle(peers.SPAN)], ROUNDS_OFF)


def race_on(_folder):
    race("python.on", named(loop=loop, floor=floor_span, marey=ours.span), ROUNDS)


def race_peers(folder):
    own = named(loop=loop, floor=floor_span, marey=ours.span)
    race("python.peers", [*own, *peers.recording(peers.SPAN, folder)], ROUNDS_PEERS)


def race_more(folder):
    own = named(
        loop=loop,
        span_with_a_result=ours.span_result,
        span_in_a_category=ours.span_category,
        span_made_once=ours.reused,
        begin_and_end_on_a_track=ours.on_track,
        plain_call=plain_call,
        traced_call=ours.traced_call,
    )
    race("python.more", own, ROUNDS_OFF)
    for what, run, theirs in (
        ("argument", ours.span_argument, peers.ARGUMENT),
        ("instant", ours.instant, peers.INSTANT),
        ("counter", ours.counter, peers.COUNTER),
    ):
        own = named(loop=loop, marey=run)
        race(f"python.{what}", [*own, *peers.recording(theirs, folder)], ROUNDS_MORE)


# ---- what must be so


def check(folder):
    """Each thing CHECKED times, counted by the official protos."""
    path = folder / "check.perfetto-trace"
    spans = [
        ours.span,
        ours.span_argument,
        ours.span_result,
        ours.span_category,
        ours.reused,
        ours.on_track,
        ours.traced_call,
    ]
    with marey.record(path):
        for run in (*spans, ours.instant, ours.counter):
            run(CHECKED)
    n = CHECKED * len(spans)
    expect(path, begin=n, end=n, instant=CHECKED, counter=CHECKED)


def allocations(who):
    """The difference of 10,000 and 20,000 spans is what spans allocate, not what the call does."""
    ours.span(1000)
    few, many = (floor.count_allocations(ours.span, n) for n in (10_000, 20_000))
    emit(group="python.allocations", who=who, per_span=(many - few) / 10_000)


def main():
    folder = Path(sys.argv[1])
    emit(group="python", version=platform.python_version())
    allocations("off")
    race_off()
    check(folder)
    with marey.record(folder / "contest.perfetto-trace"):
        allocations("recording")
        for races in (race_on, race_peers, race_more):
            warm_memory(folder)
            races(folder)


main()
