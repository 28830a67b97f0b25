// How the page hears of the program: by server-sent events, and by asking where those do not come (a proxy holds them back,
// there are too many streams). A stream that ends is no trouble, since the browser opens the next; only where that takes
// long is the server asked why.

import { failure } from "../dom";
import type { Status } from "./api";
import { isRefused, type LiveServer } from "./server";

const PATIENCE_MS = 4000;
const POLL_MS = 2000;
const REFUSED_MS = 15_000;
const STREAM_AGAIN_MS = 30_000;

export interface Hearer {
    status(status: Status): void;
    /** null: all is well again. */
    trouble(words: string | null): void;
}

type Outcome = "well" | "lost" | "refused";

export class Connection {
    private stream: EventSource | null = null;
    /** Something came by this stream, so nothing holds it back. */
    private flows = false;
    private streamedAt = 0;
    private timer = 0;
    private troubled = false;

    constructor(
        private readonly server: LiveServer,
        private readonly hearer: Hearer,
    ) {}

    listen(): void {
        this.rest();
        const stream = new EventSource("live/events");
        this.stream = stream;
        this.flows = false;
        this.streamedAt = performance.now();
        stream.addEventListener("state", (event) => {
            this.flows = true;
            this.pollIn(null);
            this.hear(JSON.parse(event.data) as Status);
        });
        stream.addEventListener("error", () => {
            if (this.isClosed()) this.pollIn(0);
            // Each attempt of the browser that fails comes here: only the first begins the time of patience.
            else if (this.timer === 0) this.pollIn(PATIENCE_MS);
        });
        this.pollIn(PATIENCE_MS);
    }

    /** Hears no more until listen(): a browser has few connections to a server, and a server few streams. */
    rest(): void {
        this.stream?.close();
        this.pollIn(null);
    }

    /** Asks for the state at once. */
    async ask(): Promise<Outcome> {
        try {
            this.hear(await this.server.status());
            return "well";
        } catch (error) {
            this.troubled = true;
            this.hearer.trouble(failure(error));
            return isRefused(error) ? "refused" : "lost";
        }
    }

    /** null: not at all. */
    private pollIn(ms: number | null): void {
        clearTimeout(this.timer);
        this.timer = ms === null ? 0 : window.setTimeout(() => void this.poll(), ms);
    }

    private async poll(): Promise<void> {
        this.timer = 0;
        const asked = this.stream;
        const outcome = await this.ask();
        if (asked !== this.stream || document.hidden) return;
        if (this.flows && this.stream?.readyState === EventSource.OPEN) return;
        const again = performance.now() - this.streamedAt > STREAM_AGAIN_MS;
        if (outcome === "well" && this.isClosed() && again) this.listen();
        else this.pollIn(outcome === "refused" ? REFUSED_MS : POLL_MS);
    }

    /** The browser has given this stream up: the answer was not one. */
    private isClosed(): boolean {
        return this.stream?.readyState === EventSource.CLOSED;
    }

    private hear(status: Status): void {
        this.server.csrf = status.csrf;
        if (this.troubled) {
            this.troubled = false;
            this.hearer.trouble(null);
        }
        this.hearer.status(status);
    }
}
