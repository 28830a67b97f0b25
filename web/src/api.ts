// What the server answers, and what is asked of it (docs/PAGE.md). All times are nanoseconds since the trace's first
// event. Lists of many are columns: arrays of equal length.

export type Of = "samples" | "spans";
export type Weight = "wall" | "cpu" | "gil" | "gil_wait" | "count";

/** A part of the trace; what is absent is not limited. */
export interface Filter {
    from?: number;
    to?: number;
    threads?: number[];
    of?: Of;
    weight?: Weight;
}

export interface Process {
    id: number;
    pid: number;
    name: string;
    command: string;
}

export interface Thread {
    id: number;
    process: number;
    tid: number;
    name: string;
    spans: number;
    samples: number;
    running_ns: number;
    gil_wait_ns: number;
    idle_ns: number;
}

export type TrackKind = "thread" | "custom" | "task" | "process" | "counter";

export interface Track {
    id: number;
    name: string;
    kind: TrackKind;
    process: number | null;
    thread: number | null;
    parent: number | null;
    /** Rows of nested spans. */
    depth: number;
    spans: number;
    instants: number;
    unit: string | null;
    least: number;
    most: number;
}

export interface Trace {
    version: number;
    file: string;
    bytes: number;
    duration_ns: number;
    began_at: string | null;
    command: string | null;
    live: boolean;
    counts: {
        spans: number;
        calls: number;
        instants: number;
        samples: number;
        counters: number;
        flows: number;
    };
    weights: Weight[];
    sampling: { hz: number; taken: number; torn: number; missed: number } | null;
    notes: string[];
    attributes: Record<string, string>;
    processes: Process[];
    threads: Thread[];
    tracks: Track[];
    /** What convert?format= makes. */
    formats?: { name: string; summary: string }[];
    /** Whether open-in-perfetto is answered. */
    perfetto_server?: boolean;
}

export interface Functions {
    total: number;
    unit: "ns" | "count";
    rows: {
        name: string[];
        file: string[];
        line: number[];
        own: boolean[];
        self: number[];
        total: number[];
        count: number[];
        hot_line: number[];
    };
}

export interface SpanTable {
    rows: {
        name: string[];
        category: string[];
        count: number[];
        open: number[];
        errors: number[];
        total: number[];
        mean: number[];
        p50: number[];
        p99: number[];
        max: number[];
    };
}

export interface Slices {
    count: number;
    rows: {
        id: number[];
        track: number[];
        begin: number[];
        duration: (number | null)[];
        failed: boolean[];
    };
}

export interface Flame {
    total: number;
    unit: "ns" | "count";
    functions: {
        name: string[];
        file: string[];
        line: number[];
        kind: string[];
        own: boolean[];
    };
    /** Node 0 is the root; a parent comes before its children. */
    nodes: {
        function: number[];
        parent: number[];
        self: number[];
        total: number[];
        count: number[];
    };
    left_out: number;
}

export interface TrackPart {
    id: number;
    spans?: {
        begin: number[];
        end: number[];
        depth: number[];
        name: number[];
        /** -1 where several are merged. */
        id: number[];
        count: number[];
        failed: (boolean | number)[];
    };
    instants?: { time: number[]; name: number[]; count: number[]; id: number[] };
    values?: { time: number[]; least: number[]; most: number[]; last: number[] };
    /** Runs of samples that were alike: of the time from time to end, the share on a CPU and waiting for the GIL. */
    samples?: {
        time: number[];
        end: number[];
        count: number[];
        running: number[];
        gil_wait: number[];
    };
}

export interface TimelinePart {
    tracks: TrackPart[];
    names: string[];
}

export interface Flows {
    flows: {
        id: string[];
        from_track: number[];
        from_time: number[];
        from_depth: number[];
        to_track: number[];
        to_time: number[];
        to_depth: number[];
    };
    left_out: number;
}

export interface FlowEnd {
    id: string;
    span: number | null;
    track: number;
    time: number;
}

/** A span, or an instant where it has no duration to speak of. */
export interface EventDetails {
    id: number;
    name: string;
    category: string;
    track: number;
    begin: number;
    duration: number | null;
    depth: number;
    failed: boolean;
    arguments: Record<string, unknown> | null;
    result?: unknown;
    exception?: string | null;
    source: { file: string; line: number; function: string } | null;
    parent: number | null;
    children?: number;
    flows_in: FlowEnd[];
    flows_out: FlowEnd[];
}

export interface TreeRows {
    rows: {
        id: (number | string)[];
        name: string[];
        file: string[];
        line: number[];
        arguments: string[];
        result: string[];
        calls: number[];
        total: number[];
        self: number[];
        failed: (boolean | number)[];
        open: (boolean | number)[];
        children: number[];
    };
    left_out: number;
}

export interface Found {
    rows: {
        what: ("function" | "span" | "track")[];
        name: string[];
        file: string[];
        count: number[];
        id: number[];
    };
}
