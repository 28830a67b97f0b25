// The timeline: tracks over time on a canvas. This file holds the parts together: what is seen (viewport, rows), what is
// known of it (tiles, flows), what is chosen (hover, selection, search), and the address that remembers it.

import type { EventDetails } from "../api";
import type { App, View } from "../app";
import { Pane } from "../canvas/pane";
import { pixel, Raster } from "../canvas/raster";
import { Strip } from "../canvas/strip";
import { useFont } from "../canvas/text";
import { Tooltip } from "../canvas/tooltip";
import { failure, fill, h, message } from "../dom";
import { duration } from "../format";
import type { State } from "../state";
import { css, onTheme, theme } from "../theme";
import { Names } from "../timeline/data";
import { describe } from "../timeline/describe";
import { Finder } from "../timeline/finder";
import { FlowArrows } from "../timeline/flows";
import { Folding } from "../timeline/folding";
import { boxOf, type Hit, hitAt } from "../timeline/hit";
import { Input } from "../timeline/input";
import { type KeyActions, press } from "../timeline/keys";
import { Movement } from "../timeline/movement";
import { NameColumn } from "../timeline/names";
import { firstSpan, neighbourOf } from "../timeline/nearby";
import { drawGrid, outline } from "../timeline/outline";
import { Painter, spanColours } from "../timeline/paint";
import { between, heightOf, SPAN_ROW } from "../timeline/rows";
import { drawRange, drawRuler, RULER } from "../timeline/ruler";
import { Selection } from "../timeline/selection";
import { Tiles } from "../timeline/tiles";
import { pan, timeAt, type Viewport, whole, zoom } from "../timeline/viewport";

/** Rows this far outside the canvas are asked for, too, so that scrolling finds them. */
const AROUND = 300;
/** A mark in the browser's own record of the page: bench/viewing.py reads it. */
const FIRST_PICTURE = "marey-first-picture";

export class TimelineView implements View {
    readonly element: HTMLElement;
    private readonly names = new Names();
    private readonly pane: Pane;
    private readonly ruler: Strip;
    private readonly column: NameColumn;
    private readonly raster = new Raster();
    private readonly painter: Painter;
    private readonly tiles: Tiles;
    private readonly arrows: FlowArrows;
    private readonly finder: Finder;
    private readonly selection: Selection;
    private readonly tooltip = new Tooltip();
    private readonly problem = h("div", { class: "over" });
    private readonly folding: Folding;
    private readonly movement: Movement;
    private readonly duration: number;
    private hover: Hit | null = null;
    private hoverX: number | null = null;
    private drawn: [number, number] | null = null;

    constructor(private readonly app: App) {
        const { source, trace } = app;
        this.duration = Math.max(1, trace.duration_ns);
        this.folding = new Folding(trace);
        this.movement = new Movement(this.duration, (view) => this.moved(view));
        this.column = new NameColumn((key) => this.toggle(key));
        this.pane = new Pane(
            "Timeline: W and S zoom, A and D move, comma and full stop go from span to span, question mark lists all keys",
            () => this.draw(),
            this.column.element,
        );
        this.ruler = new Strip(RULER, "Time", () => this.drawRuler());
        this.painter = new Painter(this.raster, this.names);
        this.tiles = new Tiles(
            this.duration,
            this.names,
            (query) => source.timeline(query),
            (problem) => this.arrived(problem),
        );
        this.arrows = new FlowArrows(
            (query) => source.flows(query),
            () => this.pane.invalidate(),
        );
        this.finder = new Finder(app, this.names, {
            mark: (matched) => {
                this.painter.matched = matched;
                this.invalidate();
            },
            choose: (span) => this.selection.choose(`span:${span}`),
            leave: () => this.pane.canvas.focus(),
            from: () => this.view.from,
        });
        this.selection = new Selection(app, {
            zoom: (details) => this.zoomTo(details),
            bring: (details) => this.bring(details),
            changed: () => this.invalidate(),
        });
        this.element = this.layout();
        onTheme(() => this.recolour());
        this.recolour();
        new Input(this.pane.canvas, {
            zoom: (x, factor) => this.movement.look(zoom(this.view, x, factor, this.duration)),
            pan: (pixels) => this.movement.look(pan(this.view, pixels, this.duration)),
            scroll: (pixels) => {
                this.pane.scrollTop += pixels;
            },
            range: (from, to, done) => this.range(from, to, done),
            hover: (event) => this.hoverAt(event),
            click: (event) => this.click(event),
            key: (event) => press(event.key, this.keys),
        });
        this.pane.canvas.addEventListener("dblclick", () => this.keys.zoom());
    }

    private layout(): HTMLElement {
        const button = (label: string, title: string, onclick: () => void) =>
            h("button", { type: "button", title, onclick }, label);
        const flows = h("input", { type: "checkbox", checked: true });
        flows.addEventListener("change", () => {
            this.arrows.shown = flows.checked;
            this.pane.invalidate();
        });
        return h(
            "div",
            { class: "timeline" },
            h(
                "div",
                { class: "head" },
                this.finder.input,
                button("‹", "The one before (Shift+N)", () => void this.finder.step(-1)),
                button("›", "The next one (N)", () => void this.finder.step(1)),
                this.finder.status,
                h("span", { class: "spring" }),
                h("label", { hidden: this.app.trace.counts.flows === 0 }, flows, " Flows"),
                button("Collapse", "Only the names of processes and the outermost spans", () =>
                    this.collapseAll(true),
                ),
                button("Expand", "All rows of all tracks", () => this.collapseAll(false)),
                button("All", "All of the time (0)", () => this.showAll()),
            ),
            h("div", { class: "ruler-row" }, h("div", { class: "corner" }), this.ruler.element),
            h("div", { class: "stage" }, this.pane.element, this.problem),
            this.selection.panel.element,
            this.tooltip.element,
        );
    }

    show(state: State): void {
        this.showRows(state);
        this.movement.fit(this.pane.width);
        if (state.look) this.movement.place(state.look);
        this.selection.show(state.selected);
        this.finder.show(state.q);
        if (state.track !== null) this.reveal(state.track);
        this.invalidate();
    }

    hide(): void {
        this.tooltip.hide();
    }

    private invalidate(): void {
        this.pane.invalidate();
        this.ruler.invalidate();
    }

    private showRows(state: State): void {
        if (!this.folding.arrange(state.threads)) return;
        const { rows } = this.folding;
        this.column.show(rows);
        this.pane.setContentHeight(heightOf(rows));
        fill(this.problem, rows.length === 0 && message("empty", "There are no tracks here."));
    }

    private toggle(key: string): void {
        this.folding.toggle(key);
        this.showRows(this.app.store.state);
        this.invalidate();
    }

    private collapseAll(collapse: boolean): void {
        this.folding.all(collapse);
        this.showRows(this.app.store.state);
        this.invalidate();
    }

    private recolour(): void {
        this.painter.colours = spanColours(theme());
        this.pane.invalidate();
    }

    private get view(): Viewport {
        return this.movement.view;
    }

    private moved(view: Viewport): void {
        this.hover = null;
        this.tooltip.hide();
        this.invalidate();
        this.app.store.change({ look: [Math.floor(view.from), Math.ceil(view.from + view.span)] });
    }

    private showAll(): void {
        this.movement.glide(whole(this.duration, this.view.width));
    }

    // ---- drawing

    private draw(): void {
        this.movement.fit(this.pane.width);
        const { context, width, height, scrollTop } = this.pane;
        const seen = between(this.folding.rows, scrollTop - AROUND, scrollTop + height + AROUND);
        const tracks = seen.flatMap((row) => (row.track && row.height > 0 ? [row.track.id] : []));
        this.tiles.want(this.view, tracks);
        this.arrows.want(this.view, tracks);
        const { raster } = this;
        raster.begin(this.pane.canvas, this.pane.scale, pixel(css("--canvas")));
        drawGrid(raster, this.view, this.duration, height);
        const [line, group] = [pixel(css("--line")), pixel(css("--group"))];
        for (const row of seen) {
            const y = row.top - scrollTop;
            if (y > height || y + row.height < 0) continue;
            if (row.kind === "process") raster.rect(0, y, width, row.height, group);
            else {
                const pieces = this.tiles.pieces(this.view, row.track!.id);
                this.painter.track(row, y, this.view, pieces, height);
            }
            raster.rect(0, y + row.height - 1, width, 1, line);
        }
        raster.show(context);
        useFont(context);
        this.painter.write(context);
        this.arrows.draw(
            context,
            this.folding.rowByTrack,
            this.view,
            scrollTop,
            this.selectedBox(),
        );
        this.drawChosen();
        drawRange(context, this.view, this.shownRange(), height);
        this.ruler.invalidate();
    }

    /** What is being drawn, or was. */
    private shownRange(): [number, number] | null {
        return this.drawn ?? this.app.store.state.range;
    }

    private drawChosen(): void {
        const { context, scrollTop } = this.pane;
        const { rows } = this.folding;
        const { view } = this;
        if (this.hover?.kind === "span") {
            const { row, data, index } = this.hover;
            const { begin, end, depth } = data.spans!;
            const box = boxOf(rows, view, row.track!.id, begin[index], end[index], depth[index]);
            outline(context, box, scrollTop, view.width, { colour: css("--ink"), line: 1 });
        }
        const chosen = this.selectedBox();
        if (chosen) {
            const { track, begin, end, depth } = chosen;
            const box = boxOf(rows, view, track, begin, end, depth);
            outline(context, box, scrollTop, view.width, { colour: css("--accent"), line: 2.5 });
        }
    }

    private selectedBox(): { track: number; begin: number; end: number; depth: number } | null {
        if (!this.selection.details) return null;
        const { track, begin, duration, depth } = this.selection.details;
        return { track, begin, end: begin + (duration ?? this.duration - begin), depth };
    }

    private drawRuler(): void {
        drawRuler(this.ruler, this.view, this.hoverX);
        drawRange(this.ruler.context, this.view, this.shownRange(), RULER);
    }

    private arrived(problem: unknown): void {
        fill(this.problem, problem !== null && message("error", failure(problem)));
        this.pane.canvas.setAttribute("aria-busy", String(this.tiles.busy));
        if (!this.tiles.busy && performance.getEntriesByName(FIRST_PICTURE).length === 0) {
            requestAnimationFrame(() => performance.mark(FIRST_PICTURE));
        }
        this.pane.invalidate();
    }

    // ---- pointer

    private hitAt(event: MouseEvent): Hit | null {
        const { x, y } = this.pane.at(event);
        return hitAt(this.folding.rows, this.view, x, y, (track) =>
            this.tiles.pieces(this.view, track),
        );
    }

    private hoverAt(event: PointerEvent | null): void {
        const before = this.hover;
        this.hover = event && this.hitAt(event);
        this.hoverX = event && this.pane.at(event).x;
        this.ruler.invalidate();
        if (before?.index !== this.hover?.index || before?.data !== this.hover?.data)
            this.pane.invalidate();
        this.pane.canvas.style.cursor =
            this.hover && this.hover.kind !== "samples" && this.hover.kind !== "value"
                ? "pointer"
                : "";
        if (event && this.hover) this.tooltip.show(event, ...describe(this.hover, this.names));
        else this.tooltip.hide();
    }

    private click(event: MouseEvent): void {
        const hit = this.hitAt(event);
        if (hit?.kind === "span") {
            const { id, begin, end } = hit.data.spans!;
            if (id[hit.index] >= 0) this.selection.choose(`span:${id[hit.index]}`);
            // Several in one place: nearer, then.
            else {
                const length = end[hit.index] - begin[hit.index];
                this.movement.glide({
                    from: begin[hit.index] - length,
                    span: 3 * Math.max(length, this.view.span / 100),
                });
            }
        } else if (hit?.kind === "instant" && hit.data.instants!.id[hit.index] >= 0) {
            this.selection.choose(`instant:${hit.data.instants!.id[hit.index]}`);
        } else {
            this.selection.choose("");
        }
    }

    private range(from: number, to: number, done: boolean): void {
        const [a, b] = [
            timeAt(this.view, Math.min(from, to)),
            timeAt(this.view, Math.max(from, to)),
        ];
        const range: [number, number] = [
            Math.max(0, Math.round(a)),
            Math.min(this.duration, Math.round(b)),
        ];
        this.drawn = done ? null : range;
        fill(this.finder.status, done ? "" : `${duration(b - a)} selected`);
        if (done && range[0] < range[1]) this.app.store.change({ range });
        this.invalidate();
    }

    // ---- into sight

    /** Into sight, where it is not. */
    private bring({ track, begin, duration, depth }: EventDetails): void {
        this.reveal(track, depth);
        const end = begin + (duration ?? 0);
        const { from, span } = this.view;
        if (end >= from && begin <= from + span && (duration ?? 0) > span / 2000) return;
        const wide = Math.max((duration ?? 0) * 3, 1000);
        if (end < from || begin > from + span || (duration ?? 0) * 2000 < span)
            this.movement.glide({ from: begin + (duration ?? 0) / 2 - wide / 2, span: wide });
    }

    private reveal(track: number, depth = 0): void {
        this.folding.open(track);
        this.showRows(this.app.store.state);
        const row = this.folding.rowByTrack.get(track);
        if (!row) return;
        const top = row.top + (row.spans ?? 0) + depth * SPAN_ROW;
        const { scrollTop, height } = this.pane;
        if (top < scrollTop || top + SPAN_ROW > scrollTop + height)
            this.pane.scrollTop = Math.max(0, top - height / 3);
    }

    private zoomTo({ begin, duration, track, depth }: EventDetails): void {
        const length = Math.max(duration ?? this.duration - begin, 20);
        this.reveal(track, depth);
        this.movement.glide({ from: begin - length * 0.1, span: length * 1.2 });
    }

    // ---- keys

    private readonly keys: KeyActions = {
        all: () => this.showAll(),
        zoom: () => this.selection.details && this.zoomTo(this.selection.details),
        range: () => {
            const { from, span } = this.view;
            const [a, b] = [Math.round(from), Math.round(from + span)];
            this.app.store.change({ range: [Math.max(0, a), Math.min(this.duration, b)] });
        },
        step: (by) => void this.finder.step(by),
        neighbour: (along, down) => this.neighbour(along, down),
        back: () => {
            if (this.app.store.state.selected) this.selection.choose("");
            else this.app.store.change({ range: null });
        },
    };

    /** Selects the span beside or below or above the selected one, of those that are seen; without one, the first. */
    private neighbour(along: -1 | 0 | 1, down: -1 | 0 | 1): void {
        const chosen = this.selection.span;
        const pieces = (track: number) => this.tiles.pieces(this.view, track);
        const { scrollTop, height } = this.pane;
        const next = chosen
            ? neighbourOf(chosen, along, down, pieces(chosen.track))
            : firstSpan(
                  between(this.folding.rows, scrollTop, scrollTop + height),
                  this.view,
                  pieces,
              );
        if (next !== null) this.selection.choose(`span:${next}`);
    }
}
