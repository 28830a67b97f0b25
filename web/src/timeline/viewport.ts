// The part of the time that is seen, and how it moves. Pure: a viewport is a value.

export interface Viewport {
    /** Nanoseconds at the left edge, and seen in all. */
    from: number;
    span: number;
    /** In pixels. */
    width: number;
}

/** Less than this is not seen at once: a pixel would be less than a tenth of a nanosecond. */
const SPAN_MIN = 100;
/** Beside the trace there is room to grab its ends. */
const MARGIN = 0.03;

export function whole(duration: number, width: number): Viewport {
    const margin = duration * MARGIN;
    return { from: -margin, span: Math.max(duration + 2 * margin, SPAN_MIN), width };
}

/** Keeps a viewport near the trace and no wider than all of it. */
export function clamp(view: Viewport, duration: number): Viewport {
    const all = whole(duration, view.width);
    const span = Math.min(Math.max(view.span, SPAN_MIN), all.span);
    const from = Math.min(Math.max(view.from, all.from), all.from + all.span - span);
    return { from, span, width: view.width };
}

/** Makes what is seen factor times as long; what is at x stays there. */
export function zoom(view: Viewport, x: number, factor: number, duration: number): Viewport {
    const span = Math.min(Math.max(view.span * factor, SPAN_MIN), whole(duration, view.width).span);
    const fixed = timeAt(view, x);
    return clamp({ from: fixed - (x / view.width) * span, span, width: view.width }, duration);
}

export function pan(view: Viewport, pixels: number, duration: number): Viewport {
    return clamp({ ...view, from: view.from + (pixels * view.span) / view.width }, duration);
}

/** On the way from one view to another, done by a share: lengths change by even factors, which looks even. */
export function towards(from: Viewport, to: Viewport, done: number): Viewport {
    const span = from.span * (to.span / from.span) ** done;
    // What is in the middle moves as the length does, so that near the end, where little is seen, little moves.
    const moved = to.span === from.span ? done : (from.span - span) / (from.span - to.span);
    const [start, end] = [from.from + from.span / 2, to.from + to.span / 2];
    return { from: start + (end - start) * moved - span / 2, span, width: to.width };
}

export function timeAt(view: Viewport, x: number): number {
    return view.from + (x / view.width) * view.span;
}

export function xOf(view: Viewport, time: number): number {
    return ((time - view.from) / view.span) * view.width;
}

/** Times for the ruler, at 1, 2 or 5 times a power of ten, at least so many pixels apart. */
export function ticks(view: Viewport, apart: number): { step: number; times: number[] } {
    const least = (view.span / view.width) * apart;
    const power = 10 ** Math.floor(Math.log10(least));
    const step = Math.max(1, power * ([1, 2, 5, 10].find((n) => n * power >= least) ?? 10));
    const times: number[] = [];
    const first = Math.ceil(view.from / step);
    for (let i = first; i * step <= view.from + view.span; i++) times.push(i * step);
    return { step, times };
}
