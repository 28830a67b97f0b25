"""Flask:

requests = marey.integrations.flask.Marey(app)     # or Marey(), and later requests.init_app(app)
requests.stats()
"""

from __future__ import annotations

from ._requests import NO_ROUTE
from .wsgi import REQUEST, USER, Middleware, path_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from typing_extensions import Unpack

    from .._live.mounted import Mounted
    from .._marey import Request
    from ._flight import Flight
    from ._requests import Options
    from ._routes import RouteStats


class Marey:
    """An extension of Flask: each request is a span, named by its method and rule; an exception
    that became an answer stands with it. The options are those of wsgi.Middleware.
    """

    def __init__(self, app: Any = None, **options: Unpack[Options]) -> None:
        self._options = options
        self._middleware: list[Middleware] = []
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Any) -> None:
        """See this application's requests as well; twice is as once."""
        from flask import got_request_exception, request_tearing_down

        if "marey" in app.extensions:
            return
        options = self._options.copy()
        if options.get("live") is not None:
            options.setdefault("name", app.name)
        middleware = _Middleware(app, **options)
        if middleware.page is not None:
            self._show(app, middleware.page)
        self._options["keep"] = middleware.flight  # one for all applications
        app.extensions["marey"] = self
        app.wsgi_app = middleware
        self._middleware.append(middleware)
        got_request_exception.connect(_failed, app)
        if self._options.get("user"):
            request_tearing_down.connect(_saw_user, app)

    def _show(self, app: Any, page: Mounted) -> None:
        from .._live.flask import blueprint

        shown = blueprint(page)
        app.register_blueprint(shown)
        if "csrf" in app.extensions:  # Flask-WTF's; the page has its own
            app.extensions["csrf"].exempt(shown)

    @property
    def flight(self) -> Flight | None:
        """What keeps requests; None where nothing does."""
        return self._middleware[0].flight if self._middleware else None

    def stats(self) -> list[RouteStats]:
        """Requests by method and rule, the largest sum of times first: see wsgi.Middleware."""
        found = [row for middleware in self._middleware for row in middleware.stats()]
        return sorted(found, key=lambda row: -row.mean * row.requests)

    def clear_stats(self) -> None:
        """Count anew."""
        for middleware in self._middleware:
            middleware.clear_stats()


class _Middleware(Middleware):
    def __init__(self, app: Any, **options: Unpack[Options]) -> None:
        super().__init__(app.wsgi_app, **options)
        self._app = app
        self._urls: Any = None
        self._sees_answer = True
        self._recalls_names = not (app.url_map.host_matching or app.subdomain_matching)

    def route_of(self, given: Any) -> str | None:
        """By the rules."""
        from werkzeug.exceptions import HTTPException

        app = self._app
        try:
            if app.url_map.host_matching or app.subdomain_matching:
                urls = app.url_map.bind_to_environ(given, server_name=app.config["SERVER_NAME"])
                rule, _ = urls.match(return_rule=True)
            else:
                if self._urls is None:
                    self._urls = app.url_map.bind("")
                rule, _ = self._urls.match(path_of(given), given["REQUEST_METHOD"], True)
        except HTTPException:  # not found, a redirection, another method
            return None
        return str(rule.rule)

    def _see_answer(self, request: Request) -> None:
        """Note the rule, while there is Flask's request."""
        flask_request = request.given.get("werkzeug.request")
        if flask_request is not None:
            rule = getattr(flask_request, "url_rule", None)
            request.told = NO_ROUTE if rule is None else rule.rule

    def _show_page(
        self, path: str, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """The application does, by the blueprint: it knows who is logged in."""
        return self._application(environ, start_response)


def _failed(sender: Any, exception: BaseException, **_: Any) -> None:
    from flask import request

    current = request.environ.get(REQUEST)
    if current is not None:
        current.failed_by(exception)


def _saw_user(sender: Any, **_: Any) -> None:
    """Flask-Login's user, where the application has asked for it."""
    from flask import g, request

    user = g.get("_login_user")
    if user is not None and user.is_authenticated:
        request.environ[USER] = user.get_id()
