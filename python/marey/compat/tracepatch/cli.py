"""The command: its options.

Exit status: 0 done, 1 a file cannot be read or a setting is wrong, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import os
import sys

from . import _cli_folder, _cli_settings, _cli_trace
from ._cli_output import Failure, err
from .config import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


_positive.__name__ = "positive number"


def _add_tree(add: Callable[..., Any]) -> None:
    add("--filter", metavar="PATTERN", help="modules, as app.*; !PATTERN leaves them out")
    add("--depth", metavar="N", type=_positive, help="so many levels")
    add("--format", choices=["text", "json", "html"], default="text")
    add("-o", "--output", metavar="FILE", help="instead of the standard output")
    add("--color", action="store_true", help="by how long calls took")
    add("--style", choices=["ascii", "unicode", "ansi"], help="how branches are drawn (ascii)")
    add("--no-args", action="store_true")
    add("--no-return", action="store_true")
    add("--show-source", action="store_true", help="file and line")
    add("--self-time", action="store_true", help="the time outside of calls inside")
    add("--no-stats", action="store_true", help="without the numbers above")
    add("--no-fold", action="store_true", help="every call on a line of its own")
    add("--fold-threshold", metavar="N", type=_positive, default=3, help="calls in a row (3)")
    add("--collapse", metavar="N", type=_positive, help="levels in full; 4 for large traces")


def _add_traces(command: Callable[..., Any]) -> None:
    add = command("logs", _cli_folder.logs, "the latest traces")
    add("--cache-dir", metavar="DIR", help="the folder with .tracepatch/ in it")
    add("--limit", metavar="N", type=_positive, default=50, help="so many (50)")
    add("--label", metavar="GLOB", help="those with such a label")
    add("--limited", action="store_true", help="those that reached a limit")
    add = command("view", _cli_trace.view, "what a trace says of itself", "file")
    add("--json", action="store_true", help="and all that is in it")
    _add_tree(command("tree", _cli_trace.tree, "the calls as a tree", "file"))
    command("stats", _cli_trace.stats, "the functions: slowest, most called, by module", "file")
    add = command("explain", _cli_trace.explain, "what is remarkable, in words", "file")
    add("-v", "--verbose", action="store_true", help="and how recursions grow")
    command("diff", _cli_trace.diff, "what changed from one trace to another", "file1", "file2")
    add = command("export", _cli_trace.export, "as CSV, a page, or a flame graph", "file")
    add("--format", choices=["csv", "html", "flamegraph"], default="csv")
    add("-o", "--output", metavar="FILE", help="instead of the standard output")


def _add_settings(command: Callable[..., Any]) -> None:
    """What works by settings, and what cleans up. Commands without a text are not listed: their
    names before 1.0.
    """
    add = command("config", _cli_settings.show, "the settings")
    add("--file", metavar="PATH", help="a file of settings")
    add("--validate", action="store_true", help="only whether they are right")
    add = command("init", _cli_settings.init, "a new tracepatch.toml")
    add("--force", action="store_true", help="also where there is one")
    add("-y", "--yes", action="store_true", help="ask nothing")
    running = "a script, or what the settings name, under trace()"
    for name, text in (("run", running), ("setup", None)):
        add = command(name, _cli_settings.run, text)
        add("script", nargs=argparse.REMAINDER, help="a script, and what it takes")
    for name, text in (("clean", "remove traces and generated files"), ("disable", None)):
        add = command(name, _cli_folder.clean, text)
        add("--traces", action="store_true", help="all traces")
        older = "traces older than 7d, 24h, 30m"
        add("--older-than", metavar="AGE", type=_cli_folder.age, help=older)
        add("--all", action="store_true", help="the whole .tracepatch/")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tph", description="Calls of Python programs, as trace() saved them."
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")

    def command(name: str, do: Any, text: str | None, *files: str) -> Any:
        one = commands.add_parser(name, help=text) if text else commands.add_parser(name)
        for file in files:
            one.add_argument(file)
        one.set_defaults(do=do)
        return one.add_argument

    _add_traces(command)
    _add_settings(command)
    command("help", lambda args: parser.print_help(), "this page")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """The command; its exit status."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    parser = _parser()
    args = parser.parse_args(argv)
    if args.command is None:
        parser.print_help()
        return 0
    try:
        status = args.do(args)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (Failure, ConfigError) as error:
        err(str(error))
        return 1
    except OSError as error:
        err(f"{error.filename}: {error.strerror}" if error.filename else str(error))
        return 1
    return int(status or 0)
