"""Every call of a program, into the recording that it runs in: for `marey run --calls`."""

from __future__ import annotations

import sys

from . import _marey
from ._calls import _scope

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_program: _marey.Scope | None = None  # as long as the process lives


def _read(text: str) -> dict[str, Any]:
    """The options of $MAREY_CALLS, lines of name=value: src/cli/calls_options.c writes them."""
    options: dict[str, Any] = {"include": [], "ignore": []}
    for line in text.splitlines():
        name, _, value = line.partition("=")
        if name in ("include", "ignore"):
            options[name].append(value)
        elif name == "min-duration":
            options["min_duration"] = int(value) / 1e9
        elif name == "max-depth":
            options["max_depth"] = int(value)
        elif name == "args":
            options["args"] = options["results"] = True
        elif name == "c-calls":
            options["c_calls"] = True
    return options


def start(text: str) -> None:
    """Record from now on. Where that is not possible, one line on the standard error says why."""
    global _program
    options = {"args": False, "results": False, "max_depth": 500, **_read(text)}
    try:
        _program = _scope(threads="all", max_calls=0, log_bytes=0, **options)
        _program.open()
    except Exception as error:
        _program = None
        print(f"marey: calls are not recorded: {error}", file=sys.stderr)
