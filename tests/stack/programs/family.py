"""Starts processes of all kinds, each of which works for a while in a function of its own."""

import os
import subprocess
import sys
import time

SECONDS = 0.5
SETTLE_SECONDS = float(os.environ.get("MAREY_TEST_SETTLE", "0.3"))  # before a sampler comes


def spin():
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        pass


def forked():
    spin()


def grandchild():
    spin()


def after_exec():
    spin()


def by_shell():
    spin()


def in_child(work):
    pid = os.fork()
    if pid == 0:
        work()
        os._exit(0)
    return pid


def child_of_child():
    os.waitpid(in_child(grandchild), 0)


def start_again():
    spin()
    os.execv(sys.executable, [sys.executable, __file__, "after_exec"])


if len(sys.argv) > 1:
    globals()[sys.argv[1]]()
else:
    time.sleep(SETTLE_SECONDS + SECONDS)
    shell = f"sleep 0.2; exec {sys.executable} {__file__} by_shell"
    shell_child = subprocess.Popen(["sh", "-c", shell])
    pids = [in_child(work) for work in (forked, child_of_child, start_again)]
    for pid in pids:
        os.waitpid(pid, 0)
    shell_child.wait()
