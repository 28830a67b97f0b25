"""Processes to be looked into, for the tests of dump, attach, top and run."""

import contextlib
import ctypes
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from command import find_marey

# A program says that it is ready by a line on its standard output; then what it does is known.
READY = 'print("ready", flush=True)\n'


@contextlib.contextmanager
def started(command, **options):
    """A process that has said a line; killed at the end."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **options) as process:
        try:
            assert process.stdout.readline() == "ready\n"
            time.sleep(0.1)  # from the line to what it does then
            yield process
        finally:
            process.kill()


def python(folder, text, *words, name="app.py", **options):
    """A Python program with this text, this far."""
    path = Path(folder, name)
    path.write_text(text)
    return started([sys.executable, str(path), *words], **options)


def marey(*words, **options):
    env = {key: value for key, value in os.environ.items() if key != "COLUMNS"}
    options = {
        "capture_output": True,
        "text": True,
        "check": False,
        "timeout": 60,
        "env": env,
        **options,
    }
    return subprocess.run([find_marey(), *map(str, words)], **options)


def ended_pid():
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


@contextlib.contextmanager
def as_nobody():
    """Options for a process of another user without rights, and a copy of the command that it can
    reach."""
    if os.geteuid() != 0:
        pytest.skip("has to become another user")
    nobody = pwd.getpwnam("nobody")
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        os.chmod(folder, 0o755)
        copy = shutil.copy(find_marey(), folder)
        yield copy, {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


LATER_PYTHON = r"""
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>
/* What a Python 3.%d would say of itself, and nothing behind it. */
__attribute__((section(".PyRuntime"), used)) struct {
    char cookie[8];
    uint64_t version, rest[200];
} _PyRuntime = {"xdebugpy", 0x03000000u | %du << 16 | 0xf0, {0}};
int main(void) {
    puts("ready");
    fflush(stdout);
    return sleep(%d);
}
"""


def make_later_python(folder, minor, seconds):
    """A program that looks like a Python of a version that nobody knows yet, for so long."""
    source, program = Path(folder, "later.c"), str(Path(folder, "later"))
    source.write_text(LATER_PYTHON % (minor, minor, seconds))
    subprocess.run(["cc", "-rdynamic", "-o", program, str(source)], check=True)
    return program


def later_python(folder, minor):
    return started([make_later_python(folder, minor, 600)])


def has_gil():
    return getattr(sys, "_is_gil_enabled", lambda: True)()


def without_right_to_trace():
    """For preexec_fn: what root is in a container."""
    PR_CAPBSET_DROP, CAP_SYS_PTRACE = 24, 19
    if ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_SYS_PTRACE, 0, 0, 0):
        raise OSError("the capability cannot be given up")
