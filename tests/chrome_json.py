"""Chrome's JSON, read by the rules of Perfetto's importer (v58), of which every breach is an error.

    trace = chrome_json.load(text)    .processes, .threads, .spans, .instants, .counters, .flows

Times are nanoseconds. Spans of threads have their (pid, tid) as track, asynchronous ones (category,
id)."""

import dataclasses
import json
import re
from collections import defaultdict


@dataclasses.dataclass(eq=False)
class Slice:
    track: tuple
    name: str
    category: str
    begin: int
    end: int  # None: open
    args: dict
    flows: list = dataclasses.field(default_factory=list)


class Trace:
    def __init__(self):
        self.processes, self.threads = {}, {}
        self.spans, self.instants, self.counters = [], [], defaultdict(list)
        self.flows = defaultdict(list)


def nanoseconds(value):
    assert isinstance(value, (int, float)) and value >= 0, value
    return round(value * 1000)


def check_ids(event):
    for key in ("pid", "tid"):
        assert isinstance(event[key], int) and 0 < event[key] < 2**31, event


def events_of(text):
    """An array with an event a line; cut off behind any line, it is to be read as well."""
    assert not re.search(r"\\u[dD][89a-fA-F]", text), "a pair of surrogates"
    lines = text.split("\n")
    assert lines[0] == "[" and lines[-2:] == ["{}]", ""]
    for line in lines[1:-2]:
        assert line.endswith("},"), line
        yield json.loads(line[:-1])
    json.loads(text)


def add_metadata(trace, event):
    table = {"process_name": trace.processes, "thread_name": trace.threads}[event["name"]]
    key = (event["pid"], event["tid"]) if event["name"] == "thread_name" else event["pid"]
    assert key not in table
    table[key] = event["args"]["name"]


def track_of(event):
    if event["ph"] in "bne":
        assert event["id"]
        return ("async", event["pid"], event.get("cat", ""), event["id"])
    return (event["pid"], event["tid"])


def close(spans, event):
    """The innermost open one that the name and the category fit."""
    for span in reversed(spans):
        same = span.name == event["name"] and span.category == event.get("cat", "")
        if span.end is None and same:
            span.end = nanoseconds(event["ts"])
            return
    raise AssertionError(f"an end without a begin: {event}")


def add_counter(trace, event):
    name = event["name"] + (f" id: {event['id']}" if "id" in event else "")
    for key, value in event["args"].items():
        assert isinstance(value, (int, float)), event
        trace.counters[event["pid"], f"{name} {key}"].append((nanoseconds(event["ts"]), value))


def bound(open_spans, instant, event):
    """What a step of a flow belongs to: the instant or the slice that it stands behind."""
    ts = nanoseconds(event["ts"])
    if instant and (instant.track, instant.begin) == (track_of(event), ts):
        return instant
    return [s for s in open_spans if s.begin <= ts and (s.end is None or ts <= s.end)][-1]


def load(text):
    trace, by_track, named, instant = Trace(), defaultdict(list), True, None
    for event in events_of(text):
        check_ids(event)
        phase = event["ph"]
        if phase == "M":
            assert named, "metadata comes first"
            add_metadata(trace, event)
            continue
        named = False
        if phase in "XBbC":
            instant = None
        if phase in "XBb":
            begin = nanoseconds(event["ts"])
            end = begin + nanoseconds(event["dur"]) if phase == "X" else None
            span = Slice(
                track_of(event),
                event["name"],
                event.get("cat", ""),
                begin,
                end,
                event.get("args", {}),
            )
            by_track[span.track].append(span)
            trace.spans.append(span)
        elif phase in "Ee":
            close(by_track[track_of(event)], event)
        elif phase in "in":
            assert phase == "n" or event["s"] == "t"
            ts = nanoseconds(event["ts"])
            instant = Slice(track_of(event), event["name"], event.get("cat", ""), ts, ts, {})
            trace.instants.append((instant.track, instant.name, ts))
        elif phase == "C":
            add_counter(trace, event)
        else:
            assert phase in "stf" and int(event["id"], 16) >= 0, event
            assert (event.get("bp") == "e") == (phase == "f")
            span = bound(by_track[track_of(event)], instant, event)
            trace.flows[int(event["id"], 16)].append((phase, nanoseconds(event["ts"]), span))
        if "bind_id" in event:
            step = "s" if not event.get("flow_in") else "t" if event.get("flow_out") else "f"
            flow = trace.flows[int(event["bind_id"], 16)]
            flow.append((step, nanoseconds(event["ts"]), instant or trace.spans[-1]))
    return trace
