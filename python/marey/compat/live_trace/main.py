"""The command, and start() and stop() for programs."""

from __future__ import annotations

import argparse
import contextlib
import os
import runpy
import sys
import tempfile
from typing import Any

import marey

from .tracerusingbackgroundthread import TracerAlreadyRunning, TracerUsingBackgroundThread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from .writer import BaseWriter

DEFAULT_INTERVAL = 0.1
outfile_dir = os.path.expanduser("~/tmp/live_trace")


def _default_outfile() -> str:
    return os.path.join(outfile_dir, f"{{:%Y-%m-%d-%H-%M-%S}}--pid{os.getpid()}.log")


def __getattr__(name: str) -> str:
    if name == "outfile":  # of this process, also after a fork
        return _default_outfile()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


# ------------------------------------------------------------------------- for programs


def start(
    interval: float = DEFAULT_INTERVAL, outfile_template: str = "-"
) -> TracerUsingBackgroundThread:
    """Write all stacks each `interval` seconds from now on.

    outfile_template: see WriterToLogTemplate; "-": the standard output. Raises TracerAlreadyRunning
    where somebody does so already.
    """
    from .writer import WriterToLogTemplate

    tracer = TracerUsingBackgroundThread(WriterToLogTemplate(outfile_template), interval)
    tracer.start()
    return tracer


def start_idempotent(interval: float = DEFAULT_INTERVAL, outfile_template: str = "-") -> None:
    """The same, unless somebody does so already."""
    with contextlib.suppress(TracerAlreadyRunning):
        start(interval, outfile_template)


def stop() -> None:
    """Write no more. Where nobody does: nothing."""
    TracerUsingBackgroundThread.global_stop()


# --------------------------------------------------------------------------- the command


def get_command_from_path(cmd: str) -> str:
    """A script by its path, or else by its name in $PATH. ValueError where there is none."""
    folders = os.environ.get("PATH", "").split(os.pathsep)
    for path in (cmd, *(os.path.join(folder, cmd) for folder in folders)):
        if os.path.isfile(path):
            return os.path.abspath(path)
    raise ValueError(f"Command not found: {cmd}")


def _run_script(writer: BaseWriter, args: argparse.Namespace) -> None:
    """Run a script as Python would, and sample it until it ends in whatever way."""
    try:
        path = get_command_from_path(args.command_args[0])
    except ValueError as error:
        sys.exit(f"live-trace: {error}")
    sys.argv = list(args.command_args)
    sys.path.insert(0, os.path.dirname(path))
    tracer = TracerUsingBackgroundThread(writer, args.interval)
    tracer.start()
    try:
        runpy.run_path(path, run_name="__main__")
    finally:
        tracer.stop()


def run(args: argparse.Namespace) -> None:
    """`run`."""
    from .writer import WriterToLogTemplate

    _run_script(WriterToLogTemplate(args.outfile or _default_outfile()), args)


def run_and_analyze(args: argparse.Namespace) -> None:
    """`run-and-analyze`."""
    from .parser import FrameCounter
    from .writer import WriterToStream

    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="backslashreplace") as log:
        try:
            _run_script(WriterToStream(log), args)
        finally:  # also where the script ends by sys.exit()
            log.seek(0)
            counter = FrameCounter(args)
            counter.read_logs_of_fd(log)
            counter.print_counts()


def analyze(args: argparse.Namespace) -> None:
    """`analyze`."""
    from .parser import read_logs

    read_logs(args).print_counts()


def version(args: argparse.Namespace) -> None:
    """`version`."""
    print(f"{marey.__version__} (as live-trace 2017.25.0)")


class Namespace(argparse.Namespace):
    """What the options say. Where nothing does, these."""

    sum_all_frames = True
    most_common = 30
    func: Any = None

    def __init__(self, **given: Any) -> None:
        self.logfiles: list[str] = []
        super().__init__(**given)


class ArgumentParser(argparse.ArgumentParser):
    """The command's options."""

    Namespace: Any = Namespace

    def __init__(self) -> None:
        super().__init__(
            prog="live-trace",
            description="Say where a Python program spends its time, by the stacks of all its "
            "threads. '<====' marks your own code.",
        )
        commands = self.add_subparsers(title="subcommands", dest="command", required=True)
        commands._parser_class = argparse.ArgumentParser  # type: ignore[assignment]
        one = commands.add_parser("run", help="write stacks into a log while a script runs")
        one.add_argument(
            "--out-file",
            metavar="TEMPLATE",
            dest="outfile",
            help="a path; {:%%Y-%%m-%%d} is the date, - the standard output "
            f"({_default_outfile().replace('%', '%%')})",
        )
        _add_script(one)
        one.set_defaults(func=run)
        one = commands.add_parser("analyze", help="count the lines of logs")
        _add_counting(one)
        one.add_argument("logfiles", nargs="+", help="logs that `run` wrote")
        one.set_defaults(func=analyze)
        one = commands.add_parser("run-and-analyze", help="both")
        _add_counting(one)
        _add_script(one)
        one.set_defaults(func=run_and_analyze)
        commands.add_parser("version").set_defaults(func=version)

    def parse_args(self, args: Sequence[str] | None = None) -> Any:  # type: ignore[override]
        """The options of a command line."""
        return super().parse_args(args, namespace=self.Namespace())


def _add_script(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--interval",
        metavar="SECONDS",
        type=float,
        default=DEFAULT_INTERVAL,
        help=f"between samples ({DEFAULT_INTERVAL})",
    )
    parser.add_argument("command_args", nargs=argparse.PARSER, help="the script, and what it takes")


def _add_counting(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--sum-all-frames", action="store_true", help="count callers, too")
    parser.add_argument(
        "--most-common", "-m", metavar="N", type=int, default=30, help="so many lines (30)"
    )


def main(args: Sequence[str] | None = None) -> None:
    """The command. Wrong files end it with a message and status 1."""
    from .parser import ParseError

    given = ArgumentParser().parse_args(args)
    if given.func is not analyze:  # what a script raises is its own
        given.func(given)
        return
    try:
        analyze(given)
        sys.stdout.flush()
    except BrokenPipeError:  # who reads has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except (OSError, ParseError) as error:
        sys.exit(f"live-trace: {error}")
