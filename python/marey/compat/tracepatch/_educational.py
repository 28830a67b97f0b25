"""A trace in words: what is called again and again, what takes the time, what failed."""

from __future__ import annotations

from collections import Counter

from ._nodes import TraceSummary, format_elapsed, walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._nodes import TraceNode

_LOOP = 5  # calls by one caller
_SLOW = 0.1  # of all time
_DEEP = 10  # calls within calls
_SHOWN = 5  # of one kind


def _recursions(roots: list[TraceNode]) -> Iterator[str]:
    """Functions that are inside themselves: how often, and how deep."""
    calls: Counter[str] = Counter()
    deepest: dict[str, int] = {}
    around: list[str] = []
    for node, depth, _ in walk(roots):
        del around[depth:]
        levels = around.count(node.full_name)
        around.append(node.full_name)
        if levels:
            calls[node.full_name] += 1
            deepest[node.full_name] = max(deepest.get(node.full_name, 0), levels)
    for name, times in calls.most_common(_SHOWN):
        yield f"{name} calls itself: {times} times, up to {deepest[name]} levels deep"


def _loops(roots: list[TraceNode]) -> Iterator[str]:
    """Calls of one function by one call of another, many of them."""
    found: Counter[tuple[str, str]] = Counter()
    for node, _, _ in walk(roots):
        for name, times in Counter(child.full_name for child in node.children).items():
            found[node.full_name, name] = max(found[node.full_name, name], times)
    for (caller, name), times in found.most_common(_SHOWN):
        if times >= _LOOP:
            yield f"{name} is called {times} times by one call of {caller}: a loop?"


def _slow(roots: list[TraceNode], total: float) -> Iterator[str]:
    nodes = [node for node, _, _ in walk(roots) if total and node.elapsed >= _SLOW * total]
    for node in sorted(nodes, key=lambda node: -node.elapsed)[:_SHOWN]:
        took = format_elapsed(node.elapsed)
        yield f"{node.full_name} is slow: {took}, {node.elapsed / total:.0%} of the time"


def _failures(roots: list[TraceNode]) -> Iterator[str]:
    found = Counter(
        f"{node.full_name} raised {node.exception}" for node, _, _ in walk(roots) if node.exception
    )
    for text, times in found.most_common(_SHOWN):
        yield text + (f", {times} times" if times > 1 else "")


def _growth(roots: list[TraceNode]) -> Iterator[str]:
    """How many calls of itself a call makes, at most."""
    branches: Counter[str] = Counter()
    for node, _, _ in walk(roots):
        own = sum(child.full_name == node.full_name for child in node.children)
        branches[node.full_name] = max(branches[node.full_name], own)
    for name, most in branches.most_common():
        if most == 1:
            yield f"{name}: one call of itself a call, O(n)"
        elif most > 1:
            yield f"{name}: up to {most} calls of itself a call, O({most}^n)"


def explain(roots: list[TraceNode], *, verbose: bool = False) -> str:
    """What is remarkable. verbose: with how recursions grow, as far as was seen."""
    if not roots:
        return "The trace is empty: no calls were captured."
    summary = TraceSummary.from_roots(roots)
    total = summary.total_duration_ms / 1000
    names = ", ".join(root.full_name for root in roots[:3])
    more = f" and {len(roots) - 3} more" if len(roots) > 3 else ""
    lines = [
        f"The outermost calls are {names}{more}."
        if len(roots) > 1
        else f"It began with {names}({roots[0].args}).",
        f"{summary.call_count} calls of {summary.unique_function_count} functions in "
        f"{summary.unique_module_count} modules, up to {summary.max_depth_reached} levels deep, "
        f"took {format_elapsed(total)}.",
        "",
        "Key observations:",
    ]
    found = [*_recursions(roots), *_loops(roots), *_slow(roots, total), *_failures(roots)]
    if summary.max_depth_reached > _DEEP:
        found.append(f"calls are nested {summary.max_depth_reached} levels deep")
    lines += [f"  ● {text}" for text in found or ["nothing remarkable"]]
    hints = list(_growth(roots)) if verbose else []
    if hints:
        lines += ["", "Complexity, as observed:", *(f"  ● {text}" for text in hints)]
    if summary.slowest_call_name:
        took = format_elapsed(summary.slowest_call_ms / 1000)
        lines += ["", f"Slowest single call: {summary.slowest_call_name} [{took}]"]
    return "\n".join(lines)
