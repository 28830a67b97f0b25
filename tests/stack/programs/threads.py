"""Threads that each run their own functions; one waits."""

import ctypes
import threading

named = ctypes.CDLL(None).prctl
all_there = threading.Barrier(3)  # who computes lets the others begin first


def leaf_a():
    return 1


def thread_a():
    named(15, b"worker-a", 0, 0, 0)
    all_there.wait()
    while True:
        leaf_a()


def leaf_b():
    return 2


def thread_b():
    named(15, b"worker-b", 0, 0, 0)
    all_there.wait()
    while True:
        leaf_b()


def waiter():
    named(15, b"waiter", 0, 0, 0)
    event = threading.Event()
    event.wait()


def main():
    for target in waiter, thread_a, thread_b:
        threading.Thread(target=target, daemon=True, name=f"näme of {target.__name__}").start()
    all_there.wait()
    while True:
        leaf_m()


def leaf_m():
    return 3


main()
