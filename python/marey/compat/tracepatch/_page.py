"""A trace as one HTML page: to unfold, to search, without any network."""

from __future__ import annotations

from html import escape

from ._nodes import TIMES, TraceSummary, format_elapsed, walk
from ._render import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._nodes import TraceNode

_OPEN_LEVELS = 3

_HEAD = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width">
<style>
body {{ margin: 1em; background: #1b1d23; color: #d7dae0; font: 13px monospace }}
main {{ display: flex; gap: 2em; align-items: flex-start }}
#tree {{ flex: 1; min-width: 0; overflow-x: auto; white-space: nowrap }}
#tree div, #tree details {{ margin-left: 1.2em }}
aside {{ width: 22em }} aside ol {{ padding-left: 2em }}
h1 {{ font-size: 16px }} h2 {{ font-size: 13px }}
input, button {{ font: inherit; color: inherit; background: #2a2d36; border: 1px solid #4a4e5a }}
.fast b {{ color: #8fc78f }} .medium b {{ color: #e0c070 }} .slow b {{ color: #e88070 }}
i {{ font-style: normal; color: #8a90a0 }} .error {{ color: #e88070 }}
.found > summary, div.found {{ background: #4a4220 }}
</style></head><body><h1>{title}</h1>
<p>{numbers}</p>
<p><input id="search" type="search" placeholder="Search" aria-label="Search">
<button id="expand">Expand all</button> <button id="collapse">Collapse all</button></p>
<main><div id="tree">
"""

_FOOT = """</aside></main>
<script>
const calls = [...document.querySelectorAll("#tree details, #tree div")];
const all = open => calls.forEach(call => { if ("open" in call) call.open = open; });
expand.onclick = () => all(true);
collapse.onclick = () => all(false);
search.oninput = () => {
  const wanted = search.value.toLowerCase();
  for (const call of calls) {
    const line = call.tagName === "DETAILS" ? call.firstElementChild : call;
    const found = wanted !== "" && line.textContent.toLowerCase().includes(wanted);
    call.classList.toggle("found", found);
    if (found)
      for (let up = call.parentElement; up.id !== "tree"; up = up.parentElement) up.open = true;
  }
};
</script></body></html>
"""


def _speed(seconds: float) -> str:
    return "fast" if seconds < 0.01 else "medium" if seconds < 0.1 else "slow"


def _line(node: TraceNode) -> str:
    """A call. What is not on the line stands in its tooltip."""
    came = ""
    if node.exception is not None:
        came = f' <span class="error">!! {escape(printable(node.exception))}</span>'
    elif node.return_value is not None:
        came = f" -&gt; {escape(printable(node.return_value))}"
    where = f"{node.file}:{node.lineno}" if node.file else ""
    return (
        f'<span title="{escape(printable(where))}"><b>{escape(printable(node.full_name))}</b>'
        f"({escape(printable(node.args))}){came} <i>[{format_elapsed(node.elapsed)}]</i></span>"
    )


def _calls(roots: list[TraceNode]) -> str:
    pieces = []
    todo: list[tuple[TraceNode | None, int]] = [(node, 0) for node in reversed(roots)]
    while todo:
        node, depth = todo.pop()
        if node is None:
            pieces.append("</details>\n")
        elif node.children:
            opened = " open" if depth < _OPEN_LEVELS else ""
            speed = _speed(node.elapsed)
            pieces.append(f'<details class="{speed}"{opened}><summary>{_line(node)}</summary>\n')
            todo.append((None, depth))
            todo.extend((child, depth + 1) for child in reversed(node.children))
        else:
            pieces.append(f'<div class="{_speed(node.elapsed)}">{_line(node)}</div>\n')
    return "".join(pieces)


def _list(title: str, rows: list[str]) -> str:
    items = "".join(f"<li>{escape(printable(row))}</li>" for row in rows)
    return f"<h2>{title}</h2><ol>{items}</ol>\n"


def nodes_to_html(roots: list[TraceNode], title: str = "Trace") -> str:
    """The calls as a page. Green took less than 10 ms, yellow less than 100 ms."""
    summary = TraceSummary.from_roots(roots)
    nodes = sorted((node for node, _, _ in walk(roots)), key=lambda node: -node.elapsed)
    numbers = (
        f"{summary.call_count} calls of {summary.unique_function_count} functions in "
        f"{summary.unique_module_count} modules, {format_elapsed(summary.total_duration_ms / 1000)}"
        f", up to {summary.max_depth_reached} levels deep"
    )
    slowest = [f"{node.full_name} {format_elapsed(node.elapsed)}" for node in nodes[:10]]
    most = [f"{name} {TIMES}{count}" for name, count in summary.most_called]
    return (
        _HEAD.format(title=escape(printable(title)), numbers=escape(numbers))
        + (_calls(roots) or "<p>No calls captured.</p>")
        + "</div><aside>"
        + _list("Top 10 slowest", slowest)
        + _list("Most called", most)
        + _FOOT
    )
