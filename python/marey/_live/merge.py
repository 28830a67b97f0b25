"""What several worker processes say, as one."""

from __future__ import annotations

from typing import Any

from ..integrations._routes import merged_rows

Say = dict[str, Any]


def state(said: list[Say]) -> Say:
    """Of Worker.state(): sampling, recording, requests, workers, and problems."""
    samplings = [each["sampling"] for each in said]
    return {
        "sampling": _sampling(samplings),
        "recording": _recording([each["recording"] for each in said]),
        "requests": {
            name: sum(each["requests"][name] for each in said)
            for name in ("open", "count", "errors")
        },
        "workers": [_worker(each) for each in said],
        "problems": [
            f"process {each['pid']}: {each['problem']}" for each in said if each["problem"]
        ],
    }


def _worker(said: Say) -> Say:
    sampling = said["sampling"]
    return {
        "pid": said["pid"],
        "since": said["since"],
        **{name: sampling[name] for name in ("state", "hz", "achieved_hz", "cost")},
        "rss": said["rss"],
        "problem": said["problem"],
    }


def _sampling(all_of_them: list[Say]) -> Say:
    """Counts are sums, and so is the cost; rates and times are averages of those that are on."""
    busy = [one for one in all_of_them if one["state"] == "on"] or all_of_them
    states = {one["state"] for one in all_of_them}
    return {
        "state": next(name for name in ("on", "paused", "off") if name in states),
        "mode": busy[0]["mode"],
        **{name: _mean(busy, name) for name in ("hz", "achieved_hz", "jitter")},
        **{name: sum(one[name] for one in all_of_them) for name in ("samples", "torn", "missed")},
        "cost": sum(one["cost"] for one in busy),
    }


def _mean(many: list[Say], name: str) -> float:
    return float(sum(one[name] for one in many) / len(many))


def _recording(all_of_them: list[Say | None]) -> Say | None:
    """The folder is one; what was kept is counted by each."""
    those = [one for one in all_of_them if one is not None]
    if not those:
        return None
    problems = [one["problem"] for one in those if one.get("problem")]
    return {
        **those[0],
        **{name: sum(one[name] for one in those) for name in ("kept", "not_kept")},
        "problem": problems[0] if problems else None,
    }


def routes(said: list[Say]) -> Say:
    """Of Worker.routes(): columns, the largest sum of times first."""
    rows = merged_rows(said)
    columns = ("name", "requests", "errors", "mean", "p50", "p95", "p99", "max")
    return {"rows": {name: [getattr(row, name) for row in rows] for name in columns}}


def dump(said: list[Say]) -> Say:
    """Of Worker.dump(): one behind the other."""
    return {
        "threads": [thread for each in said for thread in each["threads"]],
        "tasks": [task for each in said for task in each["tasks"]],
        "left_out": sum(each["left_out"] for each in said),
    }
