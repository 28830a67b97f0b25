// The head of a view with a table: its title, a field that searches the rows, and how many there are.

import { fill, h } from "../dom";

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
