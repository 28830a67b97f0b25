// The state of the sampling, and what can be done about it: only what the state allows.

import { failure, fill, h } from "../dom";
import { count, percent } from "../format";
import type { Action, Mode, Sampling, Status, Worker } from "./api";
import type { LiveApp } from "./app";
import { askOnce } from "./dialog";
import { MODE_WORDS, type Order, ordersFor, rate, STATE_WORDS, statesOf } from "./words";

const ORDERS: [Order, string, string][] = [
    ["start", "Start", "Sample the stacks of all threads"],
    ["resume", "Resume", "Go on"],
    ["pause", "Pause", "Take no samples until Resume"],
    ["stop", "Stop", "End the sampling: its thread ends, the profile stays until Reset"],
];
const [HZ_MIN, HZ_MAX] = [0.1, 100_000];

export class Bar {
    readonly element: HTMLElement;
    private readonly facts = h("dl", { class: "facts" });
    private readonly buttons = new Map<Order, HTMLButtonElement>();
    private readonly hz = h("input", {
        type: "number",
        min: HZ_MIN,
        max: HZ_MAX,
        step: "any",
        onchange: () => this.setRate(),
    });
    private readonly mode = h("select", {
        title: "Which threads: all that do not sleep, those on a CPU, those with the GIL; the profile begins anew",
        onchange: () => this.send({ action: "mode", value: this.mode.value as Mode }),
    });
    private readonly reset = h(
        "button",
        { type: "button", onclick: () => void this.forget() },
        "Reset …",
    );
    private readonly worker = h("select", { onchange: () => this.choose() });
    private readonly workerField = field("Worker", this.worker);
    private readonly said = h("p", { class: "said", role: "status" });

    /** changed: an order has been carried out. */
    constructor(
        private readonly app: LiveApp,
        private readonly changed: () => void,
    ) {
        for (const [mode, words] of Object.entries(MODE_WORDS)) {
            this.mode.append(new Option(`${mode}: ${words}`, mode));
        }
        const orders = h("div", { class: "orders", role: "group", "aria-label": "Sampling" });
        orders.append(
            ...ORDERS.map((order) => this.button(...order)),
            field("Rate", this.hz, "Hz"),
            field("Mode", this.mode),
            this.reset,
            this.workerField,
        );
        this.element = h(
            "section",
            { class: "bar-live", "aria-label": "State" },
            this.facts,
            orders,
            this.said,
        );
    }

    private button(action: Order, text: string, title: string): HTMLElement {
        const button = h(
            "button",
            {
                type: "button",
                class: action === "start" || action === "resume" ? "main" : null,
                title,
                onclick: () => this.send({ action }),
            },
            text,
        );
        this.buttons.set(action, button);
        return button;
    }

    show(status: Status): void {
        const { worker } = this.app.store.state;
        const one = status.workers.find(({ pid }) => pid === worker);
        fill(this.facts, ...(one ? workerFacts(one) : samplingFacts(status.sampling)));
        const allowed = ordersFor(statesOf(status, worker));
        for (const [order, button] of this.buttons) button.hidden = !allowed.has(order);
        // What is being typed or chosen stays.
        const { hz } = one ?? status.sampling;
        if (document.activeElement !== this.hz) this.hz.value = String(Number(hz.toPrecision(6)));
        if (document.activeElement !== this.mode) this.mode.value = status.sampling.mode;
        this.reset.disabled = status.sampling.samples === 0;
        this.showWorkers(status.workers, worker);
    }

    private showWorkers(workers: Worker[], chosen: number | null): void {
        this.workerField.hidden = workers.length < 2 && chosen === null;
        const titles = new Map([["", `all ${workers.length}`]]);
        for (const { pid } of workers) titles.set(String(pid), String(pid));
        const value = chosen === null ? "" : String(chosen);
        if (!titles.has(value)) titles.set(value, `${value} (ended)`);
        const options = [...titles].map(([value, title]) => new Option(title, value));
        const shown = [...this.worker.options].map(({ text }) => text).join();
        // A list that is open stays so where nothing has changed.
        if (shown !== options.map(({ text }) => text).join()) fill(this.worker, ...options);
        this.worker.value = value;
    }

    private choose(): void {
        this.app.store.change({ worker: this.worker.value ? Number(this.worker.value) : null });
    }

    private setRate(): void {
        const hz = Number(this.hz.value);
        if (hz >= HZ_MIN && hz <= HZ_MAX) void this.send({ action: "interval", value: 1 / hz });
        else this.say(`The rate is between ${HZ_MIN} and ${count(HZ_MAX)} Hz.`);
    }

    private async forget(): Promise<void> {
        const { worker } = this.app.store.state;
        const whose = worker === null ? "" : ` of worker ${worker}`;
        const sure = await askOnce(
            `Forget all samples${whose}?`,
            "The profiles of the last minute, hour and of all begin anew. Kept requests stay.",
            "Forget them",
        );
        if (sure) await this.send({ action: "reset" });
    }

    private async send(action: Action): Promise<void> {
        this.element.setAttribute("aria-busy", "true");
        try {
            await this.app.server.control(action, this.app.store.state.worker);
            this.say("");
        } catch (error) {
            this.say(failure(error));
        }
        this.element.removeAttribute("aria-busy");
        this.changed();
    }

    private say(words: string): void {
        fill(this.said, words);
    }
}

function field(title: string, control: HTMLElement, unit = ""): HTMLElement {
    return h("label", { class: "field" }, h("span", { class: "quiet" }, title), control, unit);
}

function fact(title: string, hint: string, ...what: (Node | string)[]): HTMLElement {
    return h("div", { title: hint }, h("dt", {}, title), h("dd", {}, ...what));
}

function commonFacts({ state, hz, achieved_hz, cost }: Worker | Sampling): HTMLElement[] {
    const on = state === "on";
    return [
        fact("State", "", h("span", { class: `state ${state}` }, STATE_WORDS[state])),
        fact(
            "Rate",
            "samples a second: reached, and asked for",
            on ? `${rate(achieved_hz)} of ${rate(hz)} Hz` : `${rate(hz)} Hz`,
        ),
        fact("Cost", "of one core, by the sampling itself", on ? percent(cost, 1) : "none"),
    ];
}

function samplingFacts(sampling: Sampling): HTMLElement[] {
    const { samples, torn, missed } = sampling;
    return [
        ...commonFacts(sampling),
        fact("Samples", "stacks that were read", count(samples)),
        fact("Torn", "stacks that changed while they were read: left out", count(torn)),
        fact("Missed", "times that came too late", count(missed)),
    ];
}

function workerFacts(worker: Worker): HTMLElement[] {
    return [fact("Worker", "process id", String(worker.pid)), ...commonFacts(worker)];
}
