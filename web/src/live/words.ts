// What the live page says of a state, in words.

import { bytes, count, counted } from "../format";
import type { Recording, SamplingState, Status } from "./api";

export const STATE_WORDS: Record<SamplingState, string> = {
    on: "sampling",
    paused: "paused",
    off: "off",
};

export const MODE_WORDS = {
    wall: "all awake",
    cpu: "on a CPU",
    gil: "with the GIL",
} as const;

export type Order = "start" | "pause" | "resume" | "stop";

/** The orders that change something: workers may differ. */
export function ordersFor(states: readonly SamplingState[]): Set<Order> {
    const orders: Record<SamplingState, Order[]> = {
        off: ["start"],
        paused: ["resume", "stop"],
        on: ["pause", "stop"],
    };
    return new Set(states.flatMap((state) => orders[state]));
}

/** The states of the worker that is looked at, or of all. */
export function statesOf(status: Status, worker: number | null): SamplingState[] {
    const workers = status.workers.filter(({ pid }) => worker === null || pid === worker);
    return workers.length > 0 ? workers.map(({ state }) => state) : [status.sampling.state];
}

/** What is wrong, each thing once. */
export function problemsOf({ problems, recording }: Status): string[] {
    return [...new Set(recording?.problem ? [...problems, recording.problem] : problems)];
}

/** A rate, as exact as it is large: 99.7, 1,000, 0.5. */
export function rate(hz: number): string {
    return hz.toLocaleString("en-US", { maximumFractionDigits: hz < 1000 ? 1 : 0 });
}

/** "2 s", "3 min", "4 h 05 min", "6 d 07 h". */
export function age(seconds: number): string {
    const whole = Math.max(0, Math.floor(seconds));
    const two = (n: number) => String(n).padStart(2, "0");
    if (whole < 60) return `${whole} s`;
    const minutes = Math.floor(whole / 60);
    if (minutes < 60) return `${minutes} min`;
    const hours = Math.floor(minutes / 60);
    if (hours < 24) return `${hours} h ${two(minutes % 60)} min`;
    return `${Math.floor(hours / 24)} d ${two(hours % 24)} h`;
}

/** The time of day, with the date where that is not today's. */
export function clock(seconds: number, now: Date = new Date()): string {
    const when = new Date(1000 * seconds);
    const time = when.toLocaleTimeString("en-GB");
    if (when.toDateString() === now.toDateString()) return time;
    const two = (n: number) => String(n).padStart(2, "0");
    return `${when.getFullYear()}-${two(when.getMonth() + 1)}-${two(when.getDate())} ${time}`;
}

/** Which requests the flight recorder keeps, and how. */
export function recorderWords({ what, ring, keep }: Recording): string {
    const kept = keep.length > 0 ? `Keeps requests: ${keep.join(", ")}.` : "Keeps no request.";
    return `${kept} Each worker remembers ${what} in ${bytes(ring)}.`;
}

export function keptWords({ kept, not_kept, files, bytes: size }: Recording): string {
    const missed = not_kept > 0 ? `, ${count(not_kept)} not: too many at a time` : "";
    return `${count(kept)} kept${missed}; ${counted(files, "file")}, ${bytes(size)}`;
}
