"""All stacks of this process when a signal comes."""

from __future__ import annotations

import os
from typing import Protocol

from . import _marey
from ._record import _raise


class _HasFileno(Protocol):
    def fileno(self) -> int: ...


# The files that signals write to, so that they stay open.
_files: dict[int, int | _HasFileno] = {}


def dump_on(signum: int, file: int | _HasFileno = 2, *, locals: bool = False) -> None:
    """From now on, the signal writes the stacks of all threads, as marey.dump shows them, to a file
    (or descriptor; standard error), which has to stay open. locals: as of marey.dump.

    It works also while the program hangs in C code with the GIL: the handler wakes a native thread,
    which reads the process without the GIL. What handled the signal before is called afterwards; a
    default action (SIGUSR1's ends the process) does not come any more. A handler that is set later
    by signal.signal takes the place of this one. In forked children it is on, too.

    Called again, it changes the file. Raises ValueError for signals that cannot be handled, or that
    stand for a crash, and what file.fileno() raises.
    """
    signum = int(signum)
    descriptor = file if isinstance(file, int) else file.fileno()
    os.fstat(descriptor)  # open?
    outcome = _marey.dump_on(signum, descriptor, locals)
    if outcome is not None and outcome[0] == _INVALID:
        raise ValueError(f"signum {signum} cannot be handled, or stands for a crash")
    _raise(outcome, None)
    _files[signum] = file


def dump_off(signum: int) -> bool:
    """Undo dump_on: what handled the signal before handles it again. False where it was not on."""
    _files.pop(int(signum), None)
    return _marey.dump_off(int(signum))


_INVALID = -7

os.register_at_fork(after_in_child=_marey.dump_after_fork)
