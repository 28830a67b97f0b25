"""reading.py FOLDER LARGE: what it costs to read a trace of ten million events. LARGE: the program
that writes it. Emits one record a trace: the CPU time and the wall time of the command `marey`,
which opens, reads and shows it, or converts it into nothing, and its memory at the peak;
nanoseconds and bytes."""

import os
import subprocess
import sys
import time
from pathlib import Path

from series import QUICK, emit

EVENTS = 10_000_000
TRACES = {"spans": 0, "spans and samples": 500_000}  # by the samples beside the events
ROUNDS = 1 if QUICK else 7
CONVERSIONS = ("speedscope", "folded", "chrome", "perfetto", "firefox", "csv")
COMMANDS = {
    "check": ["check"],
    "report": ["report"],
    **{f"convert to {name}": ["convert", "--to", name] for name in CONVERSIONS},
}


def cost(command):
    """(CPU ns, wall ns, peak RSS in bytes) of a process that must succeed."""
    start = time.perf_counter_ns()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter_ns() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    assert child.returncode == 0, command
    cpu = int((usage.ru_utime + usage.ru_stime) * 1e9)
    return cpu, wall, usage.ru_maxrss * 1024


def main():
    folder, large = Path(sys.argv[1]), sys.argv[2]
    marey = Path(sys.executable).parent / "marey"
    for kind, samples in TRACES.items():
        trace = folder / "large.perfetto-trace"
        subprocess.run([large, trace, str(EVENTS), str(samples)], check=True)
        rounds = {
            name: [cost([marey, *words, trace]) for _ in range(ROUNDS)]
            for name, words in COMMANDS.items()
        }
        for command, taken in rounds.items():
            cpu, wall, peak = zip(*taken)
            emit(
                group="reading",
                who=command,
                trace=kind,
                events=EVENTS + samples,
                file_bytes=trace.stat().st_size,
                cpu_ns=cpu,
                wall_ns=wall,
                peak_bytes=max(peak),
            )
        trace.unlink()


main()
