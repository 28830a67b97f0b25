// What lies under the spans, and around some of them: the grid of the ruler's times, the outline of a span.

import { pixel, type Raster } from "../canvas/raster";
import { css } from "../theme";
import type { boxOf } from "./hit";
import { TICKS_APART } from "./ruler";
import { ticks, type Viewport, xOf } from "./viewport";

export function drawGrid(raster: Raster, view: Viewport, duration: number, height: number): void {
    const grid = pixel(css("--grid"));
    for (const time of ticks(view, TICKS_APART).times)
        raster.rect(xOf(view, time), 0, 1, height, grid);
    // Beside the trace there is nothing.
    const [begin, end] = [xOf(view, 0), xOf(view, duration)];
    const beyond = pixel(css("--beyond"));
    if (begin > 0) raster.rect(0, 0, begin, height, beyond);
    if (end < view.width) raster.rect(end, 0, view.width - end, height, beyond);
}

/** Of a span; null: it is in no row. What lies beside the canvas is left out. */
export function outline(
    context: CanvasRenderingContext2D,
    box: ReturnType<typeof boxOf>,
    scrollTop: number,
    width: number,
    style: { colour: string; line: number },
): void {
    if (!box) return;
    const left = Math.max(box.x, -4);
    const right = Math.min(box.x + box.width, width + 4);
    context.strokeStyle = style.colour;
    context.lineWidth = style.line;
    context.strokeRect(left, box.y - scrollTop, Math.max(2, right - left), box.height);
}
