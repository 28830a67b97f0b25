"""run.py: measures what Marey promises, beside the floors and the peers, in one run; prints it and
writes RESULTS.md.

Start it by `make bench`, which makes the environment that it runs in; `make bench QUICK=1` takes
one round of what takes turns in Python, and writes nothing: it shows that all works. It fails where
something does not work (a trace that does not hold what was recorded, a lost event), never because
something is slow.
"""

import json
import os
import shutil
import sys
import tempfile
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path

import report
from environments import BENCH, OWN, ROOT, build_floors, build_programs, environments, run
from results import Results
from series import QUICK
from verify import expect

EVENTS = (1_000_000, 10_000_000)
RING = 16 << 20
WHOLE = {"marey": 1_000_000, "viztracer": 200_000, "keke": 200_000, "tg4perfetto": 50_000}


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def records(command, **extra):
    """What a measuring program emits, each record with `extra`."""
    return [{**json.loads(line), **extra} for line in run(command).splitlines()]


@contextmanager
def folders():
    """{"tmpfs": a folder in memory, "disk": one on the disk of the project}; removed afterwards."""
    places = {"tmpfs": "/dev/shm", "disk": OWN}
    made = {k: Path(tempfile.mkdtemp(dir=v, prefix="marey-bench-")) for k, v in places.items()}
    try:
        yield made
    finally:
        for folder in made.values():
            shutil.rmtree(folder)


def measured_in_c(programs, places):
    """Everything that the C programs measure."""
    check_c(programs["spans"], places["tmpfs"] / "check.perfetto-trace")
    yield from records([programs["spans"], "off"])
    for where, folder in places.items():
        trace = folder / "c.perfetto-trace"
        say(f"C spans on {where}")
        yield from records([programs["spans"], trace, where], where=where)
        yield from records([programs["once"], trace, where], where=where)
        yield from footprints(programs["footprint"], trace, where)
        trace.unlink()
    ring = places["tmpfs"] / "ring.perfetto-trace"
    yield from records([programs["spans"], ring, "ring", RING], where="ring")
    say("C threads")
    yield from records([programs["threads"], ring])
    say("C samples")
    trace = places["tmpfs"] / "samples.perfetto-trace"
    yield from records([programs["samples"], trace, "tmpfs"])
    trace.unlink()


def check_c(spans, trace):
    """A small recording of each kind of event, counted by the official protos."""
    (expected,) = records([spans, "check", trace])
    del expected["group"]
    expect(trace, **expected)


def footprints(program, trace, where):
    say(f"bytes, memory and stopping on {where}")
    cases = [(events, "plain") for events in EVENTS] + [(EVENTS[0], "int"), (EVENTS[0], "spaced")]
    for events, mode in cases:
        (record,) = records([program, trace, events, mode], where=where, asked=events)
        if events == EVENTS[0]:
            expect(trace, begin=record["events"] // 2, end=record["events"] // 2)
        yield record


def measured_in_python(environment, folder):
    """The races of one Python."""
    say(f"Python {environment.name}")
    build_floors(environment)
    os.environ["PYTHONPATH"] = str(environment.build)
    for program in ("contest.py", "calls.py") if environment.whole else ("calls.py",):
        yield from records([environment.python, BENCH / program, folder], python=environment.name)


def measured_inside(environment, folder):
    """Samplers within the program, in the newest Python."""
    say("sampling from within")
    yield from records([environment.python, BENCH / "inside.py", folder])


def measured_outside(environment, folder):
    """Samplers of other processes, in the newest Python."""
    say("sampling from outside")
    program = [
        environment.python,
        BENCH / "sampling.py",
        folder,
        ROOT / "build/bench/bench/sampler",
    ]
    yield from records(program)


def measured_reading(environment, programs, folder):
    """What it costs to read a large trace."""
    say("reading ten million events")
    yield from records([environment.python, BENCH / "reading.py", folder, programs["large"]])


def measured_following(environment, folder):
    """How late `marey tail` is."""
    say("following a trace that is recorded")
    yield from records([environment.python, BENCH / "following.py", folder])


def measured_viewing(environment, programs, folder):
    """How the page takes that trace, where there is a browser."""
    say("the page of ten million events in a browser")
    yield from records([environment.python, BENCH / "viewing.py", folder, programs["large"]])


def measured_dropins(environment, folder):
    """Drop-ins beside the tools whose interfaces they have."""
    say("drop-ins")
    yield from records([environment.python, BENCH / "dropins.py", folder])


def measured_live(environment, folder):
    """Web applications under load."""
    say("web applications under load")
    yield from records([environment.python, BENCH / "live.py", folder])


def measured_whole(environment, folder):
    """Each tool all told, in the newest Python."""
    for tool, spans in WHOLE.items():
        say(f"{tool}: {spans:,} spans and the file")
        program = [environment.python, BENCH / "whole.py", tool, spans, folder / f"{tool}.json"]
        yield from records(program, python=environment.name)


def main():
    say("making the environments")
    all_environments = environments()
    programs = build_programs(all_environments[0])
    found = []
    with folders() as places:
        found += measured_in_c(programs, places)
        for environment in all_environments:
            found += measured_in_python(environment, places["tmpfs"])
        newest = max(all_environments, key=lambda e: e.version)
        found += measured_inside(newest, places["tmpfs"])
        found += measured_outside(newest, places["tmpfs"])
        found += measured_reading(newest, programs, places["tmpfs"])
        found += measured_following(newest, places["tmpfs"])
        found += measured_viewing(newest, programs, places["tmpfs"])
        found += measured_live(newest, places["tmpfs"])
        found += measured_dropins(newest, places["tmpfs"])
        found += measured_whole(newest, places["tmpfs"])
    now = datetime.now(timezone.utc)
    text = report.render(Results(found), all_environments, now)
    print(text)
    if not QUICK:
        (BENCH / "RESULTS.md").write_text(text)
        say(f"written to {(BENCH / 'RESULTS.md').relative_to(ROOT)}")


main()
