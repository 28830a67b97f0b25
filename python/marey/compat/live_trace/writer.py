"""Where stacks are written."""

from __future__ import annotations

import datetime
import os
import sys
from typing import IO


class BaseWriter:
    """Writes text. Subclasses say where."""

    def write_traceback(self, lines_as_string: str) -> None:
        """Append the stacks of a sample."""
        file = self.open_outfile()
        try:
            file.write(lines_as_string)
        finally:
            self.close_outfile(file)

    def open_outfile(self, now: datetime.datetime | None = None) -> IO[str]:
        """The file, open for writing."""
        raise NotImplementedError

    def close_outfile(self, fd: IO[str]) -> None:
        """The sample is written."""
        raise NotImplementedError


class WriterToStream(BaseWriter):
    """Into a text file that is open."""

    def __init__(self, stream: IO[str]) -> None:
        self.stream = stream

    def open_outfile(self, now: datetime.datetime | None = None) -> IO[str]:
        """The file."""
        return self.stream

    def close_outfile(self, fd: IO[str]) -> None:
        """It stays open."""


class WriterToLogTemplate(BaseWriter):
    """Into files that are named by the date: "{:%Y/%m/%d}/foo.log". "-" is the standard output.

    Folders are made. What a kill -9 leaves is whole, because each sample is appended by one write.
    A template with a time of day in it names one file a day, by the time of the day's first sample.
    """

    def __init__(self, outfile_template: str) -> None:
        self.outfile_template = outfile_template
        self._named_at: datetime.datetime | None = None
        self._file: IO[str] | None = None  # stays open as long as it is the one of now
        self._pid = 0

    def get_outfile(self, now: datetime.datetime | None = None) -> str:
        """The path at that time."""
        return self.outfile_template.format(now or datetime.datetime.now())

    def open_outfile(self, now: datetime.datetime | None = None) -> IO[str]:
        """The file of now."""
        if self.outfile_template == "-":
            return sys.stdout
        now = now or datetime.datetime.now()
        is_new = self._named_at is None or self._named_at.date() != now.date()
        if is_new or self._file is None or self._pid != os.getpid():
            self.close()
            self._named_at, self._pid = now, os.getpid()
            path = self.get_outfile(now)
            folder = os.path.dirname(path)
            if folder:
                os.makedirs(folder, exist_ok=True)
            self._file = open(path, "a", encoding="utf-8", errors="backslashreplace")  # noqa: SIM115
        return self._file

    def close_outfile(self, fd: IO[str]) -> None:
        """What was written leaves the process, so that a kill loses nothing of it."""
        try:
            fd.flush()
        except OSError:  # what is in the buffer would fail once more
            self._file = None
            raise

    def close(self) -> None:
        """Let go of the file; the next sample opens it again."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def __del__(self) -> None:
        self.close()
