"""What keeps measurements: counts of stacks, in bounded memory."""

from __future__ import annotations

import os
import re
import sys
import threading
from collections import Counter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from marey import Sampler

    from .metrics import Measurement

RE_FILTER_ALL_CHARACTERS = ".*"
STACKS_MAX = 100_000  # different ones; what comes beyond is counted as one
OTHER = "(other)"


class ProfileRecord:
    """A function, and in how many samples it was on the stack."""

    def __init__(self, name: str, hits: int) -> None:
        self.name, self.hits = name, hits

    def to_str(self) -> str:
        """As in "ProfileRecord(name=work(app), hits=3)"."""
        return f"{type(self).__name__}(name={self.name}, hits={self.hits})"

    def __repr__(self) -> str:
        return self.to_str()


class CountingRecorder:
    """Counts stacks: those that are recorded by hand, and those of a launcher's samples."""

    def __init__(self) -> None:
        self.db_lock = threading.Lock()
        self.my_db: dict[str, int] = {}
        self._samplers: list[Sampler] = []

    def record(self, measurement: Measurement) -> None:
        """Count a stack."""
        with self.db_lock:
            is_new = measurement.name not in self.my_db
            name = OTHER if is_new and len(self.my_db) >= STACKS_MAX else measurement.name
            self.my_db[name] = self.my_db.get(name, 0) + 1

    def query(
        self, re_filter: str | None = RE_FILTER_ALL_CHARACTERS, max_records: int | None = 10
    ) -> tuple[list[ProfileRecord], int]:
        """The functions with the most hits, and how many different stacks there are.

        re_filter: a regular expression that is searched for in "function(module)". max_records:
        None: all. A function that calls itself has one hit for a sample, however deep it is.
        """
        is_all = re_filter is None or re_filter == RE_FILTER_ALL_CHARACTERS
        pattern = None if is_all else re.compile(re_filter or "")
        hits: Counter[str] = Counter()
        with self.db_lock:
            stacks = len(self.my_db)
            for name, count in self.my_db.items():
                for function in set(name.split(";")):
                    hits[function] += count
        for sampler in self._samplers:
            for functions, count in _stacks(sampler):
                stacks += 1
                for function in functions:
                    hits[function] += count
        found = [
            ProfileRecord(name, count)
            for name, count in hits.most_common()
            if pattern is None or pattern.search(name)
        ]
        return found[:max_records], stacks

    def show(
        self,
        limit: int | None = 10,
        query: Sequence[ProfileRecord] | None = None,
        sep: str = "-",
        col: str = "|",
    ) -> str:
        """A table for people. query: what query()[0] gave; None: that of the first 100. sep, col:
        lines between rows and columns, "" for none.
        """
        records = self.query(max_records=100)[0] if query is None else list(query)
        total = sum(record.hits for record in records)
        note = f" (top {min(limit, len(records))}/{len(records)} results)" if limit else ""
        rows = [("Function", "Hits", "%")]
        for record in records[: limit or None]:
            rows.append((record.name[:40], str(record.hits), f"{100 * record.hits / total:.1f}"))
        lines = [
            f"{col} {name:40} {col} {hits:>8} {col} {share:>5} {col}" for name, hits, share in rows
        ]
        between = f"\n  {sep * len(lines[0])}\n  " if sep else "\n"
        return f"Profiling results:{note}\n" + between + between.join(lines) + between


# The launcher's own thread, which waits; before 3.11 functions have no class.
_OWN = f"run ({os.path.join(os.path.dirname(__file__), 'launchers.py')}:"


def _stacks(sampler: Sampler) -> Iterator[tuple[set[str], int]]:
    """({"function(module)", ...}, hits) of each stack."""
    modules = _modules()
    for line in sampler.folded(places=True).splitlines():
        if _OWN not in line:
            stack, _, count = line.rpartition(" ")
            yield {_function(frame, modules) for frame in stack.split(";")}, int(count)


def _function(frame: str, modules: dict[str, str]) -> str:
    """ "function(module)" of "Class.function (file:line)"; what is no function is as it is."""
    name, _, place = frame.partition(" (")
    if not place:
        return name
    file = place.rpartition(":")[0]
    return f"{name.rpartition('.')[2] or name}({modules.get(file) or _named_by_file(file)})"


def _modules() -> dict[str, str]:
    """The names of modules by their files, as code objects have them.

    Files are compared as texts, for a call of the file system gives the GIL away, and next to a
    thread that computes each waits 5 ms to get it back. Attributes are not asked for: a module
    that is loaded at its first use would be loaded by that.
    """
    modules: dict[str, str] = {}
    for name, module in list(sys.modules.items()):
        try:
            file = object.__getattribute__(module, "__dict__").get("__file__")
        except AttributeError:  # no module: anything may stand there
            continue
        if isinstance(file, str):
            modules.setdefault(file, name)
    return modules


def _named_by_file(file: str) -> str:
    """A name for the module of a file that is no module's: gone, or never one."""
    if file.startswith("<frozen "):
        return file[8:-1]
    return os.path.splitext(os.path.basename(file))[0] or "__main__"
