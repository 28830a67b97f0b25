"""Commands for the folder of traces: what is in it, and what goes."""

from __future__ import annotations

import argparse
import fnmatch
import re
import shutil
import time
from pathlib import Path

from . import _storage
from ._cli_output import info, ok, warn
from ._render import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_UNITS = {"d": 86400, "h": 3600, "m": 60}
_WRITTEN = ("trace_runner.py", "setup_state.json", "state.json", "__init__.py")  # by the old `run`


def logs(args: argparse.Namespace) -> None:
    """`logs`."""
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


def age(text: str) -> float:
    """Seconds, of 7d, 24h or 30m."""
    found = re.fullmatch(r"(\d{1,9})([dhm])", text)
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r}: 7d, 24h or 30m wanted")
    return float(found[1]) * _UNITS[found[2]]


def clean(args: argparse.Namespace) -> None:
    """`clean`."""
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
