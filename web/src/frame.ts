// The frame around the views: the file's name, the views' tabs, the search, what leaves the page (downloads, Perfetto),
// the filter that all views share, and the overview of the whole trace.

import type { App, View } from "./app";
import { fill, h, name } from "./dom";
import { exportMenu } from "./exports";
import { FilterBar } from "./filter";
import { helpDialog } from "./help";
import { SearchBox } from "./search";
import type { State, ViewName } from "./state";
import { onTheme, theme, toggleTheme } from "./theme";
import { Overview } from "./timeline/overview";
import { isTyping } from "./typing";
import { FlameView } from "./views/flame";
import { FunctionsView } from "./views/functions";
import { SpansView } from "./views/spans";
import { SummaryView } from "./views/summary";
import { TimelineView } from "./views/timeline";
import { TreeView } from "./views/tree";

const TABS: { view: ViewName; title: string; make: (app: App) => View }[] = [
    { view: "summary", title: "Summary", make: (app) => new SummaryView(app) },
    { view: "timeline", title: "Timeline", make: (app) => new TimelineView(app) },
    { view: "flame", title: "Flame graph", make: (app) => new FlameView(app) },
    { view: "functions", title: "Functions", make: (app) => new FunctionsView(app) },
    { view: "spans", title: "Spans", make: (app) => new SpansView(app) },
    { view: "tree", title: "Call tree", make: (app) => new TreeView(app) },
];

export class Frame {
    readonly element: HTMLElement;
    private readonly main = h("main", { id: "view", tabindex: -1 });
    private readonly tabs = new Map<ViewName, HTMLElement>();
    private readonly views = new Map<ViewName, View>();
    private readonly filter: FilterBar;
    private readonly overview: Overview;
    private readonly search: SearchBox;
    private current: View | null = null;

    constructor(private readonly app: App) {
        this.filter = new FilterBar(app);
        this.overview = new Overview(app);
        this.search = new SearchBox(app);
        const help = helpDialog();
        this.element = h(
            "div",
            { class: "frame" },
            h(
                "a",
                { class: "skip", href: "#view", onclick: (event: Event) => this.skip(event) },
                "Skip to the view",
            ),
            h(
                "header",
                {},
                h(
                    "h1",
                    {},
                    h("span", { class: "brand" }, "marey"),
                    " ",
                    name(app.trace.file, "file"),
                ),
                this.nav(),
                h(
                    "div",
                    { class: "tools" },
                    this.search.element,
                    exportMenu(app),
                    themeButton(),
                    h(
                        "button",
                        {
                            type: "button",
                            class: "quiet",
                            title: "Keys (?)",
                            "aria-label": "Keys and help",
                            onclick: () => help.showModal(),
                        },
                        "?",
                    ),
                ),
            ),
            h("div", { class: "context" }, this.filter.element, this.overview.element),
            this.main,
            help,
        );
        document.addEventListener("keydown", (event) => this.key(event, help));
    }

    start(): void {
        this.app.store.listen((state) => this.show(state));
        this.show(this.app.store.state);
    }

    private nav(): HTMLElement {
        const nav = h("nav", { "aria-label": "Views" });
        for (const { view, title } of TABS) {
            const tab = h(
                "a",
                {
                    href: `#view=${view}`,
                    onclick: (event: Event) => {
                        event.preventDefault();
                        this.app.store.change({ view, q: "" });
                    },
                },
                title,
            );
            this.tabs.set(view, tab);
            nav.append(tab);
        }
        return nav;
    }

    private show(state: State): void {
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
            for (const [name, tab] of this.tabs) {
                if (name === state.view) tab.setAttribute("aria-current", "page");
                else tab.removeAttribute("aria-current");
            }
        }
        this.filter.show(state);
        this.overview.show(state);
        view.show(state);
    }

    private skip(event: Event): void {
        event.preventDefault();
        this.main.focus();
    }

    private key(event: KeyboardEvent, help: HTMLDialogElement): void {
        if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
        if (event.key === "/") this.search.focus();
        else if (event.key === "?") help.showModal();
        else if (/^[1-6]$/.test(event.key))
            this.app.store.change({ view: TABS[Number(event.key) - 1].view, q: "" });
        else return;
        event.preventDefault();
    }
}

function themeButton(): HTMLElement {
    const button = h("button", { type: "button", class: "quiet", onclick: toggleTheme });
    const label = () => {
        const other = theme() === "dark" ? "light" : "dark";
        fill(button, other === "light" ? "☀" : "☾");
        button.setAttribute("aria-label", `Switch to ${other}`);
        button.title = `Switch to ${other}`;
    };
    onTheme(label);
    label();
    return button;
}
