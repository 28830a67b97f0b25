// What is at a place of the timeline: the span or instant in the data that is drawn there.

import type { TrackData } from "./data";
import { between, type Row, SPAN_ROW } from "./rows";
import type { Piece } from "./tiles";
import { timeAt, type Viewport, xOf } from "./viewport";

export interface Hit {
    kind: "span" | "instant" | "value" | "samples";
    row: Row;
    data: TrackData;
    /** Its place in the data's columns. */
    index: number;
}

const NEAR = 5;

export function hitAt(
    rows: Row[],
    view: Viewport,
    x: number,
    y: number,
    pieces: (track: number) => Piece[],
): Hit | null {
    const row = between(rows, y, y + 1)[0];
    if (!row?.track) return null;
    const time = timeAt(view, x);
    const piece = pieces(row.track.id).find((piece) => time >= piece.from && time <= piece.to);
    if (!piece) return null;
    const { data } = piece;
    const inRow = y - row.top;
    const near = (NEAR / view.width) * view.span;
    const found = (kind: Hit["kind"], index: number): Hit | null =>
        index >= 0 ? { kind, row, data, index } : null;
    if (row.chart) return found("value", heldAt(data, time));
    if (row.instants !== null && inRow >= row.instants && inRow < row.instants + 12)
        return found("instant", nearest(data.instants?.time, time, near));
    if (row.samples !== null && inRow >= row.samples && inRow < row.samples + 12)
        return found("samples", runAt(data, time, near));
    if (row.spans === null) return null;
    const depth = Math.floor((inRow - row.spans) / SPAN_ROW);
    return found("span", spanAt(data, depth, time, view));
}

/** The shortest span there: of a sliver that is drawn wider than it is, too. */
function spanAt(data: TrackData, depth: number, time: number, view: Viewport): number {
    const { spans } = data;
    if (!spans) return -1;
    const pixel = view.span / view.width;
    let best = -1;
    for (let i = 0; i < spans.begin.length; i++) {
        if (spans.depth[i] !== depth || spans.begin[i] > time + pixel) continue;
        if (Math.max(spans.end[i], spans.begin[i] + pixel) < time - pixel) continue;
        const exact = spans.begin[i] <= time && time <= spans.end[i];
        if (best < 0 || exact) best = i;
    }
    return best;
}

function nearest(times: Float64Array | undefined, time: number, within: number): number {
    let best = -1;
    let distance = within;
    times?.forEach((at, i) => {
        const away = Math.abs(at - time);
        if (away <= distance) [best, distance] = [i, away];
    });
    return best;
}

function runAt({ samples }: TrackData, time: number, near: number): number {
    return (
        samples?.time.findIndex(
            (from, i) => from - near <= time && time <= samples.end[i] + near,
        ) ?? -1
    );
}

function heldAt(data: TrackData, time: number): number {
    const times = data.values?.time;
    let best = -1;
    times?.forEach((at, i) => {
        if (at <= time) best = i;
    });
    return best;
}

/** Where a span's box is on the canvas; null where its row is not to be seen. */
export function boxOf(
    rows: Row[],
    view: Viewport,
    track: number,
    begin: number,
    end: number,
    depth: number,
) {
    const row = rows.find((row) => row.track?.id === track);
    if (!row || row.spans === null || depth >= row.depth) return null;
    const x = xOf(view, begin);
    return {
        x,
        y: row.top + row.spans + depth * SPAN_ROW,
        width: Math.max(1, xOf(view, end) - x),
        height: SPAN_ROW - 1,
    };
}
