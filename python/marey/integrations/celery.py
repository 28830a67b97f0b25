"""Celery, in its workers and where tasks are run eagerly:

tasks = marey.integrations.celery.Marey(app, keep=[failed(), slower_than(5)])
tasks.stats()
"""

from __future__ import annotations

from .. import _keeper, _marey
from ._requests import Requests

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from typing_extensions import Unpack

    from .._marey import Request
    from ._requests import Options


class Marey(Requests):
    """Each task that this process runs is a span, named as the task is, with its id, retries, queue
    and state ("SUCCESS", "FAILURE", "RETRY", ...). A task that is to be run again has not failed.

    app: the Celery application; None: tasks of all applications. The other options are those of
    Requests, whose `attributes` are given the task.

    For pools of processes and of threads, and "solo"; spans of greenlets would not nest.
    """

    _category = _marey.Category("task")

    def __init__(self, app: Any = None, **options: Unpack[Options]) -> None:
        super().__init__(**options)
        self._app = app
        self._running: dict[str, Request] = {}  # by the task's id
        from celery import signals

        signals.task_prerun.connect(self._begins, weak=False)
        signals.task_failure.connect(self._fails, weak=False)
        signals.task_postrun.connect(self._ends, weak=False)
        signals.worker_process_shutdown.connect(_finish, weak=False)

    def disconnect(self) -> None:
        """See no more tasks."""
        from celery import signals

        signals.task_prerun.disconnect(self._begins)
        signals.task_failure.disconnect(self._fails)
        signals.task_postrun.disconnect(self._ends)

    def _begins(self, task_id: str, task: Any, **_: Any) -> None:
        if self._app is not None and task.app != self._app:
            return
        request = task.request
        delivery = request.delivery_info or {}
        self._running[task_id] = self.begin_named(
            task.name,
            "TASK",
            task,
            id=task_id,
            retries=request.retries or 0,
            queue=str(delivery.get("routing_key") or ""),
        )

    def _fails(self, task_id: str, exception: BaseException, **_: Any) -> None:
        request = self._running.get(task_id)
        if request is not None:
            request.failed_by(exception)

    def _ends(self, task_id: str, state: str | None = None, **_: Any) -> None:
        request = self._running.pop(task_id, None)
        if request is not None:
            request.end(state=str(state))


def _finish(**_: Any) -> None:
    """A process of the pool ends, without what Python does at its end."""
    _keeper.finish()
