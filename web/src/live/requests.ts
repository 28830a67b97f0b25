// The routes of a web application: how often each was asked for, how often it failed, how long it took.

import { Latest } from "../app";
import { fill, h, name } from "../dom";
import { count, counted, duration } from "../format";
import type { TableOptions } from "../table";
import { SearchedHead, SearchedTable } from "../views/searched";
import type { Routes } from "./api";
import type { LiveApp, LiveView } from "./app";
import type { LiveState } from "./state";

export class RequestsView implements LiveView {
    readonly element: HTMLElement;
    private readonly head: SearchedHead;
    private readonly now = h("p", { class: "quiet" });
    private readonly table: SearchedTable;
    private readonly latest = new Latest();

    constructor(private readonly app: LiveApp) {
        this.head = new SearchedHead(app.store, "Requests", () => this.table.search());
        this.table = new SearchedTable(this.head, "route");
        this.element = h("div", { class: "page" }, this.head.element, this.now, this.table.element);
    }

    show(state: LiveState): void {
        this.head.take(state.q);
        this.hear();
        if (!this.latest.isNew(state.worker)) return this.table.search();
        this.table.wait("Adding up …");
        void this.refresh();
    }

    hear(): void {
        const { open, count: all, errors } = this.app.status.requests;
        const words = `${counted(all, "request")}, ${count(errors)} failed, ${count(open)} open now.`;
        fill(this.now, words);
    }

    async refresh(): Promise<void> {
        try {
            const { server, store } = this.app;
            const routes = await this.latest.of(server.routes(store.state.worker));
            if (routes) this.table.put(tableOptions(routes));
        } catch (error) {
            this.table.fail(error);
        }
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
