"""ASGI applications (asgiref 3), and FastAPI, Starlette and Quart, whose routes are known:

app.add_middleware(marey.integrations.asgi.Middleware)           # FastAPI, Starlette
app.asgi_app = marey.integrations.asgi.Middleware(app.asgi_app, app=app)     # Quart
application = marey.integrations.asgi.Middleware(application)     # any
"""

from __future__ import annotations

from ._requests import Requests

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping
    from typing import Any

    from typing_extensions import Unpack

    from .._marey import Request
    from ._requests import Options

    Scope = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
    Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
    Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_DEPTH_MAX = 16  # of applications mounted in applications


class Middleware(Requests):
    """The application, each request or websocket a span on the track of its asyncio task, until the
    application is done with it: a streamed answer with its last piece. Lifespan events pass.

    app: the framework's application object, where the scope does not name it (scope["app"]).
    route: the pattern of a request's route, given the scope, for the span's name. The other options
    are those of Requests, whose `attributes` are given the scope; the user is scope["user"].
    """

    def __init__(
        self,
        application: Application | None = None,
        *,
        app: Any = None,
        route: Callable[[Scope], str | None] | None = None,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(**options)
        if application is None:  # Starlette before 0.36 names it so
            application, app = app, None
        if application is None:
            raise TypeError("application: an ASGI application wanted")
        self._application: Application = application
        self._app = app
        self._find = route
        self._recalls_names = route is None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return await self._application(scope, receive, send)
        below = None if self.page is None else self.page.below(_path_of(scope))
        if below is not None and scope["type"] == "http":
            return await self._show_page(below, scope, receive, send)
        method = "WEBSOCKET" if scope["type"] == "websocket" else f"{scope.get('method', '')}"
        # Applications that are mounted in others change these.
        before = scope.get("root_path"), scope.get("app")
        request = self.begin(method, f"{scope.get('path', '')}", scope, before)
        try:
            await self._application(scope, receive, request.sending(send))
        except BaseException as error:
            request.end(error)
            raise
        request.end()

    async def _show_page(self, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        """The live page, which is none of the application's requests."""
        from .._live import asgi

        assert self.page is not None
        await asgi.serve(self.page, path, scope, receive, send)

    def route_of(self, given: Any) -> str | None:
        """By the function that was given, or the routes of the application."""
        if self._find is not None:
            return self._find(given)
        app: Any = self._app or given.get("app")
        if hasattr(app, "url_map"):
            return of_url_map(app, given)
        if not hasattr(app, "routes"):
            return ""
        if any(hasattr(route, "host") for route in app.routes):
            self._recalls_names = False  # the path is not all that counts
        return of_routes(app.routes, given)

    def route_told(self, request: Request) -> str | None:
        """As FastAPI has found it."""
        scope = request.given
        if self._find is not None or scope.get("root_path") != request.before[0]:
            return None
        pattern = getattr(scope.get("route"), "path", None)
        return pattern if isinstance(pattern, str) else None

    def given_before(self, request: Request) -> Any:
        """The scope as it was when the request began."""
        root_path, app = request.before
        before = {**request.given, "path": request.path, "root_path": root_path, "app": app}
        return {name: value for name, value in before.items() if value is not None}

    def query_of(self, given: Any) -> str | bytes:
        """query_string."""
        found = given.get("query_string", b"")
        return found if isinstance(found, (bytes, str)) else b""

    def user_of(self, given: Any) -> object:
        """As Starlette's AuthenticationMiddleware knows it."""
        user = given.get("user")
        if user is None or not getattr(user, "is_authenticated", True):
            return None
        return getattr(user, "display_name", user)


def _path_of(scope: Scope) -> str:
    """Without the root_path, which some servers put before it."""
    path, root = str(scope.get("path", "")), str(scope.get("root_path", "")).rstrip("/")
    return path[len(root) :] if root and path.startswith(f"{root}/") else path


def of_routes(routes: Any, scope: Scope) -> str | None:
    """The pattern among Starlette's routes, and those mounted below them."""
    pattern, inner = "", dict(scope)
    for _ in range(_DEPTH_MAX):
        for route in routes:
            match, child = route.matches(inner)
            if match.value:  # Match.FULL; PARTIAL: of another method
                break
        else:
            return None
        pattern += getattr(route, "path", None) or ""
        routes = getattr(route, "routes", None)
        if not routes:
            return pattern or None
        inner.update(child)
    return pattern


def of_url_map(app: Any, scope: Scope) -> str | None:
    """The pattern in Quart's map of URLs, which is werkzeug's."""
    from werkzeug.exceptions import HTTPException

    websocket = scope["type"] == "websocket"
    urls = app.url_map.bind(app.config.get("SERVER_NAME") or "")
    try:
        rule, _ = urls.match(
            scope.get("path"), scope.get("method", "GET"), return_rule=True, websocket=websocket
        )
    except HTTPException:  # not found, a redirection, another method
        return None
    return str(rule.rule)
