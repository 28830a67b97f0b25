// A question that is asked before something is lost.

import { h } from "../dom";

/** Whether the reader is sure. */
export function askOnce(title: string, words: string, yes: string): Promise<boolean> {
    const dialog = h(
        "dialog",
        { class: "ask", "aria-label": title },
        h("h2", {}, title),
        h("p", {}, words),
        h(
            "form",
            { method: "dialog" },
            h("button", { value: "yes", class: "main" }, yes),
            h("button", { value: "", autofocus: true }, "Cancel"),
        ),
    );
    document.body.append(dialog);
    dialog.showModal();
    return new Promise((resolve) => {
        dialog.addEventListener("close", () => {
            dialog.remove();
            resolve(dialog.returnValue === "yes");
        });
    });
}
