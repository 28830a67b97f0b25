// The bar that says which part of the trace the views are about, and changes it: time range, threads, what the stacks are
// made of and weighted by.

import type { Of, Weight } from "./api";
import { type App, ofWhat, weightOf } from "./app";
import { closeElsewhere } from "./controls";
import { fill, h, name } from "./dom";
import { at, counted, duration } from "./format";
import type { State, ViewName } from "./state";

const WEIGHT_NAMES: Record<Weight, string> = {
    wall: "wall time",
    cpu: "time on a CPU",
    gil: "time with the GIL",
    gil_wait: "waiting for the GIL",
    count: "number of samples",
};

/** Views whose numbers come from weighted stacks. */
const STACKS: ViewName[] = ["flame", "functions", "tree"];

export class FilterBar {
    readonly element = h("div", { class: "filter", role: "group", "aria-label": "What is shown" });
    private readonly range = h("span", { class: "range" });
    private readonly threads: HTMLDetailsElement;
    private readonly summary = h("summary");
    private readonly boxes = new Map<number, HTMLInputElement>();
    private readonly note = h("small", { role: "status" });
    private readonly of = h("select", { "aria-label": "Made of" });
    private readonly weight = h("select", { "aria-label": "Weighted by" });

    constructor(private readonly app: App) {
        this.threads = h("details", { class: "pick" }, this.summary, this.threadList());
        this.of.append(new Option("samples", "samples"), new Option("spans and calls", "spans"));
        this.of.addEventListener("change", () => app.store.change({ of: this.of.value as Of }));
        const weights: Weight[] = [...app.trace.weights, "count"];
        this.weight.append(...weights.map((weight) => new Option(WEIGHT_NAMES[weight], weight)));
        this.weight.addEventListener("change", () =>
            app.store.change({ weight: this.weight.value as Weight }),
        );
        this.element.append(this.range, this.threads, this.of, this.weight, this.note);
        closeElsewhere(this.threads);
    }

    show(state: State): void {
        const { trace } = this.app;
        const { counts, threads } = trace;
        this.showRange(state);
        const some = state.threads?.length ?? threads.length;
        fill(
            this.summary,
            some < threads.length
                ? `${some} of ${counted(threads.length, "thread")}`
                : counted(threads.length, "thread"),
        );
        this.summary.classList.toggle("active", some < threads.length);
        this.threads.hidden = threads.length < 2;
        for (const [id, box] of this.boxes) box.checked = state.threads?.includes(id) ?? true;
        const stacks = STACKS.includes(state.view);
        this.of.hidden = !stacks || counts.samples === 0 || counts.spans + counts.calls === 0;
        this.of.value = ofWhat(trace, state);
        const weight = weightOf(trace, state);
        this.weight.hidden = !stacks || weight === undefined || trace.weights.length === 0;
        if (weight) this.weight.value = weight;
        const unheard = state.range !== null && stacks && ofWhat(trace, state) === "samples";
        fill(this.note, unheard ? this.app.source.note : null);
    }

    private showRange(state: State): void {
        const { store, trace } = this.app;
        if (!state.range) {
            fill(
                this.range,
                h("span", { class: "quiet" }, `All of ${duration(trace.duration_ns)}`),
            );
            return;
        }
        const [from, to] = state.range;
        const step = (to - from) / 1000;
        const clear = h(
            "button",
            {
                type: "button",
                class: "clear",
                "aria-label": "Show all of the time again",
                title: "All of the time",
                onclick: () => store.change({ range: null }),
            },
            "✕",
        );
        fill(
            this.range,
            h(
                "span",
                { class: "chip" },
                `${at(from, step)} – ${at(to, step)} (${duration(to - from)})`,
                clear,
            ),
        );
    }

    private threadList(): HTMLElement {
        const { store, trace } = this.app;
        const list = h(
            "div",
            { class: "list" },
            h(
                "div",
                { class: "row" },
                h(
                    "button",
                    { type: "button", onclick: () => store.change({ threads: null }) },
                    "All",
                ),
            ),
        );
        for (const process of trace.processes) {
            const group = h(
                "fieldset",
                {},
                h("legend", {}, name(process.name || process.command), ` ${process.pid}`),
            );
            for (const thread of trace.threads.filter((thread) => thread.process === process.id)) {
                const box = h("input", { type: "checkbox", onchange: () => this.pick() });
                const only = h(
                    "button",
                    {
                        type: "button",
                        class: "only",
                        onclick: () => store.change({ threads: [thread.id] }),
                    },
                    "only",
                );
                this.boxes.set(thread.id, box);
                group.append(
                    h(
                        "div",
                        { class: "row" },
                        h("label", {}, box, name(thread.name), ` ${thread.tid}`),
                        only,
                    ),
                );
            }
            list.append(group);
        }
        return list;
    }

    private pick(): void {
        const picked = [...this.boxes].filter(([, box]) => box.checked).map(([id]) => id);
        // None makes an empty page: then rather all.
        const all = picked.length === this.boxes.size || picked.length === 0;
        this.app.store.change({ threads: all ? null : picked });
    }
}
