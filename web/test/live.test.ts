import { expect, test } from "vitest";
import type { Recording, Status, Worker } from "../src/live/api";
import { makeLiveHash, parseLiveHash } from "../src/live/state";
import {
    age,
    clock,
    keptWords,
    ordersFor,
    problemsOf,
    rate,
    recorderWords,
    statesOf,
} from "../src/live/words";

const RECORDING: Recording = {
    what: "spans",
    ring: 16 << 20,
    keep: ["slower than 0.5 s", "failed"],
    kept: 3,
    not_kept: 0,
    folder: "/srv/traces",
    files: 1,
    bytes: 2048,
    problem: null,
};

function worker(pid: number, state: Worker["state"]): Worker {
    return { pid, since: 0, state, hz: 100, achieved_hz: 100, cost: 0, rss: 0, problem: null };
}

function status(workers: Worker[], problems: string[], recording: Recording | null): Status {
    return {
        version: 1,
        name: "shop",
        csrf: "",
        user: null,
        now: 0,
        sampling: {
            state: "on",
            hz: 100,
            achieved_hz: 100,
            mode: "wall",
            cost: 0,
            samples: 0,
            torn: 0,
            missed: 0,
            jitter: 0,
        },
        recording,
        requests: { open: 0, count: 0, errors: 0 },
        workers,
        problems,
    };
}

test("an address says what is shown, and nonsense in it is left out", () => {
    const state = parseLiveHash("#view=threads&window=hour&worker=4711&q=a%20b&up=1");
    expect(state).toEqual({ view: "threads", window: "hour", worker: 4711, q: "a b", up: true });
    expect(parseLiveHash(makeLiveHash(state))).toEqual(state);
    const nonsense = parseLiveHash("#view=<img>&window=year&worker=-1&up=yes");
    expect(nonsense).toEqual({ view: "flame", window: "minute", worker: null, q: "", up: false });
});

test("only orders that change something", () => {
    expect([...ordersFor(["off"])]).toEqual(["start"]);
    expect([...ordersFor(["on"])]).toEqual(["pause", "stop"]);
    expect([...ordersFor(["paused", "on"])]).toEqual(["resume", "stop", "pause"]);
});

test("of one worker its own state counts, without workers that of all", () => {
    const two = status([worker(1, "on"), worker(2, "paused")], [], null);
    expect(statesOf(two, null)).toEqual(["on", "paused"]);
    expect(statesOf(two, 2)).toEqual(["paused"]);
    expect(statesOf(status([], [], null), null)).toEqual(["on"]);
});

test("each problem is told once", () => {
    const full = { ...RECORDING, problem: "the disk is full" };
    const both = ["process 7 did not answer", "the disk is full"];
    expect(problemsOf(status([], both, full))).toEqual(both);
    expect(problemsOf(status([], [], full))).toEqual(["the disk is full"]);
    expect(problemsOf(status([], [], RECORDING))).toEqual([]);
});

test("rates, ages, times of day", () => {
    expect([rate(0.5), rate(99.66), rate(12_345.6)]).toEqual(["0.5", "99.7", "12,346"]);
    expect([age(-1), age(59.9), age(3599), age(3 * 3600 + 5 * 60)]).toEqual([
        "0 s",
        "59 s",
        "59 min",
        "3 h 05 min",
    ]);
    expect(age(6 * 86_400 + 7 * 3600)).toBe("6 d 07 h");
    const noon = new Date(2026, 10, 21, 12, 0, 5);
    expect(clock(noon.getTime() / 1000, noon)).toBe("12:00:05");
    expect(clock(noon.getTime() / 1000, new Date(2026, 10, 22))).toBe("2026-11-21 12:00:05");
});

test("what the flight recorder does, in words", () => {
    expect(recorderWords(RECORDING)).toBe(
        "Keeps requests: slower than 0.5 s, failed. Each worker remembers spans in 16.0 MiB.",
    );
    expect(keptWords(RECORDING)).toBe("3 kept; 1 file, 2.0 KiB");
    expect(keptWords({ ...RECORDING, not_kept: 2 })).toContain("2 not: too many at a time");
});
