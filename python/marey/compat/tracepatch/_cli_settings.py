"""Commands for settings, and what runs by them."""

from __future__ import annotations

import warnings
from pathlib import Path

from ._cli_output import Failure, info, ok, warn
from ._render import printable
from .config import TracepatchConfig, load_config, save_config

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse


def settings(path: str | None = None) -> tuple[TracepatchConfig, Path | None]:
    """The settings; what they do not know is said."""
    with warnings.catch_warnings(record=True) as unknown:
        warnings.simplefilter("always")
        found = load_config(path)
    for one in unknown:
        warn(str(one.message))
    return found


def show(args: argparse.Namespace) -> None:
    """`config`."""
    config, path = settings(args.file)
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


def init(args: argparse.Namespace) -> None:
    """`init`."""
    path = Path("tracepatch.toml")
    if path.exists() and not args.force:
        raise Failure(f"{path} is there already; --force writes a new one")
    ignored, included = ["unittest.mock", "logging"], []
    if not args.yes:
        try:
            included = _asked("Modules to trace, with commas between them (Enter: all): ")
            ignored = _asked(f"Modules to leave out (Enter: {', '.join(ignored)}): ") or ignored
        except EOFError:
            raise Failure("no answer; --yes asks nothing") from None
    save_config(
        TracepatchConfig(ignore_modules=ignored, include_modules=included, cache=True), path
    )
    ok(f"Created {path}")


def run(args: argparse.Namespace) -> int:
    """`run`; its exit status."""
    from . import _runner

    config, path = settings()
    return _runner.run(config, path, args.script)
