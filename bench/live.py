"""live.py FOLDER [FRAMEWORK...]: what Marey costs in web applications that are under load, beside
other tools.

Flask and Django under gunicorn, FastAPI under uvicorn (bench/webapps), one worker each, on a core;
wrk asks from another. Each application is served without any tool, once more without ("again": what
the machine does to the figures), with Marey and with its peers, all at the same time; each gets the
load in its turn, in short rounds. Emits for each, one entry a round:
{"group": "live.FRAMEWORK.PAGE", "who": ..., "per_s": [...], "cpu_us": [...], "rss_kib": [...]}
requests a second, CPU time of the worker a request, its resident memory after the round.

Fails where a request fails, or where Marey did not keep the one that was slow.
"""

import contextlib
import http.client
import importlib.util
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from series import QUICK, emit

APPS = Path(__file__).parent / "webapps"
WHO = ("without", "again", "paused", "sampled", "calls", "viztracer", "pyinstrument")
CLOSE = ("without", "again", "paused", "sampled")  # differ by little: more rounds
PAGES = {"cart": "/cart/7", "hello": "/hello"}
LOADS = {"cart": ["-s", str(APPS / "users.lua")]}  # of many users
FRAMEWORKS = {"flask": "gunicorn", "django": "gunicorn", "fastapi": "uvicorn"}
ROUNDS, CLOSE_ROUNDS, SECONDS, CONNECTIONS = 7, 25, 1.0, 4
START_SECONDS = 60


def taking_part():
    """Those that are installed."""
    for who in WHO:
        if who not in ("viztracer", "pyinstrument") or importlib.util.find_spec(who):
            yield who
        else:
            print(f"bench: {who} is not installed: left out", file=sys.stderr)


def cores():
    """One for the server, one for the load; the same where there is one."""
    found = sorted(os.sched_getaffinity(0))
    return found[-1], found[0]


def command(framework, port):
    if FRAMEWORKS[framework] == "gunicorn":
        options = ["--workers", "1", "--bind", f"127.0.0.1:{port}", "--log-level", "error"]
        return ["-m", "gunicorn", *options, "--timeout", "600", f"{framework}_app:application"]
    options = ["--port", str(port), "--no-access-log", "--log-level", "error"]
    return ["-m", "uvicorn", *options, f"{framework}_app:application"]


class Server:
    """An application with what is around it, in a process of its own."""

    def __init__(self, framework, who, folder):
        self.who, self.framework, self.kept = who, framework, folder / f"{framework}-{who}"
        self.rounds = {page: [] for page in PAGES}
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        core = cores()[0]
        self.process = subprocess.Popen(
            [sys.executable, *command(framework, self.port)],
            cwd=APPS,
            env={**os.environ, "BENCH_AROUND": who, "BENCH_KEPT": str(self.kept)},
            preexec_fn=lambda: os.sched_setaffinity(0, {core}),
            start_new_session=True,
        )

    def wait(self):
        """Until it answers."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            with contextlib.suppress(OSError):
                self.get(PAGES["hello"])
                self.worker = self._worker()
                return
            time.sleep(0.05)
        sys.exit(f"bench: {self.framework} with {self.who} does not answer")

    def _worker(self):
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return int(children[0]) if FRAMEWORKS[self.framework] == "gunicorn" else pid

    def get(self, path, **headers):
        """The body of an answer that is right."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            assert answer.status == 200, (self.framework, self.who, path, answer.status)
            return answer.read()
        finally:
            connection.close()

    def cpu_ns(self):
        """Of all threads of the worker."""
        tasks = Path(f"/proc/{self.worker}/task").iterdir()
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks)

    def rss_kib(self):
        status = Path(f"/proc/{self.worker}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status).group(1))

    def load(self, page, seconds, *more):
        """A round: requests a second, CPU microseconds a request, KiB. more: options of wrk."""
        before = self.cpu_ns()
        requests, taken = wrk(f"http://127.0.0.1:{self.port}{PAGES[page]}", seconds, *more)
        spent = self.cpu_ns() - before
        return requests / taken, spent / 1000 / requests, self.rss_kib()

    def stop(self):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def wrk(url, seconds, *more):
    """(requests, seconds) of a load."""
    core = str(cores()[1])
    options = ["-t1", f"-c{CONNECTIONS}", f"-d{max(1, round(seconds))}s", *more]
    done = subprocess.run(
        ["taskset", "-c", core, "wrk", *options, url], stdout=subprocess.PIPE, text=True, check=True
    )
    if "Non-2xx" in done.stdout:
        sys.exit(f"bench: {url} failed under load\n{done.stdout}")
    found = re.search(r"(\d+) requests in ([\d.]+)(m?s)", done.stdout)
    return int(found.group(1)), float(found.group(2)) / (1000 if found.group(3) == "ms" else 1)


def expect_kept(server):
    """The slow request, and it alone, has a trace."""
    server.get("/slow")
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        names = [path.name for path in server.kept.glob("*_GET_slow_*.perfetto-trace")]
        if names and all((server.kept / name).stat().st_size for name in names):
            return
        time.sleep(0.05)
    sys.exit(f"bench: {server.framework} with {server.who}: the slow request was not kept")


def take_turns(servers, page, number):
    """A round, which another one begins each time."""
    first = number % len(servers)
    for server in servers[first:] + servers[:first]:
        server.rounds[page].append(server.load(page, SECONDS, *LOADS.get(page, [])))


def race(framework, folder):
    """All servers of a framework, in turns."""
    servers = []
    try:
        for who in taking_part():
            servers.append(Server(framework, who, folder))
        for server in servers:
            server.wait()
            for page in PAGES:
                server.load(page, 1)  # warm
        for number in range(1 if QUICK else ROUNDS):
            for page in PAGES:
                take_turns(servers, page, number)
        close = [server for server in servers if server.who in CLOSE]
        for number in range(0 if QUICK else CLOSE_ROUNDS - ROUNDS):
            take_turns(close, "cart", number)
        for server in servers:
            if server.who in ("sampled", "calls"):
                expect_kept(server)
    finally:
        for server in servers:
            server.stop()
    for page in PAGES:
        for server in servers:
            per_s, cpu_us, rss_kib = map(list, zip(*server.rounds[page]))
            emit(
                group=f"live.{framework}.{page}",
                who=server.who,
                per_s=per_s,
                cpu_us=cpu_us,
                rss_kib=rss_kib,
            )


def main():
    folder = Path(sys.argv[1])
    for framework in sys.argv[2:] or FRAMEWORKS:
        race(framework, folder)


if __name__ == "__main__":
    main()
