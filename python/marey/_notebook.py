"""`%load_ext marey`: what a cell of a notebook does, shown below it.

%%marey                 where its time goes: samples, as a table and a flame graph
%%marey calls           every call, with arguments and results, as a tree
%%marey spans           the marey.span()s in it
%marey work(3)          the same of one line
"""

from __future__ import annotations

import argparse
import ast
import html
import inspect
import os
import shlex
import subprocess
import sys
import tempfile
from types import CodeType, TracebackType
from typing import Any, cast

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_cell_magic, magics_class
from IPython.display import display

from . import _marey
from ._calls import calls
from ._record import record
from ._sampler import HotList, sample
from ._trace import Trace, open_trace

_HEIGHT = 480  # of the picture, in pixels


class _Parser(argparse.ArgumentParser):
    """Says what is wrong as IPython's magics do, and ends nothing."""

    def error(self, message: str) -> Any:
        raise UsageError(f"%marey: {message}\n{self.format_usage().strip()}")

    def exit(self, status: int = 0, message: str | None = None) -> Any:
        raise UsageError(message or "")


def _parser() -> _Parser:
    parser = _Parser(prog="%%marey", add_help=False)
    parser.add_argument("what", nargs="?", default="samples", choices=("samples", "calls", "spans"))
    parser.add_argument("--hz", type=float, default=1000, help="samples a second")
    parser.add_argument("--depth", type=int, default=30, help="levels of calls")
    parser.add_argument("--max-calls", type=int, default=100_000)
    parser.add_argument("--include", action="append", help="modules or files whose calls count")
    parser.add_argument("--ignore", action="append", help="... do not count")
    parser.add_argument("-n", "--rows", type=int, default=12, help="rows of what is shown")
    parser.add_argument("-o", "--output", help="where the trace is kept; else nowhere")
    return parser


class CellTrace:
    """What a cell did: shown by notebooks as a picture, in a terminal as text.

    text: the table or tree. path: the trace file. It is removed with this object, unless it was
    named by -o.
    """

    def __init__(self, what: str, path: str, folder: tempfile.TemporaryDirectory[str] | None):
        self.what, self.path, self.text = what, path, ""
        self._folder = folder  # lives as long as this does

    @property
    def trace(self) -> Trace:
        """The trace itself: see marey.open_trace."""
        return open_trace(self.path)

    def page(self) -> str:
        """The page of `marey view` as one HTML file; "" where it cannot be made."""
        command = [sys.executable, "-m", "marey", "convert", self.path, "--to", "html", "-o", "-"]
        done = subprocess.run(command, capture_output=True, check=False)
        return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else ""

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        text = f"<pre>{html.escape(self.text)}</pre>"
        page = self.page()
        if not page:
            return text
        # A frame of its own, which may run its own script and nothing else.
        frame = (
            f'<iframe srcdoc="{html.escape(page)}" sandbox="allow-scripts allow-downloads" '
            f'style="width:100%;height:{_HEIGHT}px;border:1px solid #8884"></iframe>'
        )
        return f"{text}{frame}"


class _Cell:
    """The code of a cell, run by nothing but us: what is recorded of it is its own."""

    def __init__(self, shell: Any, code: str) -> None:
        self._shell = shell
        source = shell.transform_cell(code)
        self._file = shell.compile.cache(source, shell.execution_count, raw_code=code)
        tree = shell.transform_ast(shell.compile.ast_parse(source, self._file))
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        self._is_silent = source.rstrip().endswith(";")
        self._namespaces = shell.user_global_ns, shell.user_ns
        self._parts = [self._compiled(tree, "exec")] if tree.body else []
        if last is not None:
            self._parts.append(self._compiled(ast.Expression(last.value), "eval"))
        self._value: Any = None
        self._error: BaseException | None = None

    def _compiled(self, tree: ast.Module | ast.Expression, mode: str) -> CodeType:
        flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT | self._shell.compile.flags
        code = compile(tree, self._file, mode, flags, dont_inherit=True)
        if code.co_flags & inspect.CO_COROUTINE:
            raise UsageError("%%marey: no await at the top of the cell; await inside a function")
        return cast(CodeType, code)

    def run(self) -> None:
        """Run it. An exception waits for `finish`."""
        try:
            for part in self._parts:
                self._value = eval(part, *self._namespaces)
        except BaseException as error:
            self._error = error

    def finish(self) -> None:
        """Show the value of its last line, or raise what it raised."""
        if self._error is not None:
            raise self._error.with_traceback(_own_part(self._error.__traceback__, self._file))
        if self._value is not None and not self._is_silent:
            self._shell.displayhook(self._value)

    def is_of(self, file: str) -> bool:
        """Whether a function of that file is the cell's own."""
        return bool(file == self._file)


def _own_part(traceback: TracebackType | None, file: str) -> TracebackType | None:
    """Of a traceback what begins in the cell; all of it where it never gets there."""
    at = traceback
    while at is not None and at.tb_frame.f_code.co_filename != file:
        at = at.tb_next
    return at or traceback


def _run_samples(work: _Cell, options: argparse.Namespace) -> str:
    with sample(hz=options.hz, lines=True, record=True) as sampler:
        work.run()
    stats = sampler.stats()
    if not stats.samples:
        return "no samples: the cell took less time than there is between two"
    # What stands around the cell, IPython and this, is in all samples and says nothing.
    hot = [r for r in sampler.hot(None) if r.file != __file__]
    rows = [r for r in hot if r.self_samples or work.is_of(r.file)]
    table = HotList(rows[: options.rows])
    return f"{table}\n{stats.samples:,} samples, {stats.achieved_hz:,.0f} a second"


def _run_calls(work: _Cell, options: argparse.Namespace) -> str:
    with calls(
        max_depth=options.depth,
        max_calls=options.max_calls,
        include=options.include,
        ignore=options.ignore,
    ) as scope:
        work.run()
    return scope.tree(rows=options.rows)


def _run_spans(work: _Cell, options: argparse.Namespace) -> str:
    work.run()
    return ""


_RUNS = {"samples": _run_samples, "calls": _run_calls, "spans": _run_spans}


@magics_class
class MareyMagics(Magics):
    """The magics %marey and %%marey."""

    @line_cell_magic  # type: ignore[untyped-decorator]
    def marey(self, line: str, cell: str | None = None) -> None:
        """%%marey [samples|calls|spans] [--hz N] [--depth N] [--include WHAT] [--ignore WHAT]
        [--max-calls N] [-n ROWS] [-o FILE]

        Runs the cell and shows below it where its time went (samples), every call (calls), or its
        spans (spans). %marey STATEMENT shows the samples of one line.
        """
        if cell is None and not line.strip():
            raise UsageError("%marey STATEMENT, or %%marey at the top of a cell")
        options = _parser().parse_args([] if cell is None else shlex.split(line))
        if _marey.recording():
            raise UsageError("%marey: a recording is going on in this process; stop it first")
        assert self.shell is not None
        work = _Cell(self.shell, line if cell is None else cell)
        show: Any = display  # has types in some versions only
        show(self._recorded(work, options))
        work.finish()

    def _recorded(self, work: _Cell, options: argparse.Namespace) -> CellTrace:
        folder = None if options.output else tempfile.TemporaryDirectory(prefix="marey-cell-")
        place = folder.name if folder else ""
        path = options.output or os.path.join(place, "cell.perfetto-trace")
        made = CellTrace(options.what, path, folder)
        with record(path):
            made.text = _RUNS[options.what](work, options)
        if options.what == "spans":
            made.text = made.trace.tree(rows=options.rows)
        return made


def load(ipython: Any) -> None:
    """What `%load_ext marey` calls."""
    ipython.register_magics(MareyMagics)
