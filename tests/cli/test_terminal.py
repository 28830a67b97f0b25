"""At a terminal: the keys that interrupt and stop reach the program once, and the report fits."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time

import pytest
from command import find_marey

COUNTS_INTERRUPTS = """
trap 'echo "interrupt $((n = n + 1))"' INT
echo ready
while [ "${n:-0}" -lt 1 ]; do sleep 0.05; done
sleep 0.3
exit 6
"""


class Terminal:
    """A shell with job control on a terminal of 80 columns."""

    def __init__(self, folder):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        env = {"PATH": os.environ["PATH"], "PS1": "$ ", "TERM": "xterm", "LC_ALL": "C.UTF-8"}
        self.shell = subprocess.Popen(
            ["bash", "--norc", "--noprofile", "--noediting", "-i"],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=folder,
            env=env,
            preexec_fn=self.take_terminal,
        )
        os.close(slave)
        self.seen = ""
        self.wait_for("$ ")

    @staticmethod
    def take_terminal():
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def send(self, keys):
        os.write(self.master, keys.encode())

    def wait_for(self, text):
        """What was shown until `text` came."""
        deadline = time.monotonic() + 20
        while text not in self.seen:
            assert time.monotonic() < deadline, f"no {text!r} in {self.seen!r}"
            if select.select([self.master], [], [], 0.1)[0]:
                self.seen += os.read(self.master, 65536).decode()
        shown, _, self.seen = self.seen.partition(text)
        return shown

    def close(self):
        # Its jobs have process groups of their own.
        subprocess.run(["pkill", "-KILL", "-s", str(self.shell.pid)], check=True)
        self.shell.wait()
        os.close(self.master)


@pytest.fixture
def terminal(tmp_path):
    terminal = Terminal(tmp_path)
    yield terminal
    terminal.close()


def sleeps(seconds):
    """A program that says when it runs; the words that were typed do not."""
    return f"sh -c 'echo re\"\"ady; exec sleep {seconds}'"


def test_an_interrupt_reaches_the_program_once(terminal, tmp_path):
    (tmp_path / "count.sh").write_text(COUNTS_INTERRUPTS)
    terminal.send(f"{find_marey()} run -q sh count.sh; echo status=$?\n")
    terminal.wait_for("ready")
    terminal.send("\x03")
    shown = terminal.wait_for("status=6")
    assert "interrupt 1" in shown
    assert "interrupt 2" not in shown


def test_an_interrupted_program_is_reported(terminal):
    terminal.send(f"{find_marey()} run {sleeps(60)}\n")
    terminal.wait_for("ready")
    terminal.send("\x03")
    terminal.wait_for("killed by signal 2 (Interrupt)")
    terminal.send("echo status=$?\n")
    terminal.wait_for("status=130")


def test_a_stopped_program_can_be_continued(terminal):
    terminal.send(f"{find_marey()} run -q {sleeps(1.5)}\n")
    terminal.wait_for("ready")
    terminal.send("\x1a")
    terminal.wait_for("Stopped")
    terminal.send("fg; echo status=$?\n")
    terminal.wait_for("status=0")


def test_the_report_fits_eighty_columns(terminal, tmp_path):
    name = "a-program-with-a-name-that-is-longer-than-a-terminal-is-wide-" * 2
    (tmp_path / name).symlink_to("/bin/true")
    terminal.send(f"{find_marey()} run -o t.perfetto-trace ./{name[:8]}*; echo done=$?\n")
    terminal.wait_for("\x1b[1mSPAN")  # the titles are bold
    lines = ("SPAN" + terminal.wait_for("done=0").replace("\x1b[0m", "")).splitlines()
    assert any("a-program" in line and "..." in line for line in lines)
    assert max(len(line) for line in lines) <= 80
