// What the live page shows: the view, the profile's window, one worker or all, what is searched for.

import type { StackState } from "../stacks";
import { HashStore } from "../store";

export const VIEWS = ["flame", "functions", "threads", "requests", "kept", "workers"] as const;
export type LiveViewName = (typeof VIEWS)[number];

export const WINDOWS = ["minute", "hour", "all"] as const;
export type Window = (typeof WINDOWS)[number];

export interface LiveState extends StackState {
    view: LiveViewName;
    /** The profile of the last minute, hour, or since it began. */
    window: Window;
    /** The process id of one worker; null: all. */
    worker: number | null;
}

export function parseLiveHash(hash: string): LiveState {
    const given = new URLSearchParams(hash.replace(/^#/, ""));
    const worker = /^\d{1,10}$/.exec(given.get("worker") ?? "");
    return {
        view: VIEWS.find((known) => known === given.get("view")) ?? "flame",
        window: WINDOWS.find((known) => known === given.get("window")) ?? "minute",
        worker: worker ? Number(worker[0]) : null,
        q: (given.get("q") ?? "").slice(0, 1000),
        up: given.get("up") === "1",
    };
}

export function makeLiveHash(state: LiveState): string {
    const made = new URLSearchParams({ view: state.view, window: state.window });
    if (state.worker !== null) made.set("worker", String(state.worker));
    if (state.q) made.set("q", state.q);
    if (state.up) made.set("up", "1");
    return `#${made}`;
}

export class LiveStore extends HashStore<LiveState> {
    constructor() {
        super({
            parse: parseLiveHash,
            make: makeLiveHash,
            isStep: (next, before) =>
                next.view !== before.view ||
                next.window !== before.window ||
                next.worker !== before.worker,
        });
    }
}
