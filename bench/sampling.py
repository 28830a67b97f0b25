"""sampling.py: what sampling from outside costs, ours beside Austin, py-spy and Python 3.15's own.

    python bench/sampling.py [PYTHON]

PYTHON runs the programs that are sampled (the one that runs this, if none is named). Peers are
those on PATH and beside this Python: `pip install austin-dist py-spy`. Prints a table; everything
is CPU time of the sampler, so that a busy machine matters less. A loop that only sleeps as often is
the floor.
"""

import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build/bench"
SECONDS = 2
DEEP = """
def work():
    total = 0
    for i in range(2000):
        total += i * i

def down(left):
    while left == 0:
        work()
    down(left - 1)

down(12)
"""
THREADS = """
import threading

wait = threading.Event()

def down(left, busy):
    if left == 0:
        while busy:
            sum(range(1000))
        wait.wait()
    else:
        down(left - 1, busy)

for number in range(99):
    threading.Thread(target=down, args=(25, %s), daemon=True).start()
down(28, %s)
"""


def build():
    """The measuring program, optimized."""
    configure = ["cmake", "-G", "Ninja", "-S", ROOT, "-B", BUILD]
    options = ["-DCMAKE_BUILD_TYPE=Release", "-DMAREY_TESTS=ON"]
    subprocess.run([*configure, *options], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["ninja", "-C", BUILD, "bench_sampler"], check=True, stdout=subprocess.DEVNULL)
    return BUILD / "bench/sampler"


@contextmanager
def running(python, code):
    """A program that runs meanwhile."""
    with subprocess.Popen([python, "-c", code]) as program:
        time.sleep(1.5)
        yield program.pid
        program.kill()


def measure(command, count):
    """(samples a second, samples for a second of CPU, percent of a core) of a command."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False
    )
    took = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    samples = count(done)
    return samples / took, samples / cpu, 100 * cpu / took


def lines_of(path):
    """Of a peer's output, which is removed; none where it made none."""
    text = path.read_text() if path.exists() else ""
    path.unlink(missing_ok=True)
    return text.splitlines()


def ours(sampler, pid, hz, trace, *options):
    def count(done):
        return float(re.search(r'"samples_per_s": ([\d.]+)', done.stdout)[1]) * SECONDS

    return measure([sampler, pid, SECONDS, hz, trace, *options], count)


def austin(program, pid, hz, out):
    def count(_):
        return sum(not line.startswith("#") for line in lines_of(out) if line)

    interval_us = max(1, round(1e6 / hz)) if hz else 1
    return measure([program, "-p", pid, "-i", interval_us, "-x", SECONDS, "-o", out], count)


def py_spy(program, pid, hz, out, *options):
    def count(_):
        return sum(int(line.rpartition(" ")[2]) for line in lines_of(out))

    command = [program, "record", "-p", pid, "-r", hz or 100_000, "-d", SECONDS]
    return measure([*command, "-f", "raw", "-o", out, *options], count)


def python_3_15(program, pid, hz):
    """Its summary says how many samples it took."""

    def count(done):
        found = re.search(r"([\d,]+) samples", done.stdout + done.stderr)
        return int(found[1].replace(",", "")) if found else 0

    command = [program, "-m", "profiling.sampling", "attach", "-d", SECONDS]
    return measure([*command, "-r", hz or 1_000_000, pid], count)


def floor(hz):
    """Percent of a core that a loop takes which only sleeps as often."""
    cpu, start = time.thread_time(), time.monotonic()
    ticks = 0
    while time.monotonic() - start < SECONDS:
        ticks += 1
        time.sleep(max(0, start + ticks / hz - time.monotonic()))
    return 100 * (time.thread_time() - cpu) / SECONDS


def row(title, figures):
    rate, per_cpu, percent = figures
    print(f"{title:34} {rate:12,.0f} {per_cpu:14,.0f} {percent:8.2f} %", flush=True)


def peers():
    """{"austin": path, ...} of those that are here."""
    beside = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    names = ("austin", "py-spy", "python3.15")
    return {name: path for name in names if (path := shutil.which(name, path=beside))}


def compare(sampler, python, folder, hz):
    """One busy thread of depth 15."""
    print(f"\none busy thread of depth 15, {f'{hz} Hz' if hz else 'as fast as it can'}")
    found, out = peers(), folder / "out"
    with running(python, DEEP) as pid:
        row("marey, not recorded", ours(sampler, pid, hz, "-"))
        row("marey, into a trace", ours(sampler, pid, hz, folder / "trace"))
        row("marey, blocking", ours(sampler, pid, hz, "-", "blocking"))
        if "austin" in found:
            row("austin", austin(found["austin"], pid, hz, out))
        if "py-spy" in found:
            row("py-spy", py_spy(found["py-spy"], pid, hz, out))
            row("py-spy --nonblocking", py_spy(found["py-spy"], pid, hz, out, "--nonblocking"))
    if "python3.15" in found:
        with running(found["python3.15"], DEEP) as pid:
            row("python3.15 -m profiling.sampling", python_3_15(found["python3.15"], pid, hz))
            row("marey, the same program", ours(sampler, pid, hz, folder / "trace"))


def many_threads(sampler, python, folder):
    for what, busy in (("that sleep", False), ("that want the GIL", True)):
        print(f"\n100 threads of depth 30 {what}, 100 Hz")
        with running(python, THREADS % (busy, busy)) as pid:
            row("marey", ours(sampler, pid, 100, folder / "trace"))
            row("marey, idle ones too", ours(sampler, pid, 100, folder / "trace", "idle"))
            if "austin" in peers():
                row("austin", austin(peers()["austin"], pid, 100, folder / "out"))
            if "py-spy" in peers():
                row("py-spy", py_spy(peers()["py-spy"], pid, 100, folder / "out"))


def main():
    python = sys.argv[1] if len(sys.argv) > 1 else sys.executable
    sampler = build()
    print(f"{'':34} {'samples/s':>12} {'per CPU second':>14} {'of a core':>10}")
    with tempfile.TemporaryDirectory(dir="/dev/shm") as name:
        for hz in (0, 10_000, 1000):
            compare(sampler, python, Path(name), hz)
        print(f"a loop that only sleeps, 1000 Hz: {floor(1000):.2f} % of a core")
        many_threads(sampler, python, Path(name))


if __name__ == "__main__":
    main()
