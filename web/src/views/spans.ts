// Spans by name: how many, how long, which failed; and of one name the single spans, each a way into the timeline.

import type { Filter, Slices, SpanTable } from "../api";
import { type App, Latest, type View } from "../app";
import { failure, fill, h, message, name } from "../dom";
import { at, count, counted, duration } from "../format";
import { filterOf, type State } from "../state";
import { Table } from "../table";
import { SearchedHead } from "./searched";

const SLICES = 200;

export class SpansView implements View {
    readonly element: HTMLElement;
    private readonly head: SearchedHead;
    private readonly body = h("div");
    private readonly single = h("section", { class: "single", hidden: true, tabindex: -1 });
    private readonly latest = new Latest();
    private readonly latestSlices = new Latest();
    private table: Table | null = null;

    constructor(private readonly app: App) {
        this.head = new SearchedHead(app.store, "Spans", (query) => this.search(query));
        this.element = h("div", { class: "spans page" }, this.head.element, this.single, this.body);
    }

    show(state: State): void {
        this.head.take(state.q);
        const { from, to, threads } = filterOf(state);
        const filter = { from, to, threads };
        if (this.latest.isNew(filter)) void this.load(filter);
        else this.search(state.q);
    }

    private async load(filter: Filter): Promise<void> {
        this.single.hidden = true;
        if (!this.table) fill(this.body, message("loading", "Adding up …"));
        try {
            const answer = await this.latest.of(this.app.source.spanTable(filter));
            if (!answer) return;
            this.table = this.spanTable(answer, filter);
            fill(this.body, this.table.element);
            this.search(this.head.input.value);
        } catch (error) {
            this.latest.forget();
            this.table = null;
            fill(this.body, message("error", failure(error)));
        }
    }

    private search(query: string): void {
        if (this.table) this.head.say(counted(this.table.search(query), "name"));
    }

    private spanTable({ rows }: SpanTable, filter: Filter): Table {
        const timed = (title: string, values: number[], hint?: string) => ({
            title,
            hint,
            numeric: true,
            value: (i: number) => values[i],
            cell: (i: number) => duration(values[i]),
        });
        const counting = (title: string, values: number[], hint: string, zero = "") => ({
            title,
            hint,
            numeric: true,
            value: (i: number) => values[i],
            cell: (i: number) => (values[i] ? count(values[i]) : zero),
        });
        return new Table({
            label: "Spans",
            rows: rows.name.length,
            sort: 0,
            text: (i) => `${rows.name[i]} ${rows.category[i]}`.toLowerCase(),
            open: (i) => void this.loadSlices(rows.name[i], rows.category[i], filter),
            classes: (i) => (rows.errors[i] ? "failed" : ""),
            columns: [
                timed("Total", rows.total, "of all of them"),
                counting("Count", rows.count, "how many ended or not"),
                timed("Mean", rows.mean),
                timed("Median", rows.p50, "half of them are shorter"),
                timed("99 %", rows.p99, "99 of 100 are shorter"),
                timed("Longest", rows.max),
                counting("Failed", rows.errors, "ended by an exception"),
                counting("Open", rows.open, "not ended when the trace did"),
                {
                    title: "Category",
                    value: (i) => rows.category[i],
                    cell: (i) => (rows.category[i] ? name(rows.category[i]) : ""),
                },
                {
                    title: "Name",
                    value: (i) => rows.name[i],
                    cell: (i) => name(rows.name[i], "code"),
                },
            ],
        });
    }

    private async loadSlices(title: string, category: string, filter: Filter): Promise<void> {
        this.single.hidden = false;
        const close = h(
            "button",
            {
                type: "button",
                class: "clear",
                "aria-label": "Close",
                onclick: () => {
                    this.single.hidden = true;
                },
            },
            "✕",
        );
        const head = h("h3", {}, name(title, "code"), close);
        fill(this.single, head, message("loading", "Looking for them …"));
        this.single.focus();
        try {
            const query = {
                ...filter,
                name: title,
                category,
                sort: "duration" as const,
                limit: SLICES,
            };
            const answer = await this.latestSlices.of(this.app.source.slices(query));
            if (!answer) return;
            const shown = answer.rows.id.length;
            const said =
                shown < answer.count
                    ? `the longest ${count(shown)} of ${count(answer.count)}`
                    : counted(shown, "span");
            fill(
                this.single,
                head,
                h("p", { class: "quiet" }, said),
                this.sliceTable(answer).element,
            );
        } catch (error) {
            fill(this.single, head, message("error", failure(error)));
        }
    }

    private sliceTable({ rows }: Slices): Table {
        const tracks = new Map(this.app.trace.tracks.map((track) => [track.id, track.name]));
        const length = (i: number) => rows.duration[i] ?? Number.POSITIVE_INFINITY;
        return new Table({
            label: "Single spans",
            rows: rows.id.length,
            sort: 0,
            text: () => "",
            open: (i) => this.jump(rows.id[i], rows.begin[i], rows.duration[i]),
            classes: (i) => (rows.failed[i] ? "failed" : ""),
            columns: [
                {
                    title: "Duration",
                    numeric: true,
                    value: length,
                    cell: (i) => duration(rows.duration[i]),
                },
                {
                    title: "Begins at",
                    numeric: true,
                    value: (i) => rows.begin[i],
                    cell: (i) => at(rows.begin[i], 1000),
                },
                {
                    title: "Track",
                    value: (i) => tracks.get(rows.track[i]) ?? "",
                    cell: (i) => name(tracks.get(rows.track[i]) ?? ""),
                },
                {
                    title: "",
                    value: (i) => Number(rows.failed[i]),
                    cell: (i) => (rows.failed[i] ? "failed" : ""),
                },
            ],
        });
    }

    private jump(id: number, begin: number, length: number | null): void {
        const span = length ?? this.app.trace.duration_ns - begin;
        const margin = Math.max(span, 1000);
        this.app.store.change({
            view: "timeline",
            selected: `span:${id}`,
            look: [Math.floor(begin - margin), Math.ceil(begin + span + margin)],
        });
    }
}
