"""Imported by marey.pth when a Python starts in a session that $MAREY_TRACE names: it joins at
once, so that the threads, tasks and pauses of every such process are seen. A session that is gone,
or anything else, is no reason to disturb it.
"""

from __future__ import annotations

import os

from . import _hooks, _marey
from ._record import describe_python


def _start() -> None:
    if _marey.join(None) is not None:
        return
    _hooks.start(gc=True)
    options = os.environ.get("MAREY_CALLS")
    if options is not None:
        from ._program_calls import start

        start(options)
    if os.environ.get("MAREY_RUN") == str(os.getppid()):  # the program itself, not its children
        describe_python()


try:
    _start()
except Exception:
    _hooks.stop()
