// The flame graph with what stands around it: search and its share, the way it grows, what a frame is.

import type { Flame } from "../api";
import { Latest, type View } from "../app";
import { Tooltip } from "../canvas/tooltip";
import { failure, fill, h, message, name } from "../dom";
import { FlameChart } from "../flame/chart";
import { type FrameKind, KIND_NAMES, kindOf } from "../flame/colours";
import { count, counted, percent, place, weight } from "../format";
import type { StackQuestion, StackState, Stacks } from "../stacks";
import { SearchedHead } from "./searched";

export class FlameView implements View<StackState> {
    readonly element: HTMLElement;
    private readonly head: SearchedHead;
    private readonly chart: FlameChart;
    private readonly tooltip = new Tooltip();
    private readonly turn: HTMLButtonElement;
    private readonly all: HTMLButtonElement;
    private readonly legend = h("span", { class: "legend frames" });
    private readonly status = h("p", { class: "status-line", role: "status" });
    private readonly said = h("div", { class: "over" });
    private readonly latest = new Latest();
    private flame: Flame | null = null;

    constructor(private readonly stacks: Stacks) {
        this.head = new SearchedHead(stacks.store, "Flame graph", () => {});
        this.chart = new FlameChart({
            hover: (node, event) => this.hover(node, event),
            zoomed: (node) => {
                this.all.disabled = node === 0;
            },
        });
        const { store } = stacks;
        this.turn = h("button", {
            type: "button",
            onclick: () => store.change({ up: !store.state.up }),
        });
        this.all = h(
            "button",
            { type: "button", disabled: true, onclick: () => this.chart.zoomTo(0) },
            "Zoom out",
        );
        this.head.element.append(this.turn, this.all, this.legend);
        this.element = h(
            "div",
            { class: "flame" },
            this.head.element,
            h("div", { class: "stage" }, this.chart.pane.element, this.said),
            this.status,
            this.tooltip.element,
        );
    }

    show(state: StackState): void {
        this.head.take(state.q);
        this.chart.turn(state.up);
        fill(this.turn, state.up ? "Root at the top" : "Root at the bottom");
        const question = this.stacks.question();
        if (this.latest.isNew(question.key)) {
            fill(this.said, message("loading", "Adding up stacks …"));
            void this.load(question, false);
        } else this.search(state.q);
    }

    /** Asks the same again, of a program that runs; zoom and search stay. */
    refresh(): Promise<void> {
        return this.load(this.stacks.question(), true);
    }

    hide(): void {
        this.tooltip.hide();
    }

    private async load(question: StackQuestion, keep: boolean): Promise<void> {
        try {
            const flame = await this.latest.of(question.flame());
            if (!flame) return;
            this.flame = flame;
            const left =
                flame.left_out > 0 ? `${counted(flame.left_out, "small frame")} not drawn` : "";
            fill(this.status, left || "Click or Enter zooms to a frame.");
            this.chart.set(flame, keep);
            this.showLegend(flame);
            this.search(this.stacks.store.state.q);
            fill(this.said, flame.nodes.parent.length < 2 && message("empty", this.stacks.empty));
        } catch (error) {
            this.latest.forget();
            fill(this.said, message("error", failure(error)));
        }
    }

    private search(query: string): void {
        const share = this.chart.search(query);
        this.head.say(share === null ? "" : `${percent(share, 1)} matched`);
    }

    private showLegend({ functions }: Flame): void {
        const kinds = new Set<FrameKind>(
            functions.kind.map((kind, i) => kindOf(kind, functions.own[i])),
        );
        const known = (Object.keys(KIND_NAMES) as FrameKind[]).filter((kind) => kinds.has(kind));
        fill(
            this.legend,
            ...known.map((kind) => h("span", { class: `frame-${kind}` }, KIND_NAMES[kind])),
        );
    }

    private hover(node: number, event: MouseEvent | null): void {
        if (node < 0 || !this.flame) return this.tooltip.hide();
        const { functions, nodes, total, unit } = this.flame;
        const i = nodes.function[node];
        const what = node === 0 ? "all" : functions.name[i];
        const where = node === 0 ? "" : place(functions.file[i], functions.line[i]);
        const amounts = `${weight(nodes.total[node], unit)} (${percent(nodes.total[node], total)}), self ${weight(nodes.self[node], unit)} (${percent(nodes.self[node], total)}), ${count(nodes.count[node])} ×`;
        fill(
            this.status,
            name(what, "code"),
            " ",
            h("span", { class: "quiet" }, name(where)),
            " ",
            amounts,
        );
        if (!event) return this.tooltip.hide();
        this.tooltip.show(
            event,
            name(what, "code"),
            h("span", { class: "quiet" }, name(where)),
            amounts,
        );
    }
}
