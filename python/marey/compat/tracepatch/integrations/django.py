"""For Django: MIDDLEWARE = ["marey.compat.tracepatch.integrations.django.TracepatchMiddleware"].

settings.TRACEPATCH: {"ignore_modules": [...], "save": True, "enabled": True, ...}.
"""

from __future__ import annotations

from typing import Any, Callable

from django.conf import settings

from . import trace_of


class TracepatchMiddleware:
    """The trace is `request.tracepatch`; it ends when the view and the middlewares below are done:
    a streaming response is made afterwards.
    """

    def __init__(self, get_response: Callable[[Any], Any]) -> None:
        self.get_response = get_response
        self.options = dict(getattr(settings, "TRACEPATCH", {}))
        self.enabled = self.options.pop("enabled", True)
        self.save = self.options.pop("save", False)
        self.ignore_modules = self.options.pop("ignore_modules", None)

    def __call__(self, request: Any) -> Any:
        if not self.enabled:
            return self.get_response(request)
        label = f"{request.method} {request.path}"
        request.tracepatch = trace_of(label, self.ignore_modules, self.save, self.options)
        with request.tracepatch:
            return self.get_response(request)
