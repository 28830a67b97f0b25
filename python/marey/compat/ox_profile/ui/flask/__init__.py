"""The blueprint: `app.register_blueprint(OX_PROF_BP)`, imported from ox_profile.ui.flask.views."""

from __future__ import annotations

import datetime
import threading
from collections import deque
from typing import NamedTuple

from flask import Blueprint

from ...core import launchers

REQUESTS_MAX = 1000  # of a user and endpoint: the newest
PLACES_MAX = 1000  # different users and endpoints; those that come later are not kept


class ReqRecord(NamedTuple):
    """A request. Times are UTC."""

    start_time: datetime.datetime
    end_time: datetime.datetime


class OxProfBlueprint(Blueprint):
    """Profiling, and the times of requests, in bounded memory. launcher: what samples."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.req_db: dict[tuple[str, str | None], deque[ReqRecord]] = {}
        self.db_lock = threading.Lock()
        self.launcher = launchers.SimpleLauncher()

    def record_req(
        self,
        username: str,
        endpoint: str | None,
        stime: datetime.datetime,
        etime: datetime.datetime,
    ) -> None:
        """Keep the times of a request."""
        with self.db_lock:
            kept = self.req_db.get((username, endpoint))
            if kept is None:
                if len(self.req_db) >= PLACES_MAX:
                    return
                kept = self.req_db[username, endpoint] = deque(maxlen=REQUESTS_MAX)
            kept.append(ReqRecord(stime, etime))

    def get_reqs(self) -> dict[tuple[str, str | None], list[ReqRecord]]:
        """All that are kept, by user and endpoint."""
        with self.db_lock:
            return {key: list(kept) for key, kept in self.req_db.items()}

    @staticmethod
    def get_help() -> None:
        """Says where to read on."""
        print("See docs/migrating.md of Marey.")


OX_PROF_BP = OxProfBlueprint("ox_profile", __name__, url_prefix="/ox_profile")
