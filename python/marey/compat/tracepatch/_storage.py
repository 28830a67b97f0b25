"""Traces as files: JSON, and the folder that keeps them."""

from __future__ import annotations

import json
import os
import sys
from contextlib import contextmanager
from pathlib import Path

from ..._call_results import _private

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from typing import IO, Any, Union

    from ._nodes import TraceNode

    PathLike = Union[str, os.PathLike[str]]

FOLDER = ".tracepatch"
_LABEL_MOST = 200  # bytes of a file's name
_NESTING = 6000  # levels of a file's lists and objects: 3,000 calls within calls
_README = """\
Traces of calls, by marey.compat.tracepatch. `traces/` is left out of git: the values of arguments
stand in it. `python -m marey.compat.tracepatch logs` lists them, `clean --traces` removes them.
"""


# -------------------------------------------------------------------------------- JSON


def _pieces(
    roots: list[TraceNode], flat: Callable[[TraceNode], dict[str, Any]], level: int, empty: bool
) -> Iterator[str]:
    """What json.dumps(..., indent=2) gives, but for any depth. empty: "children" also for none."""
    if not roots:
        yield "[]"
        return
    todo = [(iter(roots), level)]
    between = "["
    while todo:
        siblings, level = todo[-1]
        node = next(siblings, None)
        outer = "\n" + "  " * level
        if node is None:
            todo.pop()
            yield f"{outer}]{outer[:-2]}}}" if todo else f"{outer}]"
            between = ","
            continue
        inner = outer + "  "
        text = json.dumps(flat(node), indent=2)[: -len("\n}")]
        yield between + inner + text.replace("\n", inner)
        if node.children:
            yield f',{inner}  "children": '
            todo.append((iter(node.children), level + 2))
            between = "["
        else:
            yield (f',{inner}  "children": []' if empty else "") + inner + "}"
            between = ","


def nodes_to_json(roots: list[TraceNode]) -> str:
    """The calls, nested, as JSON: all have "exception" and "children"."""

    def flat(node: TraceNode) -> dict[str, Any]:
        found = node.flat()
        kept = ("name", "module", "args", "return_value", "exception", "start", "end")
        return {key: found.get(key) for key in (*kept, "elapsed_ms")}

    return "".join(_pieces(roots, flat, 0, True))


def write_json(payload: dict[str, Any], roots: list[TraceNode], to: PathLike | IO[str]) -> None:
    """The payload with the calls as its "trace", into a path or an open text file. A new file is
    its owner's alone: values stand in it.
    """
    if isinstance(to, (str, os.PathLike)):
        with open(to, "w", encoding="utf-8", opener=_private) as file:
            _write(payload, roots, file)
    else:
        _write(payload, roots, to)


def _write(payload: dict[str, Any], roots: list[TraceNode], file: IO[str]) -> None:
    file.write(json.dumps(payload, indent=2)[: -len("\n}")] + ',\n  "trace": ')
    for piece in _pieces(roots, lambda node: node.flat(), 1, False):
        file.write(piece)
    file.write("\n}")


def write_text(path: PathLike, text: str) -> None:
    """A text as a file, a new one for its owner alone."""
    with open(path, "w", encoding="utf-8", opener=_private) as file:
        file.write(text)


@contextmanager
def _deep() -> Iterator[None]:
    """json's scanner recurses, and traces are deeper than what is usual."""
    usual = sys.getrecursionlimit()
    sys.setrecursionlimit(max(usual, _NESTING))
    try:
        yield
    finally:
        sys.setrecursionlimit(usual)


def read(path: PathLike) -> dict[str, Any]:
    """A file's contents. OSError; ValueError where it is no trace."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    try:
        with _deep():
            found = json.loads(text)
    except RecursionError:
        raise ValueError("nested too deep") from None
    if not isinstance(found, dict):
        raise ValueError("not a trace")
    return found


# ------------------------------------------------------------------------------ folders


def folder(base: PathLike | None) -> Path:
    """Where the traces of a base are: a folder, or its .tracepatch itself."""
    start = Path.cwd() if base is None else Path(base)
    return (start if start.name == FOLDER else start / FOLDER) / "traces"


def made_folder(base: PathLike | None) -> Path:
    """The same folder, which is there afterwards. OSError."""
    traces = folder(base)
    traces.mkdir(parents=True, exist_ok=True)
    for path, text in (
        (traces.parent / "README.md", _README),
        (traces / ".gitignore", "*\n"),
    ):
        if not path.exists():
            path.write_text(text, encoding="utf-8")
    return traces


def new_path(base: PathLike | None, label: str | None, when: datetime, identity: str) -> Path:
    """The file of a new trace; its folder is there afterwards. OSError."""
    traces = made_folder(base)
    name = "".join(c if c.isalnum() else "-" for c in label or "trace")
    name = name.encode()[:_LABEL_MOST].decode(errors="ignore")
    return traces / f"{name}_{when:%Y%m%d_%H%M%S}_{identity[:6]}.json"


def saved(base: PathLike | None) -> list[Path]:
    """The traces of a base, the latest first."""
    traces = folder(base)
    if not traces.is_dir():
        traces = traces.parents[1] / ".tracepatch_cache"  # before 1.0
    dated = []
    for path in traces.glob("*.json"):
        try:
            dated.append((path.stat().st_mtime_ns, path.name, path))
        except OSError:  # another one removed it meanwhile
            continue
    return [path for _, _, path in sorted(dated, reverse=True)]


def entry(path: Path) -> dict[str, Any]:
    """What a list of traces says of one. OSError, ValueError."""
    found = read(path)
    return {
        "file": str(path),
        "timestamp": found.get("timestamp"),
        "label": found.get("label"),
        "call_count": found.get("call_count", 0),
        "was_limited": found.get("was_limited", False),
    }
