"""A deep stack whose top moves all the time, over many pieces of the interpreter's own stack."""

import sys

sys.setrecursionlimit(10000)


def leaf_a():
    return sum(range(100))


def leaf_b():
    return sum(range(100))


def down(n):
    if n:
        return down(n - 1)
    while True:
        leaf_a()
        leaf_b()


down(900)
