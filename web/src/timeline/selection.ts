// What is chosen, as the address names it: its details, asked for and shown in the panel.

import type { EventDetails } from "../api";
import { type App, Latest } from "../app";
import { DetailsPanel } from "./details";

export interface SelectionActions {
    zoom(details: EventDetails): void;
    /** Into sight, where it is not. */
    bring(details: EventDetails): void;
    changed(): void;
}

export class Selection {
    readonly panel: DetailsPanel;
    /** Of what is chosen; null: nothing is, or it is not known yet. */
    details: EventDetails | null = null;
    private isSpan = false;
    private readonly latest = new Latest();

    constructor(
        private readonly app: App,
        private readonly actions: SelectionActions,
    ) {
        this.panel = new DetailsPanel(app, {
            jump: (id) => this.choose(`span:${id}`),
            zoom: (details) => actions.zoom(details),
            close: () => this.choose(""),
            search: (text) => app.store.change({ q: text }),
        });
    }

    /** "span:7", "instant:3", or "" for nothing. */
    choose(selected: string): void {
        this.app.store.change({ selected });
    }

    /** The details, where it is a span. */
    get span(): EventDetails | null {
        return this.isSpan ? this.details : null;
    }

    show(selected: string): void {
        if (this.latest.isNew(selected)) void this.ask(selected);
    }

    private async ask(selected: string): Promise<void> {
        const [kind, id] = selected.split(":");
        if (!selected) {
            this.details = null;
            this.panel.close();
            this.actions.changed();
            return;
        }
        this.panel.loading();
        const { source, store } = this.app;
        const isSpan = kind === "span";
        try {
            const details = await (isSpan ? source.span(Number(id)) : source.instant(Number(id)));
            if (store.state.selected !== selected) return;
            this.details = details;
            this.isSpan = isSpan;
            this.panel.show(details, isSpan);
            this.actions.bring(details);
        } catch (error) {
            if (store.state.selected === selected) this.panel.failed(error);
        }
        this.actions.changed();
    }
}
