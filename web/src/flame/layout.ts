// Where the boxes of a flame graph are: pure arithmetic over the answer's columns. A node is an index into them; its box
// begins at start[node] and is total[node] wide, both in the answer's unit, so zooming is another scale and nothing else.

import type { Flame } from "../api";
import { hasAll, wordsOf } from "../match";

export interface FlameLayout {
    readonly flame: Flame;
    /** What is left of a node's box. */
    readonly start: Float64Array;
    readonly depth: Uint16Array;
    readonly deepest: number;
    /** By depth, the nodes from left to right. */
    readonly rows: Uint32Array[];
}

/** Largest children first, left-aligned in their parent. */
export function layOut(flame: Flame): FlameLayout {
    const { parent, total } = flame.nodes;
    const many = parent.length;
    const start = new Float64Array(many);
    const depth = new Uint16Array(many);
    const used = new Float64Array(many);
    const rows: number[][] = [];
    // A parent comes before its children, so its own place is known when they are placed. Sorting all nodes at once by
    // depth, then size, sorts each one's children.
    for (let node = 1; node < many; node++) depth[node] = depth[parent[node]] + 1;
    const order = Array.from({ length: many }, (_, node) => node);
    order.sort((a, b) => depth[a] - depth[b] || total[b] - total[a] || a - b);
    for (const node of order) {
        if (node > 0) {
            start[node] = start[parent[node]] + used[parent[node]];
            used[parent[node]] += total[node];
        }
        rows[depth[node]] ??= [];
        rows[depth[node]].push(node);
    }
    const sorted = rows.map((row) => Uint32Array.from(row).sort((a, b) => start[a] - start[b]));
    return { flame, start, depth, deepest: rows.length - 1, rows: sorted };
}

/** The node whose box holds a place, or -1. A row's boxes do not overlap and are sorted. */
export function nodeAt(layout: FlameLayout, depth: number, place: number): number {
    const row = layout.rows[depth];
    if (!row) return -1;
    let [low, high] = [0, row.length];
    while (low < high) {
        const middle = (low + high) >> 1;
        if (layout.start[row[middle]] <= place) low = middle + 1;
        else high = middle;
    }
    const node = low > 0 ? row[low - 1] : -1;
    return node >= 0 && place < layout.start[node] + layout.flame.nodes.total[node] ? node : -1;
}

/** Which functions match a search, and how much of the whole is in them; a match within a match counts once. */
export function match(
    layout: FlameLayout,
    query: string,
): { functions: Uint8Array; share: number } {
    const { functions, nodes, total } = layout.flame;
    const words = wordsOf(query);
    const matches = Uint8Array.from(functions.name, (name, i) => {
        const text = `${name} ${functions.file[i] ?? ""}`.toLowerCase();
        return Number(words.length > 0 && hasAll(text, words));
    });
    const within = new Uint8Array(nodes.parent.length);
    let sum = 0;
    for (let node = 1; node < nodes.parent.length; node++) {
        const above = within[nodes.parent[node]];
        const own = matches[nodes.function[node]];
        if (own && !above) sum += nodes.total[node];
        within[node] = above | own;
    }
    return { functions: matches, share: total > 0 ? sum / total : 0 };
}

/** The node of another graph that the same functions lead to; where the way ends early, the last that is there. */
export function sameNode(from: Flame, node: number, to: Flame): number {
    const path: string[] = [];
    for (let at = node; at > 0; at = from.nodes.parent[at]) path.push(functionKey(from, at));
    let same = 0;
    // A parent comes before its children: once over all nodes finds each step of the way.
    for (let at = 1; at < to.nodes.parent.length && path.length > 0; at++) {
        if (to.nodes.parent[at] !== same || functionKey(to, at) !== path.at(-1)) continue;
        same = at;
        path.pop();
    }
    return same;
}

function functionKey({ functions, nodes }: Flame, node: number): string {
    const f = nodes.function[node];
    return `${functions.name[f]}\0${functions.file[f]}\0${functions.line[f]}`;
}

/** The neighbours of a node, for the keyboard. */
export function neighbour(
    layout: FlameLayout,
    node: number,
    to: "left" | "right" | "in" | "out",
): number {
    const { parent, total } = layout.flame.nodes;
    if (to === "out") return node > 0 ? parent[node] : 0;
    if (to === "in") {
        const below = nodeAt(layout, layout.depth[node] + 1, layout.start[node]);
        return below >= 0 && parent[below] === node ? below : node;
    }
    const row = layout.rows[layout.depth[node]];
    const next = row.indexOf(node) + (to === "right" ? 1 : -1);
    return row[next] !== undefined && total[row[next]] > 0 ? row[next] : node;
}
