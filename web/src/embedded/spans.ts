// Questions about spans, answered from the columns of all of them.

import type { Filter, Flame, Slices, SpanTable, TrackPart } from "../api";
import type { SliceQuery } from "../source";
import type { SpanList } from "./data";
import { FlameBuilder } from "./stacks";

export class Spans {
    /** By track, places in the columns, in the order of their begin, outer ones first. */
    private readonly byTrack = new Map<number, number[]>();
    private readonly byId: Map<number, number>;

    constructor(
        private readonly list: SpanList,
        private readonly threadOf: (track: number) => number | null,
    ) {
        list.id.forEach((_, i) => {
            const own = this.byTrack.get(list.track[i]);
            if (own) own.push(i);
            else this.byTrack.set(list.track[i], [i]);
        });
        const { begin, depth } = list;
        for (const own of this.byTrack.values())
            own.sort((a, b) => begin[a] - begin[b] || depth[a] - depth[b]);
        this.byId = new Map(list.id.map((id, i) => [id, i]));
    }

    place(id: number): number | undefined {
        return this.byId.get(id);
    }

    /** The span that another lies in. */
    parent(i: number): number | null {
        const { begin, depth, id } = this.list;
        const own = this.byTrack.get(this.list.track[i]) ?? [];
        for (let at = own.indexOf(i) - 1; at >= 0; at--) {
            const above = own[at];
            if (depth[above] === depth[i] - 1 && begin[above] <= begin[i]) return id[above];
        }
        return null;
    }

    private *chosen({ from, to, threads }: Filter): Generator<number> {
        const { begin, end } = this.list;
        for (const [track, own] of this.byTrack) {
            if (!this.isWanted(track, threads)) continue;
            for (const i of own) {
                if ((to === undefined || begin[i] < to) && (from === undefined || end[i] > from))
                    yield i;
            }
        }
    }

    private isWanted(track: number, threads: number[] | undefined): boolean {
        if (!threads) return true;
        const thread = this.threadOf(track);
        return thread === null || threads.includes(thread);
    }

    /** Spans of a track between two times; what is narrower than a pixel is one with its neighbours of the same depth. */
    timeline(track: number, from: number, to: number, pixel: number): TrackPart["spans"] {
        const { begin, end, depth, name, id, failed } = this.list;
        const made = {
            begin: [] as number[],
            end: [] as number[],
            depth: [] as number[],
            name: [] as number[],
            id: [] as number[],
            count: [] as number[],
            failed: [] as boolean[],
        };
        const open = new Map<number, number>();
        for (const i of this.byTrack.get(track) ?? []) {
            if (begin[i] > to) break;
            if (end[i] < from) continue;
            const last = open.get(depth[i]);
            if (
                end[i] - begin[i] < pixel &&
                last !== undefined &&
                begin[i] - made.end[last] < pixel &&
                made.end[last] - made.begin[last] < pixel
            ) {
                made.end[last] = Math.max(made.end[last], end[i]);
                made.id[last] = -1;
                made.count[last]++;
                made.failed[last] ||= Boolean(failed[i]);
                continue;
            }
            open.set(depth[i], made.begin.length);
            made.begin.push(begin[i]);
            made.end.push(end[i]);
            made.depth.push(depth[i]);
            made.name.push(name[i]);
            made.id.push(id[i]);
            made.count.push(1);
            made.failed.push(Boolean(failed[i]));
        }
        return made;
    }

    table(filter: Filter): SpanTable {
        const groups = new Map<number, number[]>();
        for (const i of this.chosen(filter)) {
            const own = groups.get(this.list.name[i]);
            if (own) own.push(i);
            else groups.set(this.list.name[i], [i]);
        }
        const rows: SpanTable["rows"] = {
            name: [],
            category: [],
            count: [],
            open: [],
            errors: [],
            total: [],
            mean: [],
            p50: [],
            p99: [],
            max: [],
        };
        for (const [name, own] of groups) {
            const times = own
                .map((i) => this.list.end[i] - this.list.begin[i])
                .sort((a, b) => a - b);
            const total = times.reduce((sum, time) => sum + time, 0);
            const rank = (share: number) => times[Math.ceil(share * times.length) - 1];
            rows.name.push(this.list.names[name]);
            rows.category.push("");
            rows.count.push(own.length);
            rows.open.push(own.filter((i) => this.list.open[i]).length);
            rows.errors.push(own.filter((i) => this.list.failed[i]).length);
            rows.total.push(total);
            rows.mean.push(total / own.length);
            rows.p50.push(rank(0.5));
            rows.p99.push(rank(0.99));
            rows.max.push(rank(1));
        }
        return { rows };
    }

    slices(query: SliceQuery): Slices {
        const { id, track, begin, end, failed, open, names, name } = this.list;
        const own = [...this.chosen(query)].filter((i) => names[name[i]] === query.name);
        if (query.sort === "begin") own.sort((a, b) => begin[a] - begin[b]);
        else own.sort((a, b) => end[b] - begin[b] - (end[a] - begin[a]));
        const page = own.slice(query.offset ?? 0, (query.offset ?? 0) + query.limit);
        return {
            count: own.length,
            rows: {
                id: page.map((i) => id[i]),
                track: page.map((i) => track[i]),
                begin: page.map((i) => begin[i]),
                duration: page.map((i) => (open[i] ? null : end[i] - begin[i])),
                failed: page.map((i) => Boolean(failed[i])),
            },
        };
    }

    /** Nested spans as stacks; each weighs its time within the filter's. */
    flame(filter: Filter, limit: number): Flame {
        const { begin, end, depth, names, name, track } = this.list;
        const made = new FlameBuilder("ns");
        const from = filter.from ?? Number.NEGATIVE_INFINITY;
        const to = filter.to ?? Number.POSITIVE_INFINITY;
        let path: number[] = [];
        let current = -1;
        for (const i of this.chosen(filter)) {
            if (track[i] !== current) path = [];
            current = track[i];
            path.length = Math.min(path.length, depth[i]);
            const node = made.child(path.at(-1) ?? 0, {
                name: names[name[i]],
                file: "",
                line: 0,
                kind: "span",
                own: false,
            });
            const length = Math.min(end[i], to) - Math.max(begin[i], from);
            made.add(node, length, 1);
            // Its time was counted as its parent's own, until now.
            if (path.length) made.subtractSelf(path.at(-1)!, length);
            path.push(node);
        }
        return made.flame(limit);
    }

    /** Names that hold a text, and how many spans have them. */
    names(text: string): Map<string, number> {
        const found = new Map<string, number>();
        const matches = this.list.names.map((name) => name.toLowerCase().includes(text));
        for (const name of this.list.name) {
            if (!matches[name]) continue;
            const key = this.list.names[name];
            found.set(key, (found.get(key) ?? 0) + 1);
        }
        return found;
    }
}
