"""Functions of a trace in numbers: what took long, what changed; and calls as a table."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

from ._nodes import TIMES, TraceSummary, format_elapsed, walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._nodes import TraceNode

_SLOWER, _OFTENER = 0.2, 0.1  # changes that are worth a line
_SHOWN = 10


@dataclass
class _Function:
    """Calls of a function. Seconds; total: of a recursion the outermost calls alone."""

    module: str
    count: int = 0
    total: float = 0.0
    longest: float = 0.0

    @property
    def mean(self) -> float:
        return self.total / self.count if self.count else 0.0


def _functions(roots: list[TraceNode]) -> dict[str, _Function]:
    found: dict[str, _Function] = {}
    around: list[str] = []
    inside: dict[str, int] = {}  # how many of a function the walk is in
    for node, depth, _ in walk(roots):
        for name in around[depth:]:
            inside[name] -= 1
        del around[depth:]
        name = node.full_name
        one = found.setdefault(name, _Function(node.module))
        one.count += 1
        one.longest = max(one.longest, node.elapsed)
        if not inside.get(name):
            one.total += node.elapsed
        inside[name] = inside.get(name, 0) + 1
        around.append(name)
    return found


def _modules(roots: list[TraceNode]) -> dict[str, tuple[int, float]]:
    """Calls, and the time in them and not in others."""
    found: dict[str, tuple[int, float]] = {}
    for node, _, _ in walk(roots):
        own = max(0.0, node.elapsed - sum(child.elapsed for child in node.children))
        count, total = found.get(node.module, (0, 0.0))
        found[node.module] = count + 1, total + own
    return found


def stats(roots: list[TraceNode]) -> Iterator[str]:
    """The slowest, the most called, and the modules."""
    if not roots:
        yield "  No calls captured in this trace."
        return
    functions = _functions(roots)
    yield "\nTop 10 slowest functions:"
    slowest = sorted(functions.items(), key=lambda item: -item[1].total)[:_SHOWN]
    for number, (name, one) in enumerate(slowest, 1):
        yield (
            f"  {number:>2}.  {name:<35} {format_elapsed(one.total):>10}  ({TIMES}{one.count},  "
            f"avg {format_elapsed(one.mean)},  max {format_elapsed(one.longest)})"
        )
    yield "\nTop 10 most called functions:"
    most = sorted(functions.items(), key=lambda item: -item[1].count)[:_SHOWN]
    for number, (name, one) in enumerate(most, 1):
        yield (
            f"  {number:>2}.  {name:<35} {TIMES}{one.count:<6}  (avg {format_elapsed(one.mean)},  "
            f"total {format_elapsed(one.total)})"
        )
    yield "\nModule breakdown:"
    calls = TraceSummary.from_roots(roots).call_count
    for name, (count, total) in sorted(_modules(roots).items(), key=lambda item: -item[1][1]):
        part = f"{count / calls:>4.0%}"
        yield f"  {name:<30} {count:>5} calls ({part})   self: {format_elapsed(total)}"


def changes(before: list[TraceNode], after: list[TraceNode]) -> Iterator[str]:
    """A line for each function that is new, gone, slower, faster, or called more or less often."""
    old, new = _functions(before), _functions(after)
    for name in sorted({*old, *new}):
        if name not in old:
            yield f"+ {name:<40} added      [{format_elapsed(new[name].total)}]"
        elif name not in new:
            yield f"- {name:<40} removed"
        else:
            yield from _changed(name, old[name], new[name])


def _changed(name: str, old: _Function, new: _Function) -> Iterator[str]:
    grown = (new.total - old.total) / old.total if old.total > 0 else 0.0
    if abs(grown) > _SLOWER:
        how = "slower" if grown > 0 else "faster"
        times = f"{format_elapsed(old.total)} -> {format_elapsed(new.total)}"
        yield f"~ {name:<40} {how:<10} [{times}  {grown:+.0%}]"
    if abs(new.count - old.count) > _OFTENER * old.count:
        yield f"~ {name:<40} calls      [{TIMES}{old.count} -> {TIMES}{new.count}]"


def rows_as_csv(roots: list[TraceNode]) -> str:
    """A row a call, callers first. What a spreadsheet would compute is made text."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["module", "function", "args", "return_value", "elapsed_ms", "depth", "parent"])
    for node, depth, parent in walk(roots):
        texts = (node.module, node.name, node.args, node.return_value or "")
        above = parent.full_name if parent else ""
        row = [*map(_plain, texts), f"{node.elapsed * 1000:.4f}", depth, _plain(above)]
        writer.writerow(row)
    return out.getvalue()


def _plain(text: str) -> str:
    return "'" + text if text[:1] in ("=", "+", "@", "\t", "\r") else text
