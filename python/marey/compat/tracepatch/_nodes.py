"""Calls as nodes: what they are made of, their numbers, and trees made from trees.

Nothing here recurses: a tree from a file may be as deep as it likes.
"""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass, field, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    from ..._marey import Call

    Siblings = list["TraceNode"]

TIMES = "\u00d7"  # before how often


@dataclass
class TraceNode:
    """A call. Times in seconds, start and end of time.perf_counter(); depth 0: nobody recorded
    called it. One whose module is "" stands for calls that are not shown.
    """

    name: str
    module: str
    args: str
    return_value: str | None = None
    exception: str | None = None
    start: float = 0.0
    end: float = 0.0
    elapsed: float = 0.0
    children: list[TraceNode] = field(default_factory=list)
    depth: int = 0
    file: str | None = None
    lineno: int | None = None
    memory_delta_kb: float | None = None

    @property
    def full_name(self) -> str:
        """With the module before it."""
        return f"{self.module}.{self.name}" if self.module else self.name

    def flat(self) -> dict[str, Any]:
        """As in a file, without the calls inside."""
        found: dict[str, Any] = {
            "name": self.name,
            "module": self.module,
            "args": self.args,
            "return_value": self.return_value,
            "start": self.start,
            "end": self.end,
            "elapsed_ms": round(self.elapsed * 1000, 4),
        }
        if self.file is not None:
            found["file"] = self.file
        if self.lineno is not None:
            found["lineno"] = self.lineno
        if self.exception is not None:
            found["exception"] = self.exception
        if self.memory_delta_kb is not None:
            found["memory_delta_kb"] = round(self.memory_delta_kb, 2)
        return found

    def to_dict(self) -> dict[str, Any]:
        """As in a file, with all inside."""
        made: list[dict[str, Any]] = []
        todo: list[tuple[TraceNode, list[dict[str, Any]]]] = [(self, made)]
        while todo:
            node, into = todo.pop()
            found = node.flat()
            into.append(found)
            if node.children:
                below = found["children"] = []
                todo.extend((child, below) for child in reversed(node.children))
        return made[0]


# ------------------------------------------------------------------------------ making


def cut(text: str, most: int) -> str:
    """At most so many characters, with "..." where some are missing."""
    return text if len(text) <= most else text[: max(most - 3, 0)] + "..."[: max(most, 0)]


def _shown(value: Any, most: int) -> str:
    return cut(value if isinstance(value, str) else repr(value), most)


def _exception(text: str | None) -> str | None:
    """ "Type: message", the type without its module."""
    if text is None:
        return None
    kind, colon, message = text.partition(": ")
    return kind.rpartition(".")[2] + colon + message


def _from_call(call: Call, depth: int, most: int) -> TraceNode:
    result = call.result
    args = ", ".join(f"{name.lstrip('*')}={_shown(v, most)}" for name, v in call.args.items())
    start, elapsed = call.start_ns / 1e9, call.elapsed_ns / 1e9
    memory = call.memory
    return TraceNode(
        name=call.name,
        module=call.module,
        args=cut(args, most),
        return_value=None if result is None else _shown(result, most),
        exception=_exception(call.exception),
        start=start,
        end=start + elapsed,
        elapsed=elapsed,
        depth=depth,
        file=call.file,
        lineno=call.line,
        memory_delta_kb=None if memory is None else memory / 1024,
    )


def from_calls(
    calls: list[Call], max_repr: int, is_kept: Callable[[], bool] | None = None
) -> Siblings:
    """Of recorded calls. What is in one that is_kept() refuses takes its place."""
    roots: Siblings = []
    todo = [(call, 0, roots) for call in reversed(calls)]
    while todo:
        call, depth, into = todo.pop()
        if is_kept is None or is_kept():
            node = _from_call(call, depth, max_repr)
            into.append(node)
            depth, into = depth + 1, node.children
        todo.extend((child, depth, into) for child in reversed(call.children))
    return roots


def _text(given: Any) -> str | None:
    return given if isinstance(given, str) else None


def _number(given: Any) -> float:
    is_number = isinstance(given, (int, float)) and not isinstance(given, bool)
    return float(given) if is_number and abs(given) < 1e15 else 0.0


def _from_dict(given: dict[str, Any], depth: int) -> TraceNode:
    memory, lineno = given.get("memory_delta_kb"), given.get("lineno")
    return TraceNode(
        name=_text(given.get("name")) or "",
        module=_text(given.get("module")) or "",
        args=_text(given.get("args")) or "",
        return_value=_text(given.get("return_value")),
        exception=_text(given.get("exception")),
        start=_number(given.get("start")),
        end=_number(given.get("end")),
        elapsed=_number(given.get("elapsed_ms")) / 1000,
        depth=depth,
        file=_text(given.get("file")),
        lineno=lineno if isinstance(lineno, int) else None,
        memory_delta_kb=None if memory is None else _number(memory),
    )


def from_dicts(given: Any) -> Siblings:
    """Of what a file has. ValueError where it is none of a trace's."""
    roots: Siblings = []
    todo = [(given, 0, roots)]
    while todo:
        siblings, depth, into = todo.pop()
        if not isinstance(siblings, list):
            raise ValueError("no list of calls")
        for one in siblings:
            if not isinstance(one, dict):
                raise ValueError("a call is not an object")
            node = _from_dict(one, depth)
            into.append(node)
            if one.get("children"):
                todo.append((one["children"], depth + 1, node.children))
    return roots


# ----------------------------------------------------------------------------- numbers


def walk(roots: Iterable[TraceNode]) -> Iterator[tuple[TraceNode, int, TraceNode | None]]:
    """(node, depth, parent) of all, each before those inside."""
    todo: list[tuple[TraceNode, int, TraceNode | None]]
    todo = [(node, 0, None) for node in reversed(list(roots))]
    while todo:
        node, depth, parent = todo.pop()
        yield node, depth, parent
        todo.extend((child, depth + 1, node) for child in reversed(node.children))


def count(roots: Iterable[TraceNode]) -> int:
    """How many there are."""
    return sum(1 for _ in walk(roots))


@dataclass
class TraceSummary:
    """The numbers of a trace. max_depth_reached: 0 for calls without calls; total_duration_ms: of
    the roots together; most_called: the ten (name, count) with most calls.
    """

    call_count: int = 0
    max_depth_reached: int = 0
    unique_functions: set[str] = field(default_factory=set)
    unique_modules: set[str] = field(default_factory=set)
    total_duration_ms: float = 0.0
    slowest_call_ms: float = 0.0
    slowest_call_name: str = ""
    most_called: list[tuple[str, int]] = field(default_factory=list)

    @property
    def unique_function_count(self) -> int:
        """How many functions were called."""
        return len(self.unique_functions)

    @property
    def unique_module_count(self) -> int:
        """How many modules they are in."""
        return len(self.unique_modules)

    @classmethod
    def from_roots(cls, roots: list[TraceNode]) -> TraceSummary:
        """Of the outermost calls and all inside."""
        calls: dict[str, int] = {}
        made = cls(total_duration_ms=sum(root.elapsed for root in roots) * 1000)
        for node, depth, _ in walk(roots):
            name = node.full_name
            calls[name] = calls.get(name, 0) + 1
            made.max_depth_reached = max(made.max_depth_reached, depth)
            if node.module:
                made.unique_modules.add(node.module)
            if node.elapsed * 1000 > made.slowest_call_ms:
                made.slowest_call_ms, made.slowest_call_name = node.elapsed * 1000, name
        made.call_count, made.unique_functions = sum(calls.values()), set(calls)
        made.most_called = sorted(calls.items(), key=lambda item: -item[1])[:10]
        return made


# ----------------------------------------------------------------------- trees from trees


def format_elapsed(seconds: float) -> str:
    """49us, 1.23ms, 2.500s."""
    if seconds < 0.001:
        return f"{seconds * 1e6:.0f}us"
    return f"{seconds * 1000:.2f}ms" if seconds < 1 else f"{seconds:.3f}s"


def _rebuilt(
    roots: Siblings, step: Callable[[Siblings, int], Iterable[tuple[TraceNode, Siblings]]]
) -> Siblings:
    """What step(siblings, depth) makes of siblings: new nodes, each with what is to come below."""
    made: Siblings = []
    todo = [(roots, 0, made)]
    while todo:
        siblings, depth, into = todo.pop()
        for node, below in step(siblings, depth):
            into.append(node)
            if below:
                todo.append((below, depth + 1, node.children))
    return made


def _hidden(name: str, below: TraceNode) -> TraceNode:
    return TraceNode(name=name, module="", args="", depth=below.depth + 1)


def filter_modules(roots: Siblings, pattern: str) -> Siblings:
    """The calls whose module is like the pattern, or with "!" before it is not. What is in one that
    is left out takes its place.
    """
    excluding = pattern.startswith("!")
    pattern = pattern[1:] if excluding else pattern
    made: Siblings = []
    todo = [(node, made) for node in reversed(roots)]
    while todo:
        node, into = todo.pop()
        if fnmatch.fnmatchcase(node.module, pattern) != excluding:
            kept = replace(node, children=[])
            into.append(kept)
            into = kept.children
        todo.extend((child, into) for child in reversed(node.children))
    return made


def limit_depth(roots: Siblings, most: int) -> Siblings:
    """So many levels; below them, how many calls the last one made."""

    def step(siblings: Siblings, depth: int) -> Iterator[tuple[TraceNode, Siblings]]:
        for node in siblings:
            kept = replace(node, children=[])
            is_last = depth + 1 >= most
            if is_last and node.children:
                kept.children.append(_hidden(f"[{len(node.children)} nested calls...]", node))
            yield kept, [] if is_last else node.children

    return _rebuilt(roots, step) if most > 0 else []


def collapse_tree(nodes: Siblings, *, max_depth: int = 4) -> Siblings:
    """So many levels in full; in the calls below them, how many calls there are and their time."""

    def step(siblings: Siblings, depth: int) -> Iterator[tuple[TraceNode, Siblings]]:
        for node in siblings:
            kept = replace(node, children=[])
            if depth >= max_depth and node.children:
                inside = format_elapsed(sum(child.elapsed for child in node.children))
                text = f"[+{count(node.children)} more calls, {inside} total]"
                kept.children.append(_hidden(text, node))
            yield kept, [] if depth >= max_depth else node.children

    return _rebuilt(nodes, step)


def _runs(siblings: Siblings) -> Iterator[Siblings]:
    """Those of one function that stand in a row."""
    run: Siblings = []
    for node in siblings:
        if run and (node.name, node.module) != (run[0].name, run[0].module):
            yield run
            run = []
        run.append(node)
    if run:
        yield run


def _folded(run: Siblings) -> TraceNode:
    times = [node.elapsed for node in run]
    failed = [node.exception for node in run if node.exception is not None]
    return replace(
        run[0],
        args=f"...  [{TIMES}{len(run)}]  [avg: {format_elapsed(sum(times) / len(run))}, "
        f"min: {format_elapsed(min(times))}, max: {format_elapsed(max(times))}]",
        return_value=None,
        exception=f"{len(failed)} of {len(run)}: {failed[0]}" if failed else None,
        end=run[-1].end,
        elapsed=sum(times),
        memory_delta_kb=None,
        children=[],
    )


def fold_repeated_calls(nodes: Siblings, *, threshold: int = 3) -> Siblings:
    """Calls of one function in a row, so many or more, as one node with their number and times.
    What is in them stands together below it.
    """

    def step(siblings: Siblings, depth: int) -> Iterator[tuple[TraceNode, Siblings]]:
        for run in _runs(siblings):
            if len(run) >= max(threshold, 2):
                yield _folded(run), [child for node in run for child in node.children]
            else:
                yield from ((replace(node, children=[]), node.children) for node in run)

    return _rebuilt(nodes, step)
