"""For WSGI: app = TracepatchMiddleware(app). A trace goes on until the response is closed."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Callable

from . import trace_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .._trace import trace


def _path(environ: dict[str, Any]) -> str:
    return str(environ.get("PATH_INFO", "/"))


class TracepatchMiddleware:
    """label_fn: the trace's label, of the environ; otherwise the path. The trace itself is
    `environ["tracepatch.trace"]`.
    """

    def __init__(
        self,
        app: Any,
        label_fn: Callable[[dict[str, Any]], str] | None = None,
        ignore_modules: list[str] | None = None,
        save: bool = False,
        enabled: bool = True,
        **trace_kwargs: Any,
    ) -> None:
        self.app, self.label_fn, self.enabled = app, label_fn or _path, enabled
        self.save, self.ignore_modules, self.trace_kwargs = save, ignore_modules, trace_kwargs

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if not self.enabled:
            answer: Iterable[bytes] = self.app(environ, start_response)
            return answer
        label = self.label_fn(environ)
        traced = trace_of(label, self.ignore_modules, self.save, self.trace_kwargs)
        environ["tracepatch.trace"] = traced
        response = _Response(traced)
        response.begin(self.app, environ, start_response)
        return response


class _Response:
    """A body, each part of which is made inside the trace; what the server does with it is not."""

    def __init__(self, traced: trace) -> None:
        self._traced = traced
        self._scope = traced._calls._scope if traced._calls is not None else None
        self._body: Any = ()
        self._parts: Iterator[bytes] = iter(())

    def _inside(self, do: Callable[..., Any], *args: Any) -> Any:
        if self._scope is None or not self._scope.is_open:
            return do(*args)
        self._scope.enter()
        try:
            return do(*args)
        finally:
            self._scope.leave()

    def begin(self, app: Any, environ: dict[str, Any], start_response: Any) -> None:
        """Call the application. Where that fails, the trace ends."""
        self._traced._began = datetime.now()
        if self._scope is not None:
            self._scope.open()
        try:
            self._body = self._inside(app, environ, start_response)
            self._parts = iter(self._body)
        except BaseException:
            self._end()
            raise

    def _end(self) -> None:
        if self._scope is not None and self._scope.is_open:
            self._scope.close()
            self._traced._save()

    def __iter__(self) -> _Response:
        return self

    def __next__(self) -> bytes:
        part: bytes = self._inside(next, self._parts)
        return part

    def close(self) -> None:
        """The server has the whole response, or the client is gone."""
        try:
            if hasattr(self._body, "close"):
                self._inside(self._body.close)
        finally:
            self._end()
