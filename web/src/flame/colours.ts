// A flame graph's colours say whose code a frame is: warm is your own, cool is a library's, grey is native. Within a kind
// the name decides, so that neighbours differ.

import { hash } from "../colour";
import type { Theme } from "../theme";

export type FrameKind = "own" | "library" | "native" | "gc" | "span";

export const KIND_NAMES: Record<FrameKind, string> = {
    own: "your code",
    library: "libraries",
    native: "native",
    gc: "garbage collection",
    span: "spans, tasks",
};

const HUES: Record<FrameKind, [number, number, number]> = {
    // hue, how far it varies, saturation
    own: [28, 18, 70],
    library: [205, 22, 38],
    native: [220, 20, 8],
    gc: [350, 6, 55],
    span: [165, 28, 36],
};

export function kindOf(kind: string, own: boolean): FrameKind {
    if (kind === "gc") return "gc";
    if (kind === "span" || kind === "task") return "span";
    if (own) return "own";
    return kind === "python" ? "library" : "native";
}

export function frameColour(theme: Theme, kind: FrameKind, name: string): string {
    const value = hash(name);
    const [hue, vary, saturation] = HUES[kind];
    const turned = hue + ((value % 1000) / 500 - 1) * vary;
    const shade = (value >>> 12) % 7;
    const light = theme === "dark" ? 28 + shade * 1.6 : 72 + shade * 1.6;
    return `hsl(${turned.toFixed(0)} ${theme === "dark" ? saturation * 0.8 : saturation}% ${light}%)`;
}
