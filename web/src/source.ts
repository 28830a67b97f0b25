// Where the page's answers come from. Every view asks through Source and does not know whether a server answers
// (HttpSource) or the page itself (EmbeddedSource, embedded/source.ts).

import type {
    EventDetails,
    Filter,
    Flame,
    Flows,
    Found,
    Functions,
    Slices,
    SpanTable,
    TimelinePart,
    Trace,
    TreeRows,
} from "./api";

export interface SliceQuery extends Filter {
    name: string;
    category?: string;
    sort: "duration" | "begin";
    offset?: number;
    limit: number;
}

export interface TimelineQuery {
    from: number;
    to: number;
    width: number;
    tracks: number[];
}

export interface FlowQuery {
    from: number;
    to: number;
    tracks: number[];
    limit: number;
}

export interface TreeQuery extends Filter {
    parent?: number | string;
    min?: number;
    limit: number;
}

export interface Source {
    /** What its answers do not hold, in words; null: nothing. */
    readonly note: string | null;
    trace(): Promise<Trace>;
    functions(filter: Filter): Promise<Functions>;
    spanTable(filter: Filter): Promise<SpanTable>;
    slices(query: SliceQuery): Promise<Slices>;
    flame(filter: Filter, limit: number): Promise<Flame>;
    timeline(query: TimelineQuery): Promise<TimelinePart>;
    flows(query: FlowQuery): Promise<Flows>;
    span(id: number): Promise<EventDetails>;
    instant(id: number): Promise<EventDetails>;
    tree(query: TreeQuery): Promise<TreeRows>;
    search(text: string, limit: number): Promise<Found>;
    /** The trace file's bytes, for a viewer in another window; null where the page has none. */
    file: (() => Promise<ArrayBuffer>) | null;
    /** The address of the trace file; null where there is none. */
    fileLink(): string | null;
    /** The address of the trace in another format; null where nobody converts. */
    convertLink(format: string, filter: Filter): string | null;
    /** Starts the server that Perfetto's page may read from, and gives the address to open. */
    perfettoServer: (() => Promise<string>) | null;
}

/** What went wrong, in words for the reader of the page; status: of the answer, 0 where there was none. */
export class SourceError extends Error {
    constructor(
        words: string,
        readonly status = 0,
    ) {
        super(words);
    }
}

type Parameter = string | number | number[] | undefined;

/** A question's address, relative to the page. Parameters that are undefined or of no items are left out. */
export function address(path: string, parameters: Record<string, Parameter>): string {
    const query = new URLSearchParams();
    for (const [key, value] of Object.entries(parameters)) {
        if (value === undefined || (Array.isArray(value) && value.length === 0)) continue;
        query.set(key, typeof value === "number" ? String(Math.round(value)) : String(value));
    }
    const text = query.toString().replaceAll("%2C", ",");
    return text ? `${path}?${text}` : path;
}

const LOST = "The server of this page does not answer. Is marey view still running?";

/** Asks the server; lost: what is said where it does not answer. */
export async function ask(link: string, options?: RequestInit, lost = LOST): Promise<Response> {
    let response: Response;
    try {
        response = await fetch(link, options);
    } catch {
        throw new SourceError(lost);
    }
    if (!response.ok) throw new SourceError(await reason(response), response.status);
    return response;
}

async function reason(response: Response): Promise<string> {
    const text = await response.text();
    try {
        const { error } = JSON.parse(text) as { error?: unknown };
        if (typeof error === "string") return error;
    } catch {
        // Not from our server, then: the status has to do.
    }
    return `The server answered ${response.status} ${response.statusText}`.trim();
}

export class HttpSource implements Source {
    readonly note = null;

    trace(): Promise<Trace> {
        return this.get("api/trace", {});
    }

    functions(filter: Filter): Promise<Functions> {
        return this.get("api/functions", { ...filter });
    }

    spanTable(filter: Filter): Promise<SpanTable> {
        return this.get("api/span-table", { ...filter });
    }

    slices(query: SliceQuery): Promise<Slices> {
        return this.get("api/slices", { ...query });
    }

    flame(filter: Filter, limit: number): Promise<Flame> {
        return this.get("api/flame", { ...filter, limit });
    }

    timeline(query: TimelineQuery): Promise<TimelinePart> {
        return this.get("api/timeline", { ...query });
    }

    flows(query: FlowQuery): Promise<Flows> {
        return this.get("api/flows", { ...query });
    }

    span(id: number): Promise<EventDetails> {
        return this.get("api/span", { id });
    }

    instant(id: number): Promise<EventDetails> {
        return this.get("api/instant", { id });
    }

    tree(query: TreeQuery): Promise<TreeRows> {
        return this.get("api/tree", { ...query });
    }

    search(text: string, limit: number): Promise<Found> {
        return this.get("api/search", { q: text, limit });
    }

    file = async (): Promise<ArrayBuffer> => (await ask("trace")).arrayBuffer();

    fileLink(): string {
        return "trace";
    }

    convertLink(format: string, filter: Filter): string {
        return address("convert", { format, ...filter });
    }

    perfettoServer = async (): Promise<string> =>
        (await this.get<{ url: string }>("open-in-perfetto", {})).url;

    private async get<T>(path: string, parameters: Record<string, Parameter>): Promise<T> {
        return (await ask(address(path, parameters))).json() as Promise<T>;
    }
}
