// What the program that is looked at answers (docs/PAGE.md, "The live page"). Times are seconds, points of time seconds
// since 1970.

export type SamplingState = "on" | "paused" | "off";
export type Mode = "wall" | "cpu" | "gil";

export interface Sampling {
    state: SamplingState;
    hz: number;
    achieved_hz: number;
    mode: Mode;
    /** A share of one core. */
    cost: number;
    samples: number;
    torn: number;
    missed: number;
    jitter: number;
}

/** The flight recorder. */
export interface Recording {
    what: "spans" | "samples" | "calls";
    ring: number;
    keep: string[];
    kept: number;
    not_kept: number;
    folder: string;
    files: number;
    bytes: number;
    problem: string | null;
}

export interface Worker {
    pid: number;
    since: number;
    state: SamplingState;
    hz: number;
    achieved_hz: number;
    cost: number;
    rss: number;
    problem: string | null;
}

/** The program as it is now. */
export interface Status {
    version: number;
    name: string;
    csrf: string;
    user: string | null;
    now: number;
    sampling: Sampling;
    recording: Recording | null;
    requests: { open: number; count: number; errors: number };
    workers: Worker[];
    problems: string[];
}

export interface Routes {
    rows: {
        name: string[];
        requests: number[];
        errors: number[];
        mean: number[];
        p50: number[];
        p95: number[];
        p99: number[];
        max: number[];
    };
}

export interface Kept {
    rows: {
        /** Of the file. */
        name: string[];
        when: number[];
        request: string[];
        status: (number | string | null)[];
        duration: number[];
        reason: string[];
        bytes: number[];
    };
    folder: string | null;
    problem: string | null;
}

export interface Place {
    function: string;
    file: string;
    line: number;
    /** The user's own code. */
    own: boolean;
}

/** A thread or a task, and where it is: the innermost call first. It may have no name. */
export interface Running {
    pid: number;
    tid: number;
    name: string;
    state: string;
    stack: Place[];
}

export interface Dump {
    threads: Running[];
    tasks: Running[];
    /** So many more there are. */
    left_out: number;
}

export type Action =
    | { action: "start" | "pause" | "resume" | "stop" | "reset" }
    /** Seconds from sample to sample. */
    | { action: "interval"; value: number }
    | { action: "mode"; value: Mode };
