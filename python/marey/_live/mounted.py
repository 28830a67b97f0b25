"""The live page below a prefix of a web application."""

from __future__ import annotations

import re
import sys
from typing import NamedTuple

from .._record import _script_name
from .live_page import Live

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..integrations._requests import Requests

_APPLICATION = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


class Mounted(NamedTuple):
    """A page, and where it is: "/marey"."""

    live: Live
    prefix: str

    def below(self, path: str) -> str | None:
        """What is left of a path below the prefix, with its slash; None: it is not below it."""
        if not path.startswith(self.prefix):
            return None
        rest = path[len(self.prefix) :]
        return rest if not rest or rest.startswith("/") else None

    @property
    def folder(self) -> str:
        """The prefix's last part."""
        return self.prefix.rpartition("/")[2]


def mounted(prefix: object, requests: Requests, options: dict[str, Any]) -> Mounted | None:
    """What `live` and the options of Live ask for. Raises TypeError and ValueError."""
    if prefix is None:
        if options:
            raise TypeError(f"{next(iter(options))}: only with live")
        return None
    name = options.pop("name", None) or _served()
    if not isinstance(name, str):
        raise TypeError(f"name: a str wanted, not {type(name).__name__}")
    return Mounted(Live(name, requests, **options), _checked(prefix))


def _checked(prefix: object) -> str:
    if not isinstance(prefix, str):
        raise TypeError(f"live: a path wanted, such as '/marey', not {type(prefix).__name__}")
    found = prefix.rstrip("/")
    if not found.startswith("/") or "//" in found or not re.fullmatch(r"[\w./~-]+", found):
        raise ValueError(f"live: a path wanted, such as '/marey', not {prefix!r}")
    return found


def _served() -> str:
    """The application that the server's command names, or else the script."""
    words = getattr(sys, "argv", [])[1:]  # embedded Pythons may have none
    named = (word for word in words if _APPLICATION.fullmatch(word))
    return next(named, None) or _script_name()
