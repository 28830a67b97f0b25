// Elements without markup: all text that the page shows becomes a text node, so a name in a trace is never read as HTML.

type Child = Node | string | number | null | undefined | false;
type Handler = (event: never) => void;
export type Properties = Record<string, string | number | boolean | Handler | null | undefined>;

/** An element. Properties named on… are listeners; true and false set and leave out an attribute. */
export function h<K extends keyof HTMLElementTagNameMap>(
    tag: K,
    properties: Properties = {},
    ...children: Child[]
): HTMLElementTagNameMap[K] {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(properties)) {
        if (value === null || value === undefined || value === false) continue;
        if (typeof value === "function") {
            element.addEventListener(name.slice(2), value as EventListener);
        } else {
            element.setAttribute(name, value === true ? "" : String(value));
        }
    }
    put(element, children);
    return element;
}

function put(element: Element, children: Child[]): void {
    for (const child of children) {
        if (child === null || child === undefined || child === false) continue;
        element.append(typeof child === "number" ? String(child) : child);
    }
}

/** Replaces what is in an element. */
export function fill(element: Element, ...children: Child[]): void {
    element.replaceChildren();
    put(element, children);
}

/** A name out of a trace: kept apart from what stands beside it, in whichever direction it is written. */
export function name(text: string, ...classes: string[]): HTMLElement {
    const shown = text === "" ? "(no name)" : visible(text);
    return h("bdi", { class: ["name", ...classes].join(" "), title: shown }, shown);
}

/** The name of what is called; own code is marked. */
export function called(text: string, own: boolean): HTMLElement {
    const mark =
        own &&
        h(
            "span",
            { class: "mark", title: "your own code", role: "img", "aria-label": "own code" },
            "●",
        );
    return h("span", { class: own ? "own" : null }, mark, name(text, "code"));
}

/** Controls as pictures, direction marks as what is unknown: so that a label shows what a name really holds. */
export function visible(text: string): string {
    return text
        .replace(/\p{Cc}/gu, control)
        .replace(/[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "\ufffd");
}

function control(c: string): string {
    const code = c.charCodeAt(0);
    return code < 0x20 ? String.fromCharCode(0x2400 + code) : code === 0x7f ? "\u2421" : "\ufffd";
}

export function message(kind: "loading" | "error" | "empty", text: string): HTMLElement {
    return h("p", { class: `message ${kind}`, role: kind === "error" ? "alert" : "status" }, text);
}

/** What a failure says to the reader. */
export function failure(error: unknown): string {
    return error instanceof Error ? error.message : String(error);
}
