#!/usr/bin/env python3
"""Draw the trace of `make demo` as the picture of the README: draw_timeline.py TRACE OUT.svg

Three panels: the whole run, some milliseconds of the indexing with the arrows of the flows, and the
first tasks of the asyncio stage. The trace is decoded by the official Perfetto protos (the tests'
reader), not by Marey. Run it with the Python that `make test` sets up, .venv/bin/python.
"""

import dataclasses
import sys
from html import escape
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1] / "tests" / part) for part in ("", "python")]
import traces  # noqa: E402

WIDTH, LABELS, MARGIN = 1180, 150, 14  # of the picture, of the column of names, around
BAR, GAP, AREA = 15, 5, 26  # heights: of a bar, between rows, of a counter
LETTER = 5.7  # about the width of one at the size of a bar's name
COLOURS = (  # in the order in which names appear
    *("#5b7fd0", "#58a55c", "#e0914b", "#9a6fc4", "#d0638c", "#3f9fa0", "#b58b3c", "#8390a8"),
    *("#c46a5a", "#7f9f3f", "#4aa3d8", "#a1609e"),
)
known_colours = {"gc": "#b8413b"}
STYLE = """
text { font: 10px "DejaVu Sans", Verdana, sans-serif; fill: #333 }
.title { font-weight: bold; font-size: 13px; fill: #111 }
.process { font-weight: bold }
.note, .tick { fill: #777 }
.bar { fill: #fff }
"""


def colour(name):
    return known_colours.setdefault(name, COLOURS[(len(known_colours) - 1) % len(COLOURS)])


def shorten(text, width):
    """The text, cut to what has room in so many pixels; nothing where that is hardly any of it."""
    room = int(width / LETTER)
    if len(text) <= room:
        return text
    return text[: room - 1] + "…" if room > 5 else ""


@dataclasses.dataclass
class Panel:
    """One window of time, drawn downwards row by row."""

    start: int  # ns
    end: int
    top: float
    rows_top: float = 0
    out: list = dataclasses.field(default_factory=list)
    under: list = dataclasses.field(default_factory=list)  # what lies below that
    ticks: list = dataclasses.field(default_factory=list)
    bars: dict = dataclasses.field(default_factory=dict)  # event: (left, right, middle)

    def x(self, time):
        share = (time - self.start) / (self.end - self.start)
        return LABELS + min(max(share, 0), 1) * (WIDTH - LABELS - MARGIN)

    def text(self, x, y, text, style="", anchor="start"):
        self.out.append(
            f'<text x="{x:.1f}" y="{y:.1f}" class="{style}" text-anchor="{anchor}">'
            f"{escape(text)}</text>"
        )

    def box(self, x, y, width, height, fill, more=""):
        self.out.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height}" fill="{fill}"'
            f"{more}/>"
        )

    def heading(self, title, note):
        self.top += 26
        self.text(MARGIN, self.top, title, "title")
        self.text(WIDTH - MARGIN, self.top, note, "note", "end")
        self.top += 8

    def axis(self):
        """The times above the rows; leaves room for them."""
        step = round_step((self.end - self.start) / 8)
        for number in range(int((self.end - self.start) / step) + 1):
            x = self.x(self.start + number * step)
            self.ticks.append(x)
            if x < WIDTH - 40:
                self.text(x, self.top + 10, show_time(number * step, step), "tick", "middle")
        self.top += 16
        self.rows_top = self.top

    def lines(self):
        """Lines of the times, once it is known how far down. They go below everything."""
        for x in self.ticks:
            self.under.append(
                f'<rect x="{x:.1f}" y="{self.rows_top:.1f}" width="0.6" '
                f'height="{self.top - self.rows_top:.1f}" fill="#e2e5ea"/>'
            )

    def process(self, name):
        self.box(MARGIN, self.top, WIDTH - 2 * MARGIN, BAR, "#eef1f5")
        self.text(MARGIN + 4, self.top + 11, name, "process")
        self.top += BAR + GAP

    def label(self, name):
        self.text(LABELS - 8, self.top + 11, shorten(name, LABELS - MARGIN - 8), "", "end")

    def spans(self, name, spans, instants):
        """A row of nested bars."""
        self.label(name)
        deepest = 0
        for span in spans:
            deepest = max(deepest, depth(span))
        for row in range(deepest + 1):
            self.level([span for span in spans if depth(span) == row], self.top + row * BAR)
        for instant in instants:
            x, y = self.x(instant.begin), self.top + BAR / 2
            self.bars[instant] = (x, x, y)
            self.box(x - 1, self.top + 2, 2, BAR - 4, "#444")
        self.top += (deepest + 1) * BAR + GAP

    def level(self, spans, top):
        """Bars side by side. Of those too narrow to be seen, one for each pixel is drawn."""
        drawn = 0
        for span in spans:
            left, right = self.x(span.begin), self.x(self.end if span.end is None else span.end)
            self.bars[span] = (left, right, top + BAR / 2)
            if right - left > 1 or left - drawn > 1:
                self.bar(left, right, top, span.name)
                drawn = left

    def bar(self, left, right, top, name):
        width = right - left
        self.box(left, top, max(width, 0.5), BAR - 1, colour(name), ' rx="1.5"' * (width > 4))
        shown = shorten(name, width - 5)
        if shown:
            self.text(left + 3, top + 11, shown, "bar")

    def counter(self, name, events):
        """A row with the counter's values as an area."""
        self.label(name)
        most = max(event.value for event in events) or 1
        bottom, points, height = self.top + AREA, [], 0
        for event in sorted(events, key=lambda event: event.begin):
            x = self.x(event.begin)  # what was before the window stands at its left edge
            after = bottom - event.value / most * (AREA - 2)
            if not points or x - points[-1][0] > 0.5 or abs(after - height) > 0.5:
                points += [(x, height or bottom), (x, after)]
                height = after
        right = self.x(self.end)
        points = [(LABELS, bottom), *points, (right, height), (right, bottom)]
        points = [f"{x:.1f},{y:.1f}" for x, y in points]
        self.out.append(f'<polygon points="{" ".join(points)}" fill="#f0b95a" opacity="0.8"/>')
        self.text(
            LABELS - 8, self.top + 22, f"max {most:,.0f} {events[0].track.unit}", "note", "end"
        )
        self.top += AREA + GAP

    def arrow(self, source, target):
        """A flow from one event to the next, both within the panel."""
        x1, y1 = min(self.bars[source][1], self.bars[target][0]), self.bars[source][2]
        x2, y2 = self.bars[target][0], self.bars[target][2]
        bend = max(12, (x2 - x1) / 2)
        self.out.append(
            f'<path d="M{x1:.1f},{y1:.1f} C{x1 + bend:.1f},{y1:.1f} {x2 - bend:.1f},{y2:.1f} '
            f'{x2:.1f},{y2:.1f}" fill="none" stroke="#222" stroke-width="0.8" opacity="0.55" '
            'marker-end="url(#head)"/>'
        )


def depth(span):
    return 0 if span.parent is None else 1 + depth(span.parent)


def round_step(step):
    """The next of 1, 2, 5, 10, ... ns."""
    for factor in (1, 2, 5, 10):
        size = 10 ** (len(str(int(step))) - 1) * factor
        if size >= step:
            return size
    raise AssertionError


def show_time(ns, step):
    return f"{ns / 1e9:g} s" if step >= 100_000_000 else f"{ns / 1e6:g} ms"


# ------------------------------------------------------------------------ what is drawn


def shown_within(events, start, end):
    return [e for e in events if e.begin < end and (e.end is None or e.end > start)]


def process_of(trace, track):
    """The process that a track belongs to, by its pid or by its parents; else the track itself."""
    while track.kind != "process" and track.parent:
        track = trace.tracks[track.parent]
    processes = [t for t in trace.tracks.values() if t.kind == "process" and t.pid == track.pid]
    return processes[0] if track.pid and processes else track


def instants_of(trace, track, start, end):
    return [i for i in trace.instants if i.track is track and start <= i.begin < end]


def spans_of(trace, track, start, end):
    return shown_within([s for s in trace.spans if s.track is track], start, end)


def busy(trace, track, start, end):
    """The share of the window in which a track has a span."""
    roots = [span for span in spans_of(trace, track, start, end) if span.parent is None]
    took = sum(min(s.end or end, end) - max(s.begin, start) for s in roots)
    return took / (end - start)


def draw_panel(trace, top, window, title, note, tracks, counters=(), flows=False):
    """One panel, with these tracks as rows in this order, below their processes. Returns it."""
    panel = Panel(*window, top)
    panel.heading(title, note)
    panel.axis()
    processes = {process_of(trace, track).uuid: process_of(trace, track) for track in tracks}
    for process in processes.values():
        panel.process(f"{process.name}  {process.pid}")
        for name in counters if process.name == "index_stdlib" else ():
            panel.counter(
                name, [e for e in trace.counters if e.name == name and e.begin < panel.end]
            )
        for track in tracks:
            if process_of(trace, track) is process:
                spans, instants = (
                    spans_of(trace, track, *window),
                    instants_of(trace, track, *window),
                )
                panel.spans(track.name, spans, instants)
    panel.lines()
    if flows:
        draw_flows(trace, panel)
    return panel


def draw_flows(trace, panel):
    """The arrows of the flows that are within the panel with all their steps."""
    for events in trace.flows.values():
        if all(event in panel.bars and panel.start <= event.begin < panel.end for event in events):
            for source, target in zip(events, events[1:]):
                panel.arrow(source, target)


def piece_of(trace, index, size):
    """The first window of `size` ns in which some files go their whole way, else the middle."""
    ways = [
        (events[0].begin, events[-1].end) for events in trace.flows.values() if len(events) == 4
    ]
    for start in range(index.begin, index.end - size, size // 4):
        if sum(start < begin and end < start + size for begin, end in ways) >= 4:
            return start, start + size
    middle = (index.begin + index.end) // 2
    return middle, middle + size


def panels(trace):
    """Draw the whole run, a piece of the indexing, the first tasks; is sent where each begins."""
    tracks = trace.tracks.values()
    whole = min(s.begin for s in trace.spans), max(s.end or s.begin for s in trace.spans)
    top = yield draw_panel(
        trace, 0, whole, "The whole run", f"{len(trace.spans):,} spans; red is garbage collection",
        [track for track in tracks if busy(trace, track, *whole) > 0.02],
        ["sources waiting", "lines indexed"],
    )  # fmt: skip
    piece = piece_of(trace, trace.span("index all"), 40_000_000)
    top = yield draw_panel(
        trace, top, piece, "40 milliseconds of the indexing",
        "the arrows follow some files: read, submitted, indexed in a process, merged",
        [t for t in tracks if t.kind == "thread" and busy(trace, t, *piece) > 0.02],
        ["sources waiting"], flows=True,
    )  # fmt: skip
    questions = trace.named("answer")
    created = trace.flows[questions[0].flows[0]][0]
    tasks = [question.track for question in questions[:8]]
    threads = sorted((t for t in tracks if t.name.startswith("asyncio_")), key=lambda t: t.name)
    yield draw_panel(
        trace, top, (created.begin - 300_000, max(question.end for question in questions)),
        f"{len(questions)} questions answered by asyncio",
        f"each task is a row; here the first {len(tasks)}, and the threads that read for them",
        [created.track, *tasks, *threads], flows=True,
    )  # fmt: skip


def draw(trace):
    """The picture as SVG."""
    out, drawing, panel, top = [], panels(trace), None, None
    while True:
        try:
            panel = drawing.send(top)
        except StopIteration:
            break
        out += panel.under + panel.out
        top = panel.top + 6
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top + MARGIN:.0f}" '
        f'width="{WIDTH}" height="{top + MARGIN:.0f}"><style>{STYLE}</style>'
        '<defs><marker id="head" viewBox="0 0 6 6" refX="5" refY="3" markerWidth="5" '
        'markerHeight="5" orient="auto"><path d="M0,0 L6,3 L0,6 z" fill="#222"/></marker></defs>'
        '<rect width="100%" height="100%" rx="6" fill="#fff" stroke="#d5d9e0"/>'
    )
    return "\n".join([head, *out, "</svg>", ""])


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    Path(sys.argv[2]).write_text(draw(traces.load(sys.argv[1])), encoding="utf-8")
