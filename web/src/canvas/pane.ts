// A canvas that stays in place while what it shows scrolls: only the part that is seen is drawn, however high the whole
// is. Draws at most once a frame, sharp on every screen.

import { h } from "../dom";
import { onTheme } from "../theme";

export class Pane {
    /** What scrolls. */
    readonly element: HTMLElement;
    readonly canvas: HTMLCanvasElement;
    readonly context: CanvasRenderingContext2D;
    /** Of the canvas, in CSS pixels. */
    width = 0;
    height = 0;
    /** Device pixels to a CSS pixel. */
    scale = 1;
    private readonly inner: HTMLElement;
    private frame = 0;

    /** beside: what stands to the left of the canvas and scrolls with its content. */
    constructor(
        label: string,
        private readonly draw: () => void,
        beside?: HTMLElement,
    ) {
        this.canvas = h("canvas", { tabindex: 0, role: "application", "aria-label": label });
        const context = this.canvas.getContext("2d", { alpha: false });
        if (!context) throw new Error("This browser cannot draw on a canvas.");
        this.context = context;
        const holder = h("div", { class: "canvas-holder" }, this.canvas);
        this.inner = h("div", { class: "pane-inner" }, beside, holder);
        this.element = h("div", { class: "pane" }, this.inner);
        this.element.addEventListener("scroll", () => this.invalidate(), { passive: true });
        new ResizeObserver(() => this.resize()).observe(this.element);
        new ResizeObserver(() => this.resize()).observe(holder);
        onTheme(() => this.invalidate());
    }

    get scrollTop(): number {
        return this.element.scrollTop;
    }

    set scrollTop(top: number) {
        this.element.scrollTop = top;
        this.invalidate();
    }

    setContentHeight(height: number): void {
        this.inner.style.height = `${height}px`;
        this.invalidate();
    }

    invalidate(): void {
        if (this.frame) return;
        this.frame = requestAnimationFrame(() => {
            this.frame = 0;
            if (this.width > 0 && this.height > 0) this.draw();
        });
    }

    /** Where an event is, from the content's upper left corner. */
    at(event: MouseEvent): { x: number; y: number } {
        const box = this.canvas.getBoundingClientRect();
        return { x: event.clientX - box.left, y: event.clientY - box.top + this.scrollTop };
    }

    private resize(): void {
        const holder = this.canvas.parentElement!;
        const [width, height] = [holder.clientWidth, this.element.clientHeight];
        const scale = devicePixelRatio;
        if (
            width === this.width &&
            height === this.height &&
            this.canvas.width === Math.round(width * scale)
        )
            return;
        this.width = width;
        this.height = height;
        this.scale = scale;
        this.canvas.width = Math.round(width * scale);
        this.canvas.height = Math.round(height * scale);
        this.canvas.style.width = `${width}px`;
        this.canvas.style.height = `${height}px`;
        this.context.setTransform(scale, 0, 0, scale, 0, 0);
        // What a resized canvas held is gone: drawn at once, so that no empty frame is seen.
        if (width > 0 && height > 0) this.draw();
    }
}

/** The last pixels of a second are drawn without motion where the reader wants none. */
export const calm = matchMedia("(prefers-reduced-motion: reduce)");
