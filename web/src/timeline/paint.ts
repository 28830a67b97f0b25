// Draws a track's pieces: spans with their labels, instants, counters, samples. Called for each track that is seen, at
// each frame: no allocation by the span, few changes of colour.

import { mix, type Pixel, pixel, type Raster } from "../canvas/raster";
import { fit } from "../canvas/text";
import { COLOURS, palette } from "../colour";
import { css, type Theme } from "../theme";
import type { Names } from "./data";
import { type Row, SPAN_ROW } from "./rows";
import type { Piece } from "./tiles";
import type { Viewport } from "./viewport";

const LABEL_MIN = 26;
const SAMPLES_HEIGHT = 10;
/** Half a diamond's width. */
const DIAMOND = 5;

/** How a span is drawn: as one, as several merged, or as what was not searched for. */
const [ONE, MERGED, DIM] = [0, COLOURS, 2 * COLOURS];

/** The colours of spans in a theme, by how they are drawn and then by name. */
export function spanColours(theme: Theme): Pixel[] {
    const ground = pixel(css("--canvas"));
    const one = palette(theme).map(pixel);
    const mixed = (share: number) => one.map((colour) => mix(colour, ground, share));
    return [...one, ...mixed(0.78), ...mixed(0.2)];
}

interface Label {
    x: number;
    y: number;
    width: number;
    name: number;
}

export class Painter {
    colours: Pixel[] = [];
    /** By name, whether it is searched for; null without a search. */
    matched: ((name: number) => boolean) | null = null;

    private labels: Label[] = [];

    constructor(
        private readonly raster: Raster,
        private readonly names: Names,
    ) {}

    /** Draws a track's boxes and keeps its labels. y: the row's top on the canvas. */
    track(row: Row, y: number, view: Viewport, pieces: Piece[], height: number): void {
        const { samples, instants, spans } = row;
        if (samples !== null) for (const piece of pieces) this.samples(piece, y + samples, view);
        if (row.chart !== null) this.counter(row, pieces, y, view);
        if (spans !== null) {
            const labelled = new Set<number>();
            for (const piece of pieces) this.spans(row, piece, y + spans, view, height, labelled);
        }
        if (instants !== null) for (const piece of pieces) this.instants(piece, y + instants, view);
    }

    /** Writes the labels of all tracks that were drawn, over the boxes. */
    write(context: CanvasRenderingContext2D): void {
        context.fillStyle = css("--on-colour");
        const middle = (SPAN_ROW - 1) / 2 + 0.5;
        for (const { x, y, width, name } of this.labels) {
            const text = fit(context, this.names.text[name], width - 6);
            if (text) context.fillText(text, x + 3, y + middle);
        }
        this.labels = [];
    }

    private spans(
        row: Row,
        piece: Piece,
        y: number,
        view: Viewport,
        height: number,
        labelled: Set<number>,
    ): void {
        const { spans } = piece.data;
        if (!spans) return;
        const { raster, names, colours, matched } = this;
        const { begin, end, depth, name, id, failed } = spans;
        const scale = view.width / view.span;
        const left = Math.max(0, (piece.from - view.from) * scale);
        const right = Math.min(view.width, (piece.to - view.from) * scale);
        const first = Math.max(0, Math.floor(-y / SPAN_ROW));
        const last = Math.min(row.depth - 1, Math.floor((height - y) / SPAN_ROW));
        const red = pixel(css("--failed"));
        for (let i = 0; i < begin.length; i++) {
            if (depth[i] < first || depth[i] > last) continue;
            const from = (begin[i] - view.from) * scale;
            const to = (end[i] - view.from) * scale;
            if (to < left || from >= right) continue;
            const x = Math.max(from, left);
            let width = Math.min(to, right) - x;
            if (width > 2 && to <= right) width -= 1;
            const merged = id[i] < 0;
            const found = matched === null || matched(name[i]);
            const colour = colours[names.colour[name[i]] + (found ? (merged ? MERGED : ONE) : DIM)];
            const top = y + depth[i] * SPAN_ROW;
            raster.rect(x, top, width, SPAN_ROW - 1, colour);
            if (failed[i]) raster.rect(x, top + SPAN_ROW - 4, width, 3, red);
            if (merged || to - from < LABEL_MIN || labelled.has(id[i])) continue;
            const start = Math.max(from, 0);
            const room = Math.min(to, view.width) - start;
            if (room < LABEL_MIN) continue;
            labelled.add(id[i]);
            this.labels.push({ x: start, y: top, width: room, name: name[i] });
        }
    }

    private samples(piece: Piece, y: number, view: Viewport): void {
        const { samples } = piece.data;
        if (!samples) return;
        const { raster } = this;
        const { time, end, running, gilWait } = samples;
        const [line, run, wait] = ["--line", "--running", "--gil-wait"].map((name) =>
            pixel(css(name)),
        );
        const scale = view.width / view.span;
        const left = Math.max(0, (piece.from - view.from) * scale);
        const right = Math.min(view.width, (piece.to - view.from) * scale);
        const base = y + SAMPLES_HEIGHT;
        for (let i = 0; i < time.length; i++) {
            const from = (time[i] - view.from) * scale;
            const to = Math.max((end[i] - view.from) * scale, from + 1);
            if (to <= left || from >= right) continue;
            const x = Math.max(from, left);
            const width = Math.min(to, right) - x;
            const high = Math.min(1, running[i]) * SAMPLES_HEIGHT;
            const waits = Math.min(gilWait[i] * SAMPLES_HEIGHT, SAMPLES_HEIGHT - high);
            // What was sampled at all stands as a line, so that an idle thread is not an empty one.
            raster.rect(x, base - 1, width, 1, line);
            if (high > 0) raster.rect(x, base - high, width, high, run);
            if (waits > 0) raster.rect(x, base - high - waits, width, waits, wait);
        }
    }

    /** Diamonds; where they stand too close, lines. */
    private instants(piece: Piece, y: number, view: Viewport): void {
        const { instants } = piece.data;
        if (!instants) return;
        const { raster, names, matched, colours } = this;
        const { time, name, count } = instants;
        const scale = view.width / view.span;
        const x = (i: number) => (time[i] - view.from) * scale;
        for (let i = 0; i < time.length; i++) {
            if (time[i] < piece.from || time[i] > piece.to) continue;
            const at = x(i);
            if (at < -DIAMOND || at > view.width + DIAMOND) continue;
            const found = matched === null || matched(name[i]);
            const colour = colours[names.colour[name[i]] + (found ? ONE : DIM)];
            const beside = Math.min(
                i > 0 ? at - x(i - 1) : 99,
                i + 1 < time.length ? x(i + 1) - at : 99,
            );
            if (count[i] > 1 || beside < 2 * DIAMOND) raster.rect(at, y, 1, 2 * DIAMOND, colour);
            else this.diamond(at, y, colour);
        }
    }

    private diamond(x: number, y: number, colour: Pixel): void {
        const edge = pixel(css("--ink"));
        for (let row = 0; row <= 2 * DIAMOND; row++) {
            const half = DIAMOND - Math.abs(row - DIAMOND);
            this.raster.rect(x - half, y + row, 2 * half + 1, 1, edge);
            if (half > 1) this.raster.rect(x - half + 1, y + row, 2 * half - 1, 1, colour);
        }
    }

    /** A step chart: a value holds until the next. Where a pixel has several, the band from the least to the most. */
    private counter(row: Row, pieces: Piece[], y: number, view: Viewport): void {
        const { raster, colours } = this;
        const { top, height } = row.chart!;
        const { least, most, name } = row.track!;
        const low = Math.min(0, least);
        const range = Math.max(most, 0) - low || 1;
        const at = (value: number) => y + top + height - ((value - low) / range) * height;
        const base = at(0);
        const colour = this.names.colour[this.names.id(name)];
        const [line, area] = [colours[colour], colours[colour + DIM]];
        const scale = view.width / view.span;
        let held: number | null = null;
        let heldFrom = 0;
        const holdTo = (x: number) => {
            if (held === null || x <= heldFrom) return;
            const level = at(held);
            raster.rect(
                heldFrom,
                Math.min(level, base),
                x - heldFrom,
                Math.abs(base - level),
                area,
            );
            raster.rect(heldFrom, level - 0.75, x - heldFrom, 1.5, line);
        };
        for (const { from, to, data } of pieces) {
            const { values } = data;
            if (!values) continue;
            const right = Math.min(view.width, (to - view.from) * scale);
            for (let i = 0; i < values.time.length && values.time[i] <= to; i++) {
                // A piece's first value may be the one that holds where it begins.
                const x = (Math.max(values.time[i], from) - view.from) * scale;
                holdTo(Math.min(x, right));
                if (x >= 0 && values.most[i] > values.least[i] && values.time[i] >= from) {
                    const upper = at(values.most[i]);
                    raster.rect(x, upper, 1, at(values.least[i]) - upper, line);
                }
                held = values.last[i];
                heldFrom = Math.max(0, x);
            }
        }
        holdTo(Math.min(view.width, ((pieces.at(-1)?.to ?? 0) - view.from) * scale));
    }
}
