// Questions to the program that is looked at, and orders. All addresses are relative to the page's, below any prefix.

import type { Flame, Functions } from "../api";
import { address, ask, SourceError } from "../source";
import type { Action, Dump, Kept, Routes, Status } from "./api";
import type { Window } from "./state";

const LOST = "The application does not answer: it has ended, or the network is down.";
const REFUSED =
    "You may not see this any more. Log in to the application, or open this page's address with its token (?token=…), then reload.";
// As many as are drawn well; the program that answers has other work.
const FLAME_NODES = 4000;
const STACKS = { of: "samples", weight: "count" };

export class LiveServer {
    /** That this page may give orders: of the newest state. */
    csrf = "";

    async status(): Promise<Status> {
        return this.get("live/state");
    }

    routes(worker: number | null): Promise<Routes> {
        return this.get("live/routes", { worker });
    }

    kept(): Promise<Kept> {
        return this.get("live/kept");
    }

    dump(worker: number | null): Promise<Dump> {
        return this.get("live/dump", { worker });
    }

    functions(window: Window, worker: number | null): Promise<Functions> {
        return this.get(`profile/${window}/api/functions`, { ...STACKS, worker });
    }

    flame(window: Window, worker: number | null): Promise<Flame> {
        return this.get(`profile/${window}/api/flame`, { ...STACKS, limit: FLAME_NODES, worker });
    }

    convertLink(window: Window, worker: number | null, format: string): string {
        return link(`profile/${window}/convert`, { format, worker });
    }

    /** The page of a kept request's trace. */
    keptLink(name: string): string {
        return `kept/${encodeURIComponent(name)}/`;
    }

    async keptFile(name: string): Promise<ArrayBuffer> {
        return (await this.ask(`${this.keptLink(name)}trace`)).arrayBuffer();
    }

    async control(action: Action, worker: number | null): Promise<void> {
        await this.ask("live/control", {
            method: "POST",
            headers: { "Content-Type": "application/json", "X-Marey-CSRF": this.csrf },
            body: JSON.stringify(worker === null ? action : { ...action, worker }),
        });
    }

    private async get<T>(path: string, parameters: Parameters = {}): Promise<T> {
        return (await this.ask(link(path, parameters))).json() as Promise<T>;
    }

    private async ask(where: string, options?: RequestInit): Promise<Response> {
        try {
            return await ask(where, options, LOST);
        } catch (error) {
            throw isRefused(error) ? new SourceError(REFUSED, 403) : error;
        }
    }
}

type Parameters = Record<string, string | number | null>;

function link(path: string, parameters: Parameters): string {
    const known = Object.entries(parameters).map(([key, value]) => [key, value ?? undefined]);
    return address(path, Object.fromEntries(known));
}

export function isRefused(error: unknown): boolean {
    return error instanceof SourceError && error.status === 403;
}
