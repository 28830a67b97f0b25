"""The live page, for a project's URLs:

path("marey/", include("marey.integrations.django.urls"))
"""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from . import _shared

app_name = "marey"


@csrf_exempt  # the page has a header of its own
def _show(request: Any, below: str = "") -> Any:
    from ..._live.django import respond

    page = _shared().page
    if page is None:
        raise Http404('MAREY has no "live"')
    return respond(page.live, request, below)


urlpatterns = [path("", _show, name="live"), path("<path:below>", _show)]
