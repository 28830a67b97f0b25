// What the page shows: the view, the part of the trace, what is searched for, what is selected.

import type { Filter, Of, Weight } from "./api";
import { HashStore } from "./store";

export const VIEWS = ["summary", "timeline", "flame", "functions", "spans", "tree"] as const;
export type ViewName = (typeof VIEWS)[number];

export interface State {
    view: ViewName;
    /** The part of the time that every view is about. */
    range: [number, number] | null;
    /** The part of the time that the timeline shows. */
    look: [number, number] | null;
    threads: number[] | null;
    of: Of | null;
    weight: Weight | null;
    /** What is searched for in the view. */
    q: string;
    /** "span:17" or "instant:3". */
    selected: string;
    /** A track that the timeline is to bring into sight. */
    track: number | null;
    /** The flame graph grows upwards. */
    up: boolean;
}

const EMPTY: State = {
    view: "summary",
    range: null,
    look: null,
    threads: null,
    of: null,
    weight: null,
    q: "",
    selected: "",
    track: null,
    up: false,
};

const WEIGHTS: readonly string[] = ["wall", "cpu", "gil", "gil_wait", "count"];

/** A hash may come from anywhere: what it says that makes no sense is left out. */
export function parseHash(hash: string): State {
    const given = new URLSearchParams(hash.replace(/^#/, ""));
    const view = given.get("view") ?? "";
    const of = given.get("of");
    const weight = given.get("weight") ?? "";
    return {
        view: VIEWS.find((known) => known === view) ?? EMPTY.view,
        range: parseRange(given.get("range")),
        look: parseRange(given.get("look")),
        threads: parseIds(given.get("threads")),
        of: of === "samples" || of === "spans" ? of : null,
        weight: WEIGHTS.includes(weight) ? (weight as Weight) : null,
        q: (given.get("q") ?? "").slice(0, 1000),
        selected: /^(span|instant):\d{1,15}$/.exec(given.get("selected") ?? "")?.[0] ?? "",
        track: parseIds(given.get("track"))?.[0] ?? null,
        up: given.get("up") === "1",
    };
}

function parseRange(text: string | null): [number, number] | null {
    const match = /^(-?\d{1,18})-(\d{1,18})$/.exec(text ?? "");
    if (!match) return null;
    const [from, to] = [Number(match[1]), Number(match[2])];
    return from < to ? [from, to] : null;
}

function parseIds(text: string | null): number[] | null {
    if (!text || !/^\d{1,9}(,\d{1,9})*$/.test(text)) return null;
    return text.split(",").map(Number);
}

export function makeHash(state: State): string {
    const made = new URLSearchParams();
    made.set("view", state.view);
    const range = (r: [number, number]) => `${Math.floor(r[0])}-${Math.ceil(r[1])}`;
    if (state.range) made.set("range", range(state.range));
    if (state.look) made.set("look", range(state.look));
    if (state.threads) made.set("threads", state.threads.join(","));
    if (state.of) made.set("of", state.of);
    if (state.weight) made.set("weight", state.weight);
    if (state.q) made.set("q", state.q);
    if (state.selected) made.set("selected", state.selected);
    if (state.track !== null) made.set("track", String(state.track));
    if (state.up) made.set("up", "1");
    return `#${made.toString().replaceAll("%2C", ",").replaceAll("%3A", ":")}`;
}

/** The part of the trace that a state is about. */
export function filterOf(state: State): Filter {
    return {
        from: state.range?.[0],
        to: state.range?.[1],
        threads: state.threads ?? undefined,
        of: state.of ?? undefined,
        weight: state.weight ?? undefined,
    };
}

/** The state of a trace's page. */
export class Store extends HashStore<State> {
    constructor() {
        super({
            parse: parseHash,
            make: makeHash,
            isStep: (next, before) => next.view !== before.view || next.range !== before.range,
        });
    }
}
