// Flows as arrows: asked for when the view has come to rest, drawn over the tracks.

import type { Flows } from "../api";
import type { FlowQuery } from "../source";
import { css } from "../theme";
import { type Row, SPAN_ROW } from "./rows";
import { type Viewport, xOf } from "./viewport";

const PAUSE_MS = 180;
const LIMIT = 500;
/** Beyond so many the arrows are a thicket: only those of what is selected are drawn. */
const CROWD = 60;

export class FlowArrows {
    shown = true;
    private flows: Flows["flows"] | null = null;
    private timer = 0;
    private asked = "";
    private number = 0;

    constructor(
        private readonly ask: (query: FlowQuery) => Promise<Flows>,
        private readonly arrived: () => void,
    ) {}

    /** Asks for what the view shows, once it rests. */
    want(view: Viewport, tracks: number[]): void {
        const key = `${view.from}/${view.span}/${tracks.join()}`;
        if (key === this.asked || tracks.length === 0 || !this.shown) return;
        this.asked = key;
        clearTimeout(this.timer);
        this.timer = window.setTimeout(() => void this.load(view, tracks), PAUSE_MS);
    }

    private async load(view: Viewport, tracks: number[]): Promise<void> {
        const mine = ++this.number;
        try {
            const { flows } = await this.ask({
                from: Math.max(0, view.from),
                to: Math.max(1, view.from + view.span),
                tracks,
                limit: LIMIT,
            });
            if (mine !== this.number) return;
            this.flows = flows;
            this.arrived();
        } catch {
            // Arrows are an extra; what else the server refuses is said where the tiles are asked for.
            this.asked = "";
        }
    }

    draw(
        context: CanvasRenderingContext2D,
        rows: Map<number, Row>,
        view: Viewport,
        scroll: number,
        selected: { track: number; begin: number; end: number } | null,
    ): void {
        if (!this.shown || !this.flows) return;
        const { flows } = this;
        const crowd = flows.id.length > CROWD;
        for (let i = 0; i < flows.id.length; i++) {
            const own =
                selected !== null &&
                (touches(selected, flows.from_track[i], flows.from_time[i]) ||
                    touches(selected, flows.to_track[i], flows.to_time[i]));
            if (crowd && !own) continue;
            const from = placeOf(rows.get(flows.from_track[i]), flows.from_depth[i]);
            const to = placeOf(rows.get(flows.to_track[i]), flows.to_depth[i]);
            if (from === null || to === null) continue;
            context.strokeStyle = context.fillStyle = css(own ? "--accent" : "--flow");
            context.lineWidth = own ? 2 : 1;
            arrow(
                context,
                xOf(view, flows.from_time[i]),
                from - scroll,
                xOf(view, flows.to_time[i]),
                to - scroll,
                view.width,
            );
        }
    }
}

function touches(
    span: { track: number; begin: number; end: number },
    track: number,
    time: number,
): boolean {
    return span.track === track && time >= span.begin && time <= span.end;
}

/** The middle of a span's row. */
function placeOf(row: Row | undefined, depth: number): number | null {
    if (!row) return null;
    if (row.spans === null || depth >= row.depth) return row.top + row.height / 2;
    return row.top + row.spans + (depth + 0.5) * SPAN_ROW;
}

function arrow(
    context: CanvasRenderingContext2D,
    x1: number,
    y1: number,
    x2: number,
    y2: number,
    width: number,
): void {
    // Ends far outside make the canvas slow and the curve meaningless.
    const [a, b] = [x1, x2].map((x) => Math.min(Math.max(x, -width), 2 * width));
    const bend = Math.max(12, Math.min(80, Math.abs(b - a) / 2));
    context.beginPath();
    context.moveTo(a, y1);
    context.bezierCurveTo(a + bend, y1, b - bend, y2, b - 5, y2);
    context.stroke();
    context.beginPath();
    context.moveTo(b, y2);
    context.lineTo(b - 6, y2 - 3);
    context.lineTo(b - 6, y2 + 3);
    context.fill();
}
