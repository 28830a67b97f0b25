"""Helpers of the tests of the live page."""

import json
import os
import select
import signal
import time
import traceback
from contextlib import contextmanager

from marey._live.live_page import Live
from marey._live.messages import Asked
from marey._live.rights import Given

TOKEN = "correct horse battery staple"


class Visit:
    """What somebody gets of a page, without any transport."""

    def __init__(self, live, token=TOKEN, user=None, request=None):
        self.live, self.token = live, token
        self.given = Given(request, lambda: user)

    def ask(self, path, query="", method="GET", body=b"", can_stream=False, **headers):
        if self.token is not None:
            headers.setdefault("authorization", f"Bearer {self.token}")
        shown = {name.replace("_", "-"): value for name, value in headers.items()}
        asked = Asked(method, path, query, "marey", shown.get, body, can_stream=can_stream)
        return self.live.answer(asked, self.given)

    def json(self, path, query="", status=200):
        answer = self.ask(path, query)
        assert answer.status == status, answer.body
        return json.loads(answer.body)

    def state(self):
        return self.json("/live/state")

    def control(self, csrf=None, **wanted):
        """(status, reason)"""
        csrf = self.state()["csrf"] if csrf is None else csrf
        body = json.dumps(wanted).encode()
        answer = self.ask("/live/control", method="POST", body=body, x_marey_csrf=csrf)
        return answer.status, json.loads(answer.body)["error"] if answer.body else ""


@contextmanager
def page(name="shop", requests=None, **options):
    """A visit of a new page, which ends with the block."""
    options.setdefault("token", TOKEN)
    live = Live(name, requests, **options)
    try:
        yield Visit(live)
    finally:
        live.close()


def until(condition, seconds=60):
    """What condition() returns as soon as it is true."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {condition}")


@contextmanager
def forked(body):
    """A child that does this, and then nothing; its number. It ends with the block."""
    told, tell = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            body()
            os.write(tell, b"x")
            time.sleep(120)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)
    os.close(tell)
    try:
        assert select.select([told], [], [], 60)[0], "the child does nothing"
        assert os.read(told, 1) == b"x", "the child failed"
        yield pid
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(told)


def header(answer, name):
    """A header's value, or None."""
    return dict(answer.headers).get(name)
