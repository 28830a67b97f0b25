// The search within the timeline: all spans of a name, visited one after the other in the order of time.

import type { App } from "../app";
import { filterOf } from "../state";

const PAGE = 100;

export interface Found {
    id: number;
    begin: number;
    duration: number | null;
    track: number;
    /** Which of how many, from 0 on. */
    place: number;
    count: number;
}

export class FoundSpans {
    private name: string | null = null;
    private query = "";
    private count = 0;
    private place = -1;
    private page: {
        offset: number;
        rows: { id: number[]; begin: number[]; duration: (number | null)[]; track: number[] };
    } | null = null;

    constructor(private readonly app: App) {}

    /** Looks for the name that a text means: the same, or the first that holds it. Null: there is none. */
    async look(query: string): Promise<{ name: string; count: number } | null> {
        this.query = query;
        const { rows } = await this.app.source.search(query, 50);
        const spans = rows.name.filter((_, i) => rows.what[i] === "span");
        const name = spans.find((name) => name === query) ?? spans[0] ?? null;
        if (query !== this.query) return null;
        this.name = name;
        this.page = null;
        this.place = -1;
        if (name === null) return null;
        const { count } = await this.slices(0, 1);
        if (query !== this.query) return null;
        this.count = count;
        return { name, count };
    }

    /** The next or previous; the first time, the first that begins after a time. */
    async step(by: 1 | -1, after: number): Promise<Found | null> {
        if (this.name === null || this.count === 0) return null;
        if (this.place < 0) this.place = await this.firstAfter(after);
        else this.place = (this.place + by + this.count) % this.count;
        return this.at(this.place);
    }

    private async firstAfter(time: number): Promise<number> {
        if (time <= 0) return 0;
        const later = await this.slices(0, 1, Math.round(time));
        return Math.min(this.count - 1, Math.max(0, this.count - later.count));
    }

    private async at(place: number): Promise<Found | null> {
        const offset = Math.floor(place / PAGE) * PAGE;
        if (this.page?.offset !== offset) {
            this.page = { offset, rows: (await this.slices(offset, PAGE)).rows };
        }
        const { rows } = this.page;
        const i = place - offset;
        if (rows.id[i] === undefined) return null;
        return {
            id: rows.id[i],
            begin: rows.begin[i],
            duration: rows.duration[i],
            track: rows.track[i],
            place,
            count: this.count,
        };
    }

    private slices(offset: number, limit: number, from?: number) {
        const { threads } = filterOf(this.app.store.state);
        return this.app.source.slices({
            name: this.name!,
            sort: "begin",
            offset,
            limit,
            threads,
            from,
        });
    }
}
