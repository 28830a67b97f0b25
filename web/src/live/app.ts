// What every view of the live page is given.

import type { View } from "../app";
import type { Status } from "./api";
import type { LiveServer } from "./server";
import type { LiveState, LiveStore } from "./state";

export interface LiveApp {
    server: LiveServer;
    store: LiveStore;
    /** The newest. */
    status: Status;
}

export interface LiveView extends View<LiveState> {
    /** Asks again for what it shows, without a word of it; called every few seconds. */
    refresh(): Promise<void>;
    /** The program's state has changed. */
    hear?(status: Status): void;
}
