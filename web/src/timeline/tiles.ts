// The timeline's data, in tiles. Level n cuts the trace into 2^n tiles of TILE pixels each, so a zoom is a level and a
// pan is a row of tiles: what was once asked for serves again. What is seen is asked for at the next look; whatever was
// wanted before and is not yet under way is forgotten, so a fast zoom asks for where it ends and not for its way.
// Until a tile is there, its place is drawn from a coarser one above or from finer ones below.

import type { TimelinePart } from "../api";
import type { TimelineQuery } from "../source";
import { convert, type Names, NO_DATA, type TrackData } from "./data";
import type { Viewport } from "./viewport";

/** A tile's pixels: what is seen takes two to five of them. */
export const TILE = 1024;
const LEVEL_MAX = 40;
const UNDER_WAY_MAX = 2;
/** Items in memory; about 30 bytes each. */
const ITEMS_MAX = 4_000_000;
/** How far above and below a tile that is not there another is looked for. */
const BELOW_MAX = 2;
/** After a failure, the same is not asked for again for a while. */
const AGAIN_MS = 3000;

/** Data of one track, to be drawn between two times only. */
export interface Piece {
    from: number;
    to: number;
    data: TrackData;
    /** It is of another level than what is seen. */
    stale: boolean;
}

interface Tile {
    level: number;
    index: number;
}

export class Tiles {
    /** Key: level/index/track. The order is that of their last use. */
    private readonly kept = new Map<string, TrackData>();
    private readonly underWay = new Set<string>();
    private readonly failed = new Map<string, number>();
    private requests = 0;
    private items = 0;
    private wanted: { tile: Tile; tracks: number[] }[] = [];

    constructor(
        private readonly duration: number,
        private readonly names: Names,
        private readonly ask: (query: TimelineQuery) => Promise<TimelinePart>,
        private readonly arrived: (problem: unknown) => void,
    ) {}

    get busy(): boolean {
        return this.requests > 0;
    }

    /** The level whose pixels are no wider than the viewport's. */
    level(view: Viewport): number {
        const pixels = (this.duration / view.span) * view.width;
        return Math.min(LEVEL_MAX, Math.max(0, Math.ceil(Math.log2(pixels / TILE))));
    }

    /** Says what is seen now: what of it is missing is asked for, the middle first. */
    want(view: Viewport, tracks: number[]): void {
        const level = this.level(view);
        this.wanted = [];
        for (const index of this.indices(view, level)) {
            const missing = tracks.filter((track) => this.isMissing(key(level, index, track)));
            if (missing.length) this.wanted.push({ tile: { level, index }, tracks: missing });
        }
        const middle = this.position(view.from + view.span / 2, level);
        this.wanted.sort(
            (a, b) => Math.abs(a.tile.index + 0.5 - middle) - Math.abs(b.tile.index + 0.5 - middle),
        );
        this.pump();
    }

    /** What there is of a track, from left to right. */
    pieces(view: Viewport, track: number): Piece[] {
        const level = this.level(view);
        const made: Piece[] = [];
        for (const index of this.indices(view, level)) this.collect(made, level, index, track);
        return made;
    }

    private collect(made: Piece[], level: number, index: number, track: number): void {
        const [from, to] = this.times(level, index);
        const data = this.use(key(level, index, track));
        if (data) {
            made.push({ from, to, data, stale: false });
            return;
        }
        for (let up = 1; up <= level; up++) {
            const above = this.use(key(level - up, Math.floor(index / 2 ** up), track));
            if (above) {
                made.push({ from, to, data: above, stale: true });
                return;
            }
        }
        this.collectBelow(made, level, index, track, 1);
    }

    private collectBelow(
        made: Piece[],
        level: number,
        index: number,
        track: number,
        down: number,
    ): void {
        for (const below of [index * 2, index * 2 + 1]) {
            const data = this.use(key(level + 1, below, track));
            const [from, to] = this.times(level + 1, below);
            if (data) made.push({ from, to, data, stale: true });
            else if (down < BELOW_MAX) this.collectBelow(made, level + 1, below, track, down + 1);
        }
    }

    private position(time: number, level: number): number {
        return (time / this.duration) * 2 ** level;
    }

    private indices(view: Viewport, level: number): number[] {
        const first = Math.max(0, Math.floor(this.position(view.from, level)));
        const last = Math.min(
            2 ** level - 1,
            Math.floor(this.position(view.from + view.span, level)),
        );
        const made: number[] = [];
        for (let index = first; index <= last; index++) made.push(index);
        return made;
    }

    private times(level: number, index: number): [number, number] {
        const length = this.duration / 2 ** level;
        return [index * length, (index + 1) * length];
    }

    private isMissing(name: string): boolean {
        if (this.kept.has(name) || this.underWay.has(name)) return false;
        const failed = this.failed.get(name);
        return failed === undefined || Date.now() - failed > AGAIN_MS;
    }

    private use(name: string): TrackData | undefined {
        const data = this.kept.get(name);
        if (data) {
            this.kept.delete(name);
            this.kept.set(name, data);
        }
        return data;
    }

    private pump(): void {
        while (this.requests < UNDER_WAY_MAX) {
            const next = this.wanted.shift();
            if (!next) return;
            void this.load(next.tile, next.tracks);
        }
    }

    private async load({ level, index }: Tile, tracks: number[]): Promise<void> {
        const keys = tracks.map((track) => key(level, index, track));
        for (const name of keys) this.underWay.add(name);
        this.requests++;
        let problem: unknown = null;
        try {
            const [from, to] = this.times(level, index);
            // The last tile has what happens at the very end, too.
            const end = index === 2 ** level - 1 ? Math.ceil(to) + 1 : to;
            const part = await this.ask({
                from: Math.floor(from),
                to: Math.ceil(end),
                width: TILE,
                tracks,
            });
            const data = convert(part, this.names);
            for (const [i, track] of tracks.entries())
                this.keep(keys[i], data.get(track) ?? NO_DATA);
        } catch (error) {
            problem = error;
            for (const name of keys) this.failed.set(name, Date.now());
        }
        this.requests--;
        for (const name of keys) this.underWay.delete(name);
        this.arrived(problem);
        this.pump();
    }

    private keep(name: string, data: TrackData): void {
        this.failed.delete(name);
        this.kept.set(name, data);
        this.items += data.size;
        for (const [oldest, old] of this.kept) {
            if (this.items <= ITEMS_MAX) break;
            this.kept.delete(oldest);
            this.items -= old.size;
        }
    }
}

function key(level: number, index: number, track: number): string {
    return `${level}/${index}/${track}`;
}
