"""soak.py FOLDER [MINUTES [REQUESTS]]: a web application under load for ten minutes, with every
call of its own code in the ring, every 500th request kept, and its live page, which samples and is
looked at all the time; run by hand. REQUESTS a second, about; without it as many as there can be.

Says each ten seconds how much memory the worker has and what was kept and lost; fails where memory
grows after the first minute, a request fails, or something was recorded and is lost.
"""

import json
import os
import secrets
import sys
import time
from pathlib import Path

from live import CONNECTIONS, PAGES, Server

STEP_SECONDS = 10
WARM_STEPS = 6
GROWTH_MAX_KIB = 4096
LOOKS = ("live/state", "live/routes", "live/kept", "live/dump", "profile/minute/api/flame")


def at_rate(folder, requests_per_s):
    """Options of wrk: each connection waits before a request."""
    if requests_per_s is None:
        return []
    script = folder / "rate.lua"
    wait_ms = round(1000 * CONNECTIONS / requests_per_s)
    script.write_text(f"function delay() return {wait_ms} end\n")
    return ["-s", str(script)]


def look(server):
    """What the application says of itself; a line of it is printed."""
    for path in LOOKS:
        server.get(f"/marey/{path}", Authorization=f"Bearer {os.environ['BENCH_TOKEN']}")
    state = json.loads(server.get("/state"))
    flight, losses = state["flight"], state["losses"]
    print(
        f"{server.rss_kib() / 1024:.1f} MiB, kept {flight['kept']}, not kept {flight['not_kept']},"
        f" {flight['files']} files of {flight['bytes'] / 1e6:.1f} MB, lost {losses},"
        f" problem {flight['problem']}",
        flush=True,
    )
    return state


def wrong(state, grown_kib):
    """What is not as it should be."""
    lost = {kind: n for kind, n in state["losses"].items() if n and kind != "ring"}
    if grown_kib > GROWTH_MAX_KIB:
        yield f"the worker has grown by {grown_kib} KiB"
    if lost or state["flight"]["problem"]:
        yield f"lost: {lost}, problem: {state['flight']['problem']}"
    if not state["flight"]["kept"]:
        yield "nothing was kept"


def main():
    folder, minutes = Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 10
    os.environ["BENCH_EVERY"] = "500"
    os.environ["BENCH_TOKEN"] = secrets.token_urlsafe()
    folder.mkdir(parents=True, exist_ok=True)
    rate = at_rate(folder, float(sys.argv[3]) if len(sys.argv) > 3 else None)
    server = Server("flask", "calls", folder)
    requests, all_kib = 0, []
    try:
        server.wait()
        for step in range(round(minutes * 60 / STEP_SECONDS)):
            per_s, _, rss_kib = server.load(list(PAGES)[step % 2], STEP_SECONDS, *rate)
            requests += round(per_s * STEP_SECONDS)
            all_kib.append(rss_kib)
            print(f"{time.strftime('%X')}  {requests:,} requests, ", end="")
            state = look(server)
        # While a request is kept the ring is mapped: of a few looks the least counts.
        grown_kib = min(all_kib[-3:]) - min(all_kib[:WARM_STEPS][-3:])
        problems = list(wrong(state, grown_kib))
    finally:
        server.stop()
    for problem in problems:
        print(f"soak: {problem}", file=sys.stderr)
    sys.exit(bool(problems))


main()
