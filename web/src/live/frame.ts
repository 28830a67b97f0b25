// The frame of the live page: tabs, the state with its controls, what is wrong, and the view; it hears of changes and has the
// view ask again.

import { helpButton, skipLink, Tabs, themeButton } from "../controls";
import { fill, h, name } from "../dom";
import { count } from "../format";
import { FLAME_KEYS, helpDialog, type Keys } from "../help";
import { isTyping } from "../typing";
import { FlameView } from "../views/flame";
import { FunctionsView } from "../views/functions";
import type { Status } from "./api";
import type { LiveApp, LiveView } from "./app";
import { Bar } from "./bar";
import { KeptView } from "./kept";
import { LiveStacks, ProfileBar } from "./profile";
import { RequestsView } from "./requests";
import type { LiveState, LiveViewName } from "./state";
import { ThreadsView } from "./threads";
import { problemsOf } from "./words";
import { WorkersView } from "./workers";

const TABS: { view: LiveViewName; title: string; make: (app: LiveApp) => LiveView }[] = [
    { view: "flame", title: "Flame graph", make: (app) => new FlameView(new LiveStacks(app)) },
    {
        view: "functions",
        title: "Functions",
        make: (app) => new FunctionsView(new LiveStacks(app)),
    },
    { view: "threads", title: "Threads", make: (app) => new ThreadsView(app) },
    { view: "requests", title: "Requests", make: (app) => new RequestsView(app) },
    { view: "kept", title: "Kept", make: (app) => new KeptView(app) },
    { view: "workers", title: "Workers", make: (app) => new WorkersView(app) },
];

const KEYS: Keys[] = [
    [
        "Everywhere",
        [
            ["1 … 6", "the views"],
            ["/", "search in the view"],
            ["?", "this list"],
            ["↑ ↓ Enter", "in tables: rows, open"],
        ],
    ],
    FLAME_KEYS,
];

const REFRESH_MS = 2000;
/** The program that is asked has other work: a slow answer makes the next question later. */
const REST = 4;

export class LiveFrame {
    readonly element: HTMLElement;
    private readonly main = h("main", { id: "view", tabindex: -1 });
    private readonly tabs: Tabs<LiveViewName>;
    private readonly views = new Map<LiveViewName, LiveView>();
    private readonly bar: Bar;
    private readonly profile: ProfileBar;
    private readonly problems = h("ul", { class: "notes", "aria-label": "What is wrong" });
    private readonly trouble = h("p", { class: "trouble", role: "alert", hidden: true });
    private readonly user = h("span", { class: "quiet user" });
    private readonly help = helpDialog(KEYS);
    private current: LiveView | null = null;

    /** ask: for the newest state, at once. */
    constructor(
        private readonly app: LiveApp,
        ask: () => void,
    ) {
        this.tabs = new Tabs(TABS, (view) => app.store.change({ view, q: "" }));
        this.bar = new Bar(app, ask);
        this.profile = new ProfileBar(app);
        this.element = h(
            "div",
            { class: "frame live" },
            skipLink(this.main),
            h(
                "header",
                {},
                h(
                    "h1",
                    {},
                    h("span", { class: "brand" }, "marey"),
                    " ",
                    name(app.status.name, "file"),
                ),
                this.tabs.element,
                h("div", { class: "tools" }, this.user, themeButton(), helpButton(this.help)),
            ),
            this.trouble,
            this.bar.element,
            this.problems,
            this.profile.element,
            this.main,
            this.help,
        );
        document.addEventListener("keydown", (event) => this.key(event));
    }

    start(): void {
        this.app.store.listen((state) => this.show(state));
        this.hear(this.app.status);
        this.show(this.app.store.state);
        void this.keepUp();
    }

    /** The program's state, as often as it changes. */
    hear(status: Status): void {
        const before = this.app.status;
        this.app.status = status;
        this.bar.show(status);
        const problems = problemsOf(status);
        fill(this.problems, ...problems.map((problem) => h("li", {}, problem)));
        this.problems.hidden = problems.length === 0;
        fill(this.user, status.user ? name(status.user) : null);
        const kept = status.recording?.files ?? 0;
        const many = h("span", { class: "many" }, count(kept));
        this.tabs.title("kept", "Kept", ...(kept > 0 ? [" ", many] : []));
        this.current?.hear?.(status);
        const { state, samples } = status.sampling;
        // Not in two seconds: what an order has changed is seen at once.
        if (state !== before.sampling.state || samples < before.sampling.samples)
            void this.current?.refresh();
    }

    /** What is wrong with the connection; null: nothing. */
    say(trouble: string | null): void {
        this.trouble.hidden = trouble === null;
        fill(this.trouble, trouble);
    }

    private show(state: LiveState): void {
        let view = this.views.get(state.view);
        if (!view) {
            view = TABS.find((tab) => tab.view === state.view)!.make(this.app);
            this.views.set(state.view, view);
        }
        if (view !== this.current) {
            this.current?.hide?.();
            this.current = view;
            fill(this.main, view.element);
            this.main.dataset.view = state.view;
            this.tabs.show(state.view);
        }
        this.bar.show(this.app.status);
        this.profile.element.hidden = state.view !== "flame" && state.view !== "functions";
        this.profile.show(state);
        view.show(state);
    }

    private async keepUp(): Promise<never> {
        let took = 0;
        for (;;) {
            await new Promise((resolve) => setTimeout(resolve, Math.max(REFRESH_MS, REST * took)));
            if (document.hidden || !this.trouble.hidden || this.isSelecting()) continue;
            const began = performance.now();
            await this.current?.refresh();
            took = performance.now() - began;
        }
    }

    /** Text that is being selected would go with the rows that hold it. */
    private isSelecting(): boolean {
        const selection = getSelection();
        return Boolean(selection?.toString()) && this.main.contains(selection?.anchorNode ?? null);
    }

    private key(event: KeyboardEvent): void {
        if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
        if (event.key === "/") this.main.querySelector<HTMLElement>("input[type=search]")?.focus();
        else if (event.key === "?") this.help.showModal();
        else if (/^[1-6]$/.test(event.key))
            this.app.store.change({ view: TABS[Number(event.key) - 1].view, q: "" });
        else return;
        event.preventDefault();
    }
}
