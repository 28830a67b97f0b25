// A page's state, kept in the address's hash so that a link shows the same again. Views read it and are told when it
// changes. A step that the reader would go back from is an entry of the browser's history.

/** How a state stands in a hash. */
export interface HashForm<S> {
    /** A hash may come from anywhere: what it says that makes no sense is left out. */
    parse(hash: string): S;
    make(state: S): string;
    isStep(next: S, before: S): boolean;
}

type Listener<S> = (state: S, before: S) => void;

/** The one state of a page. */
export class HashStore<S extends object> {
    state: S;
    private readonly listeners: Listener<S>[] = [];
    private writing = 0;

    constructor(private readonly form: HashForm<S>) {
        this.state = form.parse(location.hash);
        addEventListener("popstate", () => this.take(form.parse(location.hash)));
        addEventListener("hashchange", () => this.take(form.parse(location.hash)));
    }

    listen(listener: Listener<S>): void {
        this.listeners.push(listener);
    }

    change(part: Partial<S>): void {
        const next = { ...this.state, ...part };
        if (this.form.isStep(next, this.state)) {
            clearTimeout(this.writing);
            history.pushState(null, "", this.form.make(next));
        } else {
            this.writeSoon();
        }
        this.take(next);
    }

    private take(next: S): void {
        const before = this.state;
        if (this.form.make(before) === this.form.make(next)) return;
        this.state = next;
        for (const listener of this.listeners) listener(next, before);
    }

    // Panning changes the state at every frame; browsers refuse so many changes of the address.
    private writeSoon(): void {
        clearTimeout(this.writing);
        this.writing = window.setTimeout(() => {
            history.replaceState(null, "", this.form.make(this.state));
        }, 250);
    }
}
