// Where time goes, function by function: a table by self and total weight, own code marked.

import type { Functions } from "../api";
import { Latest, type View } from "../app";
import { called, h, name } from "../dom";
import { count, percent, place, shortPath, weight } from "../format";
import type { StackQuestion, StackState, Stacks } from "../stacks";
import type { TableOptions } from "../table";
import { SearchedHead, SearchedTable } from "./searched";

export class FunctionsView implements View<StackState> {
    readonly element: HTMLElement;
    private readonly head: SearchedHead;
    private readonly table: SearchedTable;
    private readonly latest = new Latest();

    constructor(private readonly stacks: Stacks) {
        this.head = new SearchedHead(stacks.store, "Functions", () => this.table.search());
        this.table = new SearchedTable(this.head, "function");
        this.element = h("div", { class: "functions page" }, this.head.element, this.table.element);
    }

    show(state: StackState): void {
        this.head.take(state.q);
        const question = this.stacks.question();
        if (!this.latest.isNew(question.key)) return this.table.search();
        this.table.wait("Adding up …");
        void this.load(question);
    }

    /** Asks the same again, of a program that runs; order and search stay. */
    refresh(): Promise<void> {
        return this.load(this.stacks.question());
    }

    private async load(question: StackQuestion): Promise<void> {
        this.table.element.setAttribute("aria-busy", "true");
        try {
            const answer = await this.latest.of(question.functions());
            const one = question.of === "spans" ? "call" : "sample";
            if (answer) this.table.put(tableOptions(this.stacks, answer, one));
        } catch (error) {
            this.latest.forget();
            this.table.fail(error);
        }
        this.table.element.removeAttribute("aria-busy");
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
                cell: (i) => called(rows.name[i], rows.own[i]),
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
