// A tile of a track as it is drawn: typed columns, and names as numbers that hold for the whole page.

import type { TimelinePart, TrackPart } from "../api";
import { colourIndex } from "../colour";

/** Every name that the timeline has met, with its colour. */
export class Names {
    readonly text: string[] = [];
    readonly colour: number[] = [];
    private readonly ids = new Map<string, number>();

    id(text: string): number {
        let id = this.ids.get(text);
        if (id === undefined) {
            id = this.text.length;
            this.ids.set(text, id);
            this.text.push(text);
            this.colour.push(colourIndex(text));
        }
        return id;
    }
}

export interface SpanColumns {
    begin: Float64Array;
    end: Float64Array;
    depth: Uint16Array;
    name: Uint32Array;
    /** -1: several spans, merged. */
    id: Float64Array;
    count: Float64Array;
    failed: Uint8Array;
}

export interface TrackData {
    spans: SpanColumns | null;
    instants: {
        time: Float64Array;
        name: Uint32Array;
        id: Float64Array;
        count: Float64Array;
    } | null;
    values: {
        time: Float64Array;
        least: Float64Array;
        most: Float64Array;
        last: Float64Array;
    } | null;
    samples: {
        time: Float64Array;
        end: Float64Array;
        running: Float32Array;
        gilWait: Float32Array;
    } | null;
    /** How much memory it takes, in items. */
    size: number;
}

export const NO_DATA: TrackData = {
    spans: null,
    instants: null,
    values: null,
    samples: null,
    size: 0,
};

/** The tracks of an answer, by id. */
export function convert(part: TimelinePart, names: Names): Map<number, TrackData> {
    const ids = Uint32Array.from(part.names, (name) => names.id(name));
    return new Map(part.tracks.map((track) => [track.id, convertTrack(track, ids)]));
}

function convertTrack(track: TrackPart, ids: Uint32Array): TrackData {
    const { spans, instants, values, samples } = track;
    const size =
        (spans?.begin.length ?? 0) +
        (instants?.time.length ?? 0) +
        (values?.time.length ?? 0) +
        (samples?.time.length ?? 0);
    return {
        size,
        spans: spans?.begin.length
            ? {
                  begin: Float64Array.from(spans.begin),
                  end: Float64Array.from(spans.end),
                  depth: Uint16Array.from(spans.depth),
                  name: Uint32Array.from(spans.name, (n) => ids[n]),
                  id: Float64Array.from(spans.id),
                  count: Float64Array.from(spans.count),
                  failed: Uint8Array.from(spans.failed, Number),
              }
            : null,
        instants: instants?.time.length
            ? {
                  time: Float64Array.from(instants.time),
                  name: Uint32Array.from(instants.name, (n) => ids[n]),
                  id: Float64Array.from(instants.id),
                  count: Float64Array.from(instants.count),
              }
            : null,
        values: values?.time.length
            ? {
                  time: Float64Array.from(values.time),
                  least: Float64Array.from(values.least),
                  most: Float64Array.from(values.most),
                  last: Float64Array.from(values.last),
              }
            : null,
        samples: samples?.time.length
            ? {
                  time: Float64Array.from(samples.time),
                  end: Float64Array.from(samples.end),
                  running: Float32Array.from(samples.running),
                  gilWait: Float32Array.from(samples.gil_wait),
              }
            : null,
    };
}
