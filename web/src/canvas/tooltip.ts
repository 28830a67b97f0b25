// A few lines beside the pointer that say what is below it.

import { fill, h } from "../dom";

const GAP = 14;

export class Tooltip {
    readonly element = h("div", { class: "tooltip", "aria-hidden": "true", hidden: true });

    show(event: MouseEvent, ...lines: (Node | string)[]): void {
        fill(this.element, ...lines.map((line) => h("div", {}, line)));
        this.element.hidden = false;
        const { offsetWidth: width, offsetHeight: height } = this.element;
        const beyond = event.clientX + GAP + width > innerWidth;
        const left = beyond ? Math.max(0, event.clientX - GAP - width) : event.clientX + GAP;
        const top = Math.min(event.clientY + GAP, innerHeight - height - 4);
        this.element.style.transform = `translate(${left}px, ${Math.max(0, top)}px)`;
    }

    hide(): void {
        this.element.hidden = true;
    }
}
