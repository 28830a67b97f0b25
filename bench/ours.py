"""What users of Marey write, as loops: the twin of peers.py."""

from itertools import repeat

import marey

items = marey.counter("items", unit="items")
device = marey.track("device")


def span(n):
    for _ in repeat(None, n):
        with marey.span("x"):
            pass


def span_argument(n):
    for _ in repeat(None, n):
        with marey.span("x", rows=17):
            pass


def span_result(n):
    for _ in repeat(None, n):
        with marey.span("x") as s:
            s.set(rows=17)


def span_category(n):
    for _ in repeat(None, n):
        with marey.span("x", category="db"):
            pass


def reused(n):
    s = marey.span("x")
    for _ in repeat(None, n):
        with s:
            pass


def instant(n):
    for _ in repeat(None, n):
        marey.instant("x")


def counter(n):
    for _ in repeat(None, n):
        items.set(17)


def on_track(n):
    for _ in repeat(None, n):
        device.begin("x")
        device.end()


def traced_call(n):
    for _ in repeat(None, n):
        traced_function()


@marey.traced
def traced_function():
    pass
