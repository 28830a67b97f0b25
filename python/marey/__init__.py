"""See what a program does: one Perfetto trace file, whole at every instant.

    import marey

    with marey.record("app.perfetto-trace"):
        with marey.span("load", path=path) as span:
            rows = load(path)
            span.set(rows=len(rows))
        marey.counter("queue", unit="items").set(17)

    @marey.traced
    async def fetch(url): ...

Values that are handed to spans and instants are read without running any code of theirs, and
recording never raises into the program: see the README for what is shown of which type.
"""

import os as _os

from . import _marey
from ._categories import categories
from ._marey import (
    Category,
    Counter,
    Track,
    counter,
    dump,
    flow,
    instant,
    now,
    process_name,
    recording,
    span,
    status,
    thread_name,
    track,
)
from ._places import get_cmake_dir, get_include, get_lib_dir
from ._record import Error, record, snapshot, tag
from ._secrets import secrets
from ._traced import traced

TYPE_CHECKING = False  # as typing has it, which takes milliseconds to import
if TYPE_CHECKING:
    from ._calls import calls
    from ._dump import dump_off, dump_on
    from ._live.server import live
    from ._on_failure import on_failure
    from ._sampler import Sampler, sample
    from ._trace import open_trace
else:
    # Where stands what most programs never ask for: imported when it is asked for.
    _LATER = {
        "Sampler": "_sampler",
        "calls": "_calls",
        "dump_off": "_dump",
        "dump_on": "_dump",
        "live": "_live.server",
        "on_failure": "_on_failure",
        "open_trace": "_trace",
        "sample": "_sampler",
    }

    def __getattr__(name):
        if name not in _LATER:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        found = getattr(import_module(f".{_LATER[name]}", __name__), name)
        globals()[name] = found
        return found

    def __dir__():
        return sorted({*globals(), *_LATER})


del TYPE_CHECKING

__version__ = _marey.version

if _os.environ.get("MAREY_TRACE"):  # of a session, also where marey.pth is not read
    from . import _autostart  # noqa: F401

__all__ = [
    "Category",
    "Counter",
    "Error",
    "Sampler",
    "Track",
    "calls",
    "categories",
    "counter",
    "dump",
    "dump_off",
    "dump_on",
    "flow",
    "get_cmake_dir",
    "get_include",
    "get_lib_dir",
    "instant",
    "live",
    "now",
    "on_failure",
    "open_trace",
    "process_name",
    "record",
    "recording",
    "sample",
    "secrets",
    "snapshot",
    "span",
    "status",
    "tag",
    "thread_name",
    "traced",
    "track",
]


def load_ipython_extension(ipython: object) -> None:
    """`%load_ext marey`: the magics %marey and %%marey."""
    from ._notebook import load

    load(ipython)
