"""For Django: MIDDLEWARE = ["marey.compat.live_trace.django_middleware.LiveTraceMiddleware", ...].

LIVE_TRACE_INTERVAL: seconds between samples (0.3); None or 0: none are taken. Each worker process
writes a log of its own.
"""

from __future__ import annotations

from typing import Any, Callable

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed

from . import main

DEFAULT_LIVE_TRACE_INTERVAL = 0.3


class LiveTraceMiddleware:
    """Begins to sample when the worker loads it; requests do not pass through it."""

    def __init__(self, get_response: Callable[..., Any] | None = None) -> None:
        seconds = getattr(settings, "LIVE_TRACE_INTERVAL", DEFAULT_LIVE_TRACE_INTERVAL)
        if seconds:
            main.start_idempotent(seconds, main._default_outfile())
        raise MiddlewareNotUsed
