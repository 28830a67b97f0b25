// The profile of a window of time: the stacks that flame graph and functions show, the choice of the window, and what can be
// taken away.

import { pickMenu } from "../controls";
import { fill, h } from "../dom";
import type { StackQuestion, Stacks } from "../stacks";
import type { LiveApp } from "./app";
import { type LiveState, WINDOWS, type Window } from "./state";

const WINDOW_WORDS: Record<Window, string> = {
    minute: "Last minute",
    hour: "Last hour",
    all: "All",
};

const FORMATS: [string, string][] = [
    ["folded", "one line a stack: for flamegraph.pl and its kin"],
    ["speedscope", "for speedscope.app"],
    ["pprof", "for go tool pprof and its kin"],
];

export class LiveStacks implements Stacks {
    constructor(private readonly app: LiveApp) {}

    get store() {
        return this.app.store;
    }

    question(): StackQuestion {
        const { server, store } = this.app;
        const { window, worker } = store.state;
        return {
            key: `${window} ${worker}`,
            of: "samples",
            functions: () => server.functions(window, worker),
            flame: () => server.flame(window, worker),
        };
    }

    get empty(): string {
        const { status, store } = this.app;
        if (status.sampling.state === "off") return "Nothing is sampled: Start, above, begins it.";
        if (store.state.window === "all") return "There are no samples yet.";
        return `There are no samples of the last ${store.state.window}.`;
    }
}

/** What stands above the profile's views. */
export class ProfileBar {
    readonly element: HTMLElement;
    private readonly windows = new Map<Window, HTMLInputElement>();

    constructor(private readonly app: LiveApp) {
        const choice = h("fieldset", { class: "segments" });
        choice.append(h("legend", { class: "unseen" }, "Profile of"));
        for (const window of WINDOWS) {
            const radio = h("input", {
                type: "radio",
                name: "window",
                value: window,
                onchange: () => app.store.change({ window }),
            });
            this.windows.set(window, radio);
            choice.append(h("label", {}, radio, h("span", {}, WINDOW_WORDS[window])));
        }
        this.element = h("div", { class: "profile-bar" }, choice, this.downloads());
    }

    show(state: LiveState): void {
        this.windows.get(state.window)!.checked = true;
    }

    private downloads(): HTMLElement {
        const list = h("div", { class: "list" });
        const build = () => {
            const { window, worker } = this.app.store.state;
            fill(
                list,
                h("h2", {}, `Profile: ${WINDOW_WORDS[window].toLowerCase()}`),
                ...FORMATS.map(([format, what]) => {
                    const href = this.app.server.convertLink(window, worker, format);
                    return h(
                        "a",
                        { href, download: true },
                        h("b", {}, format),
                        h("small", {}, what),
                    );
                }),
            );
        };
        return pickMenu("Download", list, build);
    }
}
