// Where time goes, function by function: a table by self and total weight, own code marked.

import type { Functions } from "../api";
import { type App, Latest, stackFilter, type View } from "../app";
import { failure, fill, h, message, name } from "../dom";
import { count, counted, percent, place, shortPath, weight } from "../format";
import type { State } from "../state";
import { Table } from "../table";
import { SearchedHead } from "./searched";

export class FunctionsView implements View {
    readonly element: HTMLElement;
    private readonly head: SearchedHead;
    private readonly body = h("div");
    private readonly latest = new Latest();
    private table: Table | null = null;

    constructor(private readonly app: App) {
        this.head = new SearchedHead(app, "Functions", (query) => this.search(query));
        this.element = h("div", { class: "functions page" }, this.head.element, this.body);
    }

    show(state: State): void {
        this.head.take(state.q);
        const filter = stackFilter(this.app, state);
        if (this.latest.isNew(filter)) void this.load(filter);
        else this.search(state.q);
    }

    private async load(filter: ReturnType<typeof stackFilter>): Promise<void> {
        this.body.setAttribute("aria-busy", "true");
        if (!this.table) fill(this.body, message("loading", "Adding up …"));
        try {
            const answer = await this.latest.of(this.app.source.functions(filter));
            if (answer) this.fill(answer, filter.of === "spans" ? "call" : "sample");
        } catch (error) {
            this.latest.forget();
            this.table = null;
            fill(this.body, message("error", failure(error)));
        }
        this.body.removeAttribute("aria-busy");
    }

    private fill(answer: Functions, one: string): void {
        this.table = functionTable(this.app, answer, one);
        fill(this.body, this.table.element);
        this.search(this.head.input.value);
    }

    private search(query: string): void {
        if (!this.table) return;
        const found = this.table.search(query);
        this.head.say(counted(found, "function"));
    }
}

function functionTable(app: App, answer: Functions, one: string): Table {
    const { rows, total, unit } = answer;
    const most = Math.max(1, ...rows.self);
    return new Table({
        label: "Functions",
        rows: rows.name.length,
        sort: 0,
        text: (i) => `${rows.name[i]} ${rows.file[i]}`.toLowerCase(),
        classes: (i) => (rows.own[i] ? "own" : ""),
        open: (i) => app.store.change({ view: "flame", q: rows.name[i] }),
        columns: [
            {
                title: "Self",
                numeric: true,
                hint: "in the function itself",
                value: (i) => rows.self[i],
                cell: (i) => barred(weight(rows.self[i], unit), rows.self[i] / most),
            },
            {
                title: "Self %",
                numeric: true,
                value: (i) => rows.self[i],
                cell: (i) => percent(rows.self[i], total),
            },
            {
                title: "Total",
                numeric: true,
                hint: "with all that it calls",
                value: (i) => rows.total[i],
                cell: (i) => weight(rows.total[i], unit),
            },
            {
                title: "Total %",
                numeric: true,
                value: (i) => rows.total[i],
                cell: (i) => percent(rows.total[i], total),
            },
            {
                title: one === "call" ? "Calls" : "Samples",
                numeric: true,
                value: (i) => rows.count[i],
                cell: (i) => count(rows.count[i]),
            },
            {
                title: "Function",
                value: (i) => rows.name[i],
                cell: (i) => named(rows.name[i], rows.own[i]),
            },
            {
                title: "Where",
                value: (i) => `${rows.file[i]}:${String(rows.line[i]).padStart(9)}`,
                cell: (i) => where(rows.file[i], rows.line[i], rows.hot_line[i]),
            },
        ],
    });
}

function barred(text: string, share: number): HTMLElement {
    const bar = h("span", { class: "inbar" });
    bar.style.width = `${100 * share}%`;
    return h("span", { class: "barred" }, bar, text);
}

function named(text: string, own: boolean): HTMLElement {
    const mark =
        own &&
        h(
            "span",
            { class: "mark", title: "your own code", role: "img", "aria-label": "own code" },
            "●",
        );
    return h("span", {}, mark, name(text, "code"));
}

function where(file: string, line: number, hot: number): HTMLElement {
    const cell = h(
        "span",
        { class: "where", title: place(file, line) },
        name(place(shortPath(file), line)),
    );
    if (hot > 0 && hot !== line)
        cell.append(h("small", { title: "the line that is on top most often" }, ` hot: ${hot}`));
    return cell;
}
