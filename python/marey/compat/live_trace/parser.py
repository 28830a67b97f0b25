"""Reads logs, and says which lines of code were seen most often."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from .main import ArgumentParser

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator

# What is not the user's own.
other_code = re.compile(r"/(django|python\d[\d.]*|site-packages|dist-packages)/|<frozen ")


class ParseError(Exception):
    """A line that is none of a log."""


class Frame(NamedTuple):
    """A line of code that ran, or that a call was in."""

    filename_line_no_and_method: str
    source_code: str


def read_logs(args: argparse.Namespace) -> FrameCounter:
    """The counts of the files args.logfiles. OSError, ParseError."""
    counter = FrameCounter(args)
    counter.read_logs()
    return counter


class FrameCounter:
    """Counts lines: of each stack the innermost, or, with args.sum_all_frames, all of them once."""

    Frame: Any = Frame
    our_code_marker = "<===="

    def __init__(self, args: argparse.Namespace) -> None:
        assert isinstance(args, ArgumentParser.Namespace), args
        self.args = args
        self.frames: dict[Frame, int] = {}
        self.count_stacks = 0

    def read_logs(self) -> None:
        """Read args.logfiles."""
        for path in self.args.logfiles:
            with open(path, encoding="utf-8", errors="replace") as file:
                self.read_logs_of_fd(file)

    def read_logs_of_fd(self, fd: Iterable[str]) -> None:
        """Read lines. A stack without its end is not counted."""
        stack: list[Frame] = []
        for line in fd:
            if line.startswith("#END"):
                self._count(stack)
                stack = []
            elif line.startswith("#START"):
                stack = []  # the one before was cut off
            elif line.startswith("File:"):
                stack.append(Frame(line.rstrip(), ""))
            elif line.startswith(" ") and stack:
                stack[-1] = Frame(stack[-1].filename_line_no_and_method, line.rstrip())
            elif line[0] not in "\n#":
                raise ParseError(f"unparsed: {line}")

    def _count(self, stack: list[Frame]) -> None:
        self.count_stacks += 1
        # A function that calls itself is counted once.
        for frame in set(stack) if self.args.sum_all_frames else stack[-1:]:
            self.frames[frame] = self.frames.get(frame, 0) + 1

    def print_counts(self) -> None:
        """Print the most common lines."""
        for line in self.print_counts_to_lines():
            print(line)

    def print_counts_to_lines(self) -> Iterator[str]:
        """The most common ones, each with its count, its share of all stacks, and its source."""
        ordered = sorted(((n, frame) for frame, n in self.frames.items()), reverse=True)
        for count, frame in ordered[: self.args.most_common]:
            place = frame.filename_line_no_and_method
            if not other_code.search(place):
                place = f"{place}      {self.our_code_marker}"
            share = 100 * count / self.count_stacks
            yield f"{count: 5d} {share:.2f}% {place}\n    {frame.source_code}"
