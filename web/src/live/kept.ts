// Slow and failed requests whose traces were kept: each opens as a trace of its own.

import { failure, fill, h, message, name } from "../dom";
import { bytes, duration } from "../format";
import { handOver } from "../perfetto";
import type { TableOptions } from "../table";
import { SearchedHead, SearchedTable } from "../views/searched";
import type { Kept, Recording } from "./api";
import type { LiveApp, LiveView } from "./app";
import type { LiveServer } from "./server";
import type { LiveState } from "./state";
import { clock, keptWords, recorderWords } from "./words";

export class KeptView implements LiveView {
    readonly element: HTMLElement;
    private readonly head: SearchedHead;
    private readonly recorder = h("div", { class: "recorder" });
    private readonly table: SearchedTable;
    private known = "";

    constructor(private readonly app: LiveApp) {
        this.head = new SearchedHead(app.store, "Kept requests", () => this.table.search());
        this.table = new SearchedTable(this.head, "request");
        this.element = h(
            "div",
            { class: "kept page" },
            this.head.element,
            this.recorder,
            this.table.element,
        );
    }

    show(state: LiveState): void {
        this.head.take(state.q);
        this.hear();
        if (this.known) return this.table.search();
        this.table.wait("Looking for them …");
        void this.refresh();
    }

    hear(): void {
        const { recording } = this.app.status;
        fill(this.recorder, ...recorder(recording));
        this.table.element.hidden = recording === null;
    }

    async refresh(): Promise<void> {
        try {
            const kept = await this.app.server.kept();
            const known = JSON.stringify(kept);
            // What has not changed keeps its place, and what is selected in it.
            if (known === this.known) return;
            this.known = known;
            this.table.put(this.tableOptions(kept));
        } catch (error) {
            this.known = "";
            this.table.fail(error);
        }
    }

    private tableOptions({ rows }: Kept): TableOptions {
        const { server } = this.app;
        const say = (words: string) => this.table.say(message("empty", words));
        return {
            label: "Kept requests",
            none: "No request was kept yet.",
            rows: rows.name.length,
            sort: 0,
            key: (i) => rows.name[i],
            text: (i) =>
                `${rows.request[i]} ${rows.status[i] ?? ""} ${rows.reason[i]}`.toLowerCase(),
            classes: (i) => (Number(rows.status[i]) >= 500 ? "failed" : ""),
            columns: [
                {
                    title: "When",
                    numeric: true,
                    value: (i) => rows.when[i],
                    cell: (i) => moment(rows.when[i]),
                },
                {
                    title: "Request",
                    hint: "opens its trace: call tree, flame graph, timeline",
                    value: (i) => rows.request[i],
                    cell: (i) => opens(server.keptLink(rows.name[i]), rows.request[i]),
                },
                {
                    title: "Took",
                    numeric: true,
                    value: (i) => rows.duration[i],
                    cell: (i) => duration(1e9 * rows.duration[i]),
                },
                {
                    title: "Status",
                    numeric: true,
                    value: (i) => String(rows.status[i] ?? ""),
                    cell: (i) => h("span", { class: "status" }, String(rows.status[i] ?? "–")),
                },
                {
                    title: "Kept because",
                    value: (i) => rows.reason[i],
                    cell: (i) => name(rows.reason[i], "why"),
                },
                {
                    title: "Size",
                    numeric: true,
                    value: (i) => rows.bytes[i],
                    cell: (i) => bytes(rows.bytes[i]),
                },
                {
                    title: "Trace",
                    value: (i) => rows.name[i],
                    cell: (i) => takeAway(server, rows.name[i], say),
                },
            ],
        };
    }
}

function recorder(recording: Recording | null): HTMLElement[] {
    if (!recording) {
        const option = h("code", {}, "keep=[slower_than(0.5), failed()]");
        return [
            h(
                "p",
                {},
                "No request is kept. The option ",
                option,
                " keeps those that took long or failed.",
            ),
        ];
    }
    return [
        h("p", {}, recorderWords(recording)),
        h("p", { class: "quiet" }, `${keptWords(recording)}, in `, name(recording.folder, "code")),
    ];
}

function moment(seconds: number): HTMLElement {
    const iso = new Date(1000 * seconds).toISOString();
    return h("time", { datetime: iso, title: iso }, clock(seconds));
}

function opens(href: string, request: string): HTMLElement {
    return h("a", { href, target: "_blank", rel: "noopener" }, name(request, "code"));
}

function takeAway(server: LiveServer, file: string, say: (words: string) => void): HTMLElement {
    const perfetto = () =>
        handOver(() => server.keptFile(file), file, say).catch((error) => say(failure(error)));
    return h(
        "span",
        { class: "take" },
        h("a", { href: `${server.keptLink(file)}trace`, download: file }, "Download"),
        h(
            "button",
            {
                type: "button",
                class: "link",
                title: "ui.perfetto.dev in another window; the trace goes from this page to that one, and nowhere else",
                onclick: perfetto,
            },
            "Open in Perfetto",
        ),
    );
}
