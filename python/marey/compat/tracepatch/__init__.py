"""tracepatch's interface (1.0.2): the calls of a block or a function as a tree, as JSON, as pages.

    with trace(label="checkout") as t:
        handle(order)
    print(t.tree())

Calls are recorded by `marey.calls`; a node is made when somebody asks for it. Coroutines and
generators are one node each, and a function that catches an exception keeps its result. Files are
written where cache, cache_dir or a configuration asks for them.
"""

from ._nodes import TraceSummary
from ._pipeline import Pipeline
from ._trace import trace
from .config import ConfigError, TracepatchConfig, load_config

__version__ = "1.0.2"
__all__ = [
    "ConfigError",
    "Pipeline",
    "TraceSummary",
    "TracepatchConfig",
    "load_config",
    "trace",
]


def load_ipython_extension(shell: object) -> None:
    """`%load_ext marey.compat.tracepatch`: `%%tracepatch` for cells."""
    from ._jupyter import load_ipython_extension as load

    load(shell)
