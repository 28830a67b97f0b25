"""Requests of web applications, and tasks of Celery, as spans: marey.integrations.wsgi, .asgi,
.flask, .django, .celery; and which of them are kept.

None of them imports a framework before it is used with one.
"""

from ._rules import RequestInfo, every, failed, slower_than

__all__ = ["RequestInfo", "every", "failed", "slower_than"]
