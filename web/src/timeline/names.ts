// The column of the tracks' names beside the timeline: real elements, so that they can be read, reached by Tab, and
// stay in sight while a tall track passes.

import { fill, h, name } from "../dom";
import { duration, quantity } from "../format";
import type { Row } from "./rows";

export class NameColumn {
    readonly element = h("div", { class: "track-names" });

    constructor(private readonly toggle: (key: string) => void) {}

    show(rows: Row[]): void {
        const focused = (document.activeElement as HTMLElement | null)?.dataset.key;
        fill(this.element, ...rows.map((row) => this.row(row)));
        if (focused)
            this.element.querySelector<HTMLElement>(`[data-key="${CSS.escape(focused)}"]`)?.focus();
    }

    private row(row: Row): HTMLElement {
        const label = [...labelOf(row)];
        const content = row.opens
            ? h(
                  "button",
                  {
                      type: "button",
                      class: "track-name",
                      "data-key": row.key,
                      "aria-expanded": String(!row.collapsed),
                      onclick: () => this.toggle(row.key),
                  },
                  h("span", { class: "twist", "aria-hidden": "true" }),
                  ...label,
              )
            : h("div", { class: "track-name" }, h("span", { class: "twist none" }), ...label);
        const element = h(
            "div",
            { class: `track-row ${row.kind} ${row.track?.kind ?? ""}` },
            content,
        );
        element.style.height = `${row.height}px`;
        element.style.setProperty("--level", String(row.level));
        return element;
    }
}

function labelOf(row: Row): (Node | string)[] {
    if (row.process) {
        const { name: title, command, pid } = row.process;
        return [name(title || command || "process"), h("small", {}, ` ${pid}`)];
    }
    const track = row.track!;
    const label: (Node | string)[] = [
        name(track.name || (row.thread ? `thread ${row.thread.tid}` : "")),
    ];
    if (row.chart)
        label.push(
            h("small", {}, `${quantity(track.least, null)} – ${quantity(track.most, track.unit)}`),
        );
    else if (row.thread && !row.collapsed && row.height > 40) {
        const { tid, running_ns } = row.thread;
        label.push(
            h("small", {}, running_ns > 0 ? `${tid}, ${duration(running_ns)} on a CPU` : ` ${tid}`),
        );
    }
    return label;
}
