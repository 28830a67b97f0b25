// The field to search spans by name, the keys in it, and what came of the search.

import { type App, Latest } from "../app";
import { failure, fill, h, name } from "../dom";
import { count } from "../format";
import type { Names } from "./data";
import { FoundSpans } from "./found";

export interface FinderActions {
    /** Spans of other names grow pale; null: none does. */
    mark(matched: ((name: number) => boolean) | null): void;
    choose(span: number): void;
    /** The reader is done with the field. */
    leave(): void;
    /** Where in time what is seen begins. */
    from(): number;
}

export class Finder {
    readonly input: HTMLInputElement;
    readonly status = h("span", { class: "quiet", role: "status" });
    private readonly found: FoundSpans;
    private readonly latest = new Latest();

    constructor(
        private readonly app: App,
        private readonly names: Names,
        private readonly actions: FinderActions,
    ) {
        this.found = new FoundSpans(app);
        this.input = h("input", {
            type: "search",
            placeholder: "Find spans by name",
            "aria-label": "Find spans by name",
            oninput: () => app.store.change({ q: this.input.value }),
            onkeydown: (event: KeyboardEvent) => this.key(event),
        });
    }

    /** What the address says is searched for. */
    show(query: string): void {
        if (this.input.value !== query) this.input.value = query;
        if (this.latest.isNew(query)) void this.find(query);
    }

    async step(by: 1 | -1): Promise<void> {
        try {
            const found = await this.found.step(by, this.actions.from());
            if (!found) return;
            fill(this.status, `${count(found.place + 1)} of ${count(found.count)}`);
            this.actions.choose(found.id);
        } catch (error) {
            fill(this.status, failure(error));
        }
    }

    private async find(query: string): Promise<void> {
        const words = query.toLowerCase();
        const cache: (boolean | undefined)[] = [];
        this.actions.mark(
            query
                ? (name) => (cache[name] ??= this.names.text[name].toLowerCase().includes(words))
                : null,
        );
        if (!query) return fill(this.status);
        try {
            const found = await this.latest.of(this.found.look(query));
            if (this.app.store.state.q !== query) return;
            fill(
                this.status,
                found
                    ? h("span", {}, name(found.name, "code"), ` ${count(found.count)}`)
                    : "no span has that in its name",
            );
        } catch (error) {
            fill(this.status, failure(error));
        }
    }

    private key(event: KeyboardEvent): void {
        if (event.key === "Enter") void this.step(event.shiftKey ? -1 : 1);
        else if (event.key === "Escape") this.actions.leave();
        else return;
        event.preventDefault();
    }
}
