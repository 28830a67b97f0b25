import { expect, test } from "vitest";
import type { TimelinePart, Trace, Track } from "../src/api";
import type { TimelineQuery } from "../src/source";
import { Names } from "../src/timeline/data";
import { heightOf, makeRows } from "../src/timeline/rows";
import { TILE, Tiles } from "../src/timeline/tiles";
import { clamp, pan, ticks, timeAt, towards, whole, xOf, zoom } from "../src/timeline/viewport";

const DURATION = 1e9;

test("a zoom keeps the time at the pointer", () => {
    const view = whole(DURATION, 1000);
    const near = zoom(view, 300, 0.01, DURATION);
    expect(timeAt(near, 300)).toBeCloseTo(timeAt(view, 300), 3);
    expect(near.span).toBeCloseTo(view.span * 0.01, 3);
    expect(xOf(near, timeAt(near, 123))).toBeCloseTo(123, 6);
});

test("a view stays near the trace, and ends at 100 ns", () => {
    const all = whole(DURATION, 1000);
    expect(zoom(all, 500, 100, DURATION)).toEqual(all);
    expect(pan(all, 1e6, DURATION)).toEqual(all);
    let view = all;
    for (let i = 0; i < 100; i++) view = zoom(view, 500, 0.5, DURATION);
    expect(view.span).toBe(100);
    expect(clamp({ from: 1e12, span: 1e6, width: 1000 }, DURATION).from).toBeLessThan(
        DURATION * 1.04,
    );
});

test("the way to another view begins and ends at them, and goes there", () => {
    const from = { from: 0, span: 1000, width: 100 };
    const to = { from: 700, span: 10, width: 100 };
    expect(towards(from, to, 0)).toEqual(from);
    expect(towards(from, to, 1).from).toBeCloseTo(700);
    expect(towards(from, to, 1).span).toBeCloseTo(10);
    const half = towards(from, to, 0.5);
    expect(half.span).toBeCloseTo(100);
    expect(timeAt(half, 50)).toBeGreaterThan(500);
    expect(timeAt(half, 50)).toBeLessThan(705);
    expect(towards(from, { ...from, from: 400 }, 0.5).from).toBeCloseTo(200);
});

test("ticks are 1, 2 or 5 times a power of ten, and not too close", () => {
    for (const span of [100, 12_345, 7e6, 9.9e8]) {
        const { step, times } = ticks({ from: 17, span, width: 1000 }, 100);
        expect(String(step)).toMatch(/^[125]0*$/);
        expect((step / span) * 1000).toBeGreaterThanOrEqual(99.9);
        expect(times.length).toBeLessThanOrEqual(11);
    }
});

function answer(query: TimelineQuery): TimelinePart {
    return {
        names: ["work"],
        tracks: query.tracks.map((id) => ({
            id,
            spans: {
                begin: [query.from],
                end: [query.to],
                depth: [0],
                name: [0],
                id: [-1],
                count: [9],
                failed: [false],
            },
        })),
    };
}

test("tiles are asked for once, and a place is never empty while finer ones are under way", async () => {
    const asked: TimelineQuery[] = [];
    const tiles = new Tiles(
        DURATION,
        new Names(),
        async (query) => {
            asked.push(query);
            return answer(query);
        },
        () => {},
    );
    const all = { from: 0, span: DURATION, width: TILE };
    tiles.want(all, [1, 2]);
    await settled(tiles);
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({ from: 0, width: TILE, tracks: [1, 2] });
    tiles.want(all, [1, 2]);
    await settled(tiles);
    expect(asked).toHaveLength(1);

    const near = { from: DURATION / 4, span: DURATION / 8, width: TILE };
    expect(tiles.pieces(near, 1).every((piece) => piece.stale)).toBe(true);
    expect(tiles.pieces(near, 1).length).toBeGreaterThan(0);
    tiles.want(near, [1, 3]);
    await settled(tiles);
    expect(tiles.pieces(near, 1).some((piece) => piece.stale)).toBe(false);
    for (const { from, to } of asked.slice(1)) expect(to - from).toBeLessThan(DURATION / 4);
    // And out again, where nothing coarser was asked for: from the finer ones.
    expect(tiles.pieces({ ...near, span: DURATION / 4 }, 3).length).toBeGreaterThan(0);
});

test("a failure is told, and not asked for at once again", async () => {
    let asked = 0;
    const problems: unknown[] = [];
    const tiles = new Tiles(
        DURATION,
        new Names(),
        async () => {
            asked++;
            throw new Error("gone");
        },
        (problem) => problems.push(problem),
    );
    for (let i = 0; i < 3; i++) {
        tiles.want({ from: 0, span: DURATION, width: TILE }, [1]);
        await settled(tiles);
    }
    expect(asked).toBe(1);
    expect(String(problems[0])).toContain("gone");
});

async function settled(tiles: Tiles): Promise<void> {
    for (let i = 0; i < 50; i++) await Promise.resolve();
    expect(tiles.busy).toBe(false);
}

function track(id: number, part: Partial<Track>): Track {
    return {
        id,
        name: `track ${id}`,
        kind: "thread",
        process: 0,
        thread: null,
        parent: null,
        depth: 1,
        spans: 1,
        instants: 0,
        unit: null,
        least: 0,
        most: 0,
        ...part,
    };
}

test("rows: what is collapsed hides what is below it, threads choose their tracks", () => {
    const thread = { process: 0, spans: 1, samples: 0, running_ns: 0, gil_wait_ns: 0, idle_ns: 0 };
    const trace = {
        processes: [{ id: 0, pid: 7, name: "app", command: "" }],
        threads: [
            { ...thread, id: 0, tid: 7, name: "main" },
            { ...thread, id: 1, tid: 8, name: "other" },
        ],
        tracks: [
            track(1, { thread: 0, depth: 3 }),
            track(2, { kind: "task", parent: 1 }),
            track(3, { thread: 1 }),
            track(4, { process: null, kind: "counter", depth: 0 }),
        ],
    } as unknown as Trace;
    const ids = (rows: ReturnType<typeof makeRows>) => rows.map((row) => row.key);
    const rows = makeRows(trace, null, new Set());
    expect(ids(rows)).toEqual(["p0", "t1", "t2", "t3", "t4"]);
    rows.forEach((row, i) => {
        if (i) expect(row.top).toBe(rows[i - 1].top + rows[i - 1].height);
    });
    expect(ids(makeRows(trace, null, new Set(["t1"])))).toEqual(["p0", "t1", "t3", "t4"]);
    expect(ids(makeRows(trace, null, new Set(["p0"])))).toEqual(["p0", "t4"]);
    expect(ids(makeRows(trace, [0], new Set()))).toEqual(["p0", "t1", "t2", "t4"]);
    expect(heightOf([])).toBe(0);
});
