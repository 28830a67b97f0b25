// Text cut to a width. Names are drawn by thousands a frame, so those of plain letters are cut by count: the font has one
// width. What else a name may hold (emoji, wide or joined letters) is measured, and remembered.

import { visible } from "../dom";

const FONT = '11px ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace';
const REMEMBERED = 20_000;

let letter = 0;
const widths = new Map<string, number>();
const plain = new Map<string, string | null>();

/** Sets the font, and learns how wide its letters are. */
export function useFont(context: CanvasRenderingContext2D): void {
    context.font = FONT;
    context.textBaseline = "middle";
    letter ||= context.measureText("0000000000").width / 10;
}

/** As much of a text as goes into a width; nothing where that is less than two letters. */
export function fit(context: CanvasRenderingContext2D, text: string, width: number): string {
    const room = Math.floor(width / letter);
    if (room < 2) return "";
    const clean = printable(text);
    if (clean !== null) return clean.length <= room ? clean : `${clean.slice(0, room - 1)}…`;
    return fitMeasured(context, visible(text), width);
}

/** The text where it is of plain letters only, else null. */
function printable(text: string): string | null {
    let known = plain.get(text);
    if (known === undefined) {
        known = /^[\x20-\x7e]*$/.test(text) ? text : null;
        if (plain.size >= REMEMBERED) plain.clear();
        plain.set(text, known);
    }
    return known;
}

function fitMeasured(context: CanvasRenderingContext2D, text: string, width: number): string {
    let known = widths.get(text);
    if (known === undefined) {
        known = context.measureText(text).width;
        if (widths.size >= REMEMBERED) widths.clear();
        widths.set(text, known);
    }
    if (known <= width) return text;
    // By code points: half an emoji is none.
    const points = [...text];
    const some = Math.floor((points.length * width) / known) - 1;
    return some < 1 ? "" : `${points.slice(0, some).join("")}…`;
}
