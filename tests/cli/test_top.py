"""`marey top` at a terminal: what a person sees, what the keys do, and that the terminal is given
back however it ends."""

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

import pyte
import pytest
import targets
from command import find_marey
from targets import marey, python

BUSY = """\
import threading, time

def spin(seconds):
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass

def often(): spin(0.08)
def seldom(): spin(0.02)

def sleeps():
    time.sleep(600)

threading.Thread(target=sleeps, daemon=True).start()
print("ready", flush=True)
while True:
    often()
    seldom()
"""

# What is on the screen is decoded for TERM=linux, as pyte does not know all that an xterm knows;
# the second screen, that programs leave again, is an xterm's.
XTERM = {"TERM": "xterm"}
ENTER, LEAVE = b"\x1b[?1049h", b"\x1b[?1049l"


class Terminal:
    """A terminal with a program in it, and what is on its screen."""

    def __init__(self, command, columns=80, rows=24, env=None):
        self.master, slave = pty.openpty()
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.bytes = b""
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.before = termios.tcgetattr(slave)
        self.process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**os.environ, "TERM": "linux", "LC_ALL": "C.UTF-8", **(env or {})},
            preexec_fn=self.take_terminal,
        )
        self.slave = slave

    @staticmethod
    def take_terminal():
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    @property
    def text(self):
        return "\n".join(line.rstrip() for line in self.screen.display)

    def send(self, keys):
        os.write(self.master, keys.encode())

    def read(self, seconds):
        if select.select([self.master], [], [], seconds)[0]:
            part = os.read(self.master, 65536)
            self.bytes += part
            self.stream.feed(part)

    def wait_for(self, pattern):
        self.wait_until(lambda: re.search(pattern, self.text), f"no {pattern!r}")

    def wait_until(self, holds, otherwise="not what was waited for"):
        deadline = time.monotonic() + 20
        while not holds():
            assert time.monotonic() < deadline, f"{otherwise} in\n{self.text}"
            self.read(0.1)

    def resize(self, columns, rows):
        self.screen.resize(rows, columns)
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def end(self):
        """The exit status; the terminal has to be as it was."""
        deadline = time.monotonic() + 20
        while self.process.poll() is None:
            assert time.monotonic() < deadline, f"it does not end:\n{self.text}"
            self.read(0.05)
        self.read(0.1)
        assert termios.tcgetattr(self.slave) == self.before
        assert self.bytes.count(ENTER) == self.bytes.count(LEAVE)
        assert self.bytes.rfind(LEAVE) >= self.bytes.rfind(ENTER)
        return self.process.returncode

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.slave)
        os.close(self.master)


@contextlib.contextmanager
def top(*words, **options):
    terminal = Terminal([find_marey(), "top", "-d", "0.3", *map(str, words)], **options)
    try:
        yield terminal
    finally:
        terminal.close()


@pytest.fixture
def busy(tmp_path):
    with python(tmp_path, BUSY) as process:
        yield process


def rows(terminal):
    """{function: [self %, total %]} of what is shown"""
    found = {}
    for line in terminal.text.splitlines():
        match = re.match(r"\s*([\d.]+)\s+([\d.]+)\s+\S+\s+\S+\s+([\w.<>]+) \(", line)
        if match:
            found[match[3]] = [float(match[1]), float(match[2])]
    return found


def test_functions_by_their_own_time(busy):
    with top(busy.pid) as terminal:
        terminal.wait_for(r"often \(")
        terminal.wait_for(r"\n +1?\d\d\.\d +1?\d\d\.\d +[1-9]\.\d\ds +[1-9]\S+  spin \(")
        shown = rows(terminal)
        assert next(iter(shown)) == "spin"
        assert shown["spin"][0] > 50
        assert shown["often"][0] < shown["spin"][0] and shown["often"][1] > shown["seldom"][1]
        assert shown["<module>"][1] >= shown["spin"][0] - 1
        lines = terminal.text.splitlines()
        assert lines[0].startswith(f"{busy.pid} {busy.args[0][:30]}")
        assert re.match(
            r"CPU \d+%  GIL \d+%  wait \d+%  2 threads  1 process  sampler [\d.]+%$", lines[1]
        )
        assert re.match(r"wall, 1000 Hz: [\d,]+ samples, \d+ torn", lines[2])
        assert lines[-1].startswith("q quit")
        assert max(map(len, lines)) <= 80
        terminal.send("q")
        assert terminal.end() == 0
    assert busy.poll() is None


def test_the_keys(busy):
    with top(busy.pid) as terminal:
        terminal.wait_for(r"spin \(")
        assert " >SELF%" in terminal.text
        for title in (">TOTAL%", r">SELF ", r">TOTAL ", ">SELF%"):
            terminal.send("s")
            terminal.wait_for(title)
        terminal.send("l")
        terminal.wait_for(r"often \(.*:8\)")
        terminal.send("l")
        terminal.send("fOFT")
        terminal.wait_for("filter: OFT_")
        terminal.send("\n")
        terminal.wait_for("only 'OFT'")
        terminal.wait_until(lambda: list(rows(terminal)) == ["often"])
        terminal.send("\x1b")
        terminal.wait_for(r"spin \(")
        terminal.send("t")
        terminal.wait_for(rf" {busy.pid} +{busy.pid} ")
        assert re.search(r"TID +>CPU% +GIL% +WAIT% +RUN%  THREAD", terminal.text)
        terminal.send("l")  # not back to functions
        terminal.wait_for(r"often \(.*:8\)")
        terminal.send("h")
        terminal.wait_for("any key goes back")
        for title in ("SELF%", "TOTAL%", "CPU%", "RUN%", "GIL%", "WAIT%"):
            assert f"{title} " in terminal.text
        terminal.send("x")
        terminal.wait_for("q quit")
        terminal.send("q")
        assert terminal.end() == 0


def test_pause_and_reset(busy):
    def samples(terminal):
        return int(re.search(r": ([\d,]+) samples", terminal.text)[1].replace(",", ""))

    with top(busy.pid) as terminal:
        terminal.wait_for(r": [\d,]{3,} samples")
        terminal.send(" ")
        terminal.wait_for("PAUSED")
        held = samples(terminal)
        for _ in range(8):
            terminal.read(0.1)
        assert samples(terminal) == held
        terminal.send(" ")
        terminal.wait_for(r": [\d,]+ samples, \d+ torn\n")
        terminal.wait_until(lambda: samples(terminal) != held)
        terminal.wait_for(r"[1-9]\.\d\ds  spin|[1-9]\.\d\ds +\S+  spin")
        terminal.send("r")
        terminal.wait_for(r" \d\d\dms +\S+  spin| [\d.]+ms +\S+  spin")
        terminal.send("q")
        assert terminal.end() == 0


def test_other_sizes(busy):
    with top(busy.pid) as terminal:
        terminal.wait_for(r"spin \(")
        for columns, height in ((132, 50), (40, 10), (80, 24)):
            terminal.resize(columns, height)
            terminal.wait_for(r"spin")
            terminal.wait_until(lambda: terminal.screen.display[-1].startswith("q quit"))
        terminal.resize(10, 3)
        terminal.wait_for("too small")
        terminal.resize(80, 24)
        terminal.wait_for(r"spin \(")
        terminal.send("q")
        assert terminal.end() == 0


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGSEGV", "SIGABRT"])
def test_signals_and_crashes_give_the_terminal_back(busy, name):
    number = signal.Signals[name]
    with top(busy.pid, env=XTERM) as terminal:
        terminal.wait_for(r"spin \(")
        assert terminal.bytes.count(ENTER) == 1
        terminal.process.send_signal(number)
        assert terminal.end() == -number
    assert busy.poll() is None


def test_ctrl_c(busy):
    with top(busy.pid) as terminal:
        terminal.wait_for(r"spin \(")
        terminal.send("\x03")
        assert terminal.end() == -signal.SIGINT


def test_it_ends_with_its_target(busy):
    with top(busy.pid, env=XTERM) as terminal:
        terminal.wait_for(r"spin \(")
        busy.kill()
        busy.wait()
        assert terminal.end() == 0
        assert b"marey top: the process has ended" in terminal.bytes


def test_a_terminal_without_utf8(tmp_path):
    text = BUSY.replace("often", "oft_\u00e9\u4e2d")
    with python(tmp_path, text) as process, top(process.pid, env={"LC_ALL": "C"}) as terminal:
        terminal.wait_for(r"oft_\?\? \(")
        terminal.send("q")
        assert terminal.end() == 0


def test_no_terminal(busy):
    done = marey("top", busy.pid, stdin=subprocess.DEVNULL)
    assert (done.returncode, done.stdout) == (2, "")
    assert "this is no terminal; 'marey attach' samples into a file" in done.stderr


def test_an_unknown_terminal(busy):
    with top(busy.pid, env={"TERM": "no-such-terminal"}) as terminal:
        assert terminal.process.wait(20) == 2
        terminal.read(1)
        assert b"this terminal ($TERM) is not known here" in terminal.bytes


def test_what_cannot_be_sampled():
    pid = targets.ended_pid()
    with top(pid) as terminal:
        assert terminal.process.wait(20) == 2
        terminal.read(1)
        assert f"marey top: {pid}: there is no such process".encode() in terminal.bytes
        assert ENTER not in terminal.bytes


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "which process?"),
        (["x"], "'x' is no process number"),
        (["-d", "0", "1"], "--delay: '0' is not from 0.1 to 60 seconds"),
        (["--mode", "x", "1"], "--mode: 'x' is none of wall, cpu and gil"),
        (["--output", "x", "1"], "unknown option '--output'"),
    ],
)
def test_wrong_words(words, says):
    done = marey("top", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
