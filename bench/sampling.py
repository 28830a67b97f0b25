"""sampling.py FOLDER SAMPLER: what sampling from outside costs, ours beside Austin, py-spy and
Python 3.15's own, of programs that the Python runs which runs this.

SAMPLER is bench/sampler.c; FOLDER takes traces. Peers are those beside this Python; Python 3.15 is
the command in PYTHON315, or python3.15 on PATH. What is not there is left out, and said. Emits
records, each figure with one entry a round:
outside.stacks   one busy thread of depth 15, as fast as it can; CPU time of the whole sampler
outside.rates    the same at a steady rate, and the floor: a loop that only sleeps as often
outside.threads  100 threads of depth 30 at 100 Hz, `state`: they sleep, or want the GIL
outside.slower   a series (see series.py): a round of computing alone, and while it is sampled
outside.memory   the sampler's peak after a short and a long time of threads and children that end
"""

import json
import os
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from inside import COUNT, compute
from series import QUICK, Contestant, emit, race

PEERS = ("austin", "py-spy")
SECONDS, ROUNDS, SLOWER_ROUNDS = 2, 5, 21
SHORT, LONG = (1, 2) if QUICK else (2, 12)  # seconds that memory is compared after
PY_SPY_HZ = 5_000  # more than it can; it ends when it has taken as many as asked for, however late
ATTACHING = 0.5  # seconds given to a sampler
# Each says with a line when it is where it is sampled.
DEEP = """
def work():
    total = 0
    for i in range(2000):
        total += i * i

def down(left):
    while left == 0:
        work()
    down(left - 1)

print(flush=True)
down(12)
"""
THREADS = """
import threading

wait, all_there = threading.Event(), threading.Barrier(100, lambda: print(flush=True))

def down(left, busy):
    if left == 0:
        all_there.wait()
        while busy:
            sum(range(1000))
        wait.wait()
    else:
        down(left - 1, busy)

for number in range(99):
    threading.Thread(target=down, args=(25, %s), daemon=True).start()
down(28, %s)
"""
CHURN = """
import os, threading, time

print(flush=True)
while True:
    threads = [threading.Thread(target=time.sleep, args=(0.005,)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    child = os.fork()
    if child == 0:
        time.sleep(0.02)
        os._exit(0)
    os.waitpid(child, 0)
"""


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


# ---- the samplers; each measures one turn and returns its figures, {} where it took nothing


@contextmanager
def running(python, code):
    """Yields the number of a process that runs the code meanwhile."""
    with subprocess.Popen([*python, "-c", code], stdout=subprocess.PIPE) as program:
        try:
            if not program.stdout.readline():
                sys.exit(f"bench: the program to sample ended with status {program.wait()}")
            yield program.pid
        finally:
            program.kill()


def timed(command):
    """(what it was, seconds, its CPU seconds) of a command that has ended."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    took = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done, took, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def figures(stacks, took, cpu):
    if not stacks:
        return {}
    return {
        "stacks_per_s": stacks / took,
        "stacks_per_cpu_s": stacks / cpu,
        "percent": 100 * cpu / took,
    }


def ours(sampler, pid, hz, trace="-", options=(), seconds=SECONDS):
    """Besides, what it tells of itself; "cpu_percent" is without its start."""
    done, took, cpu = timed([sampler, pid, seconds, hz, trace, *options])
    if done.returncode:
        sys.exit(f"bench: our sampler failed with status {done.returncode}: {done.stderr.strip()}")
    if trace != "-":
        Path(trace).unlink()
    told = json.loads(done.stdout)
    return {**told, **figures(told.get("samples_per_s", 0) * seconds, took, cpu)}


def lines_of(path):
    """Of a peer's output, which is removed; none where it made none."""
    text = path.read_text() if path.exists() else ""
    path.unlink(missing_ok=True)
    return text.splitlines()


def austin_command(program, pid, hz, seconds, out):
    return [program, "-p", pid, "-i", round(1e6 / hz) if hz else 1, "-x", seconds, "-o", out]


def austin(program, pid, hz, out):
    _, took, cpu = timed(austin_command(program, pid, hz, SECONDS, out))
    return figures(sum(line[0] != "#" for line in lines_of(out) if line), took, cpu)


def py_spy_command(program, pid, hz, seconds, out, *options):
    command = [program, "record", "-p", pid, "-r", hz or PY_SPY_HZ, "-d", seconds]
    return [*command, "-f", "raw", "-o", out, *options]


def py_spy(program, pid, hz, out, *options):
    _, took, cpu = timed(py_spy_command(program, pid, hz, SECONDS, out, *options))
    return figures(sum(int(line.rpartition(" ")[2]) for line in lines_of(out)), took, cpu)


def python315_sampler(python, pid):
    """Its summary says how many samples it took, as "12,345 samples"."""
    command = [*python, "-m", "profiling.sampling", "attach", "-d", SECONDS, "-r", 1_000_000, pid]
    done, took, cpu = timed(command)
    words = (done.stdout + done.stderr).replace(",", "").split()
    counts = [int(n) for n, unit in zip(words, words[1:]) if unit == "samples" and n.isdigit()]
    return figures(counts[0] if counts else 0, took, cpu)


# ---- who is there


def peers():
    """{"austin": path, ...} of those beside this Python."""
    places = {name: shutil.which(name, path=str(Path(sys.executable).parent)) for name in PEERS}
    for name in PEERS:
        if not places[name]:
            say(f"{name} is not installed: left out (see bench/requirements.txt)")
    return {name: place for name, place in places.items() if place}


def python315():
    """The command that starts it; empty where there is none that samples."""
    command = shlex.split(os.environ.get("PYTHON315", "python3.15"))
    if shutil.which(command[0]):
        done = subprocess.run([*command, "-c", "import profiling.sampling"], capture_output=True)
        if done.returncode == 0:
            return command
    say("no Python 3.15 here: its sampler is left out (PYTHON315=... names one)")
    return []


def peers_turns(found, pid, hz, out):
    """{name: a turn of it}."""
    turns = {}
    if "austin" in found:
        turns["austin"] = partial(austin, found["austin"], pid, hz, out)
    if "py-spy" in found:
        turns["py-spy"] = partial(py_spy, found["py-spy"], pid, hz, out)
    return turns


# ---- what is measured


def take_turns(group, turns, rounds=ROUNDS, **extra):
    """Each measures once a round. Emits what they found, a list for each figure; leaves out who
    took nothing, and returns the others' names."""
    rounds = 1 if QUICK else rounds
    found = {who: [] for who in turns}
    for _ in range(rounds):
        for who, turn in turns.items():
            found[who].append(turn())
    took = [who for who, rows in found.items() if all(rows)]
    for who, rows in found.items():
        if who in took:
            emit(group=group, who=who, **{k: [r[k] for r in rows] for k in rows[0]}, **extra)
        else:
            say(f"{group}: {who} took no sample: left out")
    return took


def as_fast_as_it_can(sampler, folder, found):
    """The names of the peers that can sample this Python."""
    with running([sys.executable], DEEP) as pid:
        turns = {
            "marey": partial(ours, sampler, pid, 0, folder / "trace"),
            "marey, not recorded": partial(ours, sampler, pid, 0),
            "marey, blocking": partial(ours, sampler, pid, 0, options=["blocking"]),
            **peers_turns(found, pid, 0, folder / "out"),
        }
        if "py-spy" in found:
            arguments = (found["py-spy"], pid, 0, folder / "out", "--nonblocking")
            turns["py-spy --nonblocking"] = partial(py_spy, *arguments)
        return [who for who in take_turns("outside.stacks", turns) if who in found]


def of_python315(sampler, folder):
    """Its own sampler beside ours, both of a program that it runs."""
    python = python315()
    if not python:
        return
    with running(python, DEEP) as pid:
        turns = {
            "Python 3.15's own": partial(python315_sampler, python, pid),
            "marey, of Python 3.15": partial(ours, sampler, pid, 0, folder / "trace"),
        }
        take_turns("outside.stacks", turns)


def at_rates(sampler, folder, found):
    with running([sys.executable], DEEP) as pid:
        for hz in (1_000, 10_000):
            turns = {
                "floor": partial(ours, sampler, 0, hz),
                "marey": partial(ours, sampler, pid, hz, folder / "trace"),
                **peers_turns(found, pid, hz, folder / "out"),
            }
            take_turns("outside.rates", turns, asked=hz)


def many_threads(sampler, folder, found):
    for state, busy in (("sleep", False), ("want the GIL", True)):
        with running([sys.executable], THREADS % (busy, busy)) as pid:
            turns = {
                "marey": partial(ours, sampler, pid, 100, folder / "trace", ["idle"]),
                "marey, as usual": partial(ours, sampler, pid, 100, folder / "trace"),
                **peers_turns(found, pid, 100, folder / "out"),
            }
            take_turns("outside.threads", turns, rounds=3, state=state)


@contextmanager
def sampled_by(command):
    """This very process is, meanwhile."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(list(map(str, command)), **quiet) as tool:
        time.sleep(ATTACHING)
        try:
            yield
            if tool.poll() is not None:
                sys.exit(f"bench: {command[0]} ended, with status {tool.returncode}, in its turn")
        finally:
            tool.send_signal(signal.SIGINT)
            try:
                tool.wait(timeout=5)
            except subprocess.TimeoutExpired:
                tool.kill()


def slower(sampler, folder, found):
    """By how much a thread that computes is, at 1,000 Hz."""
    pid, hour, out = os.getpid(), 3600, folder / "out"
    commands = {"marey": [sampler, pid, hour, 1000, folder / "trace"]}
    if "austin" in found:
        commands["austin"] = austin_command(found["austin"], pid, 1000, hour, out)
    if "py-spy" in found:
        commands["py-spy"] = py_spy_command(found["py-spy"], pid, 1000, hour, out)
    turns = [Contestant("nothing", compute, COUNT)]
    for who, command in commands.items():
        turns.append(Contestant(who, compute, COUNT, partial(sampled_by, command)))
    race("outside.slower", turns, SLOWER_ROUNDS)


def memory(sampler):
    with running([sys.executable], CHURN) as pid:
        peaks = {}
        for name, seconds in (("short", SHORT), ("long", LONG)):
            told = ours(sampler, pid, 1000, options=["children", "idle"], seconds=seconds)
            peaks[name] = told["peak_kib"] << 10
        emit(group="outside.memory", seconds=[SHORT, LONG], **peaks)


def main():
    folder, sampler = Path(sys.argv[1]), sys.argv[2]
    found = peers()
    able = as_fast_as_it_can(sampler, folder, found)
    found = {who: program for who, program in found.items() if who in able}
    of_python315(sampler, folder)
    at_rates(sampler, folder, found)
    many_threads(sampler, folder, found)
    slower(sampler, folder, found)
    memory(sampler)


main()
