"""The blueprint's routes, for users that `app.config["OX_PROF_USERS"]` names.

What changes anything (pause, unpause, set_interval) is done by POST with the token of the form that
GET shows. Bad parameters are answered by 400 and the reason.
"""

from __future__ import annotations

import csv
import datetime
import hmac
import io
import logging
import math
import secrets
from functools import wraps
from typing import Any, Callable, NamedTuple

from flask import (
    Response,
    current_app,
    g,
    make_response,
    render_template_string,
    request,
    session,
    url_for,
)
from flask_login import current_user, login_required

from . import OX_PROF_BP, ReqRecord, _pages
from ._search import matching

__all__ = ["OX_PROF_BP"]
RECORDS_MAX = 1000  # of a status page
_TOKEN = "ox_profile_csrf"


class RouteInfo(NamedTuple):
    """The requests of an endpoint. avg_time: seconds."""

    name: str | None
    hits: int
    avg_time: float


# ----------------------------------------------------------------------------- who, and how


def access_problem_p() -> str | None:
    """The page for a user who may not look; None for one who may."""
    allowed = current_app.config.get("OX_PROF_USERS", {})
    field = current_app.config.get("OX_PROF_USERNAME_FIELD", "name")
    name = getattr(current_user, field, None)
    if name is not None and name in allowed:
        return None
    return render_template_string(
        _pages.PROBLEM,
        error_msg=f"Current user.{field} = {name} is not among the allowed ox profile users. "
        'Configure app.config["OX_PROF_USERS"] if necessary.',
    )


def restrict_access(view: Callable[..., Any]) -> Callable[..., Any]:
    """The view, for those who may look."""

    @wraps(view)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        problem = access_problem_p()
        return view(*args, **kwargs) if problem is None else problem

    return wrapper


def _message(*lines: str) -> str:
    return render_template_string(_pages.MESSAGE, lines=lines)


def _bad(reason: str) -> tuple[str, int]:
    return render_template_string(_pages.PROBLEM, error_msg=reason), 400


def _asked(what: str) -> Any:
    """None where a form was sent with its token; else the page that asks, or that refuses."""
    token = session.setdefault(_TOKEN, secrets.token_urlsafe(16))
    if request.method != "POST":
        return render_template_string(_pages.ASK, what=what, token=token)
    sent = request.form.get("csrf_token", "")
    if hmac.compare_digest(sent.encode(), token.encode()):
        return None
    return _bad("this form is too old, or not ours: go back, and try again")


def _number(name: str, text: str | None, least: float, most: float, whole: bool = False) -> float:
    """A parameter. ValueError with what is wrong."""
    try:
        value = (int if whole else float)(text or "")
    except ValueError:
        value = math.nan
    if not least <= value <= most:
        kind = "a whole number" if whole else "a number"
        raise ValueError(f"{name} is {kind} from {least:g} to {most:g}, not {text!r}")
    return value


# ---------------------------------------------------------------------------------- routes


@OX_PROF_BP.route("/")
@OX_PROF_BP.route("/index")
@login_required
@restrict_access
def index() -> Any:
    """Links to all that there is."""
    names = ("status", "pause", "unpause", "show_req_times")
    commands = [(name, url_for(f"ox_profile.{name}")) for name in names]
    return render_template_string(_pages.INDEX, commands=commands)


@OX_PROF_BP.route("/status")
@login_required
@restrict_access
def status() -> Any:
    """The functions with the most hits: ?re_filter=...&max_records=50."""
    launcher = OX_PROF_BP.launcher
    try:
        asked = request.args.get("max_records", "50")
        most = int(_number("max_records", asked, 1, RECORDS_MAX, whole=True))
        records, total = launcher.query(max_records=None)
        pattern = request.args.get("re_filter", ".*")
        if pattern != ".*":
            wanted = set(matching(pattern, [record.name for record in records]))
            records = [record for record in records if record.name in wanted]
    except ValueError as error:
        return _bad(str(error))
    return render_template_string(
        _pages.STATUS, launcher=launcher, total_records=total, query=records[:most]
    )


@OX_PROF_BP.route("/pause", methods=["GET", "POST"])
@login_required
@restrict_access
def pause() -> Any:
    """Sample nothing for now."""
    answer = _asked("pause")
    if answer is not None:
        return answer
    OX_PROF_BP.launcher.pause()
    return _message("paused")


@OX_PROF_BP.route("/unpause", methods=["GET", "POST"])
@login_required
@restrict_access
def unpause() -> Any:
    """Sample, or go on."""
    answer = _asked("unpause")
    if answer is not None:
        return answer
    launcher = OX_PROF_BP.launcher
    lines = []
    if not launcher.is_alive():
        launcher.start()
        lines.append("Started thread for first time")
    launcher.unpause()
    return _message(*lines, "unpaused")


@OX_PROF_BP.route("/set_interval", methods=["GET", "POST"])
@login_required
@restrict_access
def set_interval() -> Any:
    """Sample each ?interval= seconds, more than 0 and less than 10."""
    try:
        interval = _number("interval", request.values.get("interval"), 0.00001, 9.99999)
    except ValueError as error:
        return _bad(str(error))
    answer = _asked(f"set the interval to {interval:g} seconds")
    if answer is not None:
        return answer
    OX_PROF_BP.launcher.set_interval(interval)
    return _message(f"Changed sampling interval to {interval:f}")


@OX_PROF_BP.route("/show_req_times")
@login_required
@restrict_access
def show_req_times() -> Any:
    """How long requests take, by endpoint; ?as_csv=1: each of them."""
    try:
        as_csv = _number("as_csv", request.args.get("as_csv", "0"), 0, 1, whole=True)
    except ValueError as error:
        return _bad(str(error))
    requests = OX_PROF_BP.get_reqs()
    if as_csv:
        return _csv("reqs.csv", requests)
    seconds: dict[str | None, list[float]] = {}
    for (_, endpoint), records in requests.items():
        times = [(end - start).total_seconds() for start, end in records]
        seconds.setdefault(endpoint, []).extend(times)
    rows = [
        RouteInfo(name, len(all_of), sum(all_of) / len(all_of)) for name, all_of in seconds.items()
    ]
    rows.sort(key=lambda row: row.avg_time, reverse=True)
    link = url_for("ox_profile.show_req_times", as_csv=1)
    return render_template_string(_pages.TIMES, rinfo=rows, csv_link=link)


def _cell(value: object) -> str:
    """A text that no spreadsheet takes for a formula."""
    text = str(value)
    return "'" + text if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _csv(name: str, requests: dict[tuple[str, str | None], list[ReqRecord]]) -> Response:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["user", "endpoint", *ReqRecord._fields])
    for (user, endpoint), records in requests.items():
        writer.writerows([_cell(user), _cell(endpoint), *record] for record in records)
    response = make_response(text.getvalue())
    response.headers["Content-Type"] = "text/csv; charset=utf-8"
    response.headers["Content-Disposition"] = f"attachment; filename={name}"
    return response


# ------------------------------------------------------------------------------- all requests


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)


@OX_PROF_BP.before_app_request
def monitor_routes() -> None:
    """A request begins."""
    g.ox_prof_ts = _now()


@OX_PROF_BP.teardown_app_request
def monitor_route_completion(exception: BaseException | None = None) -> None:
    """A request has ended. The application never notices what goes wrong here."""
    try:
        began = g.pop("ox_prof_ts", None)
        if began is not None:
            user = getattr(current_user, "name", None) or getattr(current_user, "username", None)
            OX_PROF_BP.record_req(str(user or "unknown"), request.endpoint, began, _now())
    except Exception:
        logging.getLogger(__name__).exception("a request's time is not kept")
