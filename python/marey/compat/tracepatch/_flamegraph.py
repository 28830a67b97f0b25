"""A flame graph as SVG: calls where they are in time, inside of their callers."""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from html import escape

from ._nodes import format_elapsed, walk
from ._render import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._nodes import TraceNode

_TITLE, _MARGIN = 30, 10
_NARROWEST = 0.5  # pixels
_LETTER = 0.6  # of a font's size: how wide one is
_DEEPEST = 3000  # rows of an image


def _colour(name: str) -> str:
    """Warm, and the same for the same name in every file."""
    number = zlib.crc32(name.encode("utf-8", "replace"))
    return f"rgb({205 + number % 50},{90 + (number >> 8) % 120},{40 + (number >> 16) % 50})"


@dataclass
class _Place:
    """Seconds from the left: what a call's own times are moved by, its end, and up to where the
    calls inside take its room already.
    """

    shift: float
    end: float
    taken: float


def _places(roots: list[TraceNode]) -> Iterator[tuple[TraceNode, int, float, float]]:
    """(node, depth, begin, end), seconds from the left. Roots, which may be minutes from each
    other, stand side by side; calls stand where they were in their caller, but for those of tasks
    and folded ones, which would lie over each other: they stand behind each other.
    """
    everything = _Place(0.0, math.inf, 0.0)
    places: dict[int, _Place] = {}
    for node, depth, parent in walk(roots):
        around = everything if parent is None else places[id(parent)]
        begin = around.taken
        if parent is not None:
            begin = min(max(node.start + around.shift, begin), around.end)
        end = min(begin + node.elapsed, around.end)
        around.taken = end
        places[id(node)] = _Place(begin - node.start, end, begin)
        yield node, depth, begin, end


def _bar(
    node: TraceNode, x: float, y: int, width: float, height: int, font_size: int
) -> Iterator[str]:
    name = printable(node.full_name)
    what = escape(printable(f"{node.full_name}({node.args[:80]})"))
    yield (
        f'<g class="frame"><title>{what} [{format_elapsed(node.elapsed)}]</title>'
        f'<rect x="{x:.2f}" y="{y}" width="{width:.2f}" height="{height - 2}" '
        f'fill="{_colour(node.full_name)}" rx="1"/>'
    )
    letters = int((width - 6) / (font_size * _LETTER))
    if letters >= 2:
        shown = name if len(name) <= letters else name[: letters - 1] + "…"
        yield f'<text x="{x + 3:.2f}" y="{y + height - 5}">{escape(shown)}</text>'
    yield "</g>\n"


def nodes_to_flamegraph(
    roots: list[TraceNode],
    *,
    title: str = "Flamegraph",
    width: int = 1200,
    row_height: int = 20,
    font_size: int = 11,
) -> str:
    """The calls as an SVG image of so many pixels; those too narrow to be seen are left out."""
    total = sum(root.elapsed for root in roots)
    scale = (width - 2 * _MARGIN) / total if total > 0 else 0.0
    bars: list[str] = []
    deepest = 0
    for node, depth, begin, end in _places(roots):
        wide = (end - begin) * scale
        if wide >= _NARROWEST and depth < _DEEPEST:
            deepest = max(deepest, depth)
            y = _TITLE + depth * row_height
            bars += _bar(node, _MARGIN + begin * scale, y, wide, row_height, font_size)
    if not bars:
        bars = [f'<text x="{_MARGIN}" y="{_TITLE + 15}">No calls to display.</text>\n']
    height = _TITLE + (deepest + 2) * row_height
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="no"?>\n'
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="monospace" font-size="{font_size}">\n'
        "<style>.frame:hover rect { stroke: #000 } .frame text { pointer-events: none }</style>\n"
        '<rect width="100%" height="100%" fill="#fafafa"/>\n'
        f'<text x="{_MARGIN}" y="20" font-size="14" font-weight="bold">'
        f"{escape(printable(title))}</text>\n{''.join(bars)}</svg>\n"
    )
