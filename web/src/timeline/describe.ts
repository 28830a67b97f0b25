// What is below the pointer, in words.

import { name } from "../dom";
import { at, count, duration, percent, quantity } from "../format";
import type { Names } from "./data";
import type { Hit } from "./hit";

/** What a hit is, in a few lines. */
export function describe({ kind, row, data, index: i }: Hit, names: Names): (Node | string)[] {
    const track = row.track!;
    if (kind === "span") {
        const { begin, end, id, name: named, count: many, failed } = data.spans!;
        const title = name(names.text[named[i]], "code");
        if (id[i] < 0)
            return [
                title,
                `${count(many[i])} spans within ${duration(end[i] - begin[i])}; zoom in to tell them apart`,
            ];
        return [title, `${duration(end[i] - begin[i])}${failed[i] ? ", failed" : ""}`];
    }
    if (kind === "instant") {
        const { time, name: named, count: many } = data.instants!;
        return [
            name(names.text[named[i]], "code"),
            many[i] > 1 ? `${count(many[i])} instants` : `at ${at(time[i], 1)}`,
        ];
    }
    if (kind === "value") {
        const { time, least, most, last } = data.values!;
        const value =
            least[i] < most[i]
                ? `${quantity(least[i], null)} to ${quantity(most[i], track.unit)}`
                : quantity(last[i], track.unit);
        return [name(track.name), value, `since ${at(time[i], 1)}`];
    }
    const { running, gilWait } = data.samples!;
    return [
        `on a CPU in ${percent(running[i], 1)} of the samples`,
        gilWait[i] > 0 ? `waits for the GIL in ${percent(gilWait[i], 1)}` : "",
    ];
}
