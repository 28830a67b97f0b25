"""Marey's plugin for pytest: its options. Marey itself is imported where one of them is given."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("marey", "what tests spend their time on (marey)")
    add = group.addoption
    add("--marey", action="store_true", help="record a trace of each test")
    add("--marey-on-failure", action="store_true", help="keep traces of failing tests only")
    add(
        "--marey-slowest",
        type=int,
        metavar="N",
        help="where the time of the N slowest tests went, by function",
    )
    add(
        "--marey-what",
        choices=("calls", "samples", "spans"),
        default="calls",
        help="what is recorded beside spans: every call, samples (1000 a second), nothing",
    )
    add("--marey-dir", metavar="DIR", default="marey-traces", help="where to (marey-traces)")


def pytest_configure(config: pytest.Config) -> None:
    option = config.option
    if not (option.marey or option.marey_on_failure or option.marey_slowest):
        return
    # Relative to where pytest was started; xdist hands the option on to its workers.
    option.marey_dir = os.path.join(str(config.invocation_params.dir), option.marey_dir)
    try:
        from marey._pytest_plugin import Plugin

        config.pluginmanager.register(Plugin(config), "marey-tests")
    except Exception as error:  # nobody's tests fail for it
        import sys

        print(f"marey: nothing is recorded: {type(error).__name__}: {error}", file=sys.stderr)
