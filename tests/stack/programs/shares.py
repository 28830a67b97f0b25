"""Seven, two and one times the same work in three functions, in as many threads as asked for."""

import sys
import threading

WORK = 1000


def seventy():
    total = 0
    for i in range(WORK):
        total += i
    return total


def twenty():
    total = 0
    for i in range(WORK):
        total += i
    return total


def ten():
    total = 0
    for i in range(WORK):
        total += i
    return total


def main():
    while True:
        for _ in range(7):
            seventy()
        for _ in range(2):
            twenty()
        ten()


for number in range(int(sys.argv[1]) - 1 if len(sys.argv) > 1 else 0):
    threading.Thread(target=main, name=f"worker-{number}", daemon=True).start()
main()
