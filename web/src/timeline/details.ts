// The panel about one span or instant: what the trace knows of it, and ways to what it belongs to.

import type { EventDetails, FlowEnd } from "../api";
import type { App } from "../app";
import { failure, fill, h, message, name } from "../dom";
import { at, counted, duration, percent, place } from "../format";

export interface DetailsEvents {
    /** Goes to another span. */
    jump(id: number): void;
    zoom(details: EventDetails): void;
    close(): void;
    /** Searches for all of that name. */
    search(text: string): void;
}

export class DetailsPanel {
    readonly element = h("aside", { class: "details", "aria-label": "Details", hidden: true });

    constructor(
        private readonly app: App,
        private readonly events: DetailsEvents,
    ) {}

    loading(): void {
        this.element.hidden = false;
        if (!this.element.hasChildNodes())
            fill(this.element, message("loading", "Looking it up …"));
    }

    failed(error: unknown): void {
        this.element.hidden = false;
        fill(this.element, this.closeButton(), message("error", failure(error)));
    }

    close(): void {
        this.element.hidden = true;
        fill(this.element);
    }

    show(details: EventDetails, isSpan: boolean): void {
        this.element.hidden = false;
        const { events } = this;
        fill(
            this.element,
            h("h3", {}, name(details.name, "code"), this.closeButton()),
            h(
                "p",
                { class: "actions" },
                isSpan &&
                    h(
                        "button",
                        { type: "button", onclick: () => events.zoom(details) },
                        "Zoom to it",
                    ),
                isSpan &&
                    details.parent !== null &&
                    h(
                        "button",
                        { type: "button", onclick: () => events.jump(details.parent!) },
                        "Parent",
                    ),
                h(
                    "button",
                    { type: "button", onclick: () => events.search(details.name) },
                    "All of this name",
                ),
            ),
            details.exception && h("p", { class: "exception" }, name(details.exception, "code")),
            this.facts(details, isSpan),
            values("Arguments", details.arguments),
            details.result !== undefined &&
                details.result !== null &&
                values("Result", details.result),
            this.flows("Comes from", details.flows_in),
            this.flows("Leads to", details.flows_out),
        );
    }

    private facts(details: EventDetails, isSpan: boolean): HTMLElement {
        const { trace } = this.app;
        const track = trace.tracks.find((track) => track.id === details.track);
        const list = h("dl");
        const fact = (term: string, ...what: (Node | string | null | false)[]) => {
            list.append(h("dt", {}, term), h("dd", {}, ...what));
        };
        if (isSpan) {
            const open =
                details.duration === null
                    ? "not ended when the trace did"
                    : duration(details.duration);
            fact(
                "Duration",
                open,
                details.duration !== null &&
                    h("small", {}, ` ${percent(details.duration, trace.duration_ns)} of the trace`),
            );
        }
        fact(isSpan ? "Begins at" : "At", at(details.begin, 1));
        if (details.failed) fact("Failed", "ended by an exception");
        if (details.category) fact("Category", name(details.category));
        if (track) fact("Track", name(track.name));
        const { source } = details;
        if (source?.file) fact("Source", name(place(source.file, source.line), "code"));
        if (source?.function) fact("Function", name(source.function, "code"));
        if (details.children) fact("Within it", counted(details.children, "span"));
        return list;
    }

    private flows(title: string, ends: FlowEnd[] | undefined): HTMLElement | null {
        if (!ends?.length) return null;
        const tracks = new Map(this.app.trace.tracks.map((track) => [track.id, track.name]));
        const list = h("ul", { class: "flows" });
        for (const end of ends.slice(0, 50)) {
            const label = [
                name(tracks.get(end.track) ?? "?"),
                h("small", {}, ` at ${at(end.time, 1000)}`),
            ];
            const go = end.span !== null && end.span >= 0;
            list.append(
                h(
                    "li",
                    {},
                    go
                        ? h(
                              "button",
                              {
                                  type: "button",
                                  class: "link",
                                  onclick: () => this.events.jump(end.span!),
                              },
                              ...label,
                          )
                        : h("span", {}, ...label),
                ),
            );
        }
        return h("section", {}, h("h4", {}, title), list);
    }

    private closeButton(): HTMLElement {
        return h(
            "button",
            {
                type: "button",
                class: "clear",
                "aria-label": "Close the details",
                onclick: () => this.events.close(),
            },
            "✕",
        );
    }
}

/** Arguments and results are nested to any depth: shown as indented text, key by key at the top. */
function values(title: string, value: unknown): HTMLElement | null {
    if (value === null || value === undefined) return null;
    const section = h("section", {}, h("h4", {}, title));
    if (typeof value === "object" && !Array.isArray(value)) {
        const list = h("dl");
        for (const [key, item] of Object.entries(value))
            list.append(h("dt", {}, name(key)), h("dd", {}, name(text(item), "code")));
        if (!list.hasChildNodes()) return null;
        section.append(list);
    } else {
        section.append(h("p", {}, name(text(value), "code")));
    }
    return section;
}

function text(value: unknown): string {
    return typeof value === "string" ? value : (JSON.stringify(value, null, 1) ?? "");
}
