// Where time goes, function by function: a table by self and total weight, own code marked.

import type { Functions } from "../api";
import { Latest, type View } from "../app";
import { failure, fill, h, message, name } from "../dom";
import { count, counted, percent, place, shortPath, weight } from "../format";
import type { StackQuestion, StackState, Stacks } from "../stacks";
import { Table, type TableOptions } from "../table";
import { SearchedHead } from "./searched";

export class FunctionsView implements View<StackState> {
    readonly element: HTMLElement;
    private readonly head: SearchedHead;
    private readonly said = h("div");
    private readonly body = h("div");
    private readonly latest = new Latest();
    private table: Table | null = null;

    constructor(private readonly stacks: Stacks) {
        this.head = new SearchedHead(stacks.store, "Functions", (query) => this.search(query));
        this.element = h(
            "div",
            { class: "functions page" },
            this.head.element,
            this.said,
            this.body,
        );
    }

    show(state: StackState): void {
        this.head.take(state.q);
        const question = this.stacks.question();
        if (this.latest.isNew(question.key)) {
            if (!this.table) fill(this.said, message("loading", "Adding up …"));
            void this.load(question);
        } else this.search(state.q);
    }

    /** Asks the same again, of a program that runs; order and search stay. */
    refresh(): Promise<void> {
        return this.load(this.stacks.question());
    }

    private async load(question: StackQuestion): Promise<void> {
        this.body.setAttribute("aria-busy", "true");
        try {
            const answer = await this.latest.of(question.functions());
            if (answer) this.fill(answer, question.of === "spans" ? "call" : "sample");
        } catch (error) {
            this.latest.forget();
            fill(this.said, message("error", failure(error)));
        }
        this.body.removeAttribute("aria-busy");
    }

    private fill(answer: Functions, one: string): void {
        const options = tableOptions(this.stacks, answer, one);
        if (this.table) this.table.replace(options);
        else {
            this.table = new Table(options);
            fill(this.body, this.table.element);
        }
        fill(this.said);
        this.search(this.head.input.value);
    }

    private search(query: string): void {
        if (!this.table) return;
        const found = this.table.search(query);
        this.head.say(counted(found, "function"));
    }
}

function tableOptions({ store, empty }: Stacks, answer: Functions, one: string): TableOptions {
    const { rows, total, unit } = answer;
    const most = Math.max(1, ...rows.self);
    return {
        label: "Functions",
        none: empty,
        rows: rows.name.length,
        sort: 0,
        text: (i) => `${rows.name[i]} ${rows.file[i]}`.toLowerCase(),
        classes: (i) => (rows.own[i] ? "own" : ""),
        key: (i) => `${rows.name[i]} ${rows.file[i]}:${rows.line[i]}`,
        open: (i) => store.change({ view: "flame", q: rows.name[i] }),
        columns: [
            {
                title: "Self",
                numeric: true,
                hint: "in the function itself",
                value: (i) => rows.self[i],
                cell: (i) => barred(weight(rows.self[i], unit), rows.self[i] / most),
            },
            {
                title: "Self %",
                numeric: true,
                value: (i) => rows.self[i],
                cell: (i) => percent(rows.self[i], total),
            },
            {
                title: "Total",
                numeric: true,
                hint: "with all that it calls",
                value: (i) => rows.total[i],
                cell: (i) => weight(rows.total[i], unit),
            },
            {
                title: "Total %",
                numeric: true,
                value: (i) => rows.total[i],
                cell: (i) => percent(rows.total[i], total),
            },
            {
                title: one === "call" ? "Calls" : "Samples",
                numeric: true,
                value: (i) => rows.count[i],
                cell: (i) => count(rows.count[i]),
            },
            {
                title: "Function",
                value: (i) => rows.name[i],
                cell: (i) => named(rows.name[i], rows.own[i]),
            },
            {
                title: "Where",
                value: (i) => `${rows.file[i]}:${String(rows.line[i]).padStart(9)}`,
                cell: (i) => where(rows.file[i], rows.line[i], rows.hot_line[i]),
            },
        ],
    };
}

function barred(text: string, share: number): HTMLElement {
    const bar = h("span", { class: "inbar" });
    bar.style.width = `${100 * share}%`;
    return h("span", { class: "barred" }, bar, text);
}

function named(text: string, own: boolean): HTMLElement {
    const mark =
        own &&
        h(
            "span",
            { class: "mark", title: "your own code", role: "img", "aria-label": "own code" },
            "●",
        );
    return h("span", {}, mark, name(text, "code"));
}

function where(file: string, line: number, hot: number): HTMLElement {
    const cell = h(
        "span",
        { class: "where", title: place(file, line) },
        name(place(shortPath(file), line)),
    );
    if (hot > 0 && hot !== line)
        cell.append(h("small", { title: "the line that is on top most often" }, ` hot: ${hot}`));
    return cell;
}
