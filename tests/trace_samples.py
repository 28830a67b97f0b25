"""The samples of a trace, read by tracecheck: with no part of Marey in it."""

import collections

import tracecheck


def stacks(path):
    """[(nanoseconds, [names, the outermost first])]; nothing of the trace may be lost."""
    trace = tracecheck.load(str(path))
    assert not trace.problems, trace.problems
    return [
        (one["weight"] or 0, [frame["function"] for frame in one["stack"]]) for one in trace.samples
    ]


def self_seconds(path):
    """{function: seconds that it was running itself}"""
    sums = collections.Counter()
    for weight, names in stacks(path):
        if names:
            sums[names[-1]] += weight / 1e9
    return sums


def names(path):
    return {name for _, stack in stacks(path) for name in stack}


def counts(path):
    """The last values of the counters of sampling: taken, torn, missed."""
    trace = tracecheck.load(str(path))
    last = {one["name"]: one["value"] for one in trace.counters}
    words = {
        "marey samples": "taken",
        "marey samples torn": "torn",
        "marey samples missed": "missed",
    }
    return {word: last[name] for name, word in words.items()}
