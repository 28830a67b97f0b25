"""Does the same thing each millisecond: 0.7 ms in one function, 0.2 ms in another, 0.1 ms in a
third. How long it really was in each (the machine does other things, too) it writes into the file
that is named, now and then, after the time."""

import os
import sys
import time

PERIOD = 0.001
spent = [0.0, 0.0, 0.0]


def seventy(until):
    while time.monotonic() < until:
        pass


def twenty(until):
    while time.monotonic() < until:
        pass


def ten(until):
    while time.monotonic() < until:
        pass


file = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
work = ((seventy, 0.7 * PERIOD), (twenty, 0.9 * PERIOD), (ten, PERIOD))
start = before = written = time.monotonic()
while True:
    for number, (function, end) in enumerate(work):
        function(start + end)
        now = time.monotonic()
        spent[number] += now - before
        before = now
    start = max(start + PERIOD, now // PERIOD * PERIOD)
    if now - written > 0.05:
        written = now
        os.pwrite(file, b"%15.6f %12.6f %12.6f %12.6f" % (now, *spent), 0)
