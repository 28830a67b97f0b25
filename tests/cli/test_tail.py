"""marey tail: a file that is being written, followed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter

import protoread
import pytest
import tracecheck
from command import find_marey
from tracemaker import TraceMaker

SECONDS = 60


def follow(path, *options):
    return subprocess.Popen(
        [find_marey(), "tail", "--json", "--from-start", path, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def objects(text):
    return [json.loads(line) for line in text.splitlines()]


def wait_for(path):
    deadline = time.monotonic() + SECONDS
    while not (path.exists() and path.stat().st_size):
        assert time.monotonic() < deadline, "nothing is recorded"
        time.sleep(0.01)


def spans_of(path):
    return Counter(
        (span["name"], span["dur"], span["args"].get("i"), span["args"].get("text"))
        for span in tracecheck.load(path).spans
        if span["dur"] >= 0
    )


def spans_in(lines):
    return Counter(
        (
            line["name"],
            line["duration_ns"],
            line.get("args", {}).get("i"),
            line.get("args", {}).get("text"),
        )
        for line in lines
        if line["kind"] == "span"
    )


PROGRAM = """
import os, sys, threading, time, marey
marey.record(sys.argv[1]).__enter__() if sys.argv[2] == "kill" else None
def work(name):
    for i in range(1200):
        with marey.span(name, i=i, text="x" * (i % 200)):
            with marey.span(f"inner {i % 500}"):
                pass
        if i % 100 == 0:
            time.sleep(0.005)
def all_of_it():
    threads = [threading.Thread(target=work, args=(f"thread {n}",)) for n in range(3)]
    for thread in threads: thread.start()
    child = os.fork()
    if child == 0:
        work("child")
        os._exit(0)
    for thread in threads: thread.join()
    os.waitpid(child, 0)
    threading.Thread(target=work, args=("late",)).start()
if sys.argv[2] == "kill":
    all_of_it()
    marey.span("never ends").__enter__()
    os.kill(os.getpid(), 9)
with marey.record(sys.argv[1], gc=False):
    all_of_it()
    for thread in threading.enumerate():
        if thread is not threading.current_thread(): thread.join()
"""


def test_a_live_program_is_followed_to_its_end(tmp_path):
    path = tmp_path / "live.perfetto-trace"
    with subprocess.Popen([sys.executable, "-c", PROGRAM, path, "end"]) as program:
        wait_for(path)
        tail = follow(path)
        out, err = tail.communicate(timeout=SECONDS)
        assert program.wait(timeout=SECONDS) == 0
    assert (tail.returncode, err) == (0, "")
    assert spans_in(objects(out)) == spans_of(path)
    assert len(objects(out)) == 12_000


def test_a_program_that_is_killed_shows_all_its_spans(tmp_path):
    path = tmp_path / "killed.perfetto-trace"
    with subprocess.Popen([sys.executable, "-c", PROGRAM, path, "kill"]) as program:
        wait_for(path)
        tail = follow(path)
        assert program.wait(timeout=SECONDS) == -signal.SIGKILL
        out, err = tail.communicate(timeout=SECONDS)
    assert tail.returncode == 0
    assert "the program is gone" in err
    assert spans_in(objects(out)) == spans_of(path)
    assert sum(spans_of(path).values()) >= 9_600


def changed(data, number, size):
    """The control block says another number at its only place."""
    old = number.to_bytes(size, "little")
    assert data[2048:4096].count(old) == 1
    return data.replace(old, (number + 1).to_bytes(size, "little"), 1)


def without_processes(data):
    """What the file says of processes is overwritten."""
    for packet in protoread.packets_of(data):
        if packet.track_descriptor.HasField("process"):
            process = packet.track_descriptor.process.SerializeToString()
            data = data.replace(process, b"\xff" * len(process))
    return data


DAMAGES = {
    "another container's, or so it says": lambda data: changed(
        data, os.stat("/proc/self/ns/pid").st_ino, 8
    ),
    "processes that nobody knows": without_processes,
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_file_of_a_dead_session_has_an_end(tmp_path, damage):
    path = tmp_path / "damaged.perfetto-trace"
    with subprocess.Popen([sys.executable, "-c", PROGRAM, path, "kill"]) as program:
        assert program.wait(timeout=SECONDS) == -signal.SIGKILL
    path.write_bytes(damage(path.read_bytes()))
    with path.open("r+b"):  # as a recorder has it
        tail = follow(path)
        with pytest.raises(subprocess.TimeoutExpired):
            tail.communicate(timeout=5)
    out, err = tail.communicate(timeout=SECONDS)
    assert tail.returncode == 0
    assert "the program is gone" in err
    assert sum(spans_in(objects(out)).values()) >= 9_600


def foreign(count):
    maker = TraceMaker()
    track = maker.thread(5, 5, "main")
    writer = maker.sequence(interned=True)
    for i in range(count):
        writer.begin(track, 1000 + i * 10, f"span {i}", args={"i": i})
        writer.end(track, 1005 + i * 10)
    return maker.data()


def test_a_file_that_grows_at_its_end_byte_by_byte(tmp_path):
    path = tmp_path / "foreign"
    data = foreign(40)
    path.write_bytes(data[:100])
    tail = follow(path)
    with path.open("ab", buffering=0) as to:
        for at in range(100, len(data), 97):
            to.write(data[at : at + 97])
            time.sleep(0.01)
    lines = [json.loads(tail.stdout.readline()) for _ in range(40)]
    tail.send_signal(signal.SIGINT)
    out, err = tail.communicate(timeout=SECONDS)
    assert (tail.returncode, out, err) == (0, "", "")
    assert [line["name"] for line in lines] == [f"span {i}" for i in range(40)]
    assert [line["args"]["i"] for line in lines] == list(range(40))


def test_packed_packets_are_followed(tmp_path):
    maker = TraceMaker()
    maker.raw(foreign(30))
    path = tmp_path / "packed"
    path.write_bytes(maker.compressed())
    out = subprocess.check_output(
        [find_marey(), "tail", "--once", "--json", "-n", "5", path], text=True, timeout=SECONDS
    )
    assert [line["name"] for line in objects(out)] == [f"span {i}" for i in range(25, 30)]


def test_losses_are_said_and_counters(tmp_path):
    path = tmp_path / "small.perfetto-trace"
    program = (
        "import sys, marey\n"
        "with marey.record(sys.argv[1], limit='64K'):\n"
        "    marey.counter('queue', unit='items').set(3)\n"
        "    for i in range(100_000): marey.instant('tick')\n"
    )
    subprocess.run([sys.executable, "-c", program, path], check=True, timeout=SECONDS)
    tail = follow(path)
    lines = objects(tail.communicate(timeout=SECONDS)[0])
    kinds = Counter(line["kind"] for line in lines)
    assert kinds["lost"] == 1
    assert kinds["counter"] == 1
    lost = next(line for line in lines if line["kind"] == "lost")
    assert lost["value"] + kinds["instant"] == 100_000
    counter = next(line for line in lines if line["kind"] == "counter")
    assert (counter["value"], counter["unit"]) == (3, "items")


def test_a_reader_that_goes_away_ends_it(tmp_path):
    path = tmp_path / "foreign"
    path.write_bytes(foreign(20_000))
    read, write = os.pipe()
    tail = subprocess.Popen(
        [find_marey(), "tail", "--from-start", path], stdout=write, stderr=subprocess.PIPE
    )
    os.close(write)
    assert os.read(read, 10)
    os.close(read)
    assert tail.communicate(timeout=SECONDS)[1] == b""
