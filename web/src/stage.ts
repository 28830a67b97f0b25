// Where the views of a page are shown, one at a time, and the tabs that choose it.

import { Tabs } from "./controls";
import { fill, h } from "./dom";

interface Hideable {
    readonly element: HTMLElement;
    hide?(): void;
}

export interface Kind<N extends string, A, V> {
    view: N;
    title: string;
    make: (app: A) => V;
}

export class Stage<N extends string, A, V extends Hideable> {
    readonly element = h("main", { id: "view", tabindex: -1 });
    readonly tabs: Tabs<N>;
    current: V | null = null;
    private readonly views = new Map<N, V>();

    /** choose: the reader wants a view. */
    constructor(
        private readonly kinds: readonly Kind<N, A, V>[],
        private readonly app: A,
        private readonly choose: (view: N) => void,
    ) {
        this.tabs = new Tabs(kinds, choose);
    }

    /** Shows a view, which is made when it is wanted first. */
    turnTo(name: N): V {
        let view = this.views.get(name);
        if (!view) {
            view = this.kinds.find((kind) => kind.view === name)!.make(this.app);
            this.views.set(name, view);
        }
        if (view !== this.current) {
            this.current?.hide?.();
            this.current = view;
            fill(this.element, view.element);
            this.element.dataset.view = name;
            this.tabs.show(name);
        }
        return view;
    }

    /** Whether a key stands for a view, which is chosen then: 1 is the first. */
    takes(key: string): boolean {
        const kind = /^[1-9]$/.test(key) ? this.kinds[Number(key) - 1] : undefined;
        if (kind) this.choose(kind.view);
        return kind !== undefined;
    }
}
