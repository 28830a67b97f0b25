// The frame around the views: the file's name, the views' tabs, the search, what leaves the page (downloads, Perfetto),
// the filter that all views share, and the overview of the whole trace.

import { type App, stacksOf, type View } from "./app";
import { helpButton, skipLink, Tabs, themeButton } from "./controls";
import { fill, h, name } from "./dom";
import { exportMenu } from "./exports";
import { FilterBar } from "./filter";
import { helpDialog } from "./help";
import { SearchBox } from "./search";
import type { State, ViewName } from "./state";
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
    { view: "flame", title: "Flame graph", make: (app) => new FlameView(stacksOf(app)) },
    { view: "functions", title: "Functions", make: (app) => new FunctionsView(stacksOf(app)) },
    { view: "spans", title: "Spans", make: (app) => new SpansView(app) },
    { view: "tree", title: "Call tree", make: (app) => new TreeView(app) },
];

export class Frame {
    readonly element: HTMLElement;
    private readonly main = h("main", { id: "view", tabindex: -1 });
    private readonly tabs: Tabs<ViewName>;
    private readonly views = new Map<ViewName, View>();
    private readonly filter: FilterBar;
    private readonly overview: Overview;
    private readonly search: SearchBox;
    private current: View | null = null;

    constructor(private readonly app: App) {
        this.filter = new FilterBar(app);
        this.overview = new Overview(app);
        this.search = new SearchBox(app);
        this.tabs = new Tabs(TABS, (view) => app.store.change({ view, q: "" }));
        const help = helpDialog();
        this.element = h(
            "div",
            { class: "frame" },
            skipLink(this.main),
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
                this.tabs.element,
                h(
                    "div",
                    { class: "tools" },
                    this.search.element,
                    exportMenu(app),
                    themeButton(),
                    helpButton(help),
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
            this.tabs.show(state.view);
        }
        this.filter.show(state);
        this.overview.show(state);
        view.show(state);
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
