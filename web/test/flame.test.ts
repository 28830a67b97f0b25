import { expect, test } from "vitest";
import type { Flame } from "../src/api";
import { layOut, match, neighbour, nodeAt, sameNode } from "../src/flame/layout";

// all 100: a 60 (b 40 (a 10)), c 30
const FLAME: Flame = {
    total: 100,
    unit: "ns",
    functions: {
        name: ["all", "a", "b", "c"],
        file: ["", "a.py", "b.py", "c.py"],
        line: [0, 1, 2, 3],
        kind: ["", "python", "python", "python"],
        own: [false, true, false, false],
    },
    nodes: {
        function: [0, 3, 1, 2, 1],
        parent: [-1, 0, 0, 2, 3],
        self: [10, 30, 20, 30, 10],
        total: [100, 30, 60, 40, 10],
        count: [5, 1, 3, 2, 1],
    },
    left_out: 0,
};

test("children lie in their parent, the largest first", () => {
    const { start, depth, deepest } = layOut(FLAME);
    expect([...start]).toEqual([0, 60, 0, 0, 0]);
    expect([...depth]).toEqual([0, 1, 1, 2, 3]);
    expect(deepest).toBe(3);
});

test("a place finds its node, and none where no box is", () => {
    const layout = layOut(FLAME);
    expect(nodeAt(layout, 1, 59.9)).toBe(2);
    expect(nodeAt(layout, 1, 60)).toBe(1);
    expect(nodeAt(layout, 1, 95)).toBe(-1);
    expect(nodeAt(layout, 2, 45)).toBe(-1);
    expect(nodeAt(layout, 9, 0)).toBe(-1);
});

test("a match within a match counts once", () => {
    const layout = layOut(FLAME);
    expect(match(layout, "a.py").share).toBeCloseTo(0.6);
    expect(match(layout, "B").share).toBeCloseTo(0.4);
    expect(match(layout, "nothing").share).toBe(0);
});

test("arrows go to neighbours and stay at the edge", () => {
    const layout = layOut(FLAME);
    expect(neighbour(layout, 2, "right")).toBe(1);
    expect(neighbour(layout, 1, "right")).toBe(1);
    expect(neighbour(layout, 2, "in")).toBe(3);
    expect(neighbour(layout, 4, "in")).toBe(4);
    expect(neighbour(layout, 3, "out")).toBe(2);
});

test("a frame is found again in a graph that has grown, or the last of its way that is there", () => {
    const { nodes } = FLAME;
    // all 200: c 90 (b 10), a 100 (b 80)
    const grown: Flame = {
        ...FLAME,
        nodes: {
            ...nodes,
            function: [0, 3, 2, 1, 2],
            parent: [-1, 0, 1, 0, 3],
            total: [200, 90, 10, 100, 80],
        },
    };
    expect(sameNode(FLAME, 3, grown)).toBe(4);
    expect(sameNode(FLAME, 4, grown)).toBe(4);
    expect(sameNode(FLAME, 1, grown)).toBe(1);
    expect(sameNode(grown, 2, FLAME)).toBe(1);
    expect(sameNode(FLAME, 0, grown)).toBe(0);
});
