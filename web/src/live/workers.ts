// The processes of the application: each samples itself.

import { h, name } from "../dom";
import { bytes, percent } from "../format";
import { Table, type TableOptions } from "../table";
import type { Worker } from "./api";
import type { LiveApp, LiveView } from "./app";
import { age, rate, STATE_WORDS } from "./words";

export class WorkersView implements LiveView {
    readonly element: HTMLElement;
    private readonly table: Table;

    constructor(private readonly app: LiveApp) {
        this.table = new Table(this.options());
        const head = h("div", { class: "head" }, h("h2", {}, "Workers"));
        this.element = h("div", { class: "page" }, head, this.table.element);
    }

    show(): void {
        this.hear();
    }

    hear(): void {
        this.table.replace(this.options());
    }

    async refresh(): Promise<void> {
        // What it shows comes with the state.
    }

    private options(): TableOptions {
        const { status, store } = this.app;
        const { workers } = status;
        const numeric = (
            title: string,
            of: (worker: Worker) => number,
            text: (n: number) => string,
        ) => ({
            title,
            numeric: true,
            value: (i: number) => of(workers[i]),
            cell: (i: number) => text(of(workers[i])),
        });
        return {
            label: "Workers",
            rows: workers.length,
            sort: 2,
            key: (i) => String(workers[i].pid),
            text: (i) => String(workers[i].pid),
            open: (i) => store.change({ worker: workers[i].pid }),
            classes: (i) => (workers[i].pid === store.state.worker ? "chosen" : ""),
            columns: [
                numeric("Process", ({ pid }) => pid, String),
                {
                    title: "State",
                    value: (i) => workers[i].state,
                    cell: (i) =>
                        h(
                            "span",
                            { class: `state ${workers[i].state}` },
                            STATE_WORDS[workers[i].state],
                        ),
                },
                numeric("Runs for", ({ since }) => status.now - since, age),
                numeric("Hz asked", ({ hz }) => hz, rate),
                numeric("Hz reached", ({ achieved_hz }) => achieved_hz, rate),
                numeric(
                    "Cost",
                    ({ cost }) => cost,
                    (cost) => percent(cost, 1),
                ),
                numeric("Memory", ({ rss }) => rss, bytes),
                {
                    title: "What is wrong",
                    value: (i) => workers[i].problem ?? "",
                    cell: (i) => (workers[i].problem ? name(workers[i].problem!) : ""),
                },
            ],
        };
    }
}
