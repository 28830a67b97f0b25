"""Which stacks a test program can have, told from its source; and what the samplers of
tests/stack saw."""

import ast
import collections
import re
from dataclasses import dataclass, field

Frame = collections.namedtuple("Frame", "name file line")


@dataclass
class Seen:
    """What a sampler wrote (tests/stack/stack_list.h)."""

    version: str = ""
    stacks: list = field(
        default_factory=list
    )  # (tid, thread name, (Frame, ...)), outermost call first
    states: list = field(default_factory=list)  # (tid, gil, cpu, gc)
    thread_names: dict = field(default_factory=dict)  # {tid: what threading calls it}
    times: list = field(default_factory=list)  # how often each of them was seen
    read: int = 0
    torn: int = 0
    retries: int = 0
    error: str = ""

    @property
    def names(self):
        return {frame.name for _, _, frames in self.stacks for frame in frames}


def parse(text):
    seen = Seen()
    for line in text.splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "S":
            head, _, stack = rest.partition("\t")
            tid, _, thread = head.partition(" ")
            seen.stacks.append(
                (int(tid), thread, tuple(map(parse_frame, filter(None, stack.split(";")))))
            )
        elif kind == "G":
            seen.states.append(tuple(rest.split()))
        elif kind == "P":
            tid, _, name = rest.partition(" ")
            seen.thread_names[int(tid)] = name
        elif kind == "N":
            seen.read, seen.torn, seen.retries, _ = map(int, rest.split())
        elif kind == "C":
            seen.times.append(int(rest.split()[1]))
        elif kind == "V":
            seen.version = rest
        elif kind == "E":
            seen.error = rest
    return seen


def parse_frame(text):
    match = re.fullmatch(r"(.*)@(.*):(\d+)", text)
    assert match, text
    return Frame(match[1].rpartition(".")[2], match[2], int(match[3]))


class Program:
    """The legal stacks of a program whose functions call each other by name."""

    def __init__(self, path):
        self.path = str(path)
        tree = ast.parse(path.read_text())
        self.lines = {"<module>": range(1, len(path.read_text().splitlines()) + 1)}
        self.calls = set()  # (caller, line, callee)
        functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
        for function in functions:
            self.lines[function.name] = range(function.lineno, function.end_lineno + 1)
        for function in functions:
            self._add_calls(function.name, function.body)
        self._add_calls(
            "<module>", [node for node in tree.body if not isinstance(node, ast.FunctionDef)]
        )

    def _add_calls(self, caller, body):
        for call in (
            node for statement in body for node in ast.walk(statement) if isinstance(node, ast.Call)
        ):
            named = [call.func, *call.args, *(keyword.value for keyword in call.keywords)]
            for callee in (
                node.id for node in named if isinstance(node, ast.Name) and node.id in self.lines
            ):
                for line in range(call.lineno, call.end_lineno + 1):
                    self.calls.add((caller, line, callee))

    def complaint(self, frames, roots=("<module>",)):
        """What is wrong with a stack whose frames are all of this program; None: it is legal."""
        if not frames:
            return None
        if frames[0].name not in roots:
            return f"begins with {frames[0].name}"
        for frame in frames:
            lines = self.lines.get(frame.name, ())
            # 0: an instruction of no line, such as those that tidy up after an exception
            if frame.file != self.path or not (frame.line in lines or (lines and frame.line == 0)):
                return f"{frame} is nowhere in the program"
        for caller, callee in zip(frames, frames[1:]):
            if (caller.name, caller.line, callee.name) not in self.calls:
                return f"line {caller.line} of {caller.name} does not call {callee.name}"
        return None
