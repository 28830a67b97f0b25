"""The live page as a blueprint of Flask, so that the application's own login is at hand."""

from __future__ import annotations

import sys
from typing import Any

from .rights import Given
from .wsgi import asked_of, pieces_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flask import Blueprint

    from .mounted import Mounted


_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def blueprint(mounted: Mounted) -> Blueprint:
    """The page's routes."""
    from flask import Blueprint, Response, request

    made = Blueprint("marey", __name__, url_prefix=mounted.prefix)

    def page(path: str | None = None) -> Response:
        below = "" if path is None else f"/{path}"
        asked = asked_of(request.environ, below, mounted.folder)
        # The request itself: its proxy means nothing to whoever keeps it.
        given = Given(request._get_current_object(), _login)  # type: ignore[attr-defined]
        answer = mounted.live.answer(asked, given)
        return Response(pieces_of(answer), answer.status, answer.headers)

    # All methods: what Flask says by itself about others tells strangers that something is here.
    options: Any = {"methods": _METHODS, "provide_automatic_options": False}
    made.add_url_rule("", "live", page, strict_slashes=True, **options)
    made.add_url_rule("/", "live", page, defaults={"path": ""}, **options)
    made.add_url_rule("/<path:path>", "live", page, **options)
    return made


def _login() -> str | None:
    """The id of Flask-Login's user, where the application has that; or the server's user."""
    from flask import current_app, request

    if "flask_login" in sys.modules and hasattr(current_app, "login_manager"):
        user: Any = sys.modules["flask_login"].current_user
        if user.is_authenticated and user.is_active:
            return str(user.get_id())
    return request.remote_user
