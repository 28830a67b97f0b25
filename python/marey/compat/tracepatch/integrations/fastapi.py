"""For FastAPI, Starlette, and all of ASGI: app.add_middleware(TracepatchMiddleware)."""

from __future__ import annotations

from typing import Any, Callable

from . import trace_of


class TracepatchMiddleware:
    """label_fn: the trace's label, of a starlette Request; otherwise method and path. The trace
    itself is `scope["tracepatch.trace"]`. With save, the answer's X-Tracepatch-ID names it.
    """

    def __init__(
        self,
        app: Any,
        label_fn: Callable[[Any], str] | None = None,
        ignore_modules: list[str] | None = None,
        save: bool = False,
        enabled: bool = True,
        **trace_kwargs: Any,
    ) -> None:
        self.app, self.label_fn, self.enabled = app, label_fn, enabled
        self.save, self.ignore_modules, self.trace_kwargs = save, ignore_modules, trace_kwargs

    def _label(self, scope: dict[str, Any]) -> str:
        if self.label_fn is None:
            return f"{scope['method']} {scope['path']}"
        from starlette.requests import Request  # type: ignore[import-not-found,unused-ignore]

        return self.label_fn(Request(scope))

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http" or not self.enabled:
            await self.app(scope, receive, send)
            return
        traced = trace_of(self._label(scope), self.ignore_modules, self.save, self.trace_kwargs)
        scope["tracepatch.trace"] = traced

        async def named(message: dict[str, Any]) -> None:
            if self.save and message["type"] == "http.response.start":
                name = (b"x-tracepatch-id", traced._trace_id.encode("ascii"))
                message = {**message, "headers": [*message.get("headers", ()), name]}
            await send(message)

        async with traced:
            await self.app(scope, receive, named)
