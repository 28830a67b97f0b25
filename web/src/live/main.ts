// The live page's beginning: the theme, the program's state, then the frame with its views.

import "../style/base.css";
import "../style/frame.css";
import "../style/views.css";
import "../style/live.css";
import { fill, message } from "../dom";
import { startTheme } from "../theme";
import { Connection } from "./connection";
import { LiveFrame } from "./frame";
import { LiveServer } from "./server";
import { LiveStore } from "./state";

function start(page: HTMLElement): void {
    startTheme();
    fill(page, message("loading", "Asking the application …"));
    const server = new LiveServer();
    let frame: LiveFrame | null = null;
    const connection = new Connection(server, {
        status(status) {
            if (frame) return frame.hear(status);
            document.title = `${status.name} – Marey`;
            frame = new LiveFrame(
                { server, status, store: new LiveStore() },
                () => void connection.ask(),
            );
            fill(page, frame.element);
            frame.start();
        },
        trouble(words) {
            if (frame) frame.say(words);
            else if (words) fill(page, message("error", words));
        },
    });
    connection.listen();
    document.addEventListener("visibilitychange", () => {
        if (document.hidden) connection.rest();
        else connection.listen();
    });
}

const page = document.getElementById("page");
if (page) start(page);
