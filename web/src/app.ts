// What every view is given: where to ask, what the trace is, what is to be seen.

import type { Filter, Of, Trace, Weight } from "./api";
import type { Source } from "./source";
import type { Stacks } from "./stacks";
import { filterOf, type State, type Store } from "./state";

export interface App {
    source: Source;
    trace: Trace;
    store: Store;
}

/** A view makes its element once and shows each new state in it. */
export interface View<S = State> {
    readonly element: HTMLElement;
    show(state: S): void;
    /** Called when another view takes its place. */
    hide?(): void;
}

/** What the weighted stacks of a state are made of: as asked for, where the trace has it. */
export function ofWhat(trace: Trace, state: State): Of {
    const spans = trace.counts.spans + trace.counts.calls > 0;
    const samples = trace.counts.samples > 0;
    if (state.of === "spans" && spans) return "spans";
    if (state.of === "samples" && samples) return "samples";
    return samples || !spans ? "samples" : "spans";
}

export function weightOf(trace: Trace, state: State): Weight | undefined {
    if (ofWhat(trace, state) === "spans") return undefined;
    if (state.weight && (state.weight === "count" || trace.weights.includes(state.weight)))
        return state.weight;
    return trace.weights[0] ?? "count";
}

/** The question that the views of weighted stacks ask. */
export function stackFilter(app: App, state: State): Filter {
    return {
        ...filterOf(state),
        of: ofWhat(app.trace, state),
        weight: weightOf(app.trace, state),
    };
}

const FLAME_NODES = 20_000;

/** The trace's stacks, for the views that need no more of it. */
export function stacksOf(app: App): Stacks {
    const { source, store } = app;
    return {
        store,
        empty: "There are no stacks in this part of the trace.",
        question() {
            const filter = stackFilter(app, store.state);
            return {
                key: JSON.stringify(filter),
                of: ofWhat(app.trace, store.state),
                functions: () => source.functions(filter),
                flame: () => source.flame(filter, FLAME_NODES),
            };
        },
    };
}

/** Tells answers to the newest question from late ones to an older. */
export class Latest {
    private number = 0;
    private key = "";

    /** Whether this question is not the one that was asked last. */
    isNew(question: unknown): boolean {
        const key = JSON.stringify(question);
        if (key === this.key) return false;
        this.key = key;
        return true;
    }

    /** The next time, the same question is new again (its answer failed). */
    forget(): void {
        this.key = "";
    }

    /** The answer, or null where a newer question was asked meanwhile. */
    async of<T>(answer: Promise<T>): Promise<T | null> {
        const mine = ++this.number;
        try {
            const got = await answer;
            return mine === this.number ? got : null;
        } catch (error) {
            if (mine !== this.number) return null;
            throw error;
        }
    }
}
