"""A program with something of all that a page shows: threads that compute and wait, spans that
fail, instants, a counter, flows, tasks, calls with arguments, names that are hostile."""

import asyncio
import json
import queue
import sys
import threading
import time

import marey

HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "naïve 🚀 emoji",
    "שלום עולם",
    "left\u202eright",
    "</script><script>alert(2)</script>",
    "x" * 600,
]
ITEMS = 120

items = queue.Queue()
length = marey.counter("queue length", unit="items")


def work(seconds):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        json.dumps({"rows": list(range(200))})


def handle(number):
    with marey.span("parse", category="io"):
        work(0.001)
    with marey.span(HOSTILE[number % len(HOSTILE)]):
        work(0.001)
    if number % 17 == 0:
        try:
            with marey.span("validate"):
                raise ValueError("no <b>such</b> user")
        except ValueError:
            marey.instant("retry", attempt=1)


def worker(number):
    while (item := items.get()) is not None:
        length.add(-1)
        place, flow = item
        with marey.span(
            "handle", flow=flow.end, worker=number, item=place, path=f"/users/<b>{place}</b>"
        ):
            handle(place)


async def poll(number):
    for _ in range(10):
        with marey.span("poll", number=number):
            await asyncio.sleep(0.001)


async def poll_all():
    await asyncio.gather(*(poll(number) for number in range(3)))


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def main(path):
    threads = [threading.Thread(target=worker, args=(i,), name=f"worker-{i} <i>") for i in range(2)]
    with marey.record(path), marey.sample(hz=500):
        for thread in threads:
            thread.start()
        with marey.span("feed", of=ITEMS):
            for i in range(ITEMS):
                flow = marey.flow()
                with marey.span("put", flow=flow):
                    length.add(1)
                    items.put((i, flow))
                time.sleep(0.001)
        for _ in threads:
            items.put(None)
        with marey.calls():
            fib(7)
        asyncio.run(poll_all())
        for thread in threads:
            thread.join()


main(sys.argv[1])
