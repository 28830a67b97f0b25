"""Traces in notebooks: show(), and `%%tracepatch` for a cell."""

from __future__ import annotations

import argparse
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._trace import trace


def _notebook() -> Any:
    """IPython's display module, in a notebook's kernel; None elsewhere."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if shell is None or getattr(shell, "kernel", None) is None:
        return None
    import IPython.display

    return IPython.display


def show(traced: trace) -> None:
    """A page in a notebook; elsewhere the tree on the standard output."""
    from html import escape

    from ._page import nodes_to_html

    display = _notebook()
    if display is None:
        print(traced.tree())
        return
    page = escape(nodes_to_html(traced.roots, title=traced._label or "Trace"))
    frame = f'<iframe srcdoc="{page}" sandbox="allow-scripts" width="100%" height="480"></iframe>'
    display.display(display.HTML(frame))


class _Parser(argparse.ArgumentParser):
    """Wrong options of a cell are the cell's error, not the kernel's end."""

    def error(self, message: str) -> Any:
        raise ValueError(f"%%tracepatch: {message}")


def _options(line: str) -> dict[str, Any]:
    import shlex

    parser = _Parser(prog="%%tracepatch", add_help=False)
    parser.add_argument("--label")
    for name, kind in (("depth", int), ("calls", int), ("repr", int), ("time", float)):
        parser.add_argument(f"--max-{name}", type=kind, default=argparse.SUPPRESS)
    parser.add_argument("--no-cache", dest="cache", action="store_false", default=None)
    return vars(parser.parse_args(shlex.split(line)))


def load_ipython_extension(shell: Any) -> None:
    """Registers `%%tracepatch [--label L] [--max-depth N] [--max-calls N] [--max-repr N]
    [--max-time S] [--no-cache]`: the cell's calls, shown behind it.
    """

    def tracepatch(line: str, cell: str) -> None:
        from ..._notebook import _Cell
        from ._trace import trace

        work = _Cell(shell, cell)
        with trace(**_options(line)) as traced:
            work.run()
        show(traced)
        work.finish()

    shell.register_magic_function(tracepatch, magic_kind="cell")
