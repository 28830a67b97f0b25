// The timeline: tracks over time on a canvas. This file holds the parts together: what is seen (viewport, rows), what is
// known of it (tiles, flows), what is chosen (hover, selection, search), and the address that remembers it.

import type { EventDetails } from "../api";
import { type App, Latest, type View } from "../app";
import { calm, Pane } from "../canvas/pane";
import { pixel, Raster } from "../canvas/raster";
import { Strip } from "../canvas/strip";
import { useFont } from "../canvas/text";
import { Tooltip } from "../canvas/tooltip";
import { failure, fill, h, message, name } from "../dom";
import { count, duration } from "../format";
import type { State } from "../state";
import { css, onTheme, theme } from "../theme";
import { Names } from "../timeline/data";
import { describe } from "../timeline/describe";
import { DetailsPanel } from "../timeline/details";
import { FlowArrows } from "../timeline/flows";
import { FoundSpans } from "../timeline/found";
import { boxOf, type Hit, hitAt } from "../timeline/hit";
import { Input } from "../timeline/input";
import { NameColumn } from "../timeline/names";
import { firstSpan, neighbourOf } from "../timeline/nearby";
import { Painter, spanColours } from "../timeline/paint";
import { between, heightOf, makeRows, type Row, SPAN_ROW } from "../timeline/rows";
import { drawRange, drawRuler, RULER, TICKS_APART } from "../timeline/ruler";
import { Tiles } from "../timeline/tiles";
import {
    clamp,
    pan,
    ticks,
    timeAt,
    towards,
    type Viewport,
    whole,
    xOf,
    zoom,
} from "../timeline/viewport";

/** Rows this far outside the canvas are asked for, too, so that scrolling finds them. */
const AROUND = 300;
const JUMP_MS = 220;
/** A mark in the browser's own record of the page: bench/viewing.py reads it. */
const FIRST_PICTURE = "marey-first-picture";

type Selected = { details: EventDetails; isSpan: boolean };

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
    private readonly found: FoundSpans;
    private readonly details: DetailsPanel;
    private readonly tooltip = new Tooltip();
    private readonly status = h("span", { class: "quiet", role: "status" });
    private readonly problem = h("div", { class: "over" });
    private readonly search: HTMLInputElement;
    private readonly latest = new Latest();
    private readonly latestFound = new Latest();
    private readonly collapsed = new Set<string>();
    private readonly duration: number;
    private view: Viewport;
    private rows: Row[] = [];
    private rowByTrack = new Map<number, Row>();
    private hover: Hit | null = null;
    private hoverX: number | null = null;
    private drawn: [number, number] | null = null;
    private selected: Selected | null = null;
    private rowsKey = "";
    /** Counts movements: an older one stops when a newer begins. */
    private glides = 0;

    constructor(private readonly app: App) {
        const { source, trace, store } = app;
        this.duration = Math.max(1, trace.duration_ns);
        this.view = whole(this.duration, 1000);
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
        this.found = new FoundSpans(app);
        this.details = new DetailsPanel(app, {
            jump: (id) => store.change({ selected: `span:${id}` }),
            zoom: (details) => this.zoomTo(details),
            close: () => this.unselect(),
            search: (text) => store.change({ q: text }),
        });
        this.search = h("input", {
            type: "search",
            placeholder: "Find spans by name",
            "aria-label": "Find spans by name",
            oninput: () => store.change({ q: this.search.value }),
            onkeydown: (event: KeyboardEvent) => this.searchKey(event),
        });
        this.element = this.layout();
        onTheme(() => this.recolour());
        this.recolour();
        new Input(this.pane.canvas, {
            zoom: (x, factor) => this.look(zoom(this.view, x, factor, this.duration)),
            pan: (pixels) => this.look(pan(this.view, pixels, this.duration)),
            scroll: (pixels) => {
                this.pane.scrollTop += pixels;
            },
            range: (from, to, done) => this.range(from, to, done),
            hover: (event) => this.hoverAt(event),
            click: (event) => this.click(event),
            key: (event) => this.key(event),
        });
        this.pane.canvas.addEventListener(
            "dblclick",
            () => this.selected && this.zoomTo(this.selected.details),
        );
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
                this.search,
                button("‹", "The one before (Shift+N)", () => void this.step(-1)),
                button("›", "The next one (N)", () => void this.step(1)),
                this.status,
                h("span", { class: "spring" }),
                h("label", { hidden: this.app.trace.counts.flows === 0 }, flows, " Flows"),
                button("Collapse", "Only the names of processes and the outermost spans", () =>
                    this.collapseAll(true),
                ),
                button("Expand", "All rows of all tracks", () => this.collapseAll(false)),
                button("All", "All of the time (0)", () =>
                    this.glide(whole(this.duration, this.view.width)),
                ),
            ),
            h("div", { class: "ruler-row" }, h("div", { class: "corner" }), this.ruler.element),
            h("div", { class: "stage" }, this.pane.element, this.problem),
            this.details.element,
            this.tooltip.element,
        );
    }

    show(state: State): void {
        if (this.search.value !== state.q) this.search.value = state.q;
        this.showRows(state);
        this.fit();
        if (state.look && !this.shows(state.look)) {
            const [from, to] = state.look;
            this.view = clamp({ ...this.view, from, span: to - from }, this.duration);
        }
        if (this.latest.isNew(state.selected)) void this.select(state.selected);
        if (this.latestFound.isNew(state.q)) void this.find(state.q);
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

    private shows([from, to]: [number, number]): boolean {
        const { from: left, span } = this.view;
        const near = span / 1e4 + 2;
        return Math.abs(left - from) < near && Math.abs(left + span - to) < near;
    }

    private showRows(state: State): void {
        const key = `${state.threads?.join() ?? ""}|${[...this.collapsed].join()}`;
        if (key === this.rowsKey && this.rows.length) return;
        this.rowsKey = key;
        this.rows = makeRows(this.app.trace, state.threads, this.collapsed);
        this.rowByTrack = new Map(
            this.rows.filter((row) => row.track).map((row) => [row.track!.id, row]),
        );
        this.column.show(this.rows);
        this.pane.setContentHeight(heightOf(this.rows));
        fill(this.problem, this.rows.length === 0 && message("empty", "There are no tracks here."));
    }

    private toggle(key: string): void {
        if (!this.collapsed.delete(key)) this.collapsed.add(key);
        this.showRows(this.app.store.state);
        this.invalidate();
    }

    private collapseAll(collapse: boolean): void {
        this.collapsed.clear();
        if (collapse)
            for (const row of makeRows(this.app.trace, null, new Set()))
                if (row.kind === "track" && row.opens) this.collapsed.add(row.key);
        this.showRows(this.app.store.state);
        this.invalidate();
    }

    private recolour(): void {
        this.painter.colours = spanColours(theme());
        this.pane.invalidate();
    }

    /** The viewport is as wide as the canvas, once that is known. */
    private fit(): void {
        if (this.pane.width > 0 && this.view.width !== this.pane.width)
            this.view = { ...this.view, width: this.pane.width };
    }

    /** The hand moves the view: whatever moved it before gives way. */
    private look(view: Viewport): void {
        this.glides++;
        this.lookAt(view);
    }

    private lookAt(view: Viewport): void {
        this.view = view;
        this.hover = null;
        this.tooltip.hide();
        this.invalidate();
        this.app.store.change({ look: [Math.floor(view.from), Math.ceil(view.from + view.span)] });
    }

    /** Moves there so that the eye can follow. */
    private glide(to: Viewport): void {
        const from = this.view;
        const mine = ++this.glides;
        const began = performance.now();
        const step = () => {
            if (mine !== this.glides) return;
            const t = calm.matches ? 1 : Math.min(1, (performance.now() - began) / JUMP_MS);
            this.lookAt(clamp(towards(from, to, 1 - (1 - t) ** 3), this.duration));
            if (t < 1) requestAnimationFrame(step);
        };
        step();
    }

    // ---- drawing

    private draw(): void {
        this.fit();
        const { context, width, height, scrollTop } = this.pane;
        const seen = between(this.rows, scrollTop - AROUND, scrollTop + height + AROUND);
        const tracks = seen.flatMap((row) => (row.track && row.height > 0 ? [row.track.id] : []));
        this.tiles.want(this.view, tracks);
        this.arrows.want(this.view, tracks);
        const { raster } = this;
        raster.begin(this.pane.canvas, this.pane.scale, pixel(css("--canvas")));
        this.drawGrid(height);
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
        this.arrows.draw(context, this.rowByTrack, this.view, scrollTop, this.selectedBox());
        this.drawChosen();
        drawRange(context, this.view, this.shownRange(), height);
        this.ruler.invalidate();
    }

    private drawGrid(height: number): void {
        const { raster, view } = this;
        const grid = pixel(css("--grid"));
        for (const time of ticks(view, TICKS_APART).times)
            raster.rect(xOf(view, time), 0, 1, height, grid);
        // Beside the trace there is nothing.
        const [begin, end] = [xOf(view, 0), xOf(view, this.duration)];
        const beyond = pixel(css("--beyond"));
        if (begin > 0) raster.rect(0, 0, begin, height, beyond);
        if (end < view.width) raster.rect(end, 0, view.width - end, height, beyond);
    }

    /** What is being drawn, or was. */
    private shownRange(): [number, number] | null {
        return this.drawn ?? this.app.store.state.range;
    }

    private drawChosen(): void {
        const { context, scrollTop } = this.pane;
        const outline = (box: ReturnType<typeof boxOf>, colour: string, line: number) => {
            if (!box) return;
            const left = Math.max(box.x, -4);
            context.strokeStyle = colour;
            context.lineWidth = line;
            context.strokeRect(
                left,
                box.y - scrollTop,
                Math.max(2, Math.min(box.x + box.width, this.view.width + 4) - left),
                box.height,
            );
        };
        if (this.hover?.kind === "span") {
            const { row, data, index } = this.hover;
            const { begin, end, depth } = data.spans!;
            outline(
                boxOf(this.rows, this.view, row.track!.id, begin[index], end[index], depth[index]),
                css("--ink"),
                1,
            );
        }
        const box = this.selectedBox();
        if (box && this.selected)
            outline(
                boxOf(
                    this.rows,
                    this.view,
                    box.track,
                    box.begin,
                    box.end,
                    this.selected.details.depth,
                ),
                css("--accent"),
                2.5,
            );
    }

    private selectedBox(): { track: number; begin: number; end: number } | null {
        if (!this.selected) return null;
        const { track, begin, duration } = this.selected.details;
        return { track, begin, end: begin + (duration ?? this.duration - begin) };
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
        return hitAt(this.rows, this.view, x, y, (track) => this.tiles.pieces(this.view, track));
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
            if (id[hit.index] >= 0) this.choose(`span:${id[hit.index]}`);
            // Several in one place: nearer, then.
            else
                this.glide(
                    clamp(
                        {
                            ...this.view,
                            from: begin[hit.index] - (end[hit.index] - begin[hit.index]),
                            span:
                                3 *
                                Math.max(end[hit.index] - begin[hit.index], this.view.span / 100),
                        },
                        this.duration,
                    ),
                );
        } else if (hit?.kind === "instant" && hit.data.instants!.id[hit.index] >= 0) {
            this.choose(`instant:${hit.data.instants!.id[hit.index]}`);
        } else {
            this.unselect();
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
        fill(this.status, done ? "" : `${duration(b - a)} selected`);
        if (done && range[0] < range[1]) this.app.store.change({ range });
        this.invalidate();
    }

    // ---- selection

    private choose(selected: string): void {
        this.app.store.change({ selected });
    }

    private unselect(): void {
        this.app.store.change({ selected: "" });
    }

    private async select(selected: string): Promise<void> {
        const [kind, id] = selected.split(":");
        if (!selected) {
            this.selected = null;
            this.details.close();
            this.invalidate();
            return;
        }
        this.details.loading();
        const { source } = this.app;
        const isSpan = kind === "span";
        try {
            const details = await (isSpan ? source.span(Number(id)) : source.instant(Number(id)));
            if (this.app.store.state.selected !== selected) return;
            this.selected = { details, isSpan };
            this.details.show(details, isSpan);
            this.bring(details);
        } catch (error) {
            if (this.app.store.state.selected === selected) this.details.failed(error);
        }
        this.invalidate();
    }

    /** Into sight, where it is not. */
    private bring({ track, begin, duration, depth }: EventDetails): void {
        this.reveal(track, depth);
        const end = begin + (duration ?? 0);
        const { from, span } = this.view;
        if (end >= from && begin <= from + span && (duration ?? 0) > span / 2000) return;
        const wide = Math.max((duration ?? 0) * 3, 1000);
        if (end < from || begin > from + span || (duration ?? 0) * 2000 < span)
            this.glide(
                clamp(
                    { ...this.view, from: begin + (duration ?? 0) / 2 - wide / 2, span: wide },
                    this.duration,
                ),
            );
    }

    private reveal(track: number, depth = 0): void {
        this.open(track);
        const row = this.rowByTrack.get(track);
        if (!row) return;
        const top = row.top + (row.spans ?? 0) + depth * SPAN_ROW;
        const { scrollTop, height } = this.pane;
        if (top < scrollTop || top + SPAN_ROW > scrollTop + height)
            this.pane.scrollTop = Math.max(0, top - height / 3);
    }

    /** Nothing above a track, nor itself, stays collapsed when it is to be seen. */
    private open(id: number): void {
        const { tracks } = this.app.trace;
        let track = tracks.find((track) => track.id === id);
        if (track) this.collapsed.delete(`p${track.process}`);
        for (let steps = 0; track && steps < 32; steps++) {
            this.collapsed.delete(`t${track.id}`);
            const above: number | null = track.parent;
            track = above === null ? undefined : tracks.find((other) => other.id === above);
        }
        this.showRows(this.app.store.state);
    }

    private zoomTo({ begin, duration, track, depth }: EventDetails): void {
        const length = Math.max(duration ?? this.duration - begin, 20);
        this.reveal(track, depth);
        this.glide(
            clamp({ ...this.view, from: begin - length * 0.1, span: length * 1.2 }, this.duration),
        );
    }

    // ---- search

    private async find(query: string): Promise<void> {
        const words = query.toLowerCase();
        const cache: (boolean | undefined)[] = [];
        this.painter.matched = query
            ? (name) => (cache[name] ??= this.names.text[name].toLowerCase().includes(words))
            : null;
        this.invalidate();
        if (!query) return fill(this.status);
        try {
            const found = await this.latestFound.of(this.found.look(query));
            if (this.app.store.state.q !== query) return;
            fill(
                this.status,
                found
                    ? h("span", {}, name(found.name, "code"), ` ${count(found.count)}`)
                    : "no span has that in its name",
            );
        } catch (error) {
            fill(this.status, failure(error));
        }
    }

    private async step(by: 1 | -1): Promise<void> {
        try {
            const found = await this.found.step(by, this.view.from);
            if (!found) return;
            fill(this.status, `${count(found.place + 1)} of ${count(found.count)}`);
            this.choose(`span:${found.id}`);
        } catch (error) {
            fill(this.status, failure(error));
        }
    }

    private searchKey(event: KeyboardEvent): void {
        if (event.key === "Enter") void this.step(event.shiftKey ? -1 : 1);
        else if (event.key === "Escape") this.pane.canvas.focus();
        else return;
        event.preventDefault();
    }

    // ---- keys

    private key(event: KeyboardEvent): boolean {
        const { store } = this.app;
        switch (event.key) {
            case "0":
                this.glide(whole(this.duration, this.view.width));
                return true;
            case "f":
                if (this.selected) this.zoomTo(this.selected.details);
                return true;
            case "r":
                store.change({
                    range: [
                        Math.max(0, Math.round(this.view.from)),
                        Math.min(this.duration, Math.round(this.view.from + this.view.span)),
                    ],
                });
                return true;
            case "n":
                void this.step(1);
                return true;
            case "N":
                void this.step(-1);
                return true;
            case ",":
                this.neighbour(-1, 0);
                return true;
            case ".":
                this.neighbour(1, 0);
                return true;
            case "[":
                this.neighbour(0, -1);
                return true;
            case "]":
                this.neighbour(0, 1);
                return true;
            case "Escape":
                if (store.state.selected) this.unselect();
                else store.change({ range: null });
                return true;
            default:
                return false;
        }
    }

    /** Selects the span beside or below or above the selected one, of those that are seen; without one, the first. */
    private neighbour(along: -1 | 0 | 1, down: -1 | 0 | 1): void {
        const chosen = this.selected?.isSpan ? this.selected.details : null;
        const pieces = (track: number) => this.tiles.pieces(this.view, track);
        const { scrollTop, height } = this.pane;
        const next = chosen
            ? neighbourOf(chosen, along, down, pieces(chosen.track))
            : firstSpan(between(this.rows, scrollTop, scrollTop + height), this.view, pieces);
        if (next !== null) this.choose(`span:${next}`);
    }
}
