"""What Marey hangs into Python while it records, and takes out again: pauses of the garbage
collector, the creation of asyncio's tasks, the renaming of threads. Modules that are not imported
are not imported for this, but watched for.
"""

from __future__ import annotations

import sys

from . import _marey

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

_undo: list[Callable[[], None]] = []  # in the order in which it was done
_on = False


def start(gc: bool) -> bool:
    """Hang everything in. False where it hangs there already."""
    global _on
    if _on:
        return False
    _on = True
    if gc:
        _marey.gc_start()
        _undo.append(_marey.gc_stop)
    missing = [name for name in _WATCHED if name not in sys.modules]
    for name in _WATCHED:
        if name not in missing:
            _imported(name)
    if missing:
        finder = _Finder()
        sys.meta_path.insert(0, finder)
        _undo.append(lambda: _remove(finder))
    return True


def stop() -> None:
    """Take everything out again, save what somebody else has since built upon."""
    global _on
    _on = False
    while _undo:
        _undo.pop()()


def _remove(finder: _Finder) -> None:
    if finder in sys.meta_path:
        sys.meta_path.remove(finder)


def _replace(owner: type, name: str, new: object) -> None:
    """Set an attribute of a class until stop(), unless somebody replaces it in turn."""
    own = name in vars(owner)
    old = vars(owner).get(name)
    setattr(owner, name, new)

    def back() -> None:
        if vars(owner).get(name) is new:
            if own:
                setattr(owner, name, old)
            else:
                delattr(owner, name)

    _undo.append(back)


def _watch_tasks(loop: type) -> None:
    """Every task that a loop of this class makes is noted with where it was made."""
    from functools import wraps

    original: Callable[..., Any] = loop.create_task  # type: ignore[attr-defined]

    @wraps(original)
    def create_task(self: Any, *args: Any, **kwargs: Any) -> Any:
        task = original(self, *args, **kwargs)
        _marey.task_created(task)
        return task

    _replace(loop, "create_task", create_task)


def _watch_thread_names(thread: type) -> None:
    """A thread shows its name, and a new one, from its next event on: also the main thread, where
    it has recorded before threading was there to call it so.
    """
    _marey.changed()
    name = vars(thread).get("name")
    if not isinstance(name, property) or name.fset is None:
        return
    original = name.fset

    def set_name(self: Any, value: str) -> None:
        original(self, value)
        _marey.changed()

    _replace(thread, "name", property(name.fget, set_name, name.fdel, name.__doc__))
    _marey.changed()  # threads that have recorded before threading was there have a name now


# What is watched in which module, once that is there.
_WATCHED: dict[str, tuple[str, Callable[[type], None]]] = {
    "asyncio.base_events": ("BaseEventLoop", _watch_tasks),
    "uvloop": ("Loop", _watch_tasks),
    "threading": ("Thread", _watch_thread_names),
}


def _imported(module: str) -> None:
    name, watch = _WATCHED[module]
    owner = getattr(sys.modules.get(module), name, None)
    if _on and isinstance(owner, type):
        watch(owner)


class _Finder:
    """Stands first in sys.meta_path, and has the watched modules run _imported when they are
    loaded.
    """

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name not in _WATCHED:
            return None
        for finder in sys.meta_path:
            if finder is self or not hasattr(finder, "find_spec"):
                continue
            spec = finder.find_spec(name, path, target)
            if spec is not None:
                if spec.loader is not None:
                    spec.loader = _Loader(spec.loader)  # type: ignore[assignment]
                return spec
        return None


class _Loader:
    """A loader that tells of a module's loading, and else is the one behind it."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        module: ModuleType | None = self._loader.create_module(spec)
        return module

    def exec_module(self, module: ModuleType) -> None:
        spec = module.__spec__
        if spec is not None:
            spec.loader = self._loader
        module.__loader__ = self._loader
        self._loader.exec_module(module)
        _imported(module.__name__)
