// The frame of the live page: tabs, the state with its controls, what is wrong, and the view; it hears of changes and has the
// view ask again.

import { helpButton, skipLink, themeButton } from "../controls";
import { fill, h, name } from "../dom";
import { count } from "../format";
import { FLAME_KEYS, helpDialog, type Keys } from "../help";
import { type Kind, Stage } from "../stage";
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

const VIEWS: Kind<LiveViewName, LiveApp, LiveView>[] = [
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
    private readonly stage: Stage<LiveViewName, LiveApp, LiveView>;
    private readonly bar: Bar;
    private readonly profile: ProfileBar;
    private readonly problems = h("ul", { class: "notes", "aria-label": "What is wrong" });
    private readonly trouble = h("p", { class: "trouble", role: "alert", hidden: true });
    private readonly user = h("span", { class: "quiet user" });
    private readonly help = helpDialog(KEYS);

    /** ask: for the newest state, at once. */
    constructor(
        private readonly app: LiveApp,
        ask: () => void,
    ) {
        this.stage = new Stage(VIEWS, app, (view) => app.store.change({ view, q: "" }));
        this.bar = new Bar(app, ask);
        this.profile = new ProfileBar(app);
        this.element = h(
            "div",
            { class: "frame live" },
            skipLink(this.stage.element),
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
                this.stage.tabs.element,
                h("div", { class: "tools" }, this.user, themeButton(), helpButton(this.help)),
            ),
            this.trouble,
            this.bar.element,
            this.problems,
            this.profile.element,
            this.stage.element,
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
        this.showKept(status.recording?.files ?? 0);
        this.stage.current?.hear?.(status);
        const { state, samples } = status.sampling;
        // Not in two seconds: what an order has changed is seen at once.
        if (state !== before.sampling.state || samples < before.sampling.samples)
            void this.stage.current?.refresh();
    }

    private showKept(files: number): void {
        const many = h("span", { class: "many" }, count(files));
        this.stage.tabs.title("kept", "Kept", ...(files > 0 ? [" ", many] : []));
    }

    /** What is wrong with the connection; null: nothing. */
    say(trouble: string | null): void {
        this.trouble.hidden = trouble === null;
        fill(this.trouble, trouble);
    }

    private show(state: LiveState): void {
        const view = this.stage.turnTo(state.view);
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
            await this.stage.current?.refresh();
            took = performance.now() - began;
        }
    }

    /** Text that is being selected would go with the rows that hold it. */
    private isSelecting(): boolean {
        const selection = getSelection();
        const at = selection?.anchorNode ?? null;
        return Boolean(selection?.toString()) && this.stage.element.contains(at);
    }

    private key(event: KeyboardEvent): void {
        if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
        const search = this.stage.element.querySelector<HTMLElement>("input[type=search]");
        if (event.key === "/") search?.focus();
        else if (event.key === "?") this.help.showModal();
        else if (!this.stage.takes(event.key)) return;
        event.preventDefault();
    }
}
