"""Real servers of small applications with a live page, for tests of it."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

APPS = Path(__file__).parent / "live_apps"
START_S = 60
# Threads: browsers open connections before they need them, and each would hold a worker of one.
GUNICORN = ["-m", "gunicorn", "--bind", "127.0.0.1:0", "--workers", "2", "--threads", "4"]
COMMANDS = {
    "plain": ["plain.py"],
    "flask": [*GUNICORN, "flask_app:app"],
    "django": [*GUNICORN, "django_app:app"],
    "fastapi": ["-m", "uvicorn", "--port", "0", "fastapi_app:app"],
}
MODULES = {
    "plain": [],
    "flask": ["gunicorn", "flask_login"],
    "django": ["gunicorn", "django"],
    "fastapi": ["uvicorn", "fastapi"],
}
ADDRESS = re.compile(r"(?:Listening at:|running on|^at) (http://127\.0\.0\.1:\d+\S*)", re.M)


class Server:
    """One that runs, at .address, until close(). more: of its environment."""

    def __init__(self, name, folder, **more):
        self.kept = folder / "kept"
        self._log = folder / "log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, *COMMANDS[name]],
                cwd=APPS,
                env={**os.environ, "KEPT": str(self.kept), "PYTHONUNBUFFERED": "1", **more},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self.address = self._wait_for_address()
        except BaseException:
            self.close()
            raise

    def _wait_for_address(self):
        ends = time.monotonic() + START_S
        while time.monotonic() < ends and self._process.poll() is None:
            found = ADDRESS.search(self._log.read_text())
            if found:
                return found[1]
            time.sleep(0.05)
        raise AssertionError(f"it does not serve: {self._log.read_text()}")

    def close(self):
        for number, patience in ((signal.SIGTERM, 10), (signal.SIGKILL, 10)):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(patience)
                return


@contextlib.contextmanager
def asked_all_the_time(address):
    """A client that asks for it again and again while the block runs."""
    ends = threading.Event()

    def ask():
        while not ends.is_set():
            with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=10) as got:
                got.read()

    client = threading.Thread(target=ask, daemon=True)
    client.start()
    try:
        yield
    finally:
        ends.set()
        client.join(20)
