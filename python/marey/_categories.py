"""marey.categories: which groups of spans and instants are recorded."""

from __future__ import annotations

from . import _marey

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


class Categories:
    """The categories that this process has used from Python.

    Iterating gives their names; `in`, [name] and items() say whether each is recorded at this
    moment. Switching works at any time, also for names that are not in use yet, and for C code of
    the process, too.
    """

    def enable(self, *names: str) -> None:
        """Record these from now on."""
        for name in names:
            _marey.Category(name).enable()

    def disable(self, *names: str) -> None:
        """Record these no more."""
        for name in names:
            _marey.Category(name).disable()

    def set(self, categories: str | None) -> None:
        """Set them all: "db,net" only these, "*,-gc" all but gc, None all. Raises ValueError for
        another form.
        """
        if not _marey.categories(categories):
            raise ValueError(f"not a list of categories: {categories!r}")

    def items(self) -> list[tuple[str, bool]]:
        """(name, whether it is recorded now), in the order of the names."""
        return [(name, bool(on)) for name, on in sorted(_marey.category_list().items())]

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(_marey.category_list()))

    def __len__(self) -> int:
        return len(_marey.category_list())

    def __contains__(self, name: object) -> bool:
        return name in _marey.category_list()

    def __getitem__(self, name: str) -> bool:
        return bool(_marey.category_list()[name])

    def __repr__(self) -> str:
        return f"<marey.categories {dict(self.items())}>"


categories = Categories()
