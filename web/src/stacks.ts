// What the views of weighted stacks (flame graph, functions) need: less than a whole trace, so that they show the profile of
// a program that runs as well.

import type { Flame, Functions, Of } from "./api";

/** What the reader has chosen. */
export interface StackState {
    /** What is searched for. */
    q: string;
    /** The flame graph grows upwards. */
    up: boolean;
}

/** One question, and who answers it. */
export interface StackQuestion {
    /** The same question has the same key. */
    key: string;
    of: Of;
    functions(): Promise<Functions>;
    flame(): Promise<Flame>;
}

export interface Stacks {
    readonly store: {
        readonly state: StackState;
        change(part: Partial<StackState & { view: "flame" }>): void;
    };
    /** As the state stands now. */
    question(): StackQuestion;
    /** What is said where there are no stacks. */
    readonly empty: string;
}
