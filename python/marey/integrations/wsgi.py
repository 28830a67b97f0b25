"""Any WSGI application (PEP 3333):

application = marey.integrations.wsgi.Middleware(application)
"""

from __future__ import annotations

from ._requests import Requests

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from typing_extensions import Unpack

    from .._marey import Request
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
        self._recalls_names = route is None

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        below = None if self.page is None else self.page.below(path_of(environ))
        if below is not None:
            return self._show_page(below, environ, start_response)
        path = f"{environ.get('SCRIPT_NAME', '')}{environ.get('PATH_INFO', '')}"
        before = None if self._find is None else environ.copy()
        request = self.begin(f"{environ.get('REQUEST_METHOD', '')}", path, environ, before)
        environ[REQUEST] = request
        try:
            return request.answered(self._application(environ, request.starting(start_response)))
        except BaseException as error:
            request.end(error)
            raise

    def _show_page(
        self, path: str, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """The live page, which is none of the application's requests."""
        from .._live import wsgi

        assert self.page is not None
        return wsgi.serve(self.page, path, environ, start_response)

    def route_of(self, given: Any) -> str | None:
        """By the function that was given."""
        return "" if self._find is None else self._find(given)

    def given_before(self, request: Request) -> Any:
        """Applications that hand requests on to others change the environ."""
        return request.given if request.before is None else request.before

    def query_of(self, given: Any) -> str | bytes:
        """QUERY_STRING."""
        return str(given.get("QUERY_STRING", ""))

    def user_of(self, given: Any) -> object:
        """As the server or a middleware knows it, or Flask-Login."""
        return given.get(USER) or given.get("REMOTE_USER") or None


def path_of(environ: dict[str, Any]) -> str:
    """PATH_INFO, whose bytes PEP 3333 wants to look like Latin-1."""
    path = str(environ.get("PATH_INFO", "")).encode("latin-1", "replace")
    return path.decode("utf-8", "replace")
