"""`run`: a script, or the functions that the settings name, under a trace that is saved."""

from __future__ import annotations

import importlib.util
import inspect
import os
import sys
import traceback
import types
from pathlib import Path

from ._trace import trace
from .config import ConfigError, TestInputConfig

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .config import TracepatchConfig


def run(config: TracepatchConfig, path: Path | None, script: list[str]) -> int:
    """The exit status: the script's own, 1 where it fails."""
    wanted = config.to_trace_kwargs()
    wanted.update(cache=True)
    custom = config.test.custom
    if not script and custom.enabled and custom.script:
        script = [custom.script]
    if script:
        wanted["label"] = wanted["label"] or Path(script[0]).stem
        traced = trace(**wanted)
        status = _script(script, traced)
    else:
        jobs = _jobs(config, path)
        wanted["label"] = wanted["label"] or "test-run"
        traced = trace(**wanted)
        status = _functions(jobs, traced)
    _report(traced)
    return status


def _report(traced: trace) -> None:
    limited = f", limited by {traced.limit_reason}" if traced.was_limited else ""
    print(f"{traced.call_count} calls{limited}", file=sys.stderr)
    if traced.cache_path:
        shown = os.path.relpath(traced.cache_path)
        print(f"Trace saved to: {shown}", file=sys.stderr)


def _script(script: list[str], traced: trace) -> int:
    path = script[0]
    try:
        with open(path, "rb") as file:
            code = compile(file.read(), path, "exec", dont_inherit=True)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    except (SyntaxError, ValueError) as error:
        raise ConfigError(f"{path}: {error}") from None
    main = types.ModuleType("__main__")
    main.__file__ = path
    sys.modules["__main__"] = main
    sys.argv = list(script)
    sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
    return _guarded(lambda: exec(code, vars(main)), traced)


def _guarded(do: Any, traced: trace) -> int:
    """The exit status of what do() does under the trace."""
    try:
        with traced:
            do()
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        print(end.code, file=sys.stderr)
        return 1
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


# ------------------------------------------------------------------------- functions


def _module(path: Path) -> Any:
    """A file's module, by the name that it has from the folder that is imported from."""
    if not path.is_file():
        raise ConfigError(f"test.files: no such file: {path}")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    sys.path.insert(0, str(path.resolve().parent))
    spec.loader.exec_module(module)
    return module


def _needs(function: Any) -> list[str]:
    """Parameters without defaults."""
    return [
        name
        for name, one in inspect.signature(function).parameters.items()
        if one.default is one.empty and one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)
    ]


def _jobs(config: TracepatchConfig, path: Path | None) -> list[tuple[str, Any, list[Any], Any]]:
    """(name, function, args, kwargs) of all that is to be called. Raises ConfigError."""
    if not config.test.files:
        raise ConfigError(f"{path or 'no settings'}: no script is given, and no [[test.files]]")
    base = path.parent if path else Path.cwd()
    inputs: dict[str, list[TestInputConfig]] = {}
    for one in config.test.inputs:
        inputs.setdefault(one.function, []).append(one)
    jobs = []
    for file in config.test.files:
        module = _module(base / file.path)
        for name in file.functions:
            function = getattr(module, name, None)
            if not callable(function):
                raise ConfigError(f"{file.path}: no function {name}")
            if name not in inputs and _needs(function):
                needed = ", ".join(_needs(function))
                raise ConfigError(f"{name}({needed}): [[test.inputs]] has to say what with")
            for one in inputs.get(name, [TestInputConfig(name)]):
                jobs.append((name, function, one.args, one.kwargs))
    return jobs


def _functions(jobs: list[tuple[str, Any, list[Any], Any]], traced: trace) -> int:
    """Calls all of them, also after one that fails; 1 where any does."""
    failed = []

    def call(name: str, function: Any, args: list[Any], kwargs: Any) -> None:
        try:
            result = function(*args, **kwargs)
            if inspect.iscoroutine(result):
                import asyncio

                asyncio.run(result)
        except Exception:
            traceback.print_exc()
            failed.append(name)

    def call_all() -> None:
        for job in jobs:
            call(*job)

    return _guarded(call_all, traced) or int(bool(failed))
