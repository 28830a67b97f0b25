// What a page that is one file carries: see "The page as one file" in docs/PAGE.md. Answers stand under the question that
// they answer; the spans are columns, the longest first where not all are there.

import type { EventDetails, Trace } from "../api";
import { SourceError } from "../source";

export interface SpanList {
    names: string[];
    id: number[];
    track: number[];
    begin: number[];
    end: number[];
    depth: number[];
    /** Place in names. */
    name: number[];
    failed: (boolean | number)[];
    open: (boolean | number)[];
    /** How many shorter ones are not here. */
    left_out: number;
}

export interface PageData {
    /** It is of a part of the trace only. */
    part: boolean;
    answers: Record<string, unknown>;
    spans: SpanList;
    /** Of the longest spans, what api/span says, by id. */
    details: Record<string, EventDetails>;
}

interface Envelope {
    encoding: "json" | "gzip";
    data: PageData | string;
}

/** The data in the page; null where a server has them. */
export async function embeddedData(): Promise<PageData | null> {
    const text = document.getElementById("marey-data")?.textContent?.trim();
    if (text === undefined) return null;
    if (!text.startsWith("{")) throw new SourceError("This file was made without a trace in it.");
    const envelope = JSON.parse(text) as Envelope;
    const data =
        envelope.encoding === "gzip"
            ? await inflate(String(envelope.data))
            : (envelope.data as PageData);
    if (!data?.answers?.["api/trace"])
        throw new SourceError("The trace in this file is not whole.");
    return data;
}

async function inflate(base64: string): Promise<PageData> {
    const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return JSON.parse(await new Response(stream).text()) as PageData;
}

export function traceOf(data: PageData): Trace {
    return data.answers["api/trace"] as Trace;
}
