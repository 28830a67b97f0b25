// The search over the whole trace: functions, spans and tracks whose name holds the text. A combobox: arrows choose,
// Enter goes there.

import type { Found } from "./api";
import { type App, Latest } from "./app";
import { failure, fill, h, name } from "./dom";
import { count } from "./format";

const LIMIT = 30;
const PAUSE_MS = 120;

export class SearchBox {
    readonly element: HTMLElement;
    private readonly input: HTMLInputElement;
    private readonly list = h("ul", {
        id: "found",
        role: "listbox",
        "aria-label": "Found",
        hidden: true,
    });
    private readonly latest = new Latest();
    private found: Found | null = null;
    private chosen = -1;
    private waiting = 0;

    constructor(private readonly app: App) {
        this.input = h("input", {
            type: "search",
            placeholder: "Search the trace  /",
            "aria-label": "Search the trace",
            role: "combobox",
            "aria-controls": "found",
            "aria-expanded": "false",
            "aria-autocomplete": "list",
            autocomplete: "off",
            spellcheck: "false",
            oninput: () => this.later(),
            onkeydown: (event: KeyboardEvent) => this.key(event),
            onblur: () => this.close(),
            onfocus: () => this.input.value && this.later(),
        });
        this.element = h("div", { class: "search", role: "search" }, this.input, this.list);
    }

    focus(): void {
        this.input.focus();
        this.input.select();
    }

    private later(): void {
        clearTimeout(this.waiting);
        this.waiting = window.setTimeout(() => void this.look(), PAUSE_MS);
    }

    private async look(): Promise<void> {
        const text = this.input.value.trim();
        if (!text) return this.close();
        try {
            const found = await this.latest.of(this.app.source.search(text, LIMIT));
            if (found) this.show(found);
        } catch (error) {
            this.say(failure(error));
        }
    }

    private show(found: Found): void {
        this.found = found;
        this.choose(-1);
        const { rows } = found;
        if (rows.what.length === 0) return this.say("Nothing has that in its name.");
        fill(
            this.list,
            ...rows.what.map((what, i) => {
                const option = h(
                    "li",
                    { role: "option", id: `found-${i}` },
                    h("span", { class: `what ${what}` }, what),
                    name(rows.name[i], "code"),
                    h("small", {}, rows.count[i] ? count(rows.count[i]) : ""),
                );
                // Before the field loses its focus, which closes the list.
                option.addEventListener("pointerdown", (event) => {
                    event.preventDefault();
                    this.go(i);
                });
                return option;
            }),
        );
        this.open();
        this.choose(0);
    }

    private say(text: string): void {
        this.found = null;
        fill(this.list, h("li", { class: "quiet", role: "status" }, text));
        this.open();
    }

    private open(): void {
        if (document.activeElement !== this.input) return;
        this.list.hidden = false;
        this.input.setAttribute("aria-expanded", "true");
    }

    private close(): void {
        clearTimeout(this.waiting);
        this.list.hidden = true;
        this.input.setAttribute("aria-expanded", "false");
        this.input.removeAttribute("aria-activedescendant");
    }

    private choose(i: number): void {
        this.list.children[this.chosen]?.removeAttribute("aria-selected");
        this.chosen = i;
        const option = this.list.children[i];
        if (!option) return;
        option.setAttribute("aria-selected", "true");
        option.scrollIntoView({ block: "nearest" });
        this.input.setAttribute("aria-activedescendant", option.id);
    }

    private key(event: KeyboardEvent): void {
        const many = this.found?.rows.what.length ?? 0;
        if (event.key === "ArrowDown" && many) this.choose((this.chosen + 1) % many);
        else if (event.key === "ArrowUp" && many) this.choose((this.chosen + many - 1) % many);
        else if (event.key === "Enter" && this.chosen >= 0) this.go(this.chosen);
        else if (event.key === "Escape") this.close();
        else return;
        event.preventDefault();
    }

    private go(i: number): void {
        if (!this.found) return;
        const { what, name, id } = this.found.rows;
        const { store } = this.app;
        this.close();
        this.input.blur();
        if (what[i] === "function") store.change({ view: "functions", q: name[i] });
        else if (what[i] === "span") store.change({ view: "timeline", q: name[i] });
        else store.change({ view: "timeline", q: "", track: id[i] });
    }
}
