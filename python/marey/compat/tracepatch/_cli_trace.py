"""Commands that look at one trace, or compare two."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from . import _storage
from ._cli_output import Failure, info, put, warn
from ._cli_settings import settings
from ._nodes import (
    collapse_tree,
    count,
    filter_modules,
    fold_repeated_calls,
    from_dicts,
    limit_depth,
)
from ._render import printable, render_summary_header, render_tree, render_tree_colored

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Any

    from ._nodes import TraceNode

_LARGE, _COLLAPSED = 200, 4  # calls from which on a tree is collapsed, and to which depth


def _load(path: str) -> tuple[dict[str, Any], list[TraceNode]]:
    """A trace, and its calls."""
    try:
        data = _storage.read(path)
        return data, from_dicts(data.get("trace", []))
    except FileNotFoundError:
        raise Failure(f"File not found: {path}") from None
    except OSError as error:
        raise Failure(f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise Failure(f"{path}: not a trace: {error}") from None


def _label(data: dict[str, Any], path: str) -> str:
    return str(data.get("label") or Path(path).name)


def view(args: argparse.Namespace) -> None:
    """`view`."""
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


def tree(args: argparse.Namespace) -> None:
    """`tree`."""
    data, every = _load(args.file)
    wanted = filter_modules(every, args.filter) if args.filter else every
    roots = _folded(args, wanted)
    if args.format == "json":
        put(_storage.nodes_to_json(roots) + "\n", args.output, "JSON tree saved to")
    elif args.format == "html":
        from ._page import nodes_to_html

        page = nodes_to_html(roots, title=f"Trace: {_label(data, args.file)}")
        put(page, args.output, "HTML tree saved to")
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
    put(_drawn(args, roots) + "\n", args.output, "Tree saved to")


def _drawn(args: argparse.Namespace, roots: list[TraceNode]) -> str:
    config, _ = settings()
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


def explain(args: argparse.Namespace) -> None:
    """`explain`."""
    from . import _educational

    _, roots = _load(args.file)
    for line in _educational.explain(roots, verbose=args.verbose).split("\n"):
        print(printable(line))


def stats(args: argparse.Namespace) -> None:
    """`stats`."""
    from . import _tables

    data, roots = _load(args.file)
    print(printable(f"Trace: {_label(data, args.file)}"))
    print("=" * 70)
    for line in _tables.stats(roots):
        print(printable(line))


def diff(args: argparse.Namespace) -> None:
    """`diff`."""
    from ._tables import changes

    (before, old), (after, new) = _load(args.file1), _load(args.file2)
    print(printable(f"Diff: {_label(before, args.file1)}  vs  {_label(after, args.file2)}"))
    print("=" * 70)
    lines = list(changes(old, new))
    for line in lines:
        print(printable(line))
    if not lines:
        info("No significant differences found.")


def export(args: argparse.Namespace) -> None:
    """`export`."""
    data, roots = _load(args.file)
    title = f"Trace: {_label(data, args.file)}"
    if args.format == "html":
        from ._page import nodes_to_html

        put(nodes_to_html(roots, title=title), args.output, "HTML exported to")
    elif args.format == "flamegraph":
        from ._flamegraph import nodes_to_flamegraph

        image = nodes_to_flamegraph(roots, title=title)
        put(image, args.output, "Flamegraph SVG exported to")
    else:
        from ._tables import rows_as_csv

        put(rows_as_csv(roots), args.output, "CSV exported to")
