// What hands do to the timeline: wheel, drag, pinch, keys; told to whoever moves the view. Keys that are held move it
// smoothly, frame by frame.

import { isTyping } from "../typing";

export interface Moves {
    zoom(x: number, factor: number): void;
    pan(pixels: number): void;
    scroll(pixels: number): void;
    /** A range is being drawn, from one x to another; done: the hand is lifted. */
    range(from: number, to: number, done: boolean): void;
    hover(event: PointerEvent | null): void;
    click(event: MouseEvent): void;
    /** Any other key; true: it was of use. */
    key(event: KeyboardEvent): boolean;
}

const CLICK = 4;
/** Pixels a millisecond, and by how much a second zooms. */
const PAN_SPEED = 1.1;
const ZOOM_SPEED = 12;
const HELD: Record<string, "left" | "right" | "in" | "out"> = {
    a: "left",
    d: "right",
    w: "in",
    s: "out",
    arrowleft: "left",
    arrowright: "right",
    "+": "in",
    "=": "in",
    "-": "out",
};
const SCROLL = 60;

export class Input {
    private readonly pointers = new Map<number, PointerEvent>();
    private began: PointerEvent | null = null;
    private mode: "none" | "pan" | "range" | "pinch" = "none";
    private moved = false;
    /** By the key itself: what it writes may be another thing when it is let go (Shift, "+", then "="). */
    private readonly held = new Map<string, "left" | "right" | "in" | "out">();
    private beat = 0;
    private lastX = 0;

    constructor(
        private readonly canvas: HTMLElement,
        private readonly moves: Moves,
    ) {
        canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
        canvas.addEventListener("pointerdown", (event) => this.down(event));
        canvas.addEventListener("pointermove", (event) => this.move(event));
        canvas.addEventListener("pointerup", (event) => this.up(event));
        canvas.addEventListener("pointercancel", (event) => this.up(event));
        canvas.addEventListener("pointerleave", () => moves.hover(null));
        canvas.addEventListener("keydown", (event) => this.key(event));
        canvas.addEventListener("keyup", (event) => this.held.delete(event.code));
        canvas.addEventListener("blur", () => this.held.clear());
    }

    private x(event: MouseEvent): number {
        return event.clientX - this.canvas.getBoundingClientRect().left;
    }

    private wheel(event: WheelEvent): void {
        event.preventDefault();
        // Lines and pages of old mice, in pixels.
        const unit = event.deltaMode === 0 ? 1 : event.deltaMode === 1 ? 16 : 400;
        const [dx, dy] = [event.deltaX * unit, event.deltaY * unit];
        if (event.shiftKey) this.moves.scroll(dy || dx);
        else if (Math.abs(dx) > Math.abs(dy)) this.moves.pan(dx);
        else this.moves.zoom(this.x(event), Math.exp(Math.max(-300, Math.min(300, dy)) * 0.0025));
    }

    private down(event: PointerEvent): void {
        if (event.button !== 0) return;
        this.canvas.focus({ preventScroll: true });
        this.canvas.setPointerCapture(event.pointerId);
        this.pointers.set(event.pointerId, event);
        this.began = event;
        this.moved = false;
        this.mode = this.pointers.size === 2 ? "pinch" : event.shiftKey ? "range" : "pan";
        this.moves.hover(null);
    }

    private move(event: PointerEvent): void {
        this.lastX = this.x(event);
        const before = this.pointers.get(event.pointerId);
        if (!before || !this.began) return this.moves.hover(event);
        const far = Math.hypot(
            event.clientX - this.began.clientX,
            event.clientY - this.began.clientY,
        );
        if (!this.moved && far < CLICK) return;
        this.moved = true;
        if (this.mode === "pinch") this.pinch(event);
        else if (this.mode === "range") this.moves.range(this.x(this.began), this.x(event), false);
        else {
            this.canvas.classList.add("dragged");
            this.moves.pan(before.clientX - event.clientX);
            this.moves.scroll(before.clientY - event.clientY);
        }
        this.pointers.set(event.pointerId, event);
    }

    /** Two fingers: what is between them stays between them. */
    private pinch(event: PointerEvent): void {
        const other = [...this.pointers.values()].find(
            (pointer) => pointer.pointerId !== event.pointerId,
        );
        const before = this.pointers.get(event.pointerId);
        if (!other || !before) return;
        const apart = (a: PointerEvent) => Math.max(20, Math.abs(this.x(a) - this.x(other)));
        const middle = (this.x(event) + this.x(other)) / 2;
        this.moves.zoom(middle, apart(before) / apart(event));
        this.moves.pan((before.clientX - event.clientX) / 2);
    }

    private up(event: PointerEvent): void {
        const known = this.pointers.delete(event.pointerId);
        if (!known || !this.began) return;
        this.canvas.classList.remove("dragged");
        if (this.mode === "range" && this.moved)
            this.moves.range(this.x(this.began), this.x(event), true);
        else if (!this.moved && event.type === "pointerup") this.moves.click(event);
        this.mode = "none";
        if (this.pointers.size === 0) this.began = null;
    }

    private key(event: KeyboardEvent): void {
        if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
        const name = event.key.toLowerCase();
        const move = HELD[name];
        if (move) this.hold(event.code, move);
        else if (name === "arrowdown") this.moves.scroll(SCROLL);
        else if (name === "arrowup") this.moves.scroll(-SCROLL);
        else if (!this.moves.key(event)) return;
        event.preventDefault();
    }

    private hold(code: string, move: "left" | "right" | "in" | "out"): void {
        this.held.set(code, move);
        if (this.beat) return;
        let before = performance.now();
        const beat = (now: number) => {
            const passed = Math.min(50, Math.max(8, now - before));
            before = now;
            this.apply(passed);
            this.beat = this.held.size ? requestAnimationFrame(beat) : 0;
        };
        // The first step at once: a tap that ends before the next frame moves, too.
        this.apply(40);
        this.beat = requestAnimationFrame(beat);
    }

    private apply(ms: number): void {
        for (const move of this.held.values()) {
            if (move === "left") this.moves.pan(-PAN_SPEED * ms);
            else if (move === "right") this.moves.pan(PAN_SPEED * ms);
            else {
                const factor = ZOOM_SPEED ** (ms / 1000);
                const at = this.lastX || this.canvas.clientWidth / 2;
                this.moves.zoom(at, move === "in" ? 1 / factor : factor);
            }
        }
    }
}
