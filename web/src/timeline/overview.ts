// The whole trace in a strip above every view: how busy each thread is, over time. Dragging over it selects the range
// that all views are about; the timeline's window is shown in it.

import type { Track, TrackPart } from "../api";
import type { App } from "../app";
import { Strip } from "../canvas/strip";
import { h } from "../dom";
import { at } from "../format";
import type { State } from "../state";
import { css } from "../theme";

const HEIGHT = 30;
const THREADS_MAX = 12;
const CELLS = 480;
const CLICK = 4;

export class Overview {
    readonly element: HTMLElement;
    private readonly strip: Strip;
    /** How busy: by thread, by cell. */
    private busy: Float32Array[] = [];
    private state: State;
    private dragged: [number, number] | null = null;

    constructor(private readonly app: App) {
        this.state = app.store.state;
        this.strip = new Strip(
            HEIGHT,
            "How busy the threads are, over the whole trace; drag to select a range",
            () => this.draw(),
        );
        this.element = h(
            "div",
            {
                class: "overview",
                title: "Drag: select a range for all views. Double click: all of it",
            },
            this.strip.element,
        );
        const { canvas } = this.strip;
        canvas.addEventListener("pointerdown", (event) => this.down(event));
        canvas.addEventListener("pointermove", (event) => this.move(event));
        canvas.addEventListener("pointerup", () => this.up());
        canvas.addEventListener("pointercancel", () => {
            this.dragged = null;
        });
        canvas.addEventListener("dblclick", () => app.store.change({ range: null }));
        void this.load();
    }

    show(state: State): void {
        this.state = state;
        this.strip.invalidate();
    }

    private get duration(): number {
        return Math.max(1, this.app.trace.duration_ns);
    }

    private async load(): Promise<void> {
        const { source, trace } = this.app;
        const threads = new Map(trace.threads.map((thread) => [thread.id, thread]));
        const weight = ({ thread, spans }: Track) => {
            const own = thread === null ? undefined : threads.get(thread);
            return own ? own.spans + own.samples : spans;
        };
        const shown = trace.tracks
            .filter(
                (track) => track.kind !== "counter" && (track.spans > 0 || track.kind === "thread"),
            )
            .sort((a, b) => weight(b) - weight(a))
            .slice(0, THREADS_MAX);
        if (shown.length === 0) return;
        shown.sort((a, b) => trace.tracks.indexOf(a) - trace.tracks.indexOf(b));
        try {
            const part = await source.timeline({
                from: 0,
                to: this.duration,
                width: CELLS,
                tracks: shown.map((track) => track.id),
            });
            this.busy = part.tracks
                .map((track) => busyCells(track, this.duration))
                .filter((cells) => cells.some(Boolean));
            this.strip.invalidate();
        } catch {
            // Without a picture the strip still selects ranges.
        }
    }

    private draw(): void {
        const { context, width } = this.strip;
        context.fillStyle = css("--canvas");
        context.fillRect(0, 0, width, HEIGHT);
        const rows = this.busy.length;
        const high = rows ? (HEIGHT - 4) / rows : 0;
        const wide = width / CELLS;
        context.fillStyle = css("--running");
        this.busy.forEach((cells, row) => {
            cells.forEach((share, i) => {
                if (share <= 0) return;
                context.globalAlpha = 0.15 + 0.85 * Math.min(1, share);
                context.fillRect(
                    i * wide,
                    2 + row * high,
                    wide + 0.3,
                    Math.max(1, high - (high > 3 ? 1 : 0)),
                );
            });
        });
        context.globalAlpha = 1;
        const range = this.dragged ?? this.state.range;
        if (range) this.shade(range);
        if (this.state.view === "timeline" && this.state.look) this.frame(this.state.look);
    }

    private x(time: number): number {
        return (time / this.duration) * this.strip.width;
    }

    private shade([from, to]: [number, number]): void {
        const { context, width } = this.strip;
        context.fillStyle = css("--shade");
        context.fillRect(0, 0, this.x(from), HEIGHT);
        context.fillRect(this.x(to), 0, width, HEIGHT);
        context.fillStyle = css("--accent");
        context.fillRect(this.x(from) - 1, 0, 2, HEIGHT);
        context.fillRect(this.x(to) - 1, 0, 2, HEIGHT);
        context.font = "11px system-ui, sans-serif";
        context.textBaseline = "top";
        if (this.dragged) context.fillText(at(to - from, (to - from) / 100), this.x(from) + 4, 2);
    }

    private frame([from, to]: [number, number]): void {
        const { context, width } = this.strip;
        const left = Math.max(1, this.x(from));
        const right = Math.min(width - 1, this.x(to));
        context.strokeStyle = css("--ink");
        context.lineWidth = 1.5;
        context.strokeRect(left, 1, Math.max(2, right - left), HEIGHT - 2);
    }

    private time(event: MouseEvent): number {
        const share = this.strip.x(event) / this.strip.width;
        return Math.min(Math.max(share, 0), 1) * this.duration;
    }

    private anchor = 0;

    private down(event: PointerEvent): void {
        if (event.button !== 0) return;
        this.strip.canvas.setPointerCapture(event.pointerId);
        this.anchor = this.time(event);
        this.dragged = [this.anchor, this.anchor];
    }

    private move(event: PointerEvent): void {
        if (!this.dragged) return;
        const now = this.time(event);
        this.dragged = [Math.min(this.anchor, now), Math.max(this.anchor, now)];
        this.strip.invalidate();
    }

    private up(): void {
        const dragged = this.dragged;
        this.dragged = null;
        if (!dragged) return;
        const { store } = this.app;
        const [from, to] = dragged.map(Math.round);
        if (this.x(to - from) >= CLICK) store.change({ range: [from, to] });
        else if (store.state.view === "timeline" && store.state.look) this.centre(from);
        this.strip.invalidate();
    }

    /** A click brings the timeline there. */
    private centre(time: number): void {
        const look = this.app.store.state.look!;
        const half = (look[1] - look[0]) / 2;
        this.app.store.change({ look: [time - half, time + half] });
    }
}

/** What share of each cell is running by its samples, or by its outermost spans where there are none. */
function busyCells(track: TrackPart, duration: number): Float32Array {
    const cells = new Float32Array(CELLS);
    const cell = duration / CELLS;
    // Adds a share of the time from begin to end to the cells that it lies in.
    const add = (begin: number, end: number, share: number) => {
        const last = Math.min(CELLS - 1, Math.floor(end / cell));
        for (let at = Math.max(0, Math.floor(begin / cell)); at <= last; at++) {
            const within = Math.min(end, (at + 1) * cell) - Math.max(begin, at * cell);
            cells[at] += (share * within) / cell;
        }
    };
    const { samples, spans } = track;
    if (samples?.time.length) {
        for (const [i, time] of samples.time.entries()) {
            add(time, Math.max(samples.end[i], time + 1), samples.running[i]);
        }
    } else if (spans) {
        for (const [i, begin] of spans.begin.entries()) {
            if (spans.depth[i] === 0) add(begin, spans.end[i], 1);
        }
    }
    return cells;
}
