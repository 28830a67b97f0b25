#!/usr/bin/env python3
"""tracecheck: read a Perfetto trace the way trace_processor does, and say what it would lose.

A second opinion that shares no code with the recorder: plain Python, no dependency, field numbers as in
google/perfetto v58. Slow (about 100,000 events a second): for tests and for looking, not for big traces.
Held against trace_processor 58 on 113 traces: the same spans, durations and counters, save for legacy events,
extra counters and state tracks (not read) and clock snapshots that stand late in the file (called lost).
Changed since, and not held against it again: the last snapshot is kept for each set of clocks, not for all.

    tracecheck.py FILE            counts, then every problem; exit 1 if data would be lost or shown wrongly
    tracecheck.py FILE --tree     the spans as an indented tree, track by track
    tracecheck.py FILE --json     everything, for a program

    from tracecheck import load   trace = load(path); trace.spans, .instants, .counters, .flows, .samples,
                                  .processes, .threads, .tracks, .problems
"""
import argparse, collections, json, struct, sys

BEGIN, END, INSTANT, COUNTER = 1, 2, 3, 4
MAX_DEPTH = 512
REALTIME, MONOTONIC, BOOTTIME = 1, 3, 6


class Damaged(Exception):
    pass


def varint(b, i, end):
    value = shift = 0
    while True:
        if i >= end or shift > 63:
            raise Damaged(f"bad varint at byte {i}")
        c = b[i]; i += 1
        value |= (c & 0x7F) << shift
        if c < 0x80:
            return value & (1 << 64) - 1, i
        shift += 7


def fields(b, i=0, end=None):
    """-> (number, wire type, value) of one message; a length-delimited value is a (start, end) pair."""
    end = len(b) if end is None else end
    while i < end:
        tag, i = varint(b, i, end)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            value, i = varint(b, i, end)
        elif wire == 1:
            value, i = int.from_bytes(b[i:i + 8], "little"), i + 8
        elif wire == 5:
            value, i = int.from_bytes(b[i:i + 4], "little"), i + 4
        elif wire == 2:
            n, i = varint(b, i, end)
            value, i = (i, i + n), i + n
        else:
            raise Damaged(f"wire type {wire} at byte {i}")
        if i > end:
            raise Damaged(f"field {number} runs past the end of its message at byte {i}")
        yield number, wire, value


def signed(v):
    return v - (1 << 64) if v >> 63 else v


def text(b, span):
    return bytes(b[span[0]:span[1]]).split(b"\0")[0].decode("utf-8", "replace")


def double(v):
    return struct.unpack("<d", struct.pack("<Q", v))[0]


class Sequence:
    def __init__(self):
        self.valid = False
        self.interned = collections.defaultdict(dict)
        self.track = 0
        self.clock_id = 0
        self.sample_source, self.sample_followers = None, 0
        self.delta, self.unit = {}, {}  # incremental clock id -> last value in ns, ns a unit


class Trace:
    def __init__(self):
        self.problems = collections.Counter()   # text -> how often
        self.notes = collections.Counter()
        self.processes, self.threads, self.tracks = {}, {}, {}
        self.spans, self.open_spans, self.instants, self.counters, self.samples = [], [], [], [], []
        self.flows = collections.defaultdict(list)
        self.packets = self.filler_bytes = self.zero_bytes = self.event_bytes = self.events = 0
        self.attributes = {}

    def lost(self, what):
        self.problems[what] += 1


class Clocks:
    """Offset-only conversion to the trace clock, from snapshots, as trace_processor does it."""

    def __init__(self, trace):
        self.trace, self.snapshots, self.dead = trace, [], set()
        self.trace_clock = BOOTTIME

    def add(self, seq, clocks, primary=0):
        seen = {}
        for cid, ts in clocks:
            key = cid if not 64 <= cid < 128 else (seq, cid)
            seen[key] = ts
        if primary: self.trace_clock = primary
        names = frozenset(seen)
        for old_names, old in self.snapshots:
            if old_names == names:
                for key, ts in seen.items():
                    if ts < old[key]:
                        if key == self.trace_clock:
                            self.trace.lost("clock snapshot rejected: the trace clock goes back")
                            return
                        if key not in self.dead and not isinstance(key, tuple):
                            self.dead.add(key)
                            self.trace.lost(f"clock {key} goes back between snapshots: it cannot be converted from any more")
        # Of those with the same clocks only the last is ever used.
        self.snapshots = [one for one in self.snapshots if one[0] != names] + [(names, seen)]

    def to_trace(self, key, ts):
        if key == self.trace_clock:
            return ts
        # breadth first over snapshots that hold both clocks; at most four hops
        frontier, seen = [(key, ts)], {key}
        for _ in range(4):
            following = []
            for k, v in frontier:
                if k in self.dead:
                    continue
                for names, snap in reversed(self.snapshots):
                    if k not in names:
                        continue
                    for other in names - seen:
                        w = v - snap[k] + snap[other]
                        if other == self.trace_clock:
                            return w
                        seen.add(other); following.append((other, w))
            frontier = following
        return None


def annotations(b, span, names, strings):
    name, value, entries, items = None, None, [], []
    for n, w, v in fields(b, *span):
        if n == 1: name = names.get(v, f"unknown({v})")
        elif n == 10: name = text(b, v)
        elif n == 2: value = bool(v)
        elif n == 3: value = v
        elif n == 4: value = signed(v)
        elif n == 5: value = double(v)
        elif n == 6 or n == 9: value = text(b, v)
        elif n == 7: value = hex(v)
        elif n == 17: value = strings.get(v, f"unknown({v})")
        elif n == 11: entries.append(annotations(b, v, names, strings))
        elif n == 12: items.append(annotations(b, v, names, strings))
    if entries: value = dict(entries)
    if items: value = [x for _, x in items]
    return name, value


INTERNED = {1: "category", 2: "event", 3: "annotation", 5: "function", 18: "path", 17: "path17", 29: "string", 19: "mapping",
            4: "location", 6: "frame", 7: "callstack", 48: "context", 50: "weight", 51: "task"}


def intern(trace, b, span, seq):
    for n, w, v in fields(b, *span):
        kind = INTERNED.get(n)
        if kind is None or w != 2:
            continue
        iid, value, frame, frames = 0, None, {}, []
        for m, mw, x in fields(b, *v):
            if m == 1: iid = x
            elif kind == "frame": frame[m] = x
            elif kind == "callstack" and m == 2:
                if mw == 2: trace.lost("callstack frame_ids are packed: read wrongly")
                else: frames.append(x)
            elif kind in ("location", "context", "weight"): frame[m] = text(b, x) if mw == 2 else x
            elif m == 2 and mw == 2: value = text(b, x)
        if kind in ("frame", "location", "context", "weight"): value = frame
        if kind == "callstack": value = frames
        table = seq.interned[kind]
        if iid == 0:
            trace.lost(f"interned {kind} without an id")
        elif iid in table:
            if table[iid] != value:
                trace.lost(f"interned {kind} id defined twice with other content: the first wins silently")
        else:
            table[iid] = value


def describe_track(trace, b, span, order):
    d = {"uuid": 0, "name": None, "parent": 0, "counter": None, "pid": None, "tid": None, "order": order, "merge": 0}
    for n, w, v in fields(b, *span):
        if n == 1: d["uuid"] = v
        elif n in (2, 10): d["name"] = text(b, v)
        elif n == 5: d["parent"] = v
        elif n == 15: d["merge"] = v
        elif n == 3:
            d["process"] = True
            for m, _, x in fields(b, *v):
                if m == 1: d["pid"] = x
                elif m == 6: d["process_name"] = text(b, x)
        elif n == 4:
            d["thread"] = True
            for m, _, x in fields(b, *v):
                if m == 1: d["pid"] = x
                elif m == 2: d["tid"] = x
                elif m == 5: d["thread_name"] = text(b, x)
        elif n == 8:
            d["counter"] = {}
            for m, _, x in fields(b, *v):
                if m == 3: d["counter"]["unit"] = x
                elif m == 4: d["counter"]["multiplier"] = signed(x)
                elif m == 5: d["counter"]["incremental"] = bool(x)
                elif m == 6: d["counter"]["unit_name"] = text(b, x)
    if not d["uuid"]:
        return
    old = trace.tracks.get(d["uuid"])
    if old and (old["pid"], old["tid"]) != (d["pid"], d["tid"]):
        trace.lost("one track uuid for two threads or processes: the second's events land on the first")
        return
    if d.get("thread") and not d["pid"] or d.get("thread") and d["tid"] is None:
        trace.lost("thread descriptor without pid or tid")
    if old:
        d = {**old, **{k: v for k, v in d.items() if v not in (None, 0) and k != "order"}}
    trace.tracks[d["uuid"]] = d
    if d.get("process"): trace.processes[d["pid"]] = d.get("process_name") or trace.processes.get(d["pid"])
    if d.get("thread"): trace.threads[(d["pid"], d["tid"])] = d.get("thread_name") or trace.threads.get((d["pid"], d["tid"]))


def event(trace, b, span, seq, ts, order, out):
    kind = uuid = None
    e = {"args": {}, "categories": [], "flows": [], "ends": []}
    for n, w, v in fields(b, *span):
        if n == 9: kind = v
        elif n == 11: uuid = v
        elif n == 10:
            e["name"] = seq.interned["event"].get(v)
            if e["name"] is None: trace.lost("event name id is not interned: the span has no name")
        elif n == 23: e["name"] = text(b, v)
        elif n == 3: e["categories"].append(seq.interned["category"].get(v) or f"unknown({v})")
        elif n == 22: e["categories"].append(text(b, v))
        elif n == 4:
            k, x = annotations(b, v, seq.interned["annotation"], seq.interned["string"]); e["args"][k] = x
        elif n in (47, 48):
            if w != 1: trace.lost("flow ids are packed: ignored silently")
            else: (e["flows"] if n == 47 else e["ends"]).append(v)
        elif n in (36, 42): trace.notes["deprecated flow id field (36 or 42)"] += 1
        elif n == 30: e["value"] = signed(v)
        elif n == 44: e["value"] = double(v)
        elif n == 34: e["location"] = seq.interned["location"].get(v)
        elif n == 6: trace.notes["legacy event"] += 1
    if kind is None:
        trace.notes["event without a type"] += 1
        return
    uuid = seq.track if uuid is None else uuid
    trace.events += 1
    if kind == COUNTER:
        d = trace.tracks.get(uuid)
        if not d or d["counter"] is None:
            trace.lost("counter event before its track's descriptor: dropped")
            return
        if "value" not in e: trace.lost("counter event without a value")
    out.append((ts, order, kind, uuid, e))


def packed(b, span):
    i, values = span[0], []
    while i < span[1]:
        value, i = varint(b, i, span[1]); values.append(value)
    return values


def sample(trace, b, span, seq, ts, field):
    pid = tid = task = None
    stack, weight, context, followers, described = None, None, None, [], None
    frames_inline = None
    for n, w, v in fields(b, *span):
        if field == 135:
            if n == 1: context = {m: x for m, _, x in fields(b, *v)}
            elif n == 2:
                context = seq.interned["context"].get(v)
                if context is None: trace.lost("sample with a task context id that is not interned: of no thread")
            elif n == 5:
                frames_inline = [{m: text(b, x) if w2 == 2 else x for m, w2, x in fields(b, *f)} for k, _, f in fields(b, *v) if k == 1]
            elif n == 6: stack = v
            elif n == 11: weight = v
            elif n == 12: described = (described or 0) + 1
            elif n == 13:
                if w != 2: trace.lost("follower_descriptor_iids must be packed")
                else: described = len(packed(b, v))
            elif n == 14:
                if w != 2: trace.lost("follower_weights must be packed")
                else: followers = packed(b, v)
        else:
            if n == 2: pid = v
            elif n == 3: tid = v
            elif n == 4: stack = v
            elif n == 6: weight = v
    if field == 135:
        context = context or {}
        pid, tid = context.get(2), context.get(3)
        if not pid and not tid: trace.lost("sample without a process or thread")
        if context.get(4):
            task = seq.interned["task"].get(context[4])
            if task is None: trace.lost("task context with an async id that is not interned")
        if len(followers) > (seq.sample_followers if described is None else described):
            trace.lost("more follower_weights than followers: the rest is dropped silently")
    if ts is None: trace.lost("sample without a timestamp")
    if field == 135 and not seq.sample_source:
        trace.lost("StackSample without defaults.source: the viewer hides it")
    frames = seq.interned["callstack"].get(stack)
    if stack is not None and frames is None:
        trace.lost("sample with a call stack id that is not interned")
    names = [{"function": f.get(1), "file": f.get(2), "line": f.get(3)} for f in frames_inline or []]
    for f in frames or []:
        frame = seq.interned["frame"].get(f)
        if frame is None:
            trace.lost("call stack with a frame id that is not interned"); continue
        name = seq.interned["function"].get(frame.get(2))
        if name is None: trace.lost("frame whose function name is not interned")
        paths = seq.interned["path"]
        if frame.get(5) and frame[5] not in paths: trace.lost("frame whose source path is not interned")
        if frame.get(3) and frame[3] not in seq.interned["mapping"]: trace.lost("frame whose mapping is not interned")
        names.append({"function": name, "file": paths.get(frame.get(5)), "line": frame.get(6)})
    trace.samples.append({"ts": ts, "pid": pid, "tid": tid, "task": task, "weight": weight, "followers": followers, "stack": names})


def process_tree(trace, b, span):
    """Processes and threads by their ids alone. A process without a command line is not shown by it."""
    for n, w, v in fields(b, *span):
        if n == 1:
            d, line = {}, []
            for m, _, x in fields(b, *v):
                if m == 3: line.append(text(b, x))
                elif m in (1, 2): d[m] = x
            if line: trace.processes.setdefault(d.get(1), line[0])
        elif n == 2:
            d = {m: text(b, x) if w2 == 2 else x for m, w2, x in fields(b, *v)}
            if not d.get(1) or not d.get(3): trace.lost("thread of a process tree without an id or a process")
            key = (d.get(3), d.get(1))
            trace.threads[key] = trace.threads.get(key) or d.get(2)


def packet(trace, b, span, sequences, clocks, order, out):
    items = list(fields(b, *span))
    trace.packets += 1
    get = {n: v for n, _, v in items}
    sid = get.get(10, 0)
    seq = sequences[sid]
    flags = get.get(13, 0) | (1 if get.get(41) else 0)
    if flags & 1:
        seq.interned.clear(); seq.valid = True; seq.track = seq.clock_id = 0; seq.sample_source = None; seq.sample_followers = 0
    if 12 in get:
        if not seq.valid: trace.lost("interned data before the sequence's first cleared state: ignored")
        else:
            for n, _, v in items:
                if n == 12: intern(trace, b, v, seq)
    if 59 in get:
        seq.track = seq.clock_id = 0; seq.sample_source = None; seq.sample_followers = 0
        for n, _, v in fields(b, *get[59]):
            if n == 58: seq.clock_id = v
            elif n == 11:
                for m, _, x in fields(b, *v):
                    if m == 11: seq.track = x
            elif n == 100:
                for m, _, x in fields(b, *v):
                    if m == 1: seq.sample_source = text(b, x)
                    elif m == 3: seq.sample_followers += 1
    if 6 in get:
        found, primary = [], 0
        for n, _, v in fields(b, *get[6]):
            if n == 2: primary = v
            if n != 1: continue
            c = {m: x for m, _, x in fields(b, *v)}
            unit = c.get(4, 1)
            if c.get(3): seq.delta[c[1]], seq.unit[c[1]] = c.get(2, 0) * unit, unit
            found.append((c.get(1, 0), c.get(2, 0) * unit))
        clocks.add(sid, found, primary)
        if 11 in get or 60 in get:
            trace.lost("event or descriptor in the same packet as a clock snapshot: dropped silently")
        return
    cid = get.get(58, seq.clock_id)
    ts = None
    if 8 in get:
        ts = signed(get[8])
        if 64 <= cid < 128 and cid in seq.delta:
            seq.delta[cid] += ts * seq.unit[cid]; ts = seq.delta[cid]
        if cid:
            moved = clocks.to_trace((sid, cid) if 64 <= cid < 128 else cid, ts)
            if moved is None: trace.lost(f"no clock snapshot leads from clock {cid} to the trace clock: packet dropped")
            ts = moved
    if 60 in get: describe_track(trace, b, get[60], order)
    if 2 in get: process_tree(trace, b, get[2])
    if 126 in get:
        for n, _, v in fields(b, *get[126]):
            a = {m: (text(b, x) if w == 2 else signed(x)) for m, w, x in fields(b, *v)}
            trace.attributes[a.get(1)] = a.get(3, a.get(2))
    for field in (135, 66):
        if field in get: sample(trace, b, get[field], seq, ts, field)
    if 11 in get:
        if not sid: trace.lost("event without a sequence id: dropped"); return
        if flags & 2 and not seq.valid: trace.lost("event needs state that was never cleared: dropped"); return
        if ts is None:
            if 8 not in get: trace.lost("event without a timestamp")
            return
        event(trace, b, get[11], seq, ts, order, out)
        trace.event_bytes += span[1] - span[0] + 2


def load(path):
    import gzip
    with open(path, "rb") as f:
        data = f.read()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    trace, b = Trace(), memoryview(data)
    sequences, clocks, out = collections.defaultdict(Sequence), Clocks(trace), []
    i, order, end = 0, 0, len(b)

    def walk(b, i, end, order, nested):
        import zlib
        while i < end:
            if b[i] == 0:
                trace.zero_bytes += 1; i += 1
                continue
            try:
                tag, j = varint(b, i, end)
                if tag & 7 != 2: raise Damaged(f"root field with wire type {tag & 7} at byte {i}")
                n, j = varint(b, j, end)
            except Damaged as e:
                trace.lost(f"damaged: {e}"); return order
            if j + n > end:
                trace.notes["the last packet is cut off (only it is lost)"] += 1
                return order
            if tag >> 3 == 1:
                order += 1
                try:
                    inner = [v for k, w, v in fields(b, j, j + n) if k == 50]
                    if inner and nested: trace.lost("compressed packets inside compressed packets")
                    for v in inner if not nested else ():
                        raw = memoryview(zlib.decompress(bytes(b[v[0]:v[1]]), 47))
                        order = walk(raw, 0, len(raw), order, True)
                    if not inner: packet(trace, b, (j, j + n), sequences, clocks, order, out)
                except (Damaged, zlib.error) as e:
                    trace.lost(f"damaged packet: {e}")
            else:
                trace.filler_bytes += j + n - i
            i = j + n
        return order

    walk(b, 0, end, 0, False)
    assemble(trace, out)
    return trace


def assemble(trace, out):
    out.sort(key=lambda x: x[:2])  # stable: equal times keep file order
    stacks = collections.defaultdict(list)
    for ts, order, kind, uuid, e in out:
        if uuid and uuid not in trace.tracks: trace.notes["event on a track without a descriptor"] += 1
        d = trace.tracks.get(uuid)
        if d and d["parent"] and d["parent"] not in trace.tracks:
            trace.lost("track whose parent is unknown: its events are dropped"); continue
        target = None
        if kind == BEGIN:
            stack = stacks[uuid]
            span = {"track": uuid, "name": e.get("name"), "categories": e["categories"], "ts": ts, "dur": -1, "args": e["args"],
                    "depth": len(stack), "parent": stack[-1] if stack else None, "location": e.get("location")}
            if len(stack) >= MAX_DEPTH:
                trace.lost(f"nested deeper than {MAX_DEPTH}: BEGIN dropped, its END closes an ancestor")
                continue
            stack.append(span); trace.spans.append(span); target = span
        elif kind == END:
            stack = stacks[uuid]
            if not stack:
                trace.notes["END without a BEGIN: ignored silently"] += 1; continue
            matching = [x for x in stack if e.get("name") in (None, x["name"]) and (not e["categories"] or e["categories"] == x["categories"])]
            if not matching:
                trace.lost("END with another name or category than any open BEGIN: the span stays open silently"); continue
            top = matching[-1]
            if top is not stack[-1]: trace.notes["END closes a span below the innermost one: spans overlap on one track"] += 1
            stack.remove(top); top["dur"] = ts - top["ts"]; top["args"].update(e["args"]); target = top
        elif kind == INSTANT:
            target = {"track": uuid, "name": e.get("name"), "ts": ts, "args": e["args"]}; trace.instants.append(target)
        elif kind == COUNTER:
            trace.counters.append({"track": uuid, "name": (d or {}).get("name"), "ts": ts, "value": e.get("value")})
        for f in e["flows"] + e["ends"]:
            trace.flows[f].append(target)
    trace.open_spans = [s for st in stacks.values() for s in st]


def label(trace, uuid):
    d = trace.tracks.get(uuid) or {}
    if d.get("thread"): return f"{d.get('thread_name') or trace.threads.get((d['pid'], d['tid']))} (thread {d['tid']} of {d['pid']})"
    if d.get("process"): return f"process {d['pid']} {d.get('process_name') or ''}"
    return f"{d.get('name')} (track)"


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("file"); p.add_argument("--tree", action="store_true"); p.add_argument("--json", action="store_true")
    a = p.parse_args()
    t = load(a.file)
    if a.json:
        for s in t.spans: s["parent"] = t.spans.index(s["parent"]) if s["parent"] and len(t.spans) < 5000 else None
        json.dump({"problems": t.problems, "notes": t.notes, "processes": t.processes, "threads": [[*k, v] for k, v in t.threads.items()],
                   "spans": t.spans, "instants": t.instants, "counters": t.counters, "samples": t.samples, "attributes": t.attributes,
                   "flows": {k: len(v) for k, v in t.flows.items()}}, sys.stdout, indent=1, default=str)
    elif a.tree:
        for uuid in dict.fromkeys(s["track"] for s in t.spans):
            print(label(t, uuid))
            for s in t.spans:
                if s["track"] == uuid:
                    print("  " * (s["depth"] + 1) + f"{s['name']}  [{s['dur']} ns]", s["args"] or "")
    else:
        print(f"{t.packets} packets, {t.events} events, {len(t.spans)} spans ({len(t.open_spans)} open), {len(t.instants)} instants, "
              f"{len(t.counters)} counter values, {len(t.flows)} flows, {len(t.samples)} samples, {len(t.processes)} processes, {len(t.threads)} threads, "
              f"{len(t.tracks)} tracks; {t.event_bytes / max(t.events, 1):.1f} bytes an event, filler {t.filler_bytes}, zeros {t.zero_bytes}")
        for what, n in t.notes.most_common(): print(f"  note: {n} x {what}")
        for what, n in t.problems.most_common(): print(f"  LOST: {n} x {what}")
    return 1 if t.problems else 0


if __name__ == "__main__":
    import signal
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    sys.exit(main())
