"""Any WSGI application (PEP 3333):

application = marey.integrations.wsgi.Middleware(application)
"""

from __future__ import annotations

import sys

from ._requests import Request, Requests

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    from typing_extensions import Unpack

    from ._requests import Options

REQUEST, USER = "marey.request", "marey.user"  # in the environ: its Request, and who it is of


class Middleware(Requests):
    """The application, each request a span, from its begin until the answer's last piece is taken
    or the server closes it.

    route: the pattern of a request's route, given the environ ("/users/<id>"), for the span's name;
    without it that is the method alone. The other options are those of Requests, whose `attributes`
    are given the environ; the user is REMOTE_USER's.
    """

    def __init__(
        self,
        application: Callable[..., Iterable[bytes]],
        *,
        route: Callable[[dict[str, Any]], str | None] | None = None,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(**options)
        self._application = application
        self._find = route

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        below = None if self.page is None else self.page.below(path_of(environ))
        if below is not None:
            return self._show_page(below, environ, start_response)
        request = self.begin(
            str(environ.get("REQUEST_METHOD", "")),
            f"{environ.get('SCRIPT_NAME', '')}{environ.get('PATH_INFO', '')}",
            str(environ.get("QUERY_STRING", "")),
            environ,
        )
        environ[REQUEST] = request

        def start(status: str, *rest: Any, **named: Any) -> Any:
            code = str(status)[:3]
            request.status = int(code) if code.isdecimal() else 0
            self.answers(environ)
            return start_response(status, *rest, **named)

        try:
            body = self._application(environ, start)
        except BaseException as error:
            request.end(error)
            raise
        return (_Sized if hasattr(body, "__len__") else _Body)(body, request)

    def _show_page(
        self, path: str, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """The live page, which is none of the application's requests."""
        from .._live import wsgi

        assert self.page is not None
        return wsgi.serve(self.page, path, environ, start_response)

    def answers(self, environ: dict[str, Any]) -> None:
        """The application has found its answer."""

    def route_of(self, given: Any) -> str | None:
        """By the function that was given."""
        return "" if self._find is None else self._find(given)

    def to_tell(self, given: Any) -> Any:
        """Applications that hand requests on to others change the environ."""
        return given if self._find is None else dict(given)

    def user_of(self, given: Any) -> object:
        """As the server or a middleware knows it, or Flask-Login."""
        return given.get(USER) or given.get("REMOTE_USER") or None


def path_of(environ: dict[str, Any]) -> str:
    """PATH_INFO, whose bytes PEP 3333 wants to look like Latin-1."""
    path = str(environ.get("PATH_INFO", "")).encode("latin-1", "replace")
    return path.decode("utf-8", "replace")


class _Body:
    """What the application answers; the request ends with it."""

    def __init__(self, body: Iterable[bytes], request: Request) -> None:
        self._body, self._request = body, request
        self._pieces: Iterator[bytes] | None = None

    def __iter__(self) -> _Body:
        return self

    def __next__(self) -> bytes:
        try:
            if self._pieces is None:
                self._pieces = iter(self._body)
            return next(self._pieces)
        except StopIteration:
            self._request.end()
            raise
        except BaseException as error:
            self._request.end(error)
            raise

    def close(self) -> None:
        """The server has what it wants, or the client has left: then nothing has failed here."""
        try:
            close = getattr(self._body, "close", None)
            if close is not None:
                close()
        finally:
            error = sys.exc_info()[1]  # what the server closes it for
            self._request.end(None if isinstance(error, ConnectionError) else error)

    def __del__(self) -> None:
        self._request.end()


class _Sized(_Body):
    """Servers make a Content-Length of the length of a list."""

    def __len__(self) -> int:
        return len(self._body)  # type: ignore[arg-type]
