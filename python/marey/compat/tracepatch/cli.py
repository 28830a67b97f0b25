"""The command: lists, shows, compares and exports traces; records scripts.

Exit status: 0 done, 1 a file cannot be read or a setting is wrong, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import fnmatch
import os
import re
import shutil
import sys
import time
import warnings
from pathlib import Path

from . import _storage
from ._nodes import (
    collapse_tree,
    count,
    filter_modules,
    fold_repeated_calls,
    from_dicts,
    limit_depth,
)
from ._render import printable, render_summary_header, render_tree, render_tree_colored
from .config import ConfigError, TracepatchConfig, load_config, save_config

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import IO, Any

    from ._nodes import TraceNode

_LARGE, _COLLAPSED = 200, 4  # calls from which on a tree is collapsed, and to which depth
_UNITS = {"d": 86400, "h": 3600, "m": 60}
_WRITTEN = ("trace_runner.py", "setup_state.json", "state.json", "__init__.py")  # by the old `run`


class _Failure(Exception):
    """A message for the user; exit status 1."""


# ------------------------------------------------------------------------------ messages


def _say(file: IO[str], symbol: str, plain: str, text: str) -> None:
    print(symbol if file.isatty() else plain, printable(text), file=file)


def ok(text: str) -> None:
    """Something was done."""
    _say(sys.stdout, "✓", "OK:", text)


def warn(text: str) -> None:
    """Something to know."""
    _say(sys.stderr, "!", "WARN:", text)


def err(text: str) -> None:
    """Something is wrong."""
    _say(sys.stderr, "✗", "ERR:", text)


def info(text: str) -> None:
    """Something else."""
    print(f"  {printable(text)}")


# ------------------------------------------------------------------------- reading files


def _load(path: str) -> tuple[dict[str, Any], list[TraceNode]]:
    """A trace, and its calls."""
    try:
        data = _storage.read(path)
        return data, from_dicts(data.get("trace", []))
    except FileNotFoundError:
        raise _Failure(f"File not found: {path}") from None
    except OSError as error:
        raise _Failure(f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise _Failure(f"{path}: not a trace: {error}") from None


def _label(data: dict[str, Any], path: str) -> str:
    return str(data.get("label") or Path(path).name)


def _config(path: str | None = None) -> tuple[TracepatchConfig, Path | None]:
    """The settings; what they do not know is said."""
    with warnings.catch_warnings(record=True) as unknown:
        warnings.simplefilter("always")
        found = load_config(path)
    for one in unknown:
        warn(str(one.message))
    return found


def _put(text: str, path: str | None, what: str) -> None:
    """Into a file, or to the standard output."""
    if path is None:
        sys.stdout.write(text)
        return
    _storage.write_text(path, text)
    ok(f"{what}: {path}")


# ------------------------------------------------------------------------- of many traces


def _logs(args: argparse.Namespace) -> None:
    found: list[dict[str, Any]] = []
    for path in _storage.saved(args.cache_dir):
        if len(found) >= args.limit:
            break
        try:
            entry = _storage.entry(path)
        except (OSError, ValueError) as error:
            warn(f"{path}: {error}")
            continue
        is_alike = fnmatch.fnmatchcase(str(entry["label"] or ""), args.label or "*")
        if is_alike and (entry["was_limited"] or not args.limited):
            found.append(entry)
    if not found:
        info(f"No trace logs found in {_storage.folder(args.cache_dir)}")
        info("trace(cache=True) writes there.")
        return
    print(f"Found {len(found)} trace log(s):\n")
    for number, entry in enumerate(found, 1):
        limited = " [LIMITED]" if entry["was_limited"] else ""
        label = entry["label"] or "(no label)"
        calls = f"{entry['call_count']} calls{limited}"
        print(printable(f"[{number}] {entry['timestamp'] or 'unknown'} | {label} | {calls}"))
        print(f"    {printable(entry['file'])}\n")


def _age(text: str) -> float:
    found = re.fullmatch(r"(\d{1,9})([dhm])", text)
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r}: 7d, 24h or 30m wanted")
    return float(found[1]) * _UNITS[found[2]]


def _clean(args: argparse.Namespace) -> None:
    folder = Path(_storage.FOLDER)
    if args.all:
        if folder.is_dir() and not folder.is_symlink():
            shutil.rmtree(folder)
            ok(f"Removed {folder}/")
        else:
            info(f"No {folder}/ here")
    elif args.traces or args.older_than is not None:
        until = time.time() - (args.older_than or 0.0)
        old = [
            path
            for path in (folder / "traces").glob("*.json")
            if args.older_than is None or path.stat().st_mtime < until
        ]
        for path in old:
            path.unlink()
        ok(f"Removed {len(old)} trace file(s)")
    else:
        there = [folder / name for name in _WRITTEN if (folder / name).is_file()]
        for path in there:
            path.unlink()
        ok(f"Removed {len(there)} generated file(s); --traces removes the traces")


# -------------------------------------------------------------------------- of one trace


def _view(args: argparse.Namespace) -> None:
    data, roots = _load(args.file)
    rule = "=" * 70
    print(f"{rule}\nTRACE METADATA\n{rule}")
    rows = {
        "File": args.file,
        "Timestamp": data.get("timestamp", "unknown"),
        "Label": data.get("label") or "(no label)",
        "Call count": data.get("call_count", 0),
        "Was limited": data.get("was_limited", False),
        "Limit reason": data.get("limit_reason"),
    }
    for name, value in rows.items():
        if value is not None:
            print(printable(f"{name}: {value}"))
    config = data.get("config")
    if isinstance(config, dict):
        print("\nConfiguration:")
        for name, value in config.items():
            if value not in (None, []):
                shown = ", ".join(map(str, value)) if isinstance(value, list) else value
                print(printable(f"  {name}: {shown}"))
    print(f"\nRoot calls: {len(roots)}")
    if args.json:
        print(f"\n{rule}\nRAW JSON\n{rule}")
        head = {name: value for name, value in data.items() if name != "trace"}
        _storage.write_json(head, roots, sys.stdout)
        print()


def _folded(args: argparse.Namespace, roots: list[TraceNode]) -> list[TraceNode]:
    """Cut, folded and collapsed, as is wanted."""
    if args.depth is not None:
        roots = limit_depth(roots, args.depth)
    if not args.no_fold:
        roots = fold_repeated_calls(roots, threshold=args.fold_threshold)
    if args.collapse is not None:
        return collapse_tree(roots, max_depth=args.collapse)
    if args.format == "text" and count(roots) > _LARGE:
        warn(
            f"Large trace (>{_LARGE} calls): collapsed to depth {_COLLAPSED}; "
            "--collapse N shows more"
        )
        return collapse_tree(roots, max_depth=_COLLAPSED)
    return roots


def _tree(args: argparse.Namespace) -> None:
    data, every = _load(args.file)
    wanted = filter_modules(every, args.filter) if args.filter else every
    roots = _folded(args, wanted)
    if args.format == "json":
        _put(_storage.nodes_to_json(roots) + "\n", args.output, "JSON tree saved to")
    elif args.format == "html":
        from ._page import nodes_to_html

        page = nodes_to_html(roots, title=f"Trace: {_label(data, args.file)}")
        _put(page, args.output, "HTML tree saved to")
    else:
        _show_tree(args, data, every, wanted, roots)


def _show_tree(
    args: argparse.Namespace,
    data: dict[str, Any],
    every: list[TraceNode],
    wanted: list[TraceNode],
    roots: list[TraceNode],
) -> None:
    if args.filter:
        shown = f"({count(wanted)}/{count(every)} calls shown)"
        print(printable(f"Filter: {args.filter} {shown}"))
    if args.depth is not None:
        print(f"Depth limit: {args.depth} levels")
    if not roots:
        print("No calls match the filter criteria." if every else "No calls captured.")
        return
    if not args.no_stats:
        print(render_summary_header(wanted, label=_label(data, args.file)), end="\n\n")
    if data.get("was_limited"):
        warn(f"This trace was limited ({data.get('limit_reason') or 'by max_calls or max_time'})")
    _put(_drawn(args, roots) + "\n", args.output, "Tree saved to")


def _drawn(args: argparse.Namespace, roots: list[TraceNode]) -> str:
    config, _ = _config()
    show_args = config.show_args and not args.no_args
    show_return = config.show_return and not args.no_return
    is_terminal = sys.stdout.isatty() and args.output is None
    if args.color or (config.color and is_terminal) or _is_forced():
        return render_tree_colored(roots, show_args=show_args, show_return=show_return)
    return render_tree(
        roots,
        style=args.style or config.tree_style,
        show_args=show_args,
        show_return=show_return,
        show_source=args.show_source,
        show_self_time=args.self_time,
    )


def _is_forced() -> bool:
    return os.environ.get("TRACEPATCH_COLOR", "").lower() in ("1", "true", "yes")


def _explain(args: argparse.Namespace) -> None:
    from ._educational import explain

    _, roots = _load(args.file)
    for line in explain(roots, verbose=args.verbose).split("\n"):
        print(printable(line))


def _stats(args: argparse.Namespace) -> None:
    from ._tables import stats

    data, roots = _load(args.file)
    print(printable(f"Trace: {_label(data, args.file)}"))
    print("=" * 70)
    for line in stats(roots):
        print(printable(line))


def _diff(args: argparse.Namespace) -> None:
    from ._tables import changes

    (before, old), (after, new) = _load(args.file1), _load(args.file2)
    print(printable(f"Diff: {_label(before, args.file1)}  vs  {_label(after, args.file2)}"))
    print("=" * 70)
    lines = list(changes(old, new))
    for line in lines:
        print(printable(line))
    if not lines:
        info("No significant differences found.")


def _export(args: argparse.Namespace) -> None:
    data, roots = _load(args.file)
    title = f"Trace: {_label(data, args.file)}"
    if args.format == "html":
        from ._page import nodes_to_html

        _put(nodes_to_html(roots, title=title), args.output, "HTML exported to")
    elif args.format == "flamegraph":
        from ._flamegraph import nodes_to_flamegraph

        image = nodes_to_flamegraph(roots, title=title)
        _put(image, args.output, "Flamegraph SVG exported to")
    else:
        from ._tables import rows_as_csv

        _put(rows_as_csv(roots), args.output, "CSV exported to")


# ----------------------------------------------------------------------------- settings


def _show_config(args: argparse.Namespace) -> None:
    config, path = _config(args.file)
    config.expand_label()
    if args.validate:
        ok(f"Config valid: {path}" if path else "Config valid (defaults)")
        return
    print("=" * 70 + "\nTRACEPATCH CONFIGURATION\n" + "=" * 70)
    if path:
        ok(f"Loaded from: {path}")
    else:
        info("No tracepatch.toml and no pyproject.toml with [tool.tracepatch]: the defaults")
    print()
    for name, value in vars(config).items():
        if name != "test" and value not in (None, []):
            print(printable(f"  {name}: {', '.join(value) if isinstance(value, list) else value}"))
    for file in config.test.files:
        print(printable(f"  run: {file.path}: {', '.join(file.functions)}"))
    print(
        "\nThe environment comes before it: TRACEPATCH_ENABLED, _MAX_DEPTH, _MAX_CALLS, _MAX_REPR,"
        "\n_MAX_TIME, _LABEL, _OUTPUT_DIR, _NO_CACHE, _COLOR"
    )


def _asked(question: str) -> list[str]:
    return [word.strip() for word in input(question).split(",") if word.strip()]


def _init(args: argparse.Namespace) -> None:
    path = Path("tracepatch.toml")
    if path.exists() and not args.force:
        raise _Failure(f"{path} is there already; --force writes a new one")
    ignored, included = ["unittest.mock", "logging"], []
    if not args.yes:
        try:
            included = _asked("Modules to trace, with commas between them (Enter: all): ")
            ignored = _asked(f"Modules to leave out (Enter: {', '.join(ignored)}): ") or ignored
        except EOFError:
            raise _Failure("no answer; --yes asks nothing") from None
    save_config(
        TracepatchConfig(ignore_modules=ignored, include_modules=included, cache=True), path
    )
    ok(f"Created {path}")


def _run(args: argparse.Namespace) -> int:
    from ._runner import run

    config, path = _config()
    return run(config, path, args.script)


# ------------------------------------------------------------------------------ options


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


_positive.__name__ = "positive number"


def _add_tree(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("file")
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

    add = command("logs", _logs, "the latest traces")
    add("--cache-dir", metavar="DIR", help="the folder with .tracepatch/ in it")
    add("--limit", metavar="N", type=_positive, default=50, help="so many (50)")
    add("--label", metavar="GLOB", help="those with such a label")
    add("--limited", action="store_true", help="those that reached a limit")
    add = command("view", _view, "what a trace says of itself", "file")
    add("--json", action="store_true", help="and all that is in it")
    _add_tree(commands.add_parser("tree", help="the calls as a tree"))
    commands.choices["tree"].set_defaults(do=_tree)
    command("stats", _stats, "the functions: slowest, most called, by module", "file")
    add = command("explain", _explain, "what is remarkable, in words", "file")
    add("-v", "--verbose", action="store_true", help="and how recursions grow")
    command("diff", _diff, "what changed from one trace to another", "file1", "file2")
    add = command("export", _export, "as CSV, a page, or a flame graph", "file")
    add("--format", choices=["csv", "html", "flamegraph"], default="csv")
    add("-o", "--output", metavar="FILE", help="instead of the standard output")
    add = command("config", _show_config, "the settings")
    add("--file", metavar="PATH", help="a file of settings")
    add("--validate", action="store_true", help="only whether they are right")
    add = command("init", _init, "a new tracepatch.toml")
    add("--force", action="store_true", help="also where there is one")
    add("-y", "--yes", action="store_true", help="ask nothing")
    for name, text in (
        ("run", "a script, or what the settings name, under trace()"),
        ("setup", None),
    ):
        add = command(name, _run, text)
        add("script", nargs=argparse.REMAINDER, help="a script, and what it takes")
    for name, text in (("clean", "remove traces and generated files"), ("disable", None)):
        add = command(name, _clean, text)
        add("--traces", action="store_true", help="all traces")
        add("--older-than", metavar="AGE", type=_age, help="traces older than 7d, 24h, 30m")
        add("--all", action="store_true", help="the whole .tracepatch/")
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
    except (_Failure, ConfigError) as error:
        err(str(error))
        return 1
    except OSError as error:
        err(f"{error.filename}: {error.strerror}" if error.filename else str(error))
        return 1
    return int(status or 0)
