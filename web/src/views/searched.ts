// The head of a view with a table: its title, a field that searches the rows, and how many there are; and such a table.

import { failure, fill, h, message } from "../dom";
import { counted } from "../format";
import { Table, type TableOptions } from "../table";

interface Searchable {
    change(part: { q: string }): void;
}

export class SearchedHead {
    readonly element: HTMLElement;
    readonly input: HTMLInputElement;
    private readonly said = h("span", { class: "quiet", role: "status" });

    constructor(store: Searchable, title: string, search: (query: string) => void) {
        this.input = h("input", {
            type: "search",
            placeholder: "Search these",
            "aria-label": `Search ${title.toLowerCase()}`,
            oninput: () => {
                store.change({ q: this.input.value });
                search(this.input.value);
            },
        });
        this.element = h("div", { class: "head" }, h("h2", {}, title), this.input, this.said);
    }

    take(query: string): void {
        if (this.input.value !== query) this.input.value = query;
    }

    say(text: string): void {
        fill(this.said, text);
    }
}

/** A table below such a head. It is made once: of a program that runs, rows are replaced, and order, search and focus stay. */
export class SearchedTable {
    readonly element: HTMLElement;
    private readonly said = h("div", { role: "status" });
    private readonly body = h("div");
    private table: Table | null = null;

    /** one: what a row is, for "3 functions". */
    constructor(
        private readonly head: SearchedHead,
        private readonly one: string,
    ) {
        this.element = h("div", {}, this.said, this.body);
    }

    /** Said until the first rows are there. */
    wait(words: string): void {
        if (!this.table) this.say(message("loading", words));
    }

    put(options: TableOptions): void {
        if (this.table) this.table.replace(options);
        else {
            this.table = new Table(options);
            fill(this.body, this.table.element);
        }
        this.say(null);
        this.search();
    }

    fail(error: unknown): void {
        this.say(message("error", failure(error)));
    }

    say(what: HTMLElement | null): void {
        fill(this.said, what);
    }

    /** Shows what the head's field asks for. */
    search(): void {
        if (this.table) this.head.say(counted(this.table.search(this.head.input.value), this.one));
    }
}
