// What leaves the page: the file itself, other formats, speedscope's view, Perfetto's page.

import { type App, stackFilter } from "./app";
import { pickMenu } from "./controls";
import { failure, fill, h } from "./dom";
import { handOver } from "./perfetto";

export function exportMenu(app: App): HTMLElement {
    const status = h("p", { class: "status", role: "status" });
    const list = h("div", { class: "list" });
    const build = () => fill(list, ...entries(app, status), status);
    const menu = pickMenu("Open in …", list, build);
    const nothing = app.source.fileLink() === null && app.source.convertLink("folded", {}) === null;
    menu.hidden = nothing;
    return menu;
}

function entries(app: App, status: HTMLElement): HTMLElement[] {
    const { source, store, trace } = app;
    const say = (text: string) => fill(status, text);
    const made: HTMLElement[] = [];
    const { file, perfettoServer } = source;
    if (file) {
        const open = () => handOver(file, trace.file, say).catch((error) => say(failure(error)));
        made.push(
            entry(
                "Perfetto",
                "ui.perfetto.dev in another window; the trace goes from this page to that one, and nowhere else",
                open,
            ),
        );
    }
    if (perfettoServer && trace.perfetto_server) {
        const open = () =>
            perfettoServer().then(
                (url) => void window.open(url, "_blank", "noopener"),
                (error) => say(failure(error)),
            );
        made.push(
            entry(
                "Perfetto, by 127.0.0.1:9001",
                "where windows may not talk to each other; newer browsers ask whether Perfetto may",
                open,
            ),
        );
    }
    const filter = stackFilter(app, store.state);
    const formats = trace.formats ?? [];
    const speedscope = source.convertLink("speedscope", filter);
    if (speedscope && formats.some((format) => format.name === "speedscope")) {
        const address = new URL(speedscope, document.baseURI);
        const link = `speedscope/index.html#profileURL=${encodeURIComponent(address.href)}&title=${encodeURIComponent(trace.file)}`;
        made.push(
            h(
                "a",
                { href: link, target: "_blank", rel: "noopener" },
                h("b", {}, "speedscope"),
                h("small", {}, "in another window, from this server"),
            ),
        );
    }
    const bytes = source.fileLink();
    if (bytes || formats.length) made.push(h("h2", {}, "Download"));
    if (bytes)
        made.push(
            h(
                "a",
                { href: bytes, download: trace.file },
                h("b", {}, "trace"),
                h("small", {}, "the file as it is"),
            ),
        );
    for (const { name, summary } of formats) {
        const link = source.convertLink(name, filter);
        if (link)
            made.push(
                h("a", { href: link, download: true }, h("b", {}, name), h("small", {}, summary)),
            );
    }
    return made;
}

function entry(title: string, what: string, onclick: () => void): HTMLElement {
    return h("button", { type: "button", onclick }, h("b", {}, title), h("small", {}, what));
}
