// Weighted stacks, merged and seen as a flame graph, a table of functions, or a tree.

import type { Flame, Functions, TreeRows } from "../api";

interface Frame {
    name: string;
    file: string;
    line: number;
    kind: string;
    own: boolean;
}

/** A flame graph in the making. Node 0 is the root. */
export class FlameBuilder {
    private readonly functions: Flame["functions"] = {
        name: [],
        file: [],
        line: [],
        kind: [],
        own: [],
    };
    private readonly nodes: Flame["nodes"] = {
        function: [],
        parent: [],
        self: [],
        total: [],
        count: [],
    };
    private readonly functionIds = new Map<string, number>();
    private readonly children = new Map<string, number>();

    constructor(private readonly unit: "ns" | "count") {
        this.put(this.functionId({ name: "all", file: "", line: 0, kind: "", own: false }), -1);
    }

    child(parent: number, frame: Frame): number {
        const f = this.functionId(frame);
        const key = `${parent}/${f}`;
        let node = this.children.get(key);
        if (node === undefined) {
            node = this.put(f, parent);
            this.children.set(key, node);
        }
        return node;
    }

    add(node: number, self: number, count: number): void {
        this.nodes.self[node] += self;
        this.nodes.count[node] += count;
    }

    subtractSelf(node: number, amount: number): void {
        this.nodes.self[node] -= amount;
    }

    /** Totals from what each is itself; the smallest nodes are left out beyond a limit. */
    flame(limit: number): Flame {
        const { nodes } = this;
        const total = nodes.self.map((self) => Math.max(0, self));
        nodes.self = [...total];
        for (let node = total.length - 1; node > 0; node--)
            total[nodes.parent[node]] += total[node];
        nodes.total = total;
        const flame = {
            total: total[0],
            unit: this.unit,
            functions: this.functions,
            nodes,
            left_out: 0,
        };
        return total.length > limit ? largest(flame, limit) : flame;
    }

    private functionId(frame: Frame): number {
        const key = `${frame.name}\0${frame.file}\0${frame.line}`;
        let id = this.functionIds.get(key);
        if (id === undefined) {
            id = this.functions.name.length;
            this.functionIds.set(key, id);
            this.functions.name.push(frame.name);
            this.functions.file.push(frame.file);
            this.functions.line.push(frame.line);
            this.functions.kind.push(frame.kind);
            this.functions.own.push(frame.own);
        }
        return id;
    }

    private put(f: number, parent: number): number {
        const { nodes } = this;
        nodes.function.push(f);
        nodes.parent.push(parent);
        nodes.self.push(0);
        nodes.total.push(0);
        nodes.count.push(0);
        return nodes.parent.length - 1;
    }
}

/** A parent is never smaller than its child and comes before it, so the largest, in order, are a whole tree. */
function largest(flame: Flame, limit: number): Flame {
    const { nodes } = flame;
    const order = nodes.total.map((_, node) => node);
    order.sort((a, b) => nodes.total[b] - nodes.total[a] || a - b);
    const kept = order.slice(0, limit).sort((a, b) => a - b);
    const place = new Map(kept.map((node, i) => [node, i]));
    return {
        ...flame,
        nodes: {
            function: kept.map((node) => nodes.function[node]),
            parent: kept.map((node) => (node === 0 ? -1 : (place.get(nodes.parent[node]) ?? 0))),
            self: kept.map((node) => nodes.self[node]),
            total: kept.map((node) => nodes.total[node]),
            count: kept.map((node) => nodes.count[node]),
        },
        left_out: nodes.total.length - kept.length,
    };
}

/** The stacks of several threads as one. */
export function merge(parts: Flame[], limit: number): Flame {
    const made = new FlameBuilder(parts[0]?.unit ?? "ns");
    let left = 0;
    for (const { functions, nodes, left_out } of parts) {
        left += left_out;
        const place = [0];
        const below = new Float64Array(nodes.parent.length);
        for (let node = 1; node < nodes.parent.length; node++)
            below[nodes.parent[node]] += nodes.total[node];
        for (let node = 0; node < nodes.parent.length; node++) {
            const f = nodes.function[node];
            if (node > 0) {
                place[node] = made.child(place[nodes.parent[node]], {
                    name: functions.name[f],
                    file: functions.file[f],
                    line: functions.line[f],
                    kind: functions.kind[f],
                    own: functions.own[f],
                });
            }
            // With what was left out below it.
            made.add(place[node], nodes.total[node] - below[node], nodes.count[node]);
        }
    }
    const flame = made.flame(limit);
    return { ...flame, left_out: flame.left_out + left };
}

/** By function: itself, and with all below it; a function within itself counts once. */
export function functionsOf({ functions, nodes, total, unit }: Flame): Functions {
    const many = functions.name.length;
    const [self, sum, count] = [
        new Float64Array(many),
        new Float64Array(many),
        new Float64Array(many),
    ];
    for (let node = 1; node < nodes.parent.length; node++) {
        const f = nodes.function[node];
        self[f] += nodes.self[node];
        let above = nodes.parent[node];
        while (above > 0 && nodes.function[above] !== f) above = nodes.parent[above];
        if (above > 0) continue;
        sum[f] += nodes.total[node];
        count[f] += nodes.count[node];
    }
    const order = functions.name.map((_, f) => f).filter((f) => sum[f] > 0);
    order.sort((a, b) => self[b] - self[a]);
    return {
        total,
        unit,
        rows: {
            name: order.map((f) => functions.name[f]),
            file: order.map((f) => functions.file[f]),
            line: order.map((f) => functions.line[f]),
            own: order.map((f) => functions.own[f]),
            self: order.map((f) => self[f]),
            total: order.map((f) => sum[f]),
            count: order.map((f) => count[f]),
            hot_line: order.map(() => 0),
        },
    };
}

/** The nodes below one, as rows of a tree; a row's id is its node. */
export function treeOf(
    { functions, nodes }: Flame,
    parent: number,
    min: number,
    limit: number,
): TreeRows {
    const children = new Map<number, number>();
    const below: number[] = [];
    nodes.parent.forEach((above, node) => {
        children.set(above, (children.get(above) ?? 0) + 1);
        if (above === parent && nodes.total[node] >= min) below.push(node);
    });
    below.sort((a, b) => nodes.total[b] - nodes.total[a]);
    const shown = below.slice(0, limit);
    const f = (node: number) => nodes.function[node];
    return {
        rows: {
            id: shown,
            name: shown.map((node) => functions.name[f(node)]),
            file: shown.map((node) => functions.file[f(node)]),
            line: shown.map((node) => functions.line[f(node)]),
            arguments: shown.map(() => ""),
            result: shown.map(() => ""),
            calls: shown.map((node) => nodes.count[node]),
            total: shown.map((node) => nodes.total[node]),
            self: shown.map((node) => nodes.self[node]),
            failed: shown.map(() => false),
            open: shown.map(() => false),
            children: shown.map((node) => children.get(node) ?? 0),
        },
        left_out: below.length - shown.length,
    };
}
