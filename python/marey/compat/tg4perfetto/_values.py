"""How tg4perfetto shows values: the first 16 of many, "[empty]" for nothing, a type for what it
does not know.
"""

from __future__ import annotations

from typing import Any

LIST_MAX = 16
_NESTING_MAX = 16  # levels; what refers to itself is cut there


def shown(value: Any, most: int = LIST_MAX, level: int = 0) -> Any:
    """The value as it stands in a trace: numbers, texts, lists and dicts of such."""
    if isinstance(value, (str, bool, int, float)):
        return value
    if isinstance(value, (dict, list, tuple)):
        if not value:
            return "[empty]"
        if level == _NESTING_MAX:
            return "..."
        return _dict(value, most, level) if isinstance(value, dict) else _list(value, most, level)
    return str(type(value))


def _dict(given: dict[Any, Any], most: int, level: int) -> dict[str, Any]:
    made = {}
    for number, (key, value) in enumerate(given.items(), 1):
        if number == most:
            made["..."] = f"({len(given) - number + 1} more items)"
            break
        made[str(key)] = shown(value, most, level + 1)
    return made


def _list(given: Any, most: int, level: int) -> list[Any]:
    made = []
    for number, value in enumerate(given):
        if number == most:
            made.append(f"... ({len(given) - number} more items)")
            break
        # Viewers once failed at lists in lists, so one in a list stands in a dict.
        inner = {"array": value} if isinstance(value, (list, tuple)) else value
        made.append(shown(inner, most, level + 1))
    return made
