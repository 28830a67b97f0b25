// A canvas of a fixed height that is as wide as its place: the ruler, the overview.

import { h } from "../dom";
import { onTheme } from "../theme";

export class Strip {
    readonly canvas: HTMLCanvasElement;
    readonly element: HTMLElement;
    readonly context: CanvasRenderingContext2D;
    width = 0;
    private frame = 0;

    constructor(
        readonly height: number,
        label: string,
        private readonly draw: () => void,
    ) {
        this.canvas = h("canvas", { role: "img", "aria-label": label });
        const context = this.canvas.getContext("2d");
        if (!context) throw new Error("This browser cannot draw on a canvas.");
        this.context = context;
        this.element = h("div", { class: "strip" }, this.canvas);
        this.element.style.height = `${height}px`;
        new ResizeObserver(() => this.resize()).observe(this.element);
        onTheme(() => this.invalidate());
    }

    invalidate(): void {
        if (this.frame) return;
        this.frame = requestAnimationFrame(() => {
            this.frame = 0;
            if (this.width > 0) this.draw();
        });
    }

    /** How far from the left an event is. */
    x(event: MouseEvent): number {
        return event.clientX - this.canvas.getBoundingClientRect().left;
    }

    private resize(): void {
        const width = this.element.clientWidth;
        const scale = devicePixelRatio;
        if (width === this.width && this.canvas.width === Math.round(width * scale)) return;
        this.width = width;
        this.canvas.width = Math.round(width * scale);
        this.canvas.height = Math.round(this.height * scale);
        this.canvas.style.width = `${width}px`;
        this.canvas.style.height = `${this.height}px`;
        this.context.setTransform(scale, 0, 0, scale, 0, 0);
        if (width > 0) this.draw();
    }
}
