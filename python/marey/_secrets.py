"""marey.secrets: the names of parameters whose values are kept out of traces."""

from __future__ import annotations

from . import _marey

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

DEFAULT = (
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "secrets",
    "token",
    "api_key",
    "apikey",
    "access_key",
    "private_key",
    "authorization",
    "auth",
    "credential",
    "credentials",
    "cookie",
    "session_id",
)


class Secrets:
    """A set of names. An argument, or a key of a dict, that contains one of them as a word is shown
    as "***".

    Case does not matter, and neither does how words are joined: "token" covers `access_token`,
    `accessToken` and `X-Token`, but not `tokens`.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names = set(names)
        _marey.secrets(self._names)

    def _change(self, names: set[str]) -> None:
        _marey.secrets(names)  # raises TypeError for what is no text; then nothing has changed
        self._names = names

    def add(self, *names: str) -> None:
        """Keep the values of these out, too."""
        self._change(self._names | set(names))

    def discard(self, *names: str) -> None:
        """Show the values of these again."""
        self._change(self._names - set(names))

    def set(self, names: Iterable[str]) -> None:
        """These names and no others."""
        self._change(set(names))

    def reset(self) -> None:
        """The names that Marey starts with."""
        self._change(set(DEFAULT))

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._names))

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __repr__(self) -> str:
        return f"<marey.secrets {sorted(self._names)}>"


secrets = Secrets(DEFAULT)
