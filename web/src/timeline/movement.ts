// What is seen moves: by the hand, or by itself, so that the eye can follow.

import { calm } from "../canvas/pane";
import { clamp, towards, type Viewport, whole } from "./viewport";

const JUMP_MS = 220;

export class Movement {
    view: Viewport;
    /** Counts movements: an older one stops when a newer begins. */
    private glides = 0;

    constructor(
        private readonly duration: number,
        private readonly moved: (view: Viewport) => void,
    ) {
        this.view = whole(duration, 1000);
    }

    /** The viewport is as wide as the canvas, once that is known. */
    fit(width: number): void {
        if (width > 0 && this.view.width !== width) this.view = { ...this.view, width };
    }

    /** What the address says is seen, at once. */
    place([from, to]: [number, number]): void {
        const near = this.view.span / 1e4 + 2;
        const { from: left, span } = this.view;
        if (Math.abs(left - from) < near && Math.abs(left + span - to) < near) return;
        this.view = clamp({ ...this.view, from, span: to - from }, this.duration);
    }

    /** The hand moves the view: whatever moved it before gives way. */
    look(view: Viewport): void {
        this.glides++;
        this.lookAt(view);
    }

    /** Moves there so that the eye can follow. */
    glide(part: { from: number; span: number }): void {
        const from = this.view;
        const to = clamp({ ...from, ...part }, this.duration);
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

    private lookAt(view: Viewport): void {
        this.view = view;
        this.moved(view);
    }
}
