// The answers of a page that is one file: looked up, or made from what stands in it.

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
    TrackPart,
    TreeRows,
} from "../api";
import { count } from "../format";
import {
    type FlowQuery,
    type SliceQuery,
    type Source,
    SourceError,
    type TimelineQuery,
    type TreeQuery,
} from "../source";
import { embeddedData, type PageData, traceOf } from "./data";
import { Spans } from "./spans";
import { functionsOf, merge, treeOf } from "./stacks";

export async function embeddedSource(): Promise<Source | null> {
    const data = await embeddedData();
    return data && new EmbeddedSource(data);
}

export class EmbeddedSource implements Source {
    readonly file = null;
    readonly perfettoServer = null;
    readonly note =
        "This page is a file: samples are added up over all of the time, and only a selection by thread holds for them.";
    private readonly made: Trace;
    private readonly spans: Spans;
    private readonly flames = new Map<string, Flame>();

    constructor(private readonly data: PageData) {
        this.made = traceOf(data);
        const threads = new Map(this.made.tracks.map((track) => [track.id, track.thread]));
        this.spans = new Spans(data.spans, (track) => threads.get(track) ?? null);
    }

    async trace(): Promise<Trace> {
        const left = this.data.spans.left_out;
        const notes = left
            ? [
                  `This page has the ${count(this.data.spans.id.length)} longest spans; ${count(left)} shorter ones are in the trace only.`,
              ]
            : [];
        if (this.data.part) notes.push("This page was made of a part of the trace.");
        return {
            ...this.made,
            formats: [],
            perfetto_server: false,
            notes: [...this.made.notes, ...notes],
        };
    }

    async functions(filter: Filter): Promise<Functions> {
        const whole = filter.from === undefined && filter.to === undefined && !filter.threads;
        const known =
            whole &&
            this.known<Functions>(
                `api/functions?of=${filter.of}${filter.of === "samples" ? `&weight=${filter.weight}` : ""}`,
            );
        return known || functionsOf(await this.flame(filter, Number.POSITIVE_INFINITY));
    }

    async spanTable(filter: Filter): Promise<SpanTable> {
        const whole = filter.from === undefined && filter.to === undefined && !filter.threads;
        return (whole && this.known<SpanTable>("api/span-table")) || this.spans.table(filter);
    }

    async slices(query: SliceQuery): Promise<Slices> {
        return this.spans.slices(query);
    }

    async flame(filter: Filter, limit: number): Promise<Flame> {
        if (filter.of === "spans") return this.spans.flame(filter, limit);
        const key = `${filter.weight}/${filter.threads?.join() ?? ""}`;
        let flame = this.flames.get(key);
        if (!flame) {
            flame = merge(this.threadFlames(filter), limit);
            this.flames.set(key, flame);
        }
        return flame;
    }

    private threadFlames({ threads, weight }: Filter): Flame[] {
        const ids = threads ?? this.made.threads.map((thread) => thread.id);
        return ids.flatMap(
            (id) => this.known<Flame>(`api/flame?threads=${id}&of=samples&weight=${weight}`) ?? [],
        );
    }

    async timeline({ from, to, width, tracks }: TimelineQuery): Promise<TimelinePart> {
        const whole = this.known<TimelinePart>("api/timeline") ?? { tracks: [], names: [] };
        const names = [...this.data.spans.names, ...whole.names];
        const shift = this.data.spans.names.length;
        const parts = new Map(whole.tracks.map((part) => [part.id, part]));
        return {
            names,
            tracks: tracks.map((id) => ({
                ...within(parts.get(id), from, to, shift),
                id,
                spans: this.spans.timeline(id, from, to, (to - from) / width),
            })),
        };
    }

    async flows({ from, to, tracks, limit }: FlowQuery): Promise<Flows> {
        const whole = this.known<Flows>("api/flows");
        if (whole) return flowsWithin(whole, from, to, tracks, limit);
        return {
            flows: {
                id: [],
                from_track: [],
                from_time: [],
                from_depth: [],
                to_track: [],
                to_time: [],
                to_depth: [],
            },
            left_out: 0,
        };
    }

    async span(id: number): Promise<EventDetails> {
        const known = this.data.details[id];
        if (known) return known;
        const { names, name, track, begin, end, depth, failed, open } = this.data.spans;
        const i = this.spans.place(id);
        if (i === undefined)
            throw new SourceError("This page has no more of that span: it is in the trace.");
        return {
            id,
            name: names[name[i]],
            category: "",
            track: track[i],
            begin: begin[i],
            duration: open[i] ? null : end[i] - begin[i],
            depth: depth[i],
            failed: Boolean(failed[i]),
            arguments: null,
            source: null,
            parent: this.spans.parent(i),
            flows_in: [],
            flows_out: [],
        };
    }

    async instant(): Promise<EventDetails> {
        throw new SourceError("What an instant holds is in the trace, not in this page.");
    }

    async tree(query: TreeQuery): Promise<TreeRows> {
        if (query.of !== "spans")
            return treeOf(
                await this.flame(query, 20_000),
                Number(query.parent ?? 0),
                query.min ?? 0,
                query.limit,
            );
        const whole =
            query.from === undefined && query.to === undefined && !query.threads && !query.min;
        const known =
            whole &&
            this.known<TreeRows>(
                query.parent === undefined ? "api/tree" : `api/tree?parent=${query.parent}`,
            );
        if (known) return known;
        if (whole) throw new SourceError("What is below is in the trace, not in this page.");
        return treeOf(
            this.spans.flame(query, 20_000),
            Number(query.parent ?? 0),
            query.min ?? 0,
            query.limit,
        );
    }

    async search(text: string, limit: number): Promise<Found> {
        const query = text.toLowerCase();
        const rows: Found["rows"] = { what: [], name: [], file: [], count: [], id: [] };
        const add = (
            what: Found["rows"]["what"][number],
            name: string,
            file: string,
            count: number,
            id: number,
        ) => {
            if (rows.what.length >= limit || !name.toLowerCase().includes(query)) return;
            rows.what.push(what);
            rows.name.push(name);
            rows.file.push(file);
            rows.count.push(count);
            rows.id.push(id);
        };
        for (const [name, count] of this.spans.names(query)) add("span", name, "", count, 0);
        const functions = this.known<Functions>("api/functions?of=samples&weight=wall")?.rows;
        functions?.name.forEach((name, i) => {
            add("function", name, functions.file[i], functions.count[i], i);
        });
        for (const track of this.made.tracks) add("track", track.name, "", 0, track.id);
        return { rows };
    }

    fileLink(): null {
        return null;
    }

    convertLink(): null {
        return null;
    }

    private known<T>(question: string): T | undefined {
        return Object.hasOwn(this.data.answers, question)
            ? (this.data.answers[question] as T)
            : undefined;
    }
}

/** Flows with an end on one of the tracks that cross a time. */
function flowsWithin(
    { flows, left_out }: Flows,
    from: number,
    to: number,
    tracks: number[],
    limit: number,
): Flows {
    const wanted = new Set(tracks);
    const own = flows.id.flatMap((_, i) =>
        (wanted.has(flows.from_track[i]) || wanted.has(flows.to_track[i])) &&
        flows.from_time[i] <= to &&
        flows.to_time[i] >= from
            ? [i]
            : [],
    );
    const shown = own.slice(0, limit);
    const pick = (values: number[]) => shown.map((i) => values[i]);
    return {
        flows: {
            id: shown.map((i) => flows.id[i]),
            from_track: pick(flows.from_track),
            from_time: pick(flows.from_time),
            from_depth: pick(flows.from_depth),
            to_track: pick(flows.to_track),
            to_time: pick(flows.to_time),
            to_depth: pick(flows.to_depth),
        },
        left_out: left_out + own.length - shown.length,
    };
}

/** What a track has beside spans, between two times; of a counter, the value before, too: it holds on. */
function within(
    part: TrackPart | undefined,
    from: number,
    to: number,
    shift: number,
): Partial<TrackPart> {
    if (!part) return {};
    const { instants, values, samples } = part;
    const pick = (times: number[], ends: number[] = times) =>
        times.flatMap((time, i) => (time <= to && ends[i] >= from ? [i] : []));
    const made: Partial<TrackPart> = {};
    if (instants) {
        const own = pick(instants.time);
        made.instants = {
            time: own.map((i) => instants.time[i]),
            name: own.map((i) => instants.name[i] + shift),
            count: own.map((i) => instants.count[i]),
            id: own.map((i) => instants.id[i]),
        };
    }
    if (values) {
        const own = pick(
            values.time,
            values.time.map((_, i) => values.time[i + 1] ?? Number.POSITIVE_INFINITY),
        );
        made.values = {
            time: own.map((i) => values.time[i]),
            least: own.map((i) => values.least[i]),
            most: own.map((i) => values.most[i]),
            last: own.map((i) => values.last[i]),
        };
    }
    if (samples) {
        const own = pick(samples.time, samples.end);
        made.samples = {
            time: own.map((i) => samples.time[i]),
            end: own.map((i) => samples.end[i]),
            count: own.map((i) => samples.count[i]),
            running: own.map((i) => samples.running[i]),
            gil_wait: own.map((i) => samples.gil_wait[i]),
        };
    }
    return made;
}
