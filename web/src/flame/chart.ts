// A flame graph on a canvas. d3-flame-graph makes an SVG group of each node: of 20,000 it takes three seconds to draw
// them and as long for each zoom (docs/ARCHITECTURE.md); here a zoom runs at the screen's own pace.

import type { Flame } from "../api";
import { calm, Pane } from "../canvas/pane";
import { mix, type Pixel, pixel, Raster } from "../canvas/raster";
import { fit, useFont } from "../canvas/text";
import { css, onTheme, theme } from "../theme";
import { frameColour, kindOf } from "./colours";
import { type FlameLayout, layOut, match, neighbour, nodeAt, sameNode } from "./layout";

const ROW = 18;
const ZOOM_MS = 160;
const EDGE = 8;

export interface ChartEvents {
    /** What is below the pointer or chosen by keys; -1: nothing. */
    hover(node: number, event: MouseEvent | null): void;
    zoomed(node: number): void;
}

export class FlameChart {
    readonly pane: Pane;
    /** The root at the bottom. */
    up = false;
    private layout: FlameLayout | null = null;
    private readonly raster = new Raster();
    /** By function; those of what is not searched for behind them. */
    private colours: Pixel[] = [];
    private labels: { x: number; y: number; width: number; text: string; dim: boolean }[] = [];
    private matched: Uint8Array | null = null;
    private zoomed = 0;
    private cursor = 0;
    private under = -1;
    private pointer: MouseEvent | null = null;
    /** What is seen: [left, width] in the answer's unit; runs after the zoomed node. */
    private window: [number, number] = [0, 1];

    constructor(private readonly events: ChartEvents) {
        this.pane = new Pane("Flame graph: arrows move, Enter zooms, Escape shows all", () =>
            this.draw(),
        );
        const { canvas } = this.pane;
        canvas.addEventListener("pointermove", (event) => this.move(event));
        canvas.addEventListener("pointerleave", () => this.setUnder(-1, null));
        canvas.addEventListener("click", (event) => this.click(event));
        canvas.addEventListener("keydown", (event) => this.key(event));
        onTheme(() => this.colour());
    }

    /** keep: what is zoomed to and chosen stays, as far as the new graph has it. */
    set(flame: Flame, keep = false): void {
        const before = keep ? this.layout : null;
        const again = (node: number) => (before ? sameNode(before.flame, node, flame) : 0);
        const height = this.height();
        this.layout = layOut(flame);
        this.cursor = again(this.cursor);
        this.under = -1;
        this.matched = null;
        this.colour();
        this.pane.setContentHeight(this.height());
        if (this.up)
            this.pane.scrollTop = this.height() - (before ? height - this.pane.scrollTop : 0);
        this.zoomed = again(this.zoomed);
        this.window = this.box(this.zoomed);
        this.events.zoomed(this.zoomed);
        if (before) this.tellAgain();
    }

    /** Other numbers may belong to what is below the pointer, or chosen. */
    private tellAgain(): void {
        if (this.pointer) this.move(this.pointer);
        else if (this.cursor > 0) this.events.hover(this.cursor, null);
    }

    /** Marks what matches; returns its share of the whole, null without a search. */
    search(query: string): number | null {
        const found = this.layout && query.trim() ? match(this.layout, query) : null;
        this.matched = found?.functions ?? null;
        this.pane.invalidate();
        return found?.share ?? null;
    }

    turn(up: boolean): void {
        if (up === this.up) return;
        this.up = up;
        this.pane.scrollTop = up ? this.height() : 0;
    }

    zoomTo(node: number): void {
        if (!this.layout) return;
        this.cursor = node;
        this.zoomed = node;
        this.events.zoomed(node);
        this.animate(this.box(node));
    }

    /** Where a node's box is: [left, width]. */
    private box(node: number): [number, number] {
        const { start, flame } = this.layout!;
        return [start[node], Math.max(flame.nodes.total[node], 1e-9)];
    }

    private animate(to: [number, number]): void {
        const from = this.window;
        const { layout } = this;
        const began = performance.now();
        const step = () => {
            // Of another graph since: that is where it is to be.
            if (layout !== this.layout) return;
            const t = calm.matches ? 1 : Math.min(1, (performance.now() - began) / ZOOM_MS);
            const eased = 1 - (1 - t) ** 3;
            this.window = [
                from[0] + (to[0] - from[0]) * eased,
                from[1] + (to[1] - from[1]) * eased,
            ];
            this.pane.invalidate();
            if (t < 1) requestAnimationFrame(step);
        };
        step();
    }

    private height(): number {
        return ((this.layout?.deepest ?? 0) + 1) * ROW + EDGE;
    }

    private colour(): void {
        const functions = this.layout?.flame.functions;
        const ground = pixel(css("--canvas"));
        const bright = (functions?.name ?? []).map((name, i) =>
            pixel(frameColour(theme(), kindOf(functions!.kind[i], functions!.own[i]), name)),
        );
        this.colours = [...bright, ...bright.map((colour) => mix(colour, ground, 0.28))];
        this.pane.invalidate();
    }

    /** The upper edge of a row, on the canvas. */
    private top(depth: number): number {
        const whole = Math.max(this.height(), this.pane.height);
        const y = this.up ? whole - (depth + 1) * ROW - EDGE / 2 : depth * ROW + EDGE / 2;
        return y - this.pane.scrollTop;
    }

    private depthAt(y: number): number {
        const whole = Math.max(this.height(), this.pane.height);
        return Math.floor((this.up ? whole - EDGE / 2 - y : y - EDGE / 2) / ROW);
    }

    private draw(): void {
        const { context, canvas, height, scale } = this.pane;
        this.raster.begin(canvas, scale, pixel(css("--canvas")));
        this.labels = [];
        for (let depth = 0; depth <= (this.layout?.deepest ?? -1); depth++) {
            const y = this.top(depth);
            if (y > -ROW && y < height) this.drawRow(this.layout!.rows[depth], y);
        }
        this.raster.show(context);
        useFont(context);
        for (const { x, y, width, text, dim } of this.labels) {
            context.fillStyle = css(dim ? "--quiet" : "--on-colour");
            context.fillText(fit(context, text, width - 8), x + 4, y + ROW / 2);
        }
        this.outline(this.cursor, document.activeElement === canvas);
        this.outline(this.under, this.under >= 0);
    }

    private drawRow(row: Uint32Array, y: number): void {
        const { width } = this.pane;
        const { start, flame } = this.layout!;
        const { nodes, functions } = flame;
        const scale = width / this.window[1];
        const root = pixel(css("--root"));
        let drawnTo = -1;
        for (const node of row) {
            const left = (start[node] - this.window[0]) * scale;
            const right = left + nodes.total[node] * scale;
            // Of what falls between two pixels, the first stands for all.
            if (right <= Math.max(0, drawnTo + 0.3)) continue;
            if (left >= width) break;
            const x = Math.max(0, left);
            const wide = Math.max(Math.min(width, right) - x, 0.5);
            drawnTo = x + wide;
            const f = nodes.function[node];
            const dim = this.matched !== null && !this.matched[f];
            const colour = node === 0 ? root : this.colours[dim ? f + functions.name.length : f];
            this.raster.rect(x, y, wide > 2 ? wide - 1 : wide, ROW - 1, colour);
            const text = node === 0 ? "all" : functions.name[f];
            if (wide > 22) this.labels.push({ x, y, width: wide, text, dim: dim && node > 0 });
        }
    }

    private outline(node: number, shown: boolean): void {
        if (!this.layout || node < 0 || !shown) return;
        const { context, width } = this.pane;
        const scale = width / this.window[1];
        const left = (this.layout.start[node] - this.window[0]) * scale;
        const right = left + this.layout.flame.nodes.total[node] * scale;
        const x = Math.max(0, left);
        context.strokeStyle = css("--ink");
        context.lineWidth = 1.5;
        context.strokeRect(
            x + 0.75,
            this.top(this.layout.depth[node]) + 0.25,
            Math.max(1, Math.min(width, right) - x - 2),
            ROW - 1.5,
        );
    }

    private nodeUnder(event: MouseEvent): number {
        if (!this.layout) return -1;
        const { x, y } = this.pane.at(event);
        return nodeAt(
            this.layout,
            this.depthAt(y),
            this.window[0] + (x / this.pane.width) * this.window[1],
        );
    }

    private move(event: MouseEvent): void {
        this.setUnder(this.nodeUnder(event), event);
    }

    private setUnder(node: number, event: MouseEvent | null): void {
        this.pointer = event;
        this.pane.canvas.style.cursor = node >= 0 ? "pointer" : "default";
        if (node !== this.under) this.pane.invalidate();
        this.under = node;
        this.events.hover(node, event);
    }

    private click(event: MouseEvent): void {
        const node = this.nodeUnder(event);
        if (node >= 0) this.zoomTo(node);
    }

    private key(event: KeyboardEvent): void {
        if (!this.layout || event.ctrlKey || event.metaKey || event.altKey) return;
        const outwards = this.up ? "ArrowDown" : "ArrowUp";
        const inwards = this.up ? "ArrowUp" : "ArrowDown";
        const move = { ArrowLeft: "left", ArrowRight: "right", [inwards]: "in", [outwards]: "out" }[
            event.key
        ];
        if (move)
            this.setCursor(
                neighbour(this.layout, this.cursor, move as "left" | "right" | "in" | "out"),
            );
        else if (event.key === "Enter" || event.key === " ") this.zoomTo(this.cursor);
        else if (event.key === "Escape" || event.key === "0") this.zoomTo(0);
        else return;
        event.preventDefault();
    }

    private setCursor(node: number): void {
        this.cursor = node;
        const y = this.top(this.layout!.depth[node]);
        if (y < 0) this.pane.scrollTop += y;
        else if (y + ROW > this.pane.height) this.pane.scrollTop += y + ROW - this.pane.height;
        this.pane.invalidate();
        this.events.hover(node, null);
    }
}
