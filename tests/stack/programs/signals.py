"""Gets a signal each millisecond, and counts them in the file that is named."""

import os
import signal
import sys

file = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
count = 0


def handle(number, frame):
    global count
    count += 1
    os.pwrite(file, b"%12d" % count, 0)


signal.signal(signal.SIGALRM, handle)
signal.signal(signal.SIGUSR1, handle)
os.pwrite(file, b"%12d" % 0, 0)
if len(sys.argv) > 2:
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
while True:
    sum(range(100))
