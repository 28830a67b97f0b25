"""A function with variables of all kinds that sleeps."""

import collections
import enum
import time

Point = collections.namedtuple("Point", "x y")


class Color(enum.IntEnum):
    RED = 1


class Plain:
    pass


def holds(
    positional,
    default=2,
    /,
    *rest,
    by_name,
    password="hunter2",
    accessToken="s3cr3t",
    tokens=3,
    **more,
):
    none, true, false = None, True, False
    zero, negative, large, huge = 0, -12345678901, 2**59 + 7, 10**40
    nanoseconds, most, least, too_large = 10**18 + 2**62, 2**63 - 1, 1 - 2**63, 2**63
    number, whole, infinite, tiny = 0.1, 3.0, float("-inf"), 2.5e-300
    text, quoted, wide, long = "plain", "a'b\\c\n\x00", "naïve ☃ 😀", "x" * 500
    lone = "\ud800"
    data = b"\x00abc\xff'"
    empty, one, many = (), (1,), tuple(range(100))
    nested = [[[[1]]]]
    pairs = {"a": 1, "api_key": "s3cr3t", 2: [1, 2]}
    some, frozen, none_in_it = {7}, frozenset({8}), set()
    red, point, ordered = Color.RED, Point(1, 2), collections.OrderedDict(k=1)
    plain, kind, module = Plain(), Plain, time
    unset = 1
    del unset
    shared = "cell"
    recursive = []
    recursive.append(recursive)

    def inner(x):
        nonlocal shared
        time.sleep(1000)
        return shared, x

    inner(5)
    return locals()


def deleted_items():
    gone = dict.fromkeys(range(5))
    del gone[0], gone[3]
    removed = {1, 2, 3}
    removed.discard(2)
    holds(1, 2, 3, 4, by_name="n", extra=9)


deleted_items()
