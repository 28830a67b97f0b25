"""Reads its own stacks by a native thread that knows nothing of the GIL: inside.py LIBRARY OUTPUT
ROUNDS."""

import ctypes
import sys
import threading


def leaf():
    return sum(range(50))


def work(until):
    while not until.is_set():
        leaf()


def main():
    library = ctypes.CDLL(sys.argv[1])
    error = library.inside_start(sys.argv[2].encode(), ctypes.c_long(int(sys.argv[3])))
    if error:
        sys.exit(f"inside_start: {error}")
    done = threading.Event()
    waiter = threading.Thread(target=lambda: (library.inside_wait(), done.set()))
    waiter.start()
    work(done)
    waiter.join()


main()
