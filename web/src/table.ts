// A table that sorts by any column and searches as one types. Rows are made when they are to be seen: two hundred at
// first, the others on request.

import { fill, h } from "./dom";
import { count } from "./format";
import { hasAll, wordsOf } from "./match";

export interface Column {
    title: string;
    /** What the column sorts by; text where it returns strings. */
    value: (row: number) => number | string;
    cell: (row: number) => Node | string;
    numeric?: boolean;
    hint?: string;
}

export interface TableOptions {
    label: string;
    columns: Column[];
    rows: number;
    /** The column that it is sorted by at first, largest on top. */
    sort: number;
    /** What the search looks in, in small letters. */
    text: (row: number) => string;
    /** Tells a row again when rows are replaced, so that it keeps the focus. */
    key?: (row: number) => string;
    /** What is said where there are no rows. */
    none?: string;
    open?: (row: number) => void;
    classes?: (row: number) => string;
}

const PAGE = 200;

export class Table {
    readonly element: HTMLElement;
    private readonly body = h("tbody");
    private readonly more = h("p", { class: "more" });
    private readonly heads: HTMLTableCellElement[] = [];
    private sort: number;
    private descending = true;
    private shown = PAGE;
    private query = "";
    private order: number[] = [];

    constructor(private options: TableOptions) {
        this.sort = options.sort;
        const head = h("tr");
        options.columns.forEach((column, i) => {
            const button = h(
                "button",
                { type: "button", onclick: () => this.sortBy(i) },
                column.title,
            );
            const cell = h(
                "th",
                { scope: "col", class: column.numeric ? "number" : "", title: column.hint ?? null },
                button,
            );
            this.heads.push(cell);
            head.append(cell);
        });
        const table = h("table", { "aria-label": options.label }, h("thead", {}, head), this.body);
        this.element = h("div", { class: "table" }, table, this.more);
        this.body.addEventListener("keydown", (event) => this.key(event));
        this.render();
    }

    /** Shows only the rows that hold each word. Returns how many those are. */
    search(query: string): number {
        this.query = query;
        this.shown = PAGE;
        this.render();
        return this.order.length;
    }

    /** Other rows in the same columns; order, search and focus stay. */
    replace(options: TableOptions): void {
        const focus = this.focus();
        this.options = options;
        options.columns.forEach((column, i) => {
            fill(this.heads[i].firstElementChild!, column.title);
        });
        this.render();
        if (focus) this.focusable(focus.key)[focus.place]?.focus();
    }

    private focus(): { key: string; place: number } | null {
        const focused = document.activeElement as HTMLElement | null;
        const key = this.body.contains(focused) && focused?.closest("tr")?.dataset.key;
        return key ? { key, place: this.focusable(key).indexOf(focused!) } : null;
    }

    /** A row and what of it can have the focus. */
    private focusable(key: string): HTMLElement[] {
        const lines = [...this.body.children] as HTMLElement[];
        const line = lines.find((line) => line.dataset.key === key);
        return line ? [line, ...line.querySelectorAll<HTMLElement>("a, button")] : [];
    }

    private sortBy(column: number): void {
        const same = column === this.sort;
        this.descending = same ? !this.descending : Boolean(this.options.columns[column].numeric);
        this.sort = column;
        this.render();
    }

    private arrange(): void {
        const words = wordsOf(this.query);
        const order: number[] = [];
        for (let row = 0; row < this.options.rows; row++) {
            const text = words.length ? this.options.text(row) : "";
            if (hasAll(text, words)) order.push(row);
        }
        const value = this.options.columns[this.sort].value;
        const sign = this.descending ? -1 : 1;
        order.sort((a, b) => {
            const [x, y] = [value(a), value(b)];
            return x === y ? a - b : sign * (x < y ? -1 : 1);
        });
        this.order = order;
    }

    private render(): void {
        this.arrange();
        this.heads.forEach((head, i) => {
            const direction = this.descending ? "descending" : "ascending";
            head.setAttribute("aria-sort", i === this.sort ? direction : "none");
        });
        fill(this.body, ...this.order.slice(0, this.shown).map((row) => this.row(row)));
        const left = this.order.length - this.shown;
        if (this.order.length === 0) {
            fill(
                this.more,
                this.options.rows
                    ? "Nothing here matches the search."
                    : (this.options.none ?? "There are none."),
            );
        } else if (left > 0) {
            const label = `Show ${count(left)} more`;
            fill(this.more, h("button", { type: "button", onclick: () => this.showAll() }, label));
        } else {
            fill(this.more);
        }
    }

    private showAll(): void {
        const focus = this.shown;
        this.shown = this.order.length;
        this.render();
        (this.body.children[focus] as HTMLElement | undefined)?.focus();
    }

    private row(row: number): HTMLElement {
        const { columns, key, open, classes } = this.options;
        const line = h("tr", {
            class: classes?.(row) ?? null,
            tabindex: open ? 0 : null,
            "data-key": key?.(row) ?? null,
        });
        for (const column of columns) {
            line.append(h("td", { class: column.numeric ? "number" : "" }, column.cell(row)));
        }
        if (open) {
            line.classList.add("opens");
            line.addEventListener("click", () => {
                // Text that is being selected is not a click.
                if (!getSelection()?.toString()) open(row);
            });
            line.addEventListener("keydown", (event) => {
                if (event.key === "Enter" && event.target === line) open(row);
            });
        }
        return line;
    }

    private key(event: KeyboardEvent): void {
        const row = (event.target as Element).closest("tr");
        if (!row || (event.key !== "ArrowDown" && event.key !== "ArrowUp")) return;
        const next =
            event.key === "ArrowDown" ? row.nextElementSibling : row.previousElementSibling;
        if (!next) return;
        event.preventDefault();
        (next as HTMLElement).focus();
    }
}
