"""Threads that wait: ten for ever, ten here and there in turns, as many as asked for the GIL."""

import sys
import threading
import time

EACH = 10


def waits(event):
    event.wait()


def here_and_there(pause):
    while True:
        pause(0.07)  # here
        pause(0.03)  # there


def pause(seconds):
    time.sleep(seconds)


def computes(begin):
    begin.wait()
    while True:
        sum(range(100))


for _ in range(EACH):
    threading.Thread(target=waits, args=(threading.Event(),), daemon=True).start()
    threading.Thread(target=here_and_there, args=(pause,), daemon=True).start()
begin = threading.Event()
for _ in range(int(sys.argv[1])):
    threading.Thread(target=computes, args=(begin,), daemon=True).start()
begin.set()
time.sleep(1000)
