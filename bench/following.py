"""following.py FOLDER: how late `marey tail` shows what a program records. Emits one record: of
some moments, how long it took from recording each to its line, in nanoseconds."""

import subprocess
import sys
import threading
import time
from pathlib import Path

from series import QUICK, emit

import marey

MOMENTS = 20 if QUICK else 500
APART_S = 0.0137  # in no step with how often `marey tail` looks
PATIENCE_S = 20


def read_lines(stream, seen):
    for line in stream:
        now = time.perf_counter_ns()
        seen[next(word for word in line.split() if word.startswith("moment"))] = now


def record(recorded):
    for number in range(MOMENTS):
        recorded[f"moment{number}"] = time.perf_counter_ns()
        marey.instant(f"moment{number}")
        time.sleep(APART_S)


def main():
    path = Path(sys.argv[1]) / "followed.perfetto-trace"
    command = [Path(sys.executable).parent / "marey", "tail", "--name", "moment*", path]
    recorded, seen = {}, {}
    with (
        marey.record(str(path)),
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as tail,
    ):
        reader = threading.Thread(target=read_lines, args=(tail.stdout, seen), daemon=True)
        reader.start()
        try:
            record(recorded)
            limit = time.monotonic() + PATIENCE_S
            while len(seen) < MOMENTS and time.monotonic() < limit:
                time.sleep(0.01)
        finally:
            tail.terminate()
    emit(group="following", who="tail", late_ns=[seen[name] - recorded[name] for name in recorded])
    path.unlink()


main()
