// What the trace is: facts, where the threads' time went, how good the samples are, and in plain words what is missing.

import type { Functions, SpanTable, Thread, Trace } from "../api";
import type { App, View } from "../app";
import { stackFilter } from "../app";
import { fill, h, name } from "../dom";
import { bytes, count, counted, duration, percent, place, shortPath, weight } from "../format";

const TOP = 8;

export class SummaryView implements View {
    readonly element: HTMLElement;
    private readonly hot = h("div", { class: "pair" });
    private asked = false;

    constructor(private readonly app: App) {
        const { trace } = app;
        this.element = h(
            "div",
            { class: "summary page" },
            notes(trace),
            facts(trace),
            threads(app),
            this.hot,
            attributes(trace),
        );
    }

    show(): void {
        if (this.asked) return;
        this.asked = true;
        void this.fillHot();
    }

    // The two lists are an extra: where they fail, their own views say why.
    private async fillHot(): Promise<void> {
        const { source, trace, store } = this.app;
        const { counts } = trace;
        const whole = { ...store.state, range: null, threads: null };
        const [functions, spans] = await Promise.allSettled([
            source.functions(stackFilter(this.app, whole)),
            counts.spans > 0 ? source.spanTable({}) : Promise.reject(new Error("no spans")),
        ]);
        fill(
            this.hot,
            functions.status === "fulfilled" && hotFunctions(this.app, functions.value),
            spans.status === "fulfilled" && hotSpans(this.app, spans.value),
        );
    }
}

function notes(trace: Trace): HTMLElement | null {
    if (trace.notes.length === 0) return null;
    const list = h("ul", { class: "notes", "aria-label": "What to know about this trace" });
    for (const note of trace.notes) list.append(h("li", {}, note));
    return list;
}

function fact(list: HTMLElement, term: string, ...what: (Node | string)[]): void {
    list.append(h("div", {}, h("dt", {}, term), h("dd", {}, ...what)));
}

function facts(trace: Trace): HTMLElement {
    const { counts, sampling } = trace;
    const list = h("dl", { class: "facts" });
    fact(list, "Duration", duration(trace.duration_ns));
    if (trace.began_at) fact(list, "Began", began(trace.began_at));
    fact(list, "File", bytes(trace.bytes));
    const many: [number, string][] = [
        [counts.samples, "Samples"],
        [counts.spans, "Spans"],
        [counts.calls, "Calls"],
        [counts.instants, "Instants"],
        [counts.counters, "Counters"],
        [counts.flows, "Flows"],
    ];
    for (const [n, title] of many) if (n > 0) fact(list, title, count(n));
    if (sampling) {
        fact(list, "Sampled", `${count(sampling.hz)} times a second`);
        const all = sampling.taken + sampling.torn + sampling.missed;
        fact(list, "Torn", `${count(sampling.torn)} (${percent(sampling.torn, all)})`);
        fact(list, "Missed", `${count(sampling.missed)} (${percent(sampling.missed, all)})`);
    }
    const section = h("section", {}, list);
    if (trace.command)
        section.prepend(h("p", { class: "command" }, h("code", {}, name(trace.command))));
    return section;
}

function began(iso: string): HTMLElement | string {
    const date = new Date(iso);
    if (Number.isNaN(date.getTime())) return iso;
    return h(
        "time",
        { datetime: iso, title: iso },
        date.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" }),
    );
}

function threads(app: App): HTMLElement | null {
    const { trace } = app;
    if (trace.threads.length === 0) return null;
    const timed = trace.threads.some((t) => t.running_ns + t.gil_wait_ns + t.idle_ns > 0);
    const head = h(
        "tr",
        {},
        ...["Thread", "Id", "Spans", "Samples"].map((title, i) =>
            h("th", { scope: "col", class: i ? "number" : "" }, title),
        ),
    );
    if (timed) {
        head.append(
            h("th", { scope: "col", class: "bar" }, legend()),
            ...["On a CPU", "Waits for GIL", "Idle"].map((title) =>
                h("th", { scope: "col", class: "number" }, title),
            ),
        );
    }
    const body = h("tbody");
    for (const process of trace.processes) {
        const own = trace.threads.filter((thread) => thread.process === process.id);
        if (own.length === 0) continue;
        body.append(
            h(
                "tr",
                { class: "group" },
                h(
                    "th",
                    { scope: "rowgroup", colspan: timed ? 8 : 4 },
                    name(process.name || process.command || "process"),
                    h("small", {}, ` pid ${process.pid} · ${counted(own.length, "thread")}`),
                ),
            ),
        );
        body.append(...own.map((thread) => threadRow(app, thread, timed)));
    }
    return h(
        "section",
        {},
        h("h2", {}, "Processes and threads"),
        h("div", { class: "table" }, h("table", {}, h("thead", {}, head), body)),
    );
}

function threadRow(app: App, thread: Thread, timed: boolean): HTMLElement {
    const only = h(
        "button",
        {
            type: "button",
            class: "link",
            title: "Its timeline",
            onclick: () => app.store.change({ view: "timeline", threads: [thread.id] }),
        },
        name(thread.name || `thread ${thread.tid}`),
    );
    const row = h(
        "tr",
        {},
        h("td", {}, only),
        number(String(thread.tid)),
        number(count(thread.spans)),
        number(count(thread.samples)),
    );
    if (!timed) return row;
    const { running_ns, gil_wait_ns, idle_ns } = thread;
    const all = running_ns + gil_wait_ns + idle_ns;
    row.append(
        h("td", { class: "bar" }, all > 0 && shares([running_ns, gil_wait_ns, idle_ns], all)),
    );
    row.append(
        ...[running_ns, gil_wait_ns, idle_ns].map((ns) => number(all > 0 ? duration(ns) : "–")),
    );
    return row;
}

function number(text: string): HTMLElement {
    return h("td", { class: "number" }, text);
}

const KINDS = ["running", "gil-wait", "idle"];

function legend(): HTMLElement {
    const words = ["on a CPU", "waits for the GIL", "idle"];
    return h(
        "span",
        { class: "legend" },
        ...words.map((word, i) => h("span", { class: KINDS[i] }, word)),
    );
}

function shares(parts: number[], whole: number): HTMLElement {
    const bar = h("div", {
        class: "shares",
        role: "img",
        "aria-label": parts.map((part, i) => `${KINDS[i]} ${percent(part, whole)}`).join(", "),
    });
    parts.forEach((part, i) => {
        const piece = h("span", { class: KINDS[i] });
        piece.style.width = `${(100 * part) / whole}%`;
        bar.append(piece);
    });
    return bar;
}

function hotFunctions(app: App, answer: Functions): HTMLElement | null {
    const { rows, total, unit } = answer;
    if (rows.name.length === 0) return null;
    const list = h("ol", { class: "hot" });
    for (let i = 0; i < Math.min(TOP, rows.name.length); i++) {
        const title = place(rows.file[i], rows.line[i]);
        list.append(
            h(
                "li",
                { class: rows.own[i] ? "own" : "" },
                h("span", { class: "number" }, percent(rows.self[i], total)),
                name(rows.name[i], "code"),
                h("small", { title }, place(shortPath(rows.file[i]), rows.line[i])),
                h("span", { class: "number" }, weight(rows.self[i], unit)),
            ),
        );
    }
    return h("section", {}, h("h2", {}, "Hot functions", to(app, "functions")), list);
}

function hotSpans(app: App, { rows }: SpanTable): HTMLElement | null {
    if (rows.name.length === 0) return null;
    const order = rows.total.map((_, i) => i).sort((a, b) => rows.total[b] - rows.total[a]);
    const list = h("ol", { class: "hot spans" });
    for (const i of order.slice(0, TOP)) {
        list.append(
            h(
                "li",
                {},
                h("span", { class: "number" }, duration(rows.total[i])),
                name(rows.name[i]),
                h("small", {}, `${count(rows.count[i])} × ${duration(rows.mean[i])}`),
            ),
        );
    }
    return h("section", {}, h("h2", {}, "Long spans", to(app, "spans")), list);
}

function to(app: App, view: "functions" | "spans"): HTMLElement {
    return h(
        "button",
        { type: "button", class: "link", onclick: () => app.store.change({ view }) },
        "all",
    );
}

function attributes(trace: Trace): HTMLElement | null {
    const entries = Object.entries(trace.attributes);
    if (entries.length === 0) return null;
    const list = h("dl", { class: "attributes" });
    for (const [key, value] of entries)
        list.append(h("dt", {}, name(key)), h("dd", {}, name(String(value))));
    return h("section", {}, h("h2", {}, "Attributes"), list);
}
