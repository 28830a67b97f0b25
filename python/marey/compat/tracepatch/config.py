"""Settings: of tracepatch.toml, of [tool.tracepatch] in pyproject.toml, of the environment."""

from __future__ import annotations

import json
import os
import re
import socket
import sys
import warnings
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from pathlib import Path

from ._trace import TraceConfig

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._storage import PathLike


class ConfigError(Exception):
    """A setting is wrong, or a file of settings cannot be read."""


# ------------------------------------------------------------------------ what there is


@dataclass(frozen=True)
class TestFileConfig:
    """Functions of a file, for `run`."""

    path: str
    functions: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class TestInputConfig:
    """What a function is called with."""

    function: str
    args: list[Any] = field(default_factory=list)
    kwargs: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class CustomTestConfig:
    """A script instead of functions."""

    enabled: bool = False
    script: str = ""


@dataclass(frozen=True)
class TestConfig:
    """What `run` runs where it is given no script."""

    files: list[TestFileConfig] = field(default_factory=list)
    inputs: list[TestInputConfig] = field(default_factory=list)
    custom: CustomTestConfig = field(default_factory=CustomTestConfig)

    @classmethod
    def from_dict(cls, given: dict[str, Any]) -> TestConfig:
        """Of a table `test`. Raises ConfigError."""
        try:
            return cls(
                [TestFileConfig(**one) for one in given.get("files", [])],
                [TestInputConfig(**one) for one in given.get("inputs", [])],
                CustomTestConfig(**given.get("custom", {})),
            )
        except (TypeError, AttributeError) as error:
            raise ConfigError(f"test: {error}") from None


@dataclass(frozen=True)
class TracepatchConfig:
    """Settings of trace(), and of what shows traces. default_label: {hostname}, {pid}, {timestamp}
    in it are filled in. Traces are written where cache is set, or a cache_dir, and auto_save is.
    """

    ignore_modules: list[str] = field(default_factory=lambda: ["unittest.mock"])
    include_modules: list[str] = field(default_factory=list)
    max_depth: int = 30
    max_calls: int = 10_000
    max_repr: int = 120
    max_repr_args: int | None = None
    max_repr_return: int | None = None
    max_time: float = 60.0
    cache: bool = False
    cache_dir: str | None = None
    default_label: str | None = None
    auto_save: bool = True
    show_args: bool = True
    show_return: bool = True
    tree_style: str = "ascii"
    color: bool = False
    test: TestConfig = field(default_factory=TestConfig)

    @classmethod
    def default(cls) -> TracepatchConfig:
        """Where nothing is set."""
        return cls()

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> TracepatchConfig:
        """Of what a file has. Raises ConfigError; warns of settings that there are not."""
        known = {one.name for one in fields(cls)}
        for name in sorted(set(data) - known):
            warnings.warn(f"unknown setting: {name}", UserWarning, stacklevel=2)
        given = {name: value for name, value in data.items() if name in known and name != "test"}
        for name, value in given.items():
            _check(name, value)
        given.setdefault("cache", "cache_dir" in given)
        return cls(**given, test=TestConfig.from_dict(data.get("test", {})))

    def effective_max_repr_args(self) -> int:
        """Characters of an argument."""
        return self.max_repr if self.max_repr_args is None else self.max_repr_args

    def effective_max_repr_return(self) -> int:
        """Characters of a result."""
        return self.max_repr if self.max_repr_return is None else self.max_repr_return

    def expand_label(self, label: str | None = None) -> str | None:
        """The label with its templates filled in. Raises ConfigError for one that there is not."""
        known = {
            "hostname": socket.gethostname(),
            "pid": str(os.getpid()),
            "timestamp": f"{datetime.now():%Y%m%d_%H%M%S}",
        }

        def value(found: re.Match[str]) -> str:
            if found[1] not in known:
                raise ConfigError(f"label: no {{{found[1]}}}, but " + ", ".join(known))
            return known[found[1]]

        given = self.default_label if label is None else label
        return None if given is None else re.sub(r"\{([^{}]*)\}", value, given)

    def to_trace_kwargs(self) -> dict[str, Any]:
        """What trace() takes."""
        return {
            "ignore_modules": self.ignore_modules,
            "include_modules": self.include_modules,
            "max_depth": self.max_depth,
            "max_calls": self.max_calls,
            "max_repr": max(self.effective_max_repr_args(), self.effective_max_repr_return()),
            "max_time": self.max_time,
            "cache": self.cache and self.auto_save,
            "cache_dir": self.cache_dir,
            "label": self.expand_label(),
        }

    def to_trace_config(self) -> TraceConfig:
        """What a trace says of itself."""
        return TraceConfig(
            tuple(self.ignore_modules),
            tuple(self.include_modules),
            self.max_depth,
            self.max_calls,
            self.max_repr,
            self.max_time,
        )


# ------------------------------------------------------------------------ what is right

_LEAST = {"max_depth": 1, "max_calls": 0, "max_repr": 1, "max_repr_args": 1, "max_repr_return": 1}
_SWITCHES = {"cache", "auto_save", "show_args", "show_return", "color"}
_TEXTS = {"cache_dir", "default_label"}
_STYLES = ("ascii", "unicode", "ansi")


def _check(name: str, value: Any) -> None:
    """Raise ConfigError for what a setting cannot be."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if name in _LEAST:
        right = is_number and isinstance(value, int) and value >= _LEAST[name]
        wanted = f"an integer from {_LEAST[name]} on"
    elif name == "max_time":
        right, wanted = is_number and value > 0, "a number of seconds"
    elif name in _SWITCHES:
        right, wanted = isinstance(value, bool), "true or false"
    elif name in _TEXTS:
        right, wanted = isinstance(value, str), "a string"
    elif name == "tree_style":
        right, wanted = value in _STYLES, "one of " + ", ".join(_STYLES)
    else:
        is_list = isinstance(value, list)
        right, wanted = is_list and all(isinstance(one, str) and one for one in value), "strings"
    if not right:
        raise ConfigError(f"{name} = {value!r}: {wanted} wanted")


# ------------------------------------------------------------------------- the sources


def _table(path: Path) -> dict[str, Any] | None:
    """What a file sets; None for a pyproject.toml that has none of ours. Raises ConfigError."""
    if sys.version_info >= (3, 11):
        import tomllib as toml
    else:
        try:
            import tomli as toml  # type: ignore[import-not-found,unused-ignore]
        except ImportError:
            raise ConfigError(f"{path}: tomli is needed to read it, before Python 3.11") from None
    try:
        with open(path, "rb") as file:
            found: Any = toml.load(file)
    except (OSError, UnicodeDecodeError, toml.TOMLDecodeError) as error:
        text = error.strerror if isinstance(error, OSError) else str(error)
        raise ConfigError(f"{path}: {text}") from None
    except RecursionError:
        raise ConfigError(f"{path}: nested too deep") from None
    if path.name == "pyproject.toml":
        found = found.get("tool", {})
        found = found.get("tracepatch") if isinstance(found, dict) else None
    if found is not None and not isinstance(found, dict):
        raise ConfigError(f"{path}: tool.tracepatch is no table")
    return found


def _find(search_parents: bool) -> tuple[dict[str, Any], Path | None]:
    start = Path.cwd()
    for where in [start, *(start.parents if search_parents else ())]:
        for path in (where / "tracepatch.toml", where / "pyproject.toml"):
            found = _table(path) if path.is_file() else None
            if found is not None:
                return found, path
    return {}, None


_FALSE, _TRUE = ("0", "false", "no"), ("1", "true", "yes", "")
_NUMBERS: dict[str, type] = {
    "max_depth": int,
    "max_calls": int,
    "max_repr": int,
    "max_time": float,
}


def _switch(name: str) -> bool | None:
    """A switch of the environment; None: not set. Raises ConfigError."""
    text = os.environ.get(name)
    if text is None:
        return None
    if text.lower() not in _FALSE + _TRUE:
        raise ConfigError(f"{name}={text}: 0 or 1 wanted")
    return text.lower() not in (*_FALSE, "")


def _from_environment(config: TracepatchConfig) -> TracepatchConfig:
    """With what TRACEPATCH_... says. Raises ConfigError."""
    given: dict[str, Any] = {}
    for name, kind in _NUMBERS.items():
        text = os.environ.get(f"TRACEPATCH_{name.upper()}")
        if text is None:
            continue
        try:
            given[name] = kind(text)
            _check(name, given[name])
        except (ValueError, ConfigError):
            raise ConfigError(f"TRACEPATCH_{name.upper()}={text}: a number wanted") from None
    if "TRACEPATCH_LABEL" in os.environ:
        given["default_label"] = os.environ["TRACEPATCH_LABEL"]
    if "TRACEPATCH_OUTPUT_DIR" in os.environ:
        given.update(cache_dir=os.environ["TRACEPATCH_OUTPUT_DIR"], cache=True)
    if _switch("TRACEPATCH_NO_CACHE"):
        given["cache"] = False
    if _switch("TRACEPATCH_COLOR"):
        given["color"] = True
    if _switch("TRACEPATCH_ENABLED") is False and os.environ["TRACEPATCH_ENABLED"]:
        given["max_calls"] = 0
    return replace(config, **given)


def load_config(
    path: PathLike | None = None, search_parents: bool = True
) -> tuple[TracepatchConfig, Path | None]:
    """The settings, and the file they are from: path, or the first tracepatch.toml or
    pyproject.toml with [tool.tracepatch] here or, with search_parents, above. The environment's
    TRACEPATCH_... come last. Raises ConfigError.
    """
    if path is None:
        found, where = _find(search_parents)
    else:
        where = Path(path)
        found = _table(where) or {}
    try:
        config = TracepatchConfig.from_dict(found)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from None
    return _from_environment(config), where


# ------------------------------------------------------------------------------- saving


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_toml(one) for one in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_toml(str(k))} = {_toml(v)}" for k, v in value.items()) + "}"
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def save_config(config: TracepatchConfig, path: PathLike) -> None:
    """All settings as a tracepatch.toml. Raises OSError."""
    lines = [
        f"{name} = {_toml(value)}"
        for name, value in vars(config).items()
        if value is not None and name != "test"
    ]
    for table in ("files", "inputs"):
        for one in getattr(config.test, table):
            lines += ["", f"[[test.{table}]]"]
            lines += [f"{name} = {_toml(value)}" for name, value in vars(one).items()]
    if config.test.custom.script:
        lines += ["", "[test.custom]"]
        lines += [f"{name} = {_toml(value)}" for name, value in vars(config.test.custom).items()]
    Path(path).write_text("\n".join(lines) + "\n", encoding="utf-8")
