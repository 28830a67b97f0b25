// The keys, in a dialog.

import { h } from "./dom";

/** A title, and its keys with what they do. */
export type Keys = [string, [string, string][]];

export const FLAME_KEYS: Keys = [
    "Flame graph",
    [
        ["← → ↑ ↓", "neighbours, caller, callee"],
        ["Enter, click", "zoom to it"],
        ["Esc, 0", "all of it"],
    ],
];

const KEYS: Keys[] = [
    [
        "Everywhere",
        [
            ["1 … 6", "the views"],
            ["/", "search the whole trace"],
            ["?", "this list"],
            ["↑ ↓ Enter", "in tables: rows, open"],
        ],
    ],
    [
        "Timeline",
        [
            ["wheel, W S, + −", "zoom, at the pointer"],
            ["drag, A D, ← →", "move in time"],
            ["↑ ↓, wheel over names", "move through the tracks"],
            ["Shift + drag", "select a range for all views"],
            ["R", "select what is to be seen"],
            ["Esc", "give up selection, then range"],
            ["click, Enter", "details"],
            [", .", "the span before and after"],
            ["[ ]", "the span above and below"],
            ["F", "zoom to the selected span"],
            ["0", "all of the time"],
            ["N Shift+N", "next, previous that was searched for"],
        ],
    ],
    FLAME_KEYS,
    [
        "Call tree",
        [
            ["→ ←", "open, close, to the caller"],
            ["↑ ↓ Home End", "rows"],
        ],
    ],
];

export function helpDialog(all: Keys[] = KEYS): HTMLDialogElement {
    const dialog = h("dialog", { class: "help", "aria-label": "Keys" });
    for (const [title, keys] of all) {
        const list = h("dl");
        for (const [key, what] of keys)
            list.append(h("dt", {}, h("kbd", {}, key)), h("dd", {}, what));
        dialog.append(h("section", {}, h("h2", {}, title), list));
    }
    dialog.append(h("form", { method: "dialog" }, h("button", {}, "Close")));
    return dialog;
}
