// The time above the tracks, and the range that is selected.

import type { Strip } from "../canvas/strip";
import { at } from "../format";
import { css } from "../theme";
import { ticks, timeAt, type Viewport, xOf } from "./viewport";

export const RULER = 24;
export const TICKS_APART = 96;

/** cursor: where the pointer is; its time is written there. */
export function drawRuler(strip: Strip, view: Viewport, cursor: number | null): void {
    const { context, width } = strip;
    context.clearRect(0, 0, width, RULER);
    const { step, times } = ticks(view, TICKS_APART);
    context.font = "11px system-ui, sans-serif";
    context.textBaseline = "middle";
    for (const time of times) {
        const x = Math.round(xOf(view, time));
        context.fillStyle = css("--line");
        context.fillRect(x, RULER - 6, 1, 6);
        context.fillStyle = css("--quiet");
        context.fillText(at(time, step), x + 4, RULER / 2);
    }
    if (cursor === null) return;
    const label = at(timeAt(view, cursor), step / 100);
    const wide = context.measureText(label).width + 10;
    const left = Math.min(cursor, width - wide);
    context.fillStyle = css("--ink");
    context.fillRect(left, 3, wide, RULER - 6);
    context.fillStyle = css("--canvas");
    context.fillText(label, left + 5, RULER / 2);
}

/** Shades what is outside a range. */
export function drawRange(
    context: CanvasRenderingContext2D,
    view: Viewport,
    range: [number, number] | null,
    height: number,
): void {
    if (!range) return;
    const [left, right] = range.map((time) =>
        Math.min(Math.max(xOf(view, time), -2), view.width + 2),
    );
    context.fillStyle = css("--shade");
    context.fillRect(0, 0, left, height);
    context.fillRect(right, 0, view.width - right, height);
    context.fillStyle = css("--accent");
    context.fillRect(left - 1, 0, 2, height);
    context.fillRect(right - 1, 0, 2, height);
}
