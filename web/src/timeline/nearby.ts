// From span to span by keys: which one is beside, above or below another, of those that are drawn.

import type { EventDetails } from "../api";
import type { Row } from "./rows";
import type { Piece } from "./tiles";
import type { Viewport } from "./viewport";

/** The span before (along -1) or after (1) one in its row, the first within it (down 1), or the one around it (-1). */
export function neighbourOf(
    span: EventDetails,
    along: -1 | 0 | 1,
    down: -1 | 0 | 1,
    pieces: Piece[],
): number | null {
    if (down < 0) return span.parent;
    const end = span.begin + (span.duration ?? Number.POSITIVE_INFINITY);
    const fits = (begin: number) =>
        down ? begin >= span.begin && begin <= end : along * (begin - span.begin) > 0;
    let best: number | null = null;
    let distance = Number.POSITIVE_INFINITY;
    for (const { data } of pieces) {
        if (!data.spans) continue;
        const { id, begin, depth } = data.spans;
        for (let i = 0; i < id.length; i++) {
            if (id[i] < 0 || id[i] === span.id || depth[i] !== span.depth + down) continue;
            const away = Math.abs(begin[i] - span.begin);
            if (fits(begin[i]) && away < distance) [best, distance] = [id[i], away];
        }
    }
    return best;
}

/** The first span of the uppermost row that has one in sight. */
export function firstSpan(
    rows: Row[],
    view: Viewport,
    pieces: (track: number) => Piece[],
): number | null {
    for (const row of rows) {
        if (row.spans === null) continue;
        for (const { data } of pieces(row.track!.id)) {
            const i = data.spans?.id.findIndex(
                (id, i) => id >= 0 && data.spans!.end[i] >= view.from,
            );
            if (i !== undefined && i >= 0) return data.spans!.id[i];
        }
    }
    return null;
}
