"""The live page as a blueprint of Flask, so that the application's own login is at hand."""

from __future__ import annotations

import sys
from typing import Any

from .messages import Asked
from .rights import Given
from .wsgi import asked_of, pieces_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flask import Blueprint

    from .live_page import Live


def blueprint(live: Live, prefix: str) -> Blueprint:
    """The page's routes."""
    from flask import Blueprint, Response, request

    made = Blueprint("marey", __name__, url_prefix=prefix)

    def page(path: str | None = None) -> Response:
        below = "" if path is None else f"/{path}"
        asked: Asked = asked_of(request.environ, below, prefix.rpartition("/")[2])
        # The request itself: its proxy means nothing to whoever keeps it.
        given = Given(request._get_current_object(), _login)  # type: ignore[attr-defined]
        answer = live.answer(asked, given)
        return Response(pieces_of(answer), answer.status, answer.headers)

    for rule, defaults in (("", None), ("/", {"path": ""}), ("/<path:path>", None)):
        made.add_url_rule(
            rule, "live", page, methods=["GET", "POST"], defaults=defaults, strict_slashes=True
        )
    return made


def _login() -> str | None:
    """The id of Flask-Login's user, where the application has that; or the server's user."""
    from flask import current_app, request

    if "flask_login" in sys.modules and hasattr(current_app, "login_manager"):
        user: Any = sys.modules["flask_login"].current_user
        if user.is_authenticated and user.is_active:
            return str(user.get_id())
    return request.remote_user
