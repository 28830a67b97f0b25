// Draws a track's pieces: spans with their labels, instants, counters, samples. Called for each track that is seen, at
// each frame: no allocation by the span, few changes of colour.

import { fit } from "../canvas/text";
import { COLOURS, palette } from "../colour";
import { css, type Theme } from "../theme";
import type { Names } from "./data";
import { type Row, SPAN_ROW } from "./rows";
import type { Piece } from "./tiles";
import type { Viewport } from "./viewport";

const LABEL_MIN = 26;
const SAMPLES_HEIGHT = 10;

/** How a span is drawn: as one, as several merged, or as what was not searched for. */
const [ONE, MERGED, DIM] = [0, COLOURS, 2 * COLOURS];

/** The colours of spans in a theme, by how they are drawn and then by name. */
export function spanColours(theme: Theme): string[] {
    const one = palette(theme);
    const mixed = (share: number) =>
        one.map((colour) => `color-mix(in srgb, ${colour} ${share}%, ${css("--canvas")})`);
    return [...one, ...mixed(theme === "dark" ? 78 : 72), ...mixed(22)].map(resolve);
}

/** A canvas that is given the same text again need not parse it; hex is quickest. */
const probe = document.createElement("canvas").getContext("2d", { willReadFrequently: true });

function resolve(colour: string): string {
    if (!probe) return colour;
    probe.fillStyle = colour;
    probe.fillRect(0, 0, 1, 1);
    const [r, g, b] = probe.getImageData(0, 0, 1, 1).data;
    return `#${((1 << 24) | (r << 16) | (g << 8) | b).toString(16).slice(1)}`;
}

interface Label {
    x: number;
    y: number;
    width: number;
    name: number;
}

export class Painter {
    colours: string[] = [];
    /** By name, whether it is searched for; null without a search. */
    matched: ((name: number) => boolean) | null = null;

    constructor(
        private readonly context: CanvasRenderingContext2D,
        private readonly names: Names,
    ) {}

    /** y: the row's top on the canvas. */
    track(row: Row, y: number, view: Viewport, pieces: Piece[], height: number): void {
        if (row.samples !== null)
            for (const piece of pieces) this.samples(piece, y + row.samples, view);
        if (row.chart !== null) this.counter(row, pieces, y, view);
        if (row.spans !== null) this.spans(row, pieces, y + row.spans, view, height);
        if (row.instants !== null)
            for (const piece of pieces) this.instants(piece, y + row.instants, view);
    }

    private spans(row: Row, pieces: Piece[], y: number, view: Viewport, height: number): void {
        const labels: Label[] = [];
        const labelled = new Set<number>();
        for (const piece of pieces) this.spanBoxes(row, piece, y, view, height, labels, labelled);
        const { context } = this;
        context.fillStyle = css("--on-colour");
        const middle = (SPAN_ROW - 1) / 2 + 0.5;
        for (const { x, y, width, name } of labels) {
            const text = fit(context, this.names.text[name], width - 6);
            if (text) context.fillText(text, x + 3, y + middle);
        }
    }

    private spanBoxes(
        row: Row,
        piece: Piece,
        y: number,
        view: Viewport,
        height: number,
        labels: Label[],
        labelled: Set<number>,
    ): void {
        const { spans } = piece.data;
        if (!spans) return;
        const { context, names, colours, matched } = this;
        const { begin, end, depth, name, id, failed } = spans;
        const scale = view.width / view.span;
        const left = Math.max(0, (piece.from - view.from) * scale);
        const right = Math.min(view.width, (piece.to - view.from) * scale);
        const first = Math.max(0, Math.floor(-y / SPAN_ROW));
        const last = Math.min(row.depth - 1, Math.floor((height - y) / SPAN_ROW));
        const red = css("--failed");
        let current = -1;
        for (let i = 0; i < begin.length; i++) {
            if (depth[i] < first || depth[i] > last) continue;
            const from = (begin[i] - view.from) * scale;
            const to = (end[i] - view.from) * scale;
            if (to < left || from >= right) continue;
            const x = Math.max(from, left);
            let width = Math.min(to, right) - x;
            if (width < 1) width = 1;
            else if (width > 3 && to <= right) width -= 1;
            const merged = id[i] < 0;
            const found = matched === null || matched(name[i]);
            const colour = names.colour[name[i]] + (found ? (merged ? MERGED : ONE) : DIM);
            if (colour !== current) {
                context.fillStyle = colours[colour];
                current = colour;
            }
            const top = y + depth[i] * SPAN_ROW;
            context.fillRect(x, top, width, SPAN_ROW - 1);
            if (failed[i]) {
                context.fillStyle = red;
                context.fillRect(x, top + SPAN_ROW - 4, width, 3);
                current = -1;
            }
            if (merged || to - from < LABEL_MIN || labelled.has(id[i])) continue;
            const start = Math.max(from, 0);
            const room = Math.min(to, view.width) - start;
            if (room < LABEL_MIN) continue;
            labelled.add(id[i]);
            labels.push({ x: start, y: top, width: room, name: name[i] });
        }
    }

    private samples(piece: Piece, y: number, view: Viewport): void {
        const { samples } = piece.data;
        if (!samples) return;
        const { context } = this;
        const { time, running, gilWait } = samples;
        const scale = view.width / view.span;
        const width = Math.max(1, piece.step * scale);
        const left = Math.max(-width, (piece.from - view.from) * scale);
        const right = Math.min(view.width, (piece.to - view.from) * scale);
        const bars = (values: Float32Array, below: Float32Array | null, colour: string) => {
            context.fillStyle = colour;
            for (let i = 0; i < time.length; i++) {
                const x = (time[i] - view.from) * scale;
                if (x < left || x >= right || values[i] <= 0) continue;
                const under = below ? below[i] * SAMPLES_HEIGHT : 0;
                const high = Math.min(values[i] * SAMPLES_HEIGHT, SAMPLES_HEIGHT - under);
                context.fillRect(x, y + SAMPLES_HEIGHT - under - high, width, high);
            }
        };
        // What was sampled at all stands as a line, so that an idle thread is not an empty one.
        context.fillStyle = css("--line");
        for (let i = 0; i < time.length; i++) {
            const x = (time[i] - view.from) * scale;
            if (x >= left && x < right) context.fillRect(x, y + SAMPLES_HEIGHT - 1, width, 1);
        }
        bars(running, null, css("--running"));
        bars(gilWait, running, css("--gil-wait"));
    }

    private instants(piece: Piece, y: number, view: Viewport): void {
        const { instants } = piece.data;
        if (!instants) return;
        const { context, names, matched } = this;
        const { time, name } = instants;
        const scale = view.width / view.span;
        for (let i = 0; i < time.length; i++) {
            if (time[i] < piece.from || time[i] > piece.to) continue;
            const x = (time[i] - view.from) * scale;
            if (x < -4 || x > view.width + 4) continue;
            const found = matched === null || matched(name[i]);
            context.fillStyle = found ? css("--ink") : css("--line");
            context.beginPath();
            context.moveTo(x, y);
            context.lineTo(x + 4, y + 5);
            context.lineTo(x, y + 10);
            context.lineTo(x - 4, y + 5);
            context.fill();
            context.fillStyle = this.colours[names.colour[name[i]]];
            context.fillRect(x - 1, y + 4, 2, 2);
        }
    }

    /** A step chart: a value holds until the next. Where a pixel has several, the band from the least to the most. */
    private counter(row: Row, pieces: Piece[], y: number, view: Viewport): void {
        const { context } = this;
        const { top, height } = row.chart!;
        const { least, most, id } = row.track!;
        const low = Math.min(0, least);
        const range = Math.max(most, 0) - low || 1;
        const at = (value: number) => y + top + height - ((value - low) / range) * height;
        const scale = view.width / view.span;
        const base = at(0);
        const colour = this.colours[id % COLOURS];
        let held: number | null = null;
        let heldFrom = 0;
        const step = (to: number) => {
            if (held === null || to <= heldFrom) return;
            const level = at(held);
            context.globalAlpha = 0.35;
            context.fillRect(
                heldFrom,
                Math.min(level, base),
                to - heldFrom,
                Math.abs(base - level),
            );
            context.globalAlpha = 1;
            context.fillRect(heldFrom, level - 0.75, to - heldFrom, 1.5);
        };
        context.fillStyle = colour;
        for (const piece of pieces) {
            const { values } = piece.data;
            if (!values) continue;
            const right = Math.min(view.width, (piece.to - view.from) * scale);
            for (let i = 0; i < values.time.length; i++) {
                const x = (values.time[i] - view.from) * scale;
                if (x >= right) break;
                step(Math.max(0, Math.min(x, right)));
                if (x >= 0 && values.most[i] > values.least[i]) {
                    const upper = at(values.most[i]);
                    context.fillRect(x, upper, 1, Math.max(1, at(values.least[i]) - upper));
                }
                held = values.last[i];
                heldFrom = Math.max(0, x);
            }
        }
        step(Math.min(view.width, ((pieces.at(-1)?.to ?? 0) - view.from) * scale));
    }
}
