"""whole.py TOOL SPANS FILE: what a tool costs all told, in a process of its own: SPANS spans of one
busy thread, and then the file written. TOOL: marey, keke, viztracer or tg4perfetto. Emits one line;
times in nanoseconds, sizes in bytes. Stopping lasts from the last span's end until the file is
complete."""

import sys
import time
from contextlib import contextmanager
from pathlib import Path

import ours
import peers
from series import emit

import marey


def memory(name):
    """A field of /proc/self/status, in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) * 1024
    raise LookupError(name)


@contextmanager
def marey_on(path):
    with marey.record(path):
        yield ours.span


@contextmanager
def keke_on(path):
    with peers.keke_on(path):
        yield peers.keke_span


@contextmanager
def viztracer_on(path):
    with peers.viztracer_on(sparse=True, entries=int(sys.argv[2])) as tracer:
        yield peers.viztracer_span
        tracer.save(path)


@contextmanager
def tg4perfetto_on(path):
    with peers.tg4perfetto_on(path):
        yield peers.tg4perfetto_span


def main():
    tool, spans, path = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    if tool != "marey" and not peers.available(tool):
        return
    around = {
        "marey": marey_on,
        "keke": keke_on,
        "viztracer": viztracer_on,
        "tg4perfetto": tg4perfetto_on,
    }[tool]
    before = memory("VmRSS")
    cpu = time.process_time_ns()
    with around(path) as run:
        run(spans)
        stopping = time.perf_counter_ns()
    stopped = time.perf_counter_ns()
    emit(
        group="python.whole",
        who=tool,
        spans=spans,
        cpu_ns=(time.process_time_ns() - cpu) / spans,
        stop_wall_ns=stopped - stopping,
        file_bytes=Path(path).stat().st_size,
        rss_growth_at_peak=memory("VmHWM") - before,
    )


main()
