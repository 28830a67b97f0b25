"""Takes samples: the stacks of all threads, as text."""

from __future__ import annotations

import datetime
import linecache
import os
import sys
import traceback
from typing import Any

from ... import _marey
from .writer import BaseWriter, WriterToLogTemplate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import FrameType


class Tracer:
    """Writes the stacks of all threads when it is asked to, the outermost frame first."""

    file_name_parts_to_ignore = ("/_pytest/", "/live_trace/tracer")

    def __init__(self, writer: BaseWriter) -> None:
        assert isinstance(writer, BaseWriter), writer
        self.writer = writer
        self.init_stacktrace = "".join(traceback.format_stack())
        # A place is looked up once: its file may change later, but what runs does not.
        self._places: dict[int, Any] = {}
        self._stacks: dict[bytes, Any] = {}

    @property
    def pid(self) -> int:
        """Of this process, also after a fork."""
        return os.getpid()

    def log_stacktraces(self) -> None:
        """Take a sample, and write it."""
        head = f"\n\n#START date: {datetime.datetime.now()}\n# ProcessId: {self.pid}\n# ThreadID: "
        blocks = [
            f"{head}{thread}\n{self._stack_text(frame)}#END"
            for thread, frame in self.get_current_frames()
        ]
        if blocks:
            self.writer.write_traceback("\n".join(blocks))

    def _stack_text(self, innermost: FrameType) -> str:
        return _marey.stack_text(innermost, self._places, self._stacks, self._place_text)

    def _place_text(self, frame: FrameType) -> str:
        code = frame.f_code
        if any(part in code.co_filename for part in self.file_name_parts_to_ignore):
            return ""
        line = frame.f_lineno or 0  # None where it is between two lines, from 3.10 on
        source = linecache.getline(code.co_filename, line).strip()
        place = f'File: "{code.co_filename}", line {line}, in {code.co_name}\n'
        return f"{place}  {source}\n" if source else place

    def extract_stack(self, stack: FrameType) -> Iterator[tuple[str, int, str, str]]:
        """(file, line, function, source line) of each frame, the outermost first."""
        for place in traceback.extract_stack(stack):
            if not any(part in place.filename for part in self.file_name_parts_to_ignore):
                yield place.filename, place.lineno or 0, place.name, place.line or ""

    def get_current_frames(self) -> Iterable[tuple[int, FrameType]]:
        """(thread, innermost frame) of all threads."""
        return sys._current_frames().items()

    @classmethod
    def log_stracktraces_to_file(cls, outfile: str) -> None:
        """Write all stacks once. outfile: a template."""
        cls(WriterToLogTemplate(outfile)).log_stacktraces()
