"""What the programs of test_hooks.py share: on() and off().

Between them the calls of the program's own file are seen."""

import sys

import hook_probe as p

MAIN = sys.argv[0]


def on(c_calls=False):
    p.clear()
    p.start(c_calls, False, True, MAIN)


def off(c_calls=False):
    """The lines of what was told."""
    p.stop(c_calls)
    totals = p.totals()
    assert not totals["bad"], totals
    return [
        " ".join([" " * depth + what, *filter(None, words)]) for what, depth, *words in p.events()
    ]


def counts(name):
    """Of all functions of that name: entered, resumed, thrown, returned, yielded, awaits,
    raised, lost."""
    found = [numbers for (_, _, code), numbers in p.counts().items() if code == name]
    return [sum(column) for column in zip(*found)] or [0] * 8
