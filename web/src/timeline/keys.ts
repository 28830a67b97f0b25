// The keys of the timeline that are pressed once. Those that are held down are in input.ts.

export interface KeyActions {
    /** All of the time. */
    all(): void;
    /** To what is chosen. */
    zoom(): void;
    /** What is seen becomes the range that all views are about. */
    range(): void;
    /** To the next that was searched for, or the one before. */
    step(by: 1 | -1): void;
    /** Chooses the span beside, above or below. */
    neighbour(along: -1 | 0 | 1, down: -1 | 0 | 1): void;
    /** Nothing is chosen any more, or, where nothing was, no range. */
    back(): void;
}

const KEYS = new Map<string, (actions: KeyActions) => void>([
    ["0", (actions) => actions.all()],
    ["f", (actions) => actions.zoom()],
    ["r", (actions) => actions.range()],
    ["n", (actions) => actions.step(1)],
    ["N", (actions) => actions.step(-1)],
    [",", (actions) => actions.neighbour(-1, 0)],
    [".", (actions) => actions.neighbour(1, 0)],
    ["[", (actions) => actions.neighbour(0, -1)],
    ["]", (actions) => actions.neighbour(0, 1)],
    ["Escape", (actions) => actions.back()],
]);

/** Whether the key is one of these, and has done its work. */
export function press(key: string, actions: KeyActions): boolean {
    const act = KEYS.get(key);
    act?.(actions);
    return act !== undefined;
}
