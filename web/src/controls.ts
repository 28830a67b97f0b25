// What the frames of both pages have: tabs, menus, the button of the theme, the way past the header.

import { fill, h } from "./dom";
import { onTheme, theme, toggleTheme } from "./theme";

/** Links to the views, of which one is shown. */
export class Tabs<V extends string> {
    readonly element = h("nav", { "aria-label": "Views" });
    private readonly links = new Map<V, HTMLElement>();

    constructor(tabs: readonly { view: V; title: string }[], choose: (view: V) => void) {
        for (const { view, title } of tabs) {
            const link = h(
                "a",
                {
                    href: `#view=${view}`,
                    onclick: (event: Event) => {
                        event.preventDefault();
                        choose(view);
                    },
                },
                title,
            );
            this.links.set(view, link);
            this.element.append(link);
        }
    }

    show(view: V): void {
        for (const [name, link] of this.links) {
            if (name === view) link.setAttribute("aria-current", "page");
            else link.removeAttribute("aria-current");
        }
        this.links.get(view)?.scrollIntoView({ block: "nearest", inline: "nearest" });
    }

    title(view: V, ...title: (Node | string)[]): void {
        fill(this.links.get(view)!, ...title);
    }
}

/** A button that opens a list: closed by Escape and by a click elsewhere. opened: fills the list. */
export function pickMenu(title: string, list: HTMLElement, opened: () => void): HTMLDetailsElement {
    const menu = h("details", { class: "pick export" }, h("summary", {}, title), list);
    menu.addEventListener("toggle", () => menu.open && opened());
    closeElsewhere(menu);
    return menu;
}

export function closeElsewhere(menu: HTMLDetailsElement): void {
    document.addEventListener("click", (event) => {
        if (!menu.contains(event.target as Node)) menu.open = false;
    });
    menu.addEventListener("keydown", (event) => {
        if (event.key !== "Escape") return;
        menu.open = false;
        menu.querySelector("summary")?.focus();
    });
}

export function skipLink(main: HTMLElement): HTMLElement {
    const skip = (event: Event) => {
        event.preventDefault();
        main.focus();
    };
    return h("a", { class: "skip", href: `#${main.id}`, onclick: skip }, "Skip to the view");
}

export function themeButton(): HTMLElement {
    const button = h("button", { type: "button", class: "quiet", onclick: toggleTheme });
    const label = () => {
        const other = theme() === "dark" ? "light" : "dark";
        fill(button, other === "light" ? "☀" : "☾");
        button.setAttribute("aria-label", `Switch to ${other}`);
        button.title = `Switch to ${other}`;
    };
    onTheme(label);
    label();
    return button;
}

export function helpButton(help: HTMLDialogElement): HTMLElement {
    return h(
        "button",
        {
            type: "button",
            class: "quiet",
            title: "Keys (?)",
            "aria-label": "Keys and help",
            onclick: () => help.showModal(),
        },
        "?",
    );
}
