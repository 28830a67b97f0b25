// Threads and tasks, and where each is now. Which stacks are unfolded stays when they are asked for again.

import { Latest } from "../app";
import { called, failure, fill, h, message, name } from "../dom";
import { count, counted, place, shortPath } from "../format";
import { hasAll, wordsOf } from "../match";
import { SearchedHead } from "../views/searched";
import type { Dump, Place, Running } from "./api";
import type { LiveApp, LiveView } from "./app";
import type { LiveState } from "./state";

const SHOWN = 200;

export class ThreadsView implements LiveView {
    readonly element: HTMLElement;
    private readonly head: SearchedHead;
    private readonly auto = h("input", { type: "checkbox", checked: true });
    private readonly said = h("div");
    private readonly body = h("div");
    private readonly open = new Set<string>();
    private dump: Dump | null = null;
    private shown = SHOWN;
    private readonly latest = new Latest();

    constructor(private readonly app: LiveApp) {
        this.head = new SearchedHead(app.store, "Threads and tasks", () => this.render());
        const button = (title: string, onclick: () => void) =>
            h("button", { type: "button", onclick }, title);
        this.head.element.append(
            h("span", { class: "spring" }),
            button("Unfold all", () => this.fold(false)),
            button("Fold all", () => this.fold(true)),
            h("label", {}, this.auto, " keep up"),
            button("Refresh", () => void this.load()),
        );
        this.element = h("div", { class: "threads page" }, this.head.element, this.said, this.body);
    }

    show(state: LiveState): void {
        this.head.take(state.q);
        if (this.latest.isNew(state.worker)) void this.load();
        else this.render();
    }

    async refresh(): Promise<void> {
        if (this.auto.checked) await this.load();
    }

    private async load(): Promise<void> {
        if (!this.dump) fill(this.said, message("loading", "Reading stacks …"));
        try {
            const { server, store } = this.app;
            const dump = await this.latest.of(server.dump(store.state.worker));
            if (!dump) return;
            this.dump = dump;
            fill(this.said);
            this.render();
        } catch (error) {
            fill(this.said, message("error", failure(error)));
        }
    }

    private fold(closed: boolean): void {
        this.open.clear();
        if (!closed && this.dump) {
            for (const one of [...this.dump.threads, ...this.dump.tasks]) this.open.add(keyOf(one));
        }
        this.render();
    }

    private render(): void {
        if (!this.dump) return;
        const words = wordsOf(this.head.input.value);
        const found = (all: Running[]) => all.filter((one) => matches(one, words));
        const [threads, tasks] = [found(this.dump.threads), found(this.dump.tasks)];
        this.head.say(
            [counted(threads.length, "thread"), tasks.length > 0 && counted(tasks.length, "task")]
                .filter(Boolean)
                .join(", "),
        );
        const focused = document.activeElement?.closest<HTMLElement>("details[data-key]");
        const { left_out } = this.dump;
        fill(
            this.body,
            this.group("Threads", threads),
            this.group("Tasks", tasks),
            left_out > 0 && h("p", { class: "more" }, `${count(left_out)} more are not shown.`),
        );
        if (focused && !focused.isConnected) this.focus(focused.dataset.key!);
    }

    private focus(key: string): void {
        const all = [...this.body.querySelectorAll<HTMLElement>("details[data-key]")];
        all.find((one) => one.dataset.key === key)
            ?.querySelector("summary")
            ?.focus();
    }

    private group(title: string, all: Running[]): HTMLElement | null {
        if (all.length === 0) return null;
        const section = h("section", {}, h("h3", {}, title));
        const severalProcesses = this.app.status.workers.length > 1;
        for (const one of all.slice(0, this.shown)) {
            section.append(this.running(one, severalProcesses));
        }
        const left = all.length - this.shown;
        if (left > 0) {
            const more = () => {
                this.shown = Number.POSITIVE_INFINITY;
                this.render();
            };
            const button = h(
                "button",
                { type: "button", onclick: more },
                `Show ${count(left)} more`,
            );
            section.append(h("p", { class: "more" }, button));
        }
        return section;
    }

    private running(one: Running, withProcess: boolean): HTMLElement {
        const key = keyOf(one);
        const details = h(
            "details",
            { class: "running", "data-key": key, open: this.open.has(key) },
            h(
                "summary",
                {},
                h("span", { class: `state ${stateClass(one.state)}` }, one.state),
                h(
                    "span",
                    { class: "who" },
                    name(one.name),
                    h("small", {}, withProcess ? ` ${one.tid} · pid ${one.pid}` : ` ${one.tid}`),
                ),
                h("span", { class: "top" }, ...now(one.stack)),
            ),
            h("ol", { class: "stack" }, ...one.stack.map((at) => h("li", {}, frame(at)))),
        );
        details.addEventListener("toggle", () => {
            if (details.open) this.open.add(key);
            else this.open.delete(key);
        });
        return details;
    }
}

function keyOf(one: Running): string {
    return `${one.pid} ${one.tid} ${one.name}`;
}

function matches(one: Running, words: string[]): boolean {
    if (words.length === 0) return true;
    const calls = one.stack.map((at) => `${at.function} ${at.file}`);
    const text = [one.name, one.state, one.tid, one.pid, ...calls].join(" ").toLowerCase();
    return hasAll(text, words);
}

function stateClass(state: string): string {
    if (/gil/i.test(state)) return "gil-wait";
    return /^running/.test(state) ? "running" : "idle";
}

/** The innermost call, and the user's own code that led there. */
function now(stack: Place[]): (HTMLElement | string)[] {
    const [top] = stack;
    if (!top) return ["no stack"];
    const own = stack.find((at) => at.own);
    return own && own !== top ? [frame(top), " ← ", frame(own)] : [frame(top)];
}

function frame({ function: text, file, line, own }: Place): HTMLElement {
    const where = h("span", { class: "where", title: place(file, line) });
    where.append(name(place(shortPath(file), line)));
    return h("span", { class: "frame-line" }, called(text, own), " ", file && where);
}
