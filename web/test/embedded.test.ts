import { expect, test } from "vitest";
import type { PageData } from "../src/embedded/data";
import { EmbeddedSource } from "../src/embedded/source";

const stacks = (self: number) => ({
    total: 2 * self,
    unit: "ns",
    functions: {
        name: ["all", "f", "g"],
        file: ["", "a.py", "a.py"],
        line: [0, 1, 2],
        kind: ["", "python", "python"],
        own: [false, true, true],
    },
    nodes: {
        function: [0, 1, 2, 1],
        parent: [-1, 0, 1, 2],
        self: [0, self, 0, self],
        total: [2 * self, 2 * self, self, self],
        count: [2, 2, 1, 1],
    },
    left_out: 0,
});

// Track 5, thread 0: outer 0-100 with inner 10-30, inner 40-60 (failed); track 6, thread 1: outer 50-150, open.
const DATA = {
    answers: {
        "api/trace": {
            duration_ns: 150,
            notes: [],
            processes: [],
            threads: [{ id: 0 }, { id: 1 }],
            tracks: [
                { id: 5, name: "main", thread: 0, parent: null },
                { id: 6, name: "other", thread: 1, parent: null },
            ],
        },
        "api/flame?threads=0&of=samples&weight=wall": stacks(10),
        "api/flame?threads=1&of=samples&weight=wall": stacks(5),
        "api/timeline": {
            names: ["tick"],
            tracks: [
                {
                    id: 5,
                    instants: { time: [20, 90], name: [0, 0], count: [1, 1], id: [0, 1] },
                    values: { time: [0, 80], least: [1, 2], most: [1, 2], last: [1, 2] },
                },
            ],
        },
    },
    spans: {
        names: ["outer", "inner"],
        id: [10, 11, 12, 13],
        track: [5, 5, 5, 6],
        begin: [0, 10, 40, 50],
        end: [100, 30, 60, 150],
        depth: [0, 1, 1, 0],
        name: [0, 1, 1, 0],
        failed: [0, 0, 1, 0],
        open: [0, 0, 0, 1],
        left_out: 3,
    },
    details: {},
} as unknown as PageData;

const source = new EmbeddedSource(DATA);

test("spans of a time and of threads", async () => {
    const all = (await source.spanTable({})).rows;
    expect(all.name).toEqual(["outer", "inner"]);
    expect(all.total).toEqual([200, 40]);
    expect(all.errors).toEqual([0, 1]);
    expect(all.open).toEqual([1, 0]);
    expect((await source.spanTable({ threads: [1] })).rows.name).toEqual(["outer"]);
    const late = await source.slices({ name: "inner", from: 35, sort: "begin", limit: 9 });
    expect(late).toMatchObject({ count: 1, rows: { id: [12], duration: [20], failed: [true] } });
    expect((await source.slices({ name: "outer", sort: "duration", limit: 1 })).count).toBe(2);
});

test("the timeline merges what is narrower than a pixel, and a counter's value holds on", async () => {
    const near = await source.timeline({ from: 35, to: 70, width: 35, tracks: [5] });
    expect(near.tracks[0].spans?.id).toEqual([10, 12]);
    expect(near.tracks[0].values?.last).toEqual([1]);
    expect(near.tracks[0].instants?.time).toEqual([]);
    const far = await source.timeline({ from: 0, to: 150, width: 2, tracks: [5] });
    expect(far.tracks[0].spans?.count).toEqual([1, 2]);
    expect(far.tracks[0].spans?.id).toEqual([10, -1]);
    expect(far.tracks[0].instants?.name.map((i) => far.names[i])).toEqual(["tick", "tick"]);
});

test("stacks of threads are merged; a function within itself counts once", async () => {
    const both = await source.flame({ of: "samples", weight: "wall" }, 100);
    expect(both.total).toBe(30);
    expect(both.nodes.total).toEqual([30, 30, 15, 15]);
    const one = await source.functions({ of: "samples", weight: "wall", threads: [1] });
    expect(one.rows.name[0]).toBe("f");
    expect(one.rows.self[0]).toBe(10);
    expect(one.rows.total[0]).toBe(10);
});

test("spans are stacks, too: what lies within the time counts", async () => {
    const flame = await source.flame({ of: "spans", from: 20, to: 50 }, 100);
    const named = flame.nodes.function.map((f) => flame.functions.name[f]);
    expect(named).toEqual(["all", "outer", "inner"]);
    expect(flame.nodes.self).toEqual([0, 10, 20]);
    expect(flame.total).toBe(30);
    const top = await source.tree({ of: "spans", threads: [0], limit: 10 });
    expect(top.rows).toMatchObject({ name: ["outer"], total: [100], self: [60], children: [1] });
});

test("a span's parent, what is not there, and what was left out", async () => {
    expect(await source.span(12)).toMatchObject({ name: "inner", parent: 10, failed: true });
    await expect(source.span(99)).rejects.toThrow("it is in the trace");
    expect((await source.trace()).notes.join()).toContain("3 shorter ones");
    expect((await source.search("INN", 10)).rows).toMatchObject({ what: ["span"], count: [2] });
});
