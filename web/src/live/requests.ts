// The routes of a web application: how often each was asked for, how often it failed, how long it took.

import { failure, fill, h, message, name } from "../dom";
import { count, counted, duration } from "../format";
import { Table, type TableOptions } from "../table";
import { SearchedHead } from "../views/searched";
import type { Routes } from "./api";
import type { LiveApp, LiveView } from "./app";
import type { LiveState } from "./state";

export class RequestsView implements LiveView {
    readonly element: HTMLElement;
    private readonly head: SearchedHead;
    private readonly now = h("p", { class: "quiet" });
    private readonly said = h("div");
    private readonly body = h("div");
    private table: Table | null = null;
    private asked = "";

    constructor(private readonly app: LiveApp) {
        this.head = new SearchedHead(app.store, "Requests", () => this.search());
        this.element = h(
            "div",
            { class: "page" },
            this.head.element,
            this.now,
            this.said,
            this.body,
        );
    }

    show(state: LiveState): void {
        this.head.take(state.q);
        const asked = String(state.worker);
        if (asked === this.asked) return this.search();
        this.asked = asked;
        if (!this.table) fill(this.said, message("loading", "Adding up …"));
        void this.refresh();
    }

    hear(): void {
        const { open, count: all, errors } = this.app.status.requests;
        fill(
            this.now,
            `${counted(all, "request")}, ${count(errors)} failed, ${count(open)} open now.`,
        );
    }

    async refresh(): Promise<void> {
        this.hear();
        try {
            const options = tableOptions(await this.app.server.routes(this.app.store.state.worker));
            if (this.table) this.table.replace(options);
            else {
                this.table = new Table(options);
                fill(this.body, this.table.element);
            }
            fill(this.said);
            this.search();
        } catch (error) {
            fill(this.said, message("error", failure(error)));
        }
    }

    private search(): void {
        if (this.table) this.head.say(counted(this.table.search(this.head.input.value), "route"));
    }
}

function tableOptions({ rows }: Routes): TableOptions {
    const timed = (title: string, values: number[], hint?: string) => ({
        title,
        hint,
        numeric: true,
        value: (i: number) => values[i],
        cell: (i: number) => duration(1e9 * values[i]),
    });
    return {
        label: "Routes",
        none: "No request has been answered yet.",
        rows: rows.name.length,
        sort: 1,
        key: (i) => rows.name[i],
        text: (i) => rows.name[i].toLowerCase(),
        classes: (i) => (rows.errors[i] ? "failed" : ""),
        columns: [
            {
                title: "Route",
                value: (i) => rows.name[i],
                cell: (i) => name(rows.name[i], "code"),
            },
            {
                title: "Requests",
                numeric: true,
                value: (i) => rows.requests[i],
                cell: (i) => count(rows.requests[i]),
            },
            {
                title: "Failed",
                numeric: true,
                hint: "by an exception, or a status from 500 on",
                value: (i) => rows.errors[i],
                cell: (i) => (rows.errors[i] ? count(rows.errors[i]) : ""),
            },
            timed("Mean", rows.mean),
            timed("Median", rows.p50, "half of them are quicker"),
            timed("95 %", rows.p95, "95 of 100 are quicker"),
            timed("99 %", rows.p99, "99 of 100 are quicker"),
            timed("Longest", rows.max),
        ],
    };
}
