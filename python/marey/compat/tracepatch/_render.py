"""Trees as text."""

from __future__ import annotations

from ._nodes import TIMES, TraceSummary, format_elapsed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ._nodes import TraceNode

_RULE = "─" * 72
_DIM, _RESET = "\033[2m", "\033[0m"
_GREEN, _YELLOW, _RED = "\033[32m", "\033[33m", "\033[31m"

# What is before a call that others follow, before the last one, and before what is inside these.
_BRANCHES = {
    "ascii": ("├── ", "└── ", "│   ", "    "),
    "unicode": ("├─ ", "└─ ", "│  ", "   "),
    "ansi": (f"{_DIM}├─ {_RESET}", f"{_DIM}└─ {_RESET}", f"{_DIM}│  {_RESET}", "   "),
}


def printable(text: str) -> str:
    """Without what would move a terminal's cursor, or end the line."""
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape", "replace").decode("ascii")
        for c in text
    )


def _drawn(roots: list[TraceNode], style: str, label: Callable[[TraceNode], str]) -> str:
    if style not in _BRANCHES:
        raise ValueError(f"style={style!r}: ascii, unicode or ansi wanted")
    middle, last, beside, below = _BRANCHES[style]
    lines = []
    todo = [(node, "", node is roots[-1]) for node in reversed(roots)]
    while todo:
        node, before, is_last = todo.pop()
        lines.append(before + (last if is_last else middle) + label(node))
        before += below if is_last else beside
        children = node.children
        todo.extend((child, before, child is children[-1]) for child in reversed(children))
    return "\n".join(lines)


def _times(node: TraceNode, show_self_time: bool) -> str:
    text = format_elapsed(node.elapsed)
    if show_self_time and node.children:
        own = max(0.0, node.elapsed - sum(child.elapsed for child in node.children))
        text += f" / self: {format_elapsed(own)}"
    if node.memory_delta_kb is not None:
        kb = node.memory_delta_kb
        text += f", {kb / 1024:+.1f} MB" if abs(kb) >= 1024 else f", {kb:+.1f} KB"
    return text


def _what(node: TraceNode, show_args: bool, show_return: bool) -> str:
    """The call without its times."""
    if not node.module and node.name.startswith("["):
        return printable(node.name)
    came = ""
    if show_return and node.exception is not None:
        came = f" !! {node.exception}"
    elif show_return and node.return_value is not None:
        came = f" -> {node.return_value}"
    return printable(f"{node.full_name}({node.args if show_args else ''}){came}")


def render_tree(
    roots: list[TraceNode],
    *,
    style: str = "ascii",
    show_args: bool = True,
    show_return: bool = True,
    show_source: bool = False,
    show_self_time: bool = False,
) -> str:
    """A line a call: what it was called with, what came of it, how long it took.

    style: "ascii" (of box characters, too, but wider), "unicode", or "ansi" for dim lines on a
    terminal. show_source: file and line behind. show_self_time: the time outside of calls inside.
    """

    def label(node: TraceNode) -> str:
        text = _what(node, show_args, show_return)
        if node.module or not node.name.startswith("["):
            text += f"  [{_times(node, show_self_time)}]"
        if show_source and node.file and node.lineno is not None:
            text += f"  ({printable(node.file)}:{node.lineno})"
        return text

    return _drawn(roots, style, label)


def render_tree_colored(
    roots: list[TraceNode], *, show_args: bool = True, show_return: bool = True
) -> str:
    """For a terminal: calls under 10 ms green, under 100 ms yellow, all others red."""

    def label(node: TraceNode) -> str:
        colour = _GREEN if node.elapsed < 0.01 else _YELLOW if node.elapsed < 0.1 else _RED
        text = _what(node, show_args, show_return)
        return f"{colour}{text}{_RESET}  {_DIM}[{_times(node, False)}]{_RESET}"

    return _drawn(roots, "ansi", label)


def render_summary_header(roots: list[TraceNode], *, label: str | None = None) -> str:
    """The numbers of a trace in a few lines."""
    summary = TraceSummary.from_roots(roots)
    slowest = most = "—"
    if summary.slowest_call_name:
        slowest = f"{summary.slowest_call_name} [{format_elapsed(summary.slowest_call_ms / 1000)}]"
    if summary.most_called:
        most = f"{summary.most_called[0][0]} [{TIMES}{summary.most_called[0][1]}]"
    left = (
        f"Recorded:     {summary.call_count} calls across {summary.unique_module_count} modules",
        f"Max depth:    {summary.max_depth_reached} levels",
        f"Slowest:      {slowest}",
    )
    right = (
        f"Duration: {format_elapsed(summary.total_duration_ms / 1000)}",
        f"Unique functions: {summary.unique_function_count}",
        f"Most called: {most}",
    )
    rows = [printable(f"{one:<40}| {other}") for one, other in zip(left, right)]
    return "\n".join([*([f"Trace: {printable(label)}"] if label else []), _RULE, *rows, _RULE])
