"""A trace with everything that formats have to say, at random: two processes, threads, a task and
a device beside them, nested spans, ends by name, open spans, arguments, categories, sources,
instants, counters and flows."""

import random

from sampled_traces import START
from tracemaker import TraceMaker

NAMES = ("load", "parse", "café", "\U0001f389 party", 'say "hi"')
CATEGORIES = ((), ("io",), ("io", "net"))
KINDS = ("begin", "begin", "end", "end", "instant", "flow")


class RichTrace:
    def __init__(self, seed, events=300, by_name=0.1, flows=2):
        """by_name: how many of the ends are of another span than the innermost. flows: of a span,
        at most."""
        self.random, self.by_name, self.flows = random.Random(seed), by_name, flows
        self.maker = maker = TraceMaker()
        maker.clocks(realtime=17 * 10**17, monotonic=START, boottime=START)
        maker.attributes(command="app.py", run=seed)
        self.app = maker.process(100, "app", ["app", "--fast"])
        child = maker.process(200, "child")
        self.tracks = [
            maker.thread(100, 100, "main"),
            maker.thread(100, 101, "worker"),
            maker.thread(200, 200, "child"),
            maker.describe(name="Task-1", parent_uuid=self.app),
            maker.describe(name="device", parent_uuid=child),
        ]
        self.counters = [
            maker.counter("queue", self.app, unit_name="items"),
            maker.counter("queue", child),
            maker.counter("load"),
        ]
        self.writers = [maker.sequence(interned=True, anchor=START, deltas=True) for _ in range(5)]
        self.open = [[] for _ in self.tracks]
        self.now = START + 1000
        self.flow = 0
        for _ in range(events):
            self.step()
        for place, names in enumerate(self.open):
            while len(names) > 1:  # one stays open
                self.end(place)

    def data(self):
        return self.maker.data()

    def args(self):
        some = {
            "rows": self.random.randrange(-5, 2**63),
            "ratio": self.random.random(),
            "path": self.random.choice(("/tmp/a", "", "weiß \U0001f600", 'a"b\\c\nd')),
            "deep": {"list": [1, [True, "x"]], "none": {"k": 1.5}},
        }
        return {key: some[key] for key in some if self.random.random() < 0.3}

    def step(self):
        place = self.random.randrange(len(self.tracks))
        writer, track = self.writers[place], self.tracks[place]
        self.now += self.random.randrange(1, 5_000_000)
        kind = self.random.choice(KINDS)
        name = self.random.choice(NAMES)
        if kind == "begin" or (kind == "flow" and not self.open[place]):
            source = ("/src/app.py", name, 7) if self.random.random() < 0.3 else None
            categories = self.random.choice(CATEGORIES)
            writer.begin(track, self.now, name, categories, args=self.args(), source=source)
            self.open[place].append(name)
        elif kind == "end" and self.open[place]:
            self.end(place)
        elif kind == "instant":
            writer.instant(track, self.now, name, args=self.args())
        elif kind == "flow":
            self.step_of_flow(place)
        counter = self.random.randrange(3)
        value = self.random.choice((self.random.randrange(-9, 10**6), self.random.random()))
        writer.value(self.counters[counter], self.now, value)

    def end(self, place):
        """Mostly the innermost span; else another one, by its name."""
        self.now += 1
        names = self.open[place]
        innermost = len(names) == 1 or self.random.random() >= self.by_name
        more = {"args": {"result": self.random.randrange(9)}} if self.random.random() < 0.3 else {}
        if innermost:
            names.pop()
            self.writers[place].end(self.tracks[place], self.now, **more)
            return
        name = self.random.choice(names)
        last = len(names) - 1 - names[::-1].index(name)
        names.pop(last)
        self.writers[place].end(self.tracks[place], self.now, name=name, **more)

    def step_of_flow(self, place):
        """A span that a flow comes from, or that one comes to, or both."""
        writer, track = self.writers[place], self.tracks[place]
        self.flow += 1
        coming = [self.random.randrange(1, self.flow)] if self.flow > 2 else []
        going = [self.flow] if self.flows == 2 or self.random.random() < 0.5 or not coming else []
        coming = coming if self.flows == 2 or not going else []
        writer.begin(track, self.now, "step", flows=going, terminating_flow_ids=coming)
        self.now += 1
        writer.end(track, self.now)
