"""Imported by marey.pth when a Python starts in a session that $MAREY_TRACE names: it joins at
once, so that the threads, tasks and pauses of every such process are seen. A session that is gone,
or anything else, is no reason to disturb it.
"""

from __future__ import annotations

from . import _hooks, _marey


def _start() -> None:
    if _marey.join(None) is None:
        _hooks.start(gc=True)


try:
    _start()
except Exception:
    _hooks.stop()
