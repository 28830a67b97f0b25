// Where the tracks are, one below the other: pure arithmetic. A row is the head of a process or a track; a track has
// lanes for its samples and instants above the rows of its nested spans, or one chart where it is a counter.

import type { Process, Thread, Trace, Track } from "../api";

export const SPAN_ROW = 17;
const HEAD = 24;
const SAMPLES_LANE = 12;
const INSTANTS_LANE = 12;
const COUNTER = 44;
const PADDING = 5;
const COLLAPSED = 22;

export interface Row {
    key: string;
    kind: "process" | "track";
    process: Process | null;
    track: Track | null;
    thread: Thread | null;
    /** How far it is moved to the right, in steps. */
    level: number;
    top: number;
    height: number;
    collapsed: boolean;
    /** Whether it can be opened and closed at all. */
    opens: boolean;
    /** From the row's top; null where it has none. */
    samples: number | null;
    instants: number | null;
    spans: number | null;
    /** How many rows of spans are shown. */
    depth: number;
    chart: { top: number; height: number } | null;
}

/** The rows that are to be seen: those of the wanted threads, without what is below a collapsed one. */
export function makeRows(
    trace: Trace,
    threads: number[] | null,
    collapsed: ReadonlySet<string>,
): Row[] {
    const byId = new Map(trace.tracks.map((track) => [track.id, track]));
    const threadsById = new Map(trace.threads.map((thread) => [thread.id, thread]));
    const shown = trace.tracks.filter((track) => isWanted(track, threads, byId));
    const parents = new Set(shown.map((track) => track.parent));
    const rows: Row[] = [];
    const hidden = new Set<number>();
    let top = 0;
    const add = (row: Omit<Row, "top">) => {
        rows.push({ ...row, top });
        top += row.height;
    };
    const place = (track: Track, inProcess: boolean) => {
        const key = `t${track.id}`;
        if (track.parent !== null && hidden.has(track.parent)) {
            hidden.add(track.id);
            return;
        }
        const thread = track.thread === null ? null : (threadsById.get(track.thread) ?? null);
        const row = lanes(track, thread, collapsed.has(key), parents.has(track.id));
        if (row.collapsed) hidden.add(track.id);
        add({
            ...row,
            key,
            kind: "track",
            process: null,
            track,
            thread,
            level: levelOf(track, byId) + Number(inProcess),
        });
    };
    for (const process of trace.processes) {
        const own = shown.filter((track) => track.process === process.id);
        if (own.length === 0) continue;
        const key = `p${process.id}`;
        const closed = collapsed.has(key);
        add({
            key,
            kind: "process",
            process,
            track: null,
            thread: null,
            level: 0,
            height: HEAD,
            collapsed: closed,
            opens: true,
            samples: null,
            instants: null,
            spans: null,
            depth: 0,
            chart: null,
        });
        if (!closed) for (const track of own) place(track, true);
    }
    const known = new Set(trace.processes.map((process) => process.id));
    for (const track of shown) {
        if (track.process === null || !known.has(track.process)) place(track, false);
    }
    return rows;
}

/** A track of a thread that is not wanted is not shown; nor is what hangs below it. */
function isWanted(track: Track, threads: number[] | null, byId: Map<number, Track>): boolean {
    if (threads === null) return true;
    let above: Track | undefined = track;
    for (let steps = 0; above && steps < 32; steps++) {
        if (above.thread !== null) return threads.includes(above.thread);
        above = above.parent === null ? undefined : byId.get(above.parent);
    }
    return true;
}

function levelOf(track: Track, byId: Map<number, Track>): number {
    let level = 0;
    let above = track.parent;
    while (above !== null && level < 8) {
        level++;
        above = byId.get(above)?.parent ?? null;
    }
    return level;
}

function lanes(track: Track, thread: Thread | null, collapsed: boolean, parent: boolean) {
    const samples = thread !== null && thread.samples > 0;
    const opens = parent || track.depth > 1 || (samples && track.depth > 0);
    const none = { samples: null, instants: null, spans: null, depth: 0, chart: null };
    if (collapsed && opens) {
        const depth = Math.min(track.depth, 1);
        const row = { ...none, opens, collapsed: true, height: COLLAPSED };
        return depth > 0 ? { ...row, spans: 2, depth } : { ...row, samples: samples ? 4 : null };
    }
    if (track.kind === "counter") {
        return {
            ...none,
            opens: false,
            collapsed: false,
            height: COUNTER,
            chart: { top: 4, height: COUNTER - 8 },
        };
    }
    let y = PADDING;
    const lane = (height: number, there: boolean): number | null => {
        if (!there) return null;
        y += height;
        return y - height;
    };
    const row = {
        ...none,
        opens,
        collapsed: false,
        samples: lane(SAMPLES_LANE, samples),
        instants: lane(INSTANTS_LANE, track.instants > 0),
        spans: lane(track.depth * SPAN_ROW, track.depth > 0),
        depth: track.depth,
    };
    return { ...row, height: Math.max(y + PADDING, COLLAPSED) };
}

export function heightOf(rows: Row[]): number {
    const last = rows.at(-1);
    return last ? last.top + last.height : 0;
}

/** The rows between two heights. */
export function between(rows: Row[], top: number, bottom: number): Row[] {
    return rows.filter((row) => row.top < bottom && row.top + row.height > top);
}
