// The page's beginning: the theme, the source of the answers, the trace, then the frame with its views.

import "./style/base.css";
import "./style/frame.css";
import "./style/views.css";
import "./style/timeline.css";
import { failure, fill, message } from "./dom";
import { embeddedSource } from "./embedded/source";
import { Frame } from "./frame";
import { HttpSource, type Source } from "./source";
import { Store } from "./state";
import { startTheme } from "./theme";

async function start(page: HTMLElement): Promise<void> {
    startTheme();
    fill(page, message("loading", "Reading the trace …"));
    try {
        const source: Source = (await embeddedSource()) ?? new HttpSource();
        const trace = await source.trace();
        document.title = `${trace.file} – Marey`;
        const frame = new Frame({ source, trace, store: new Store() });
        fill(page, frame.element);
        frame.start();
    } catch (error) {
        fill(page, message("error", `The trace cannot be shown. ${failure(error)}`));
    }
}

const page = document.getElementById("page");
if (page) void start(page);
