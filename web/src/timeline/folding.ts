// Which rows there are to be seen: those of the wanted threads, without what is below a collapsed one.

import type { Trace } from "../api";
import { makeRows, type Row } from "./rows";

export class Folding {
    rows: Row[] = [];
    rowByTrack = new Map<number, Row>();
    private readonly collapsed = new Set<string>();
    private arranged = "";

    constructor(private readonly trace: Trace) {}

    /** Makes the rows anew, where they are others than before. Returns whether they are. */
    arrange(threads: number[] | null): boolean {
        const key = `${threads?.join() ?? ""}|${[...this.collapsed].join()}`;
        if (key === this.arranged && this.rows.length) return false;
        this.arranged = key;
        this.rows = makeRows(this.trace, threads, this.collapsed);
        this.rowByTrack = new Map(
            this.rows.filter((row) => row.track).map((row) => [row.track!.id, row]),
        );
        return true;
    }

    toggle(key: string): void {
        if (!this.collapsed.delete(key)) this.collapsed.add(key);
    }

    all(collapse: boolean): void {
        this.collapsed.clear();
        if (!collapse) return;
        for (const row of makeRows(this.trace, null, new Set()))
            if (row.kind === "track" && row.opens) this.collapsed.add(row.key);
    }

    /** Nothing above a track, nor itself, stays collapsed when it is to be seen. */
    open(id: number): void {
        const { tracks } = this.trace;
        let track = tracks.find((track) => track.id === id);
        if (track) this.collapsed.delete(`p${track.process}`);
        for (let steps = 0; track && steps < 32; steps++) {
            this.collapsed.delete(`t${track.id}`);
            const above: number | null = track.parent;
            track = above === null ? undefined : tracks.find((other) => other.id === above);
        }
    }
}
