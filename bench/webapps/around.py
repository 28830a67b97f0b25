"""What stands around an application of bench/live.py: nothing, Marey in some way, or another tool,
as $BENCH_AROUND says. Marey keeps into $BENCH_KEPT what is slow, and every $BENCH_EVERY'th; with
$BENCH_TOKEN it has its page, below /marey, and samples."""

import os
from pathlib import Path

WHO = os.environ["BENCH_AROUND"]
OWN = str(Path(__file__).parent)
EVERY = [int(number) for number in os.environ.get("BENCH_EVERY", "").split()]
TOKEN = os.environ.get("BENCH_TOKEN")
SLOW = 0.2  # seconds from which a request is kept

_KEPT = {"paused": None, "spans": "spans", "sampled": "samples", "calls": "calls"}
used = []  # the tools, to be alive


def options():
    """Of Marey's middleware; None: it is not installed."""
    if WHO not in _KEPT:
        return None
    if WHO == "paused":
        return {}
    from marey.integrations import every, slower_than

    live = {"live": "/marey", "token": TOKEN, "running": True} if TOKEN else {}
    return {
        **live,
        "keep": [slower_than(SLOW), *map(every, EVERY)],
        "record": _KEPT[WHO],
        "folder": os.environ["BENCH_KEPT"],
        "hz": 100,
    }


def begin():
    """In the process that answers."""
    if WHO == "paused":
        import marey

        sampler = marey.Sampler(hz=100).start()
        sampler.pause()
        used.append(sampler)
    elif WHO == "viztracer":
        from viztracer import VizTracer

        tracer = VizTracer(
            tracer_entries=500_000, include_files=[OWN], ignore_c_function=True, verbose=0
        )
        tracer.start()
        used.append(tracer)


def _profiler(is_async):
    from pyinstrument import Profiler

    return Profiler(async_mode="enabled" if is_async else "disabled")


def around_wsgi(application):
    """pyinstrument, as its documents have it for Flask: a profiler for each request."""
    begun = []

    def answer(environ, start_response):
        if not begun:
            begun.append(begin())
        if WHO != "pyinstrument":
            return application(environ, start_response)
        profiler = _profiler(False)
        profiler.start()
        try:
            return application(environ, start_response)
        finally:
            profiler.stop()

    return answer


def around_asgi(application):
    """The same for FastAPI."""
    begun = []

    async def answer(scope, receive, send):
        if not begun:
            begun.append(begin())
        if WHO != "pyinstrument" or scope["type"] != "http":
            return await application(scope, receive, send)
        profiler = _profiler(True)
        profiler.start()
        try:
            await application(scope, receive, send)
        finally:
            profiler.stop()

    return answer
