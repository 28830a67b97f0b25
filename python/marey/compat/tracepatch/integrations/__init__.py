"""A trace for each request of a web application. What all of them take:

ignore_modules: as trace() does. save: write each trace into .tracepatch/traces. enabled: False
leaves requests alone. Other options: those of trace().
"""

from __future__ import annotations

from typing import Any

from .._trace import trace


def trace_of(label: str, ignore_modules: Any, save: bool, options: dict[str, Any]) -> trace:
    """A request's trace, not yet begun."""
    return trace(**{"label": label, "ignore_modules": ignore_modules, "cache": save, **options})
