"""A `marey view` that runs, and a way to ask it."""

import contextlib
import http.client
import json
import os
import re
import signal
import subprocess

from command import find_marey


class Viewer:
    """A `marey view` that runs: its port, its token, and a way to ask it."""

    def __init__(self, process):
        self.process = process
        self.address = process.stdout.readline().strip()
        found = re.fullmatch(r"http://127\.0\.0\.1:(\d+)/([0-9a-f]{32})/", self.address)
        assert found, (self.address, process.stderr.read())
        self.port, self.token = int(found[1]), found[2]

    def ask(self, path, method="GET", headers=(), port=None):
        """(status, headers, bytes) of a path below the server's root."""
        connection = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=30)
        try:
            connection.request(method, path, headers=dict(headers))
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def get(self, question):
        status, _, body = self.ask(f"/{self.token}/{question}")
        return status, json.loads(body)

    def end(self, number=signal.SIGINT):
        self.process.send_signal(number)
        return self.process.wait(20)


@contextlib.contextmanager
def viewing(*arguments, **variables):
    quiet = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
    quiet.pop("SSH_CONNECTION", None)
    quiet["BROWSER"] = "true"
    process = subprocess.Popen(
        [find_marey(), "view", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**quiet, **variables},
    )
    try:
        yield Viewer(process)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()
