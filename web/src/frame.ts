// The frame around the views: the file's name, the views' tabs, the search, what leaves the page (downloads, Perfetto),
// the filter that all views share, and the overview of the whole trace.

import { type App, stacksOf, type View } from "./app";
import { helpButton, skipLink, themeButton } from "./controls";
import { h, name } from "./dom";
import { exportMenu } from "./exports";
import { FilterBar } from "./filter";
import { helpDialog } from "./help";
import { SearchBox } from "./search";
import { type Kind, Stage } from "./stage";
import type { State, ViewName } from "./state";
import { Overview } from "./timeline/overview";
import { isTyping } from "./typing";
import { FlameView } from "./views/flame";
import { FunctionsView } from "./views/functions";
import { SpansView } from "./views/spans";
import { SummaryView } from "./views/summary";
import { TimelineView } from "./views/timeline";
import { TreeView } from "./views/tree";

const VIEWS: Kind<ViewName, App, View>[] = [
    { view: "summary", title: "Summary", make: (app) => new SummaryView(app) },
    { view: "timeline", title: "Timeline", make: (app) => new TimelineView(app) },
    { view: "flame", title: "Flame graph", make: (app) => new FlameView(stacksOf(app)) },
    { view: "functions", title: "Functions", make: (app) => new FunctionsView(stacksOf(app)) },
    { view: "spans", title: "Spans", make: (app) => new SpansView(app) },
    { view: "tree", title: "Call tree", make: (app) => new TreeView(app) },
];

export class Frame {
    readonly element: HTMLElement;
    private readonly stage: Stage<ViewName, App, View>;
    private readonly filter: FilterBar;
    private readonly overview: Overview;
    private readonly search: SearchBox;

    constructor(private readonly app: App) {
        this.filter = new FilterBar(app);
        this.overview = new Overview(app);
        this.search = new SearchBox(app);
        this.stage = new Stage(VIEWS, app, (view) => app.store.change({ view, q: "" }));
        const help = helpDialog();
        this.element = h(
            "div",
            { class: "frame" },
            skipLink(this.stage.element),
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
                this.stage.tabs.element,
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
            this.stage.element,
            help,
        );
        document.addEventListener("keydown", (event) => this.key(event, help));
    }

    start(): void {
        this.app.store.listen((state) => this.show(state));
        this.show(this.app.store.state);
    }

    private show(state: State): void {
        const view = this.stage.turnTo(state.view);
        this.filter.show(state);
        this.overview.show(state);
        view.show(state);
    }

    private key(event: KeyboardEvent, help: HTMLDialogElement): void {
        if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
        if (event.key === "/") this.search.focus();
        else if (event.key === "?") help.showModal();
        else if (!this.stage.takes(event.key)) return;
        event.preventDefault();
    }
}
