"""What a scope of calls recorded, by the official protos: calls as nodes, those in pieces made one.

seen = calls_seen.of(scope, tmp_path)      roots as nodes
seen.tree()                                [("fib", [("fib", [])])]
seen.one("load").args, .result, .exception, .pieces, .skipped, .track, .location
"""

import dataclasses

import traces

MARKS = ("(call)", "(step)", "(suspended)", "(skipped)", "(open)", "result", "exception")


@dataclasses.dataclass(eq=False)
class Node:
    name: str
    location: tuple
    track: str
    args: dict
    marks: dict
    category: str
    pieces: list = dataclasses.field(default_factory=list)
    children: list = dataclasses.field(default_factory=list)

    @property
    def result(self):
        return self.marks.get("result")

    @property
    def exception(self):
        return self.marks.get("exception")

    @property
    def skipped(self):
        return self.marks.get("(skipped)", 0)

    def tree(self):
        return self.name, [child.tree() for child in self.children]


class Seen:
    def __init__(self, trace):
        self.trace, self.nodes, self.roots, self.scopes = trace, [], [], []
        by_span, by_call = {}, {}
        for span in sorted(trace.spans, key=lambda span: span.begin):
            if span.category == "calls":
                self.scopes.append(span)
            elif span.category.startswith("call"):
                number = span.args.get("(call)")
                key = (self._process(span.track), number)
                node = by_call.get(key) if number else None
                if node is None:
                    node = self._add(span, by_span)
                    by_call[key] = node
                by_span[id(span)] = node
                node.pieces.append(span)
                node.marks.update({k: v for k, v in span.args.items() if k in MARKS})

    def _process(self, track):
        while track.kind != "process" and track.parent:
            track = self.trace.tracks[track.parent]
        return track.pid

    def _add(self, span, by_span):
        args = {key: value for key, value in span.args.items() if key not in MARKS}
        node = Node(span.name, span.location, span.track.name, args, {}, span.category)
        self.nodes.append(node)
        above = span.parent
        while above is not None and id(above) not in by_span:
            above = above.parent
        (by_span[id(above)].children if above is not None else self.roots).append(node)
        return node

    def tree(self):
        return [root.tree() for root in self.roots]

    def names(self):
        return [node.name.rpartition(".")[2] for node in self.nodes]

    def named(self, name):
        return [n for n in self.nodes if n.name == name or n.name.endswith("." + name)]

    def one(self, name):
        found = self.named(name)
        assert len(found) == 1, (name, len(found), self.names())
        return found[0]


def of(scope, folder):
    path = folder / f"calls-{id(scope)}.perfetto-trace"
    scope.save(path)
    return Seen(traces.load(path))


def of_file(path):
    return Seen(traces.load(path))
