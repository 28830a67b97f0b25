"""Threads that sleep, wait for a lock, compute, and compute without the GIL."""

import hashlib
import threading
import time

LOCK = threading.Lock()
BYTES = bytes(1 << 22)


def sleeper():
    while True:
        time.sleep(0.5)


def locked_out():
    with LOCK:
        pass


def computer():
    while True:
        sum(range(100))


def hasher():
    while True:
        hashlib.sha256(BYTES).digest()


LOCK.acquire()
for work in (sleeper, locked_out, computer, hasher):
    threading.Thread(target=work, name=work.__name__, daemon=True).start()
time.sleep(1000)
