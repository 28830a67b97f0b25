"""What the command says, and where it writes."""

from __future__ import annotations

import sys

from . import _storage
from ._render import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO


class Failure(Exception):
    """A message for the user; exit status 1."""


# ------------------------------------------------------------------------------ messages


def _say(file: IO[str], symbol: str, plain: str, text: str) -> None:
    print(symbol if file.isatty() else plain, printable(text), file=file)


def ok(text: str) -> None:
    """Something was done."""
    _say(sys.stdout, "✓", "OK:", text)


def warn(text: str) -> None:
    """Something to know."""
    _say(sys.stderr, "!", "WARN:", text)


def err(text: str) -> None:
    """Something is wrong."""
    _say(sys.stderr, "✗", "ERR:", text)


def info(text: str) -> None:
    """Something else."""
    print(f"  {printable(text)}")


def put(text: str, path: str | None, what: str) -> None:
    """Into a file, or to the standard output."""
    if path is None:
        sys.stdout.write(text)
        return
    _storage.write_text(path, text)
    ok(f"{what}: {path}")
