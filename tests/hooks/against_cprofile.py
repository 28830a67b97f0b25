"""against_cprofile.py [--c] WORK: says where the counts of cProfile and of the hooks differ.

The hook_probe has to be on sys.path. cProfile counts each piece of a generator as a call: so do
we here. --c: how often C functions are called in all."""

import cProfile
import gc
import sys

import hook_probe
import works


def by_cprofile(work):
    profile = cProfile.Profile(builtins=False)
    profile.enable()
    work()
    profile.disable()
    counts = {}
    for entry in profile.getstats():
        code = entry.code
        if isinstance(code, str):  # a C function: 3.14 counts them all the same
            continue
        key = (code.co_filename, code.co_firstlineno, code.co_name)
        counts[key] = counts.get(key, 0) + entry.callcount
    return counts


def by_hooks(work):
    hook_probe.clear()
    hook_probe.start(False, False, False, "")
    work()
    hook_probe.stop(False)
    counts = {}
    for key, (entered, resumed, thrown, *ends) in hook_probe.counts().items():
        pieces = entered + resumed + thrown
        assert sum(ends) == pieces and ends[-1] == 0, (key, pieces, ends)
        if pieces:
            counts[key] = pieces
    totals = hook_probe.totals()
    assert totals == dict.fromkeys(totals, 0), totals
    return counts


def c_by_cprofile(work):
    profile = cProfile.Profile()
    profile.enable()
    work()
    profile.disable()
    names = [entry for entry in profile.getstats() if isinstance(entry.code, str)]
    return sum(entry.callcount for entry in names if "_lsprof.Profiler" not in entry.code)


def c_by_hooks(work):
    hook_probe.clear()
    hook_probe.start(True, False, False, "")
    work()
    hook_probe.stop(True)
    totals = hook_probe.totals()
    assert totals["c_entered"] == totals["c_returned"] + totals["c_raised"], totals
    assert not totals["bad"] and not totals["unnested"] and not totals["open"], totals
    return totals["c_entered"]


def counted(count, work):
    gc.collect()  # what runs when the last work's garbage goes is not this work's
    return count(work)


def main():
    work = works.WORKS[sys.argv[-1]]
    work()
    work()
    gc.disable()
    if sys.argv[1] == "--c":
        expected, seen = counted(c_by_cprofile, work), counted(c_by_hooks, work)
        print(f"{seen} calls" if expected == seen else f"{expected=} {seen=}")
        return
    expected, seen = counted(by_cprofile, work), counted(by_hooks, work)
    for key in sorted(expected.keys() | seen.keys()):
        if expected.get(key) != seen.get(key):
            print(key, "cProfile:", expected.get(key), "hooks:", seen.get(key))
    print(f"{sum(seen.values())} calls of {len(seen)} functions")


if __name__ == "__main__":
    main()
