"""Who may look at the live page, and who may change what it shows.

Looking takes a rule: names that the framework's own login gives, a function, or a token. Without a
rule nobody may. Changing takes, besides, a header that pages of other sites can neither read nor
send: the HMAC of who looks, by a secret that the worker processes share.
"""

from __future__ import annotations

import hmac
import inspect
import logging
from http.cookies import CookieError, SimpleCookie
from typing import NamedTuple
from urllib.parse import parse_qs, quote

from .messages import QUERY_MAX, Answer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from typing import Any, Union

    from .messages import Asked

    Users = Union[Collection[str], Callable[[Any], object]]

_TOKEN_MIN = 16
_HEADER_MAX = 8192


class Visitor(NamedTuple):
    """Somebody who may look."""

    #: Who that is, to the program; different for different visitors.
    identity: str
    #: Who that is, to people; None: not known.
    name: str | None


class Given(NamedTuple):
    """What the framework knows of a request."""

    #: Its request, environ or scope: what a rule is called with.
    request: Any
    #: The name of who is logged in.
    login: Callable[[], str | None] = lambda: None
    #: Waits for what a rule that is a coroutine returns, where that can be.
    settle: Callable[[Any], object] | None = None


class Rights:
    """users: names, or a function of the framework's request that returns True. token: whoever
    shows it may look. Raises TypeError and ValueError that name the option.
    """

    def __init__(self, users: Users | None = None, token: str | None = None) -> None:
        if isinstance(users, (str, bytes)):
            raise TypeError("users: a set of names or a function wanted, not a single name")
        self._rule = users if callable(users) else None
        self._names: frozenset[str] = frozenset()
        if users is not None and not callable(users):
            self._names = frozenset(users)
            if not all(isinstance(name, str) and name for name in self._names):
                raise TypeError("users: names are not empty, and str")
        if token is not None and not isinstance(token, str):
            raise TypeError(f"token: a str wanted, not {type(token).__name__}")
        if token is not None and len(token) < _TOKEN_MIN:
            raise ValueError(f"token: {_TOKEN_MIN} characters at least; secrets.token_urlsafe()")
        self._token = None if token is None else token.encode()
        self._told = False

    # ---- looking

    def visitor(self, asked: Asked, given: Given) -> Visitor | None:
        """Who asks; None: nobody who may look. Never raises."""
        try:
            if self.has_token(asked):
                return Visitor("token", None)
            return self._by_login(given)
        except Exception as error:
            self._tell(f"it failed: {type(error).__name__}: {error}", error)
        return None

    def _by_login(self, given: Given) -> Visitor | None:
        if self._names:
            name = given.login()
            return Visitor(f"user {name}", name) if name in self._names and name else None
        if self._rule is None:
            return None
        verdict = self._rule(given.request)
        if inspect.isawaitable(verdict) and given.settle is not None:
            verdict = given.settle(verdict)
        if verdict is True:
            name = given.login()
            return Visitor(f"rule {name or ''}", name)
        if verdict is not False:  # anything may be true: a coroutine, a user who is nobody
            if inspect.iscoroutine(verdict):
                verdict.close()
            self._tell(f"True or False wanted, not {type(verdict).__name__}", None)
        return None

    def _tell(self, what: str, error: Exception | None) -> None:
        """Log it, the first time."""
        if not self._told:
            self._told = True
            logging.getLogger("marey").warning(
                "live page: users(...): %s; nobody is let in by it", what, exc_info=error
            )

    # ---- tokens

    def has_token(self, asked: Asked) -> bool:
        """Whether the request shows the token, in a header or by the cookie."""
        if self._token is None:
            return False
        scheme, _, shown = (asked.header("authorization") or "").partition(" ")
        if scheme.lower() == "bearer":
            return self.is_token(shown.strip())
        return hmac.compare_digest(self._cookie_in(asked), self._cookie_value())

    def is_token(self, shown: str) -> bool:
        """Whether this is the token; how long that takes says nothing about it."""
        return self._token is not None and hmac.compare_digest(
            shown.encode("utf-8", "replace"), self._token
        )

    def admit(self, asked: Asked) -> Answer | None:
        """Where the page's address has the token, as `?token=`, the browser gets a cookie, and the
        address without it. None: it has not.
        """
        if asked.method != "GET" or asked.path not in ("", "/"):
            return None
        shown = parse_qs(asked.query[:QUERY_MAX]).get("token", [""])
        if not self.is_token(shown[0]):
            return None
        if asked.path == "":  # the cookie would be for the folder that the page's is in
            address = f"{folder_address(asked)}?token={quote(shown[0], safe='')}"
            return Answer(303, headers=(("Location", address),))
        cookie = ("Set-Cookie", self._set_cookie(asked.is_https))
        return Answer(303, headers=(("Location", "./"), cookie))

    def _set_cookie(self, is_https: bool) -> str:
        """It has no path of its own, so that it is for the page's folder as the browser sees it,
        whatever a proxy makes of addresses.
        """
        secure = "; Secure" if is_https else ""
        value = self._cookie_value().decode()
        return f"{self._cookie_name()}={value}; HttpOnly; SameSite=Strict{secure}"

    def _of_token(self, what: bytes) -> str:
        return hmac.new(self._token or b"", what, "sha256").hexdigest()

    def _cookie_name(self) -> str:
        """Another for each token: services on other ports of a machine share its cookies."""
        return f"marey-{self._of_token(b'name')[:12]}"

    def _cookie_value(self) -> bytes:
        return self._of_token(b"cookie").encode()

    def _cookie_in(self, asked: Asked) -> bytes:
        header = asked.header("cookie") or ""
        cookies: SimpleCookie = SimpleCookie()
        if len(header) <= _HEADER_MAX:
            try:
                cookies.load(header)
            except CookieError:
                return b""
        found = cookies.get(self._cookie_name())
        return b"" if found is None else found.value.encode("utf-8", "replace")


def folder_address(asked: Asked) -> str:
    """The page's, relative to the same without its last slash."""
    return f"{quote(asked.folder, safe='')}/"


def csrf(secret: bytes, visitor: Visitor) -> str:
    """What this visitor sends in the header X-Marey-CSRF to change something."""
    return hmac.new(secret, visitor.identity.encode("utf-8", "replace"), "sha256").hexdigest()


def may_change(secret: bytes, visitor: Visitor, asked: Asked) -> bool:
    """Whether the request has the right one."""
    shown = (asked.header("x-marey-csrf") or "").encode("utf-8", "replace")
    return hmac.compare_digest(shown, csrf(secret, visitor).encode())
