"""For Flask: init_tracepatch(app). Needs nothing of Flask but its `wsgi_app`."""

from __future__ import annotations

from typing import Any

from .wsgi import TracepatchMiddleware


def _label(environ: dict[str, Any]) -> str:
    return f"{environ.get('REQUEST_METHOD')} {environ.get('PATH_INFO', '/')}"


def init_tracepatch(
    app: Any,
    *,
    ignore_modules: list[str] | None = None,
    save: bool = False,
    enabled: bool = True,
    **trace_kwargs: Any,
) -> None:
    """From now on each request has a trace, in `request.environ["tracepatch.trace"]`."""
    app.wsgi_app = TracepatchMiddleware(
        app.wsgi_app, _label, ignore_modules, save, enabled, **trace_kwargs
    )
