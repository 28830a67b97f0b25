// The call tree: calls with arguments and results, folded where they repeat, opened level by level. A treegrid as ARIA
// describes it: arrows open, close and move; one row can be reached by Tab.

import type { TreeRows } from "../api";
import { type App, Latest, ofWhat, stackFilter, type View } from "../app";
import { failure, fill, h, message, name } from "../dom";
import { count, counted, duration, percent, place, shortPath } from "../format";
import type { TreeQuery } from "../source";
import type { State } from "../state";

const PAGE = 200;
const MINIMA = [0, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8];

/** What a row of the table needs to open and close. */
interface Row {
    element: HTMLTableRowElement;
    id: number | string;
    level: number;
    children: number;
    open: boolean;
    loaded: boolean;
}

export class TreeView implements View {
    readonly element: HTMLElement;
    private readonly body = h("tbody");
    private readonly table: HTMLElement;
    private readonly place = h("div");
    private readonly head = h("tr", { role: "row" });
    private readonly min = h("select", { "aria-label": "Leave out what is shorter" });
    private readonly latest = new Latest();
    private readonly rows = new Map<Element, Row>();
    private query: TreeQuery = { limit: PAGE };
    private whole = 1;

    constructor(private readonly app: App) {
        for (const ns of MINIMA) {
            this.min.append(
                new Option(ns ? `at least ${duration(ns)}` : "of any length", String(ns)),
            );
        }
        this.min.addEventListener("change", () => this.show(app.store.state));
        this.table = h(
            "table",
            { role: "treegrid", "aria-label": "Call tree", class: "tree" },
            h("thead", {}, this.head),
            this.body,
        );
        this.element = h(
            "div",
            { class: "page" },
            h("div", { class: "head" }, h("h2", {}, "Call tree"), this.min),
            this.place,
        );
        this.body.addEventListener("keydown", (event) => this.key(event));
        this.body.addEventListener("click", (event) => this.click(event));
        this.body.addEventListener("focusin", (event) => this.rove(event.target as Element));
    }

    show(state: State): void {
        const min = Number(this.min.value);
        const query = { ...stackFilter(this.app, state), min: min || undefined, limit: PAGE };
        if (!this.latest.isNew(query)) return;
        this.query = query;
        this.showHead(ofWhat(this.app.trace, state) === "spans" ? "Calls" : "Samples");
        void this.loadTop();
    }

    private showHead(many: string): void {
        const titles = ["Total", "%", "Self", many, "Call"];
        fill(
            this.head,
            ...titles.map((title, i) =>
                h("th", { scope: "col", class: i < 4 ? "number" : "" }, title),
            ),
        );
    }

    private async loadTop(): Promise<void> {
        fill(this.place, message("loading", "Folding calls …"));
        try {
            const answer = await this.latest.of(this.app.source.tree(this.query));
            if (!answer) return;
            this.rows.clear();
            fill(this.body);
            this.whole = answer.rows.total.reduce((sum, total) => sum + total, 0);
            this.insert(answer, 1, null);
            const none = answer.rows.id.length === 0;
            fill(
                this.place,
                none
                    ? message("empty", "No calls, spans or samples here.")
                    : h("div", { class: "table" }, this.table),
            );
            this.body.querySelector("tr")?.setAttribute("tabindex", "0");
        } catch (error) {
            this.latest.forget();
            fill(this.place, message("error", failure(error)));
        }
    }

    /** Puts rows of a level behind a row; without one, at the end. */
    private insert(answer: TreeRows, level: number, after: Element | null): void {
        const made = document.createDocumentFragment();
        answer.rows.id.forEach((id, i) => {
            const element = this.row(answer, i, level);
            this.rows.set(element, {
                element,
                id,
                level,
                children: answer.rows.children[i],
                open: false,
                loaded: false,
            });
            made.append(element);
        });
        if (answer.left_out > 0) {
            const said = `${counted(answer.left_out, "more call")} not shown`;
            made.append(
                h(
                    "tr",
                    { class: "left-out", "data-level": level },
                    h("td", { colspan: 4 }),
                    h("td", {}, indent(level), said),
                ),
            );
        }
        if (after) after.after(made);
        else this.body.append(made);
    }

    private row({ rows }: TreeRows, i: number, level: number): HTMLTableRowElement {
        const opens = rows.children[i] > 0;
        const line = h("tr", {
            role: "row",
            "aria-level": level,
            "data-level": level,
            tabindex: -1,
            class: rows.failed[i] ? "failed" : "",
            "aria-expanded": opens ? "false" : null,
        });
        const number = (text: string) => h("td", { role: "gridcell", class: "number" }, text);
        line.append(
            number(this.amount(rows.total[i])),
            number(percent(rows.total[i], this.whole)),
            number(this.amount(rows.self[i])),
            number(rows.calls[i] === 1 ? "" : count(rows.calls[i])),
            h(
                "td",
                { role: "gridcell", class: "call" },
                indent(level),
                h("span", { class: opens ? "twist" : "twist none", "aria-hidden": "true" }),
                name(rows.name[i], "code"),
                rows.arguments[i] && name(`(${rows.arguments[i]})`, "code", "arguments"),
                rows.result[i] &&
                    name(rows.result[i], "code", rows.failed[i] ? "exception" : "result"),
                Boolean(rows.open[i]) && h("small", { class: "badge" }, "not ended"),
                rows.file[i] &&
                    h(
                        "small",
                        { title: place(rows.file[i], rows.line[i]) },
                        name(place(shortPath(rows.file[i]), rows.line[i])),
                    ),
            ),
        );
        return line;
    }

    private amount(value: number): string {
        return this.query.weight === "count" ? count(value) : duration(value);
    }

    private click(event: MouseEvent): void {
        const row = this.rows.get((event.target as Element).closest("tr")!);
        if (!row || getSelection()?.toString()) return;
        row.element.focus();
        void this.toggle(row);
    }

    private async toggle(row: Row): Promise<void> {
        if (row.children === 0) return;
        row.open = !row.open;
        row.element.setAttribute("aria-expanded", String(row.open));
        if (row.open && !row.loaded) await this.loadBelow(row);
        this.showBelow(row);
    }

    private async loadBelow(row: Row): Promise<void> {
        row.loaded = true;
        row.element.setAttribute("aria-busy", "true");
        try {
            const answer = await this.app.source.tree({ ...this.query, parent: row.id });
            this.insert(answer, row.level + 1, row.element);
        } catch (error) {
            row.loaded = row.open = false;
            row.element.setAttribute("aria-expanded", "false");
            row.element.after(
                h(
                    "tr",
                    { "data-level": row.level + 1 },
                    h("td", { colspan: 5 }, message("error", failure(error))),
                ),
            );
        }
        row.element.removeAttribute("aria-busy");
    }

    /** Rows below a row are seen where all above them are open. */
    private showBelow(row: Row): void {
        let closed = row.open ? Number.POSITIVE_INFINITY : row.level;
        for (let next = row.element.nextElementSibling; next; next = next.nextElementSibling) {
            const level = Number((next as HTMLElement).dataset.level);
            if (level <= row.level) break;
            if (level <= closed) closed = Number.POSITIVE_INFINITY;
            (next as HTMLElement).hidden = level > closed;
            const known = this.rows.get(next);
            if (known && !known.open && closed === Number.POSITIVE_INFINITY) closed = level;
        }
    }

    private rove(target: Element): void {
        const row = target.closest("tr");
        if (!row || row.tabIndex === 0) return;
        this.body.querySelector('tr[tabindex="0"]')?.setAttribute("tabindex", "-1");
        row.tabIndex = 0;
    }

    private key(event: KeyboardEvent): void {
        const row = this.rows.get((event.target as Element).closest("tr")!);
        if (!row || event.ctrlKey || event.metaKey || event.altKey) return;
        const seen = [...this.rows.keys()].filter(
            (element) => !(element as HTMLElement).hidden,
        ) as HTMLElement[];
        switch (event.key) {
            case "ArrowDown":
                this.step(row, 1);
                break;
            case "ArrowUp":
                this.step(row, -1);
                break;
            case "Home":
                (this.body.firstElementChild as HTMLElement | null)?.focus();
                break;
            case "End":
                seen.sort(byPlace).at(-1)?.focus();
                break;
            case "ArrowRight":
                if (row.children && !row.open) void this.toggle(row);
                else if (row.open) this.step(row, 1);
                break;
            case "ArrowLeft":
                if (row.open) void this.toggle(row);
                else this.above(row)?.focus();
                break;
            case "Enter":
            case " ":
                void this.toggle(row);
                break;
            default:
                return;
        }
        event.preventDefault();
    }

    private step(row: Row, by: 1 | -1): void {
        let next: Element | null = row.element;
        do next = by > 0 ? next.nextElementSibling : next.previousElementSibling;
        while (next && ((next as HTMLElement).hidden || !this.rows.has(next)));
        (next as HTMLElement | null)?.focus();
    }

    private above(row: Row): HTMLElement | null {
        let next = row.element.previousElementSibling as HTMLElement | null;
        while (next && Number(next.dataset.level) >= row.level)
            next = next.previousElementSibling as HTMLElement | null;
        return next;
    }
}

function byPlace(a: Element, b: Element): number {
    return a.compareDocumentPosition(b) & Node.DOCUMENT_POSITION_FOLLOWING ? -1 : 1;
}

/** Blanks that show how deep a row is; beyond thirty levels rows move no further to the right. */
function indent(level: number): HTMLElement {
    const blank = h("span", { class: "indent" });
    blank.style.width = `${Math.min(level - 1, 30) * 1.1}em`;
    return blank;
}
