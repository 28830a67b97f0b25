"""A trace, `marey view` of it, and a browser whose every word and request is listened to. Each test
leaves a picture of its page in build/browser."""

import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from browsing import PATIENCE_MS, browser
from serving import View

HERE = Path(__file__).parent
PICTURES = HERE.parents[1] / "build" / "browser"


@pytest.fixture(scope="session")
def trace(tmp_path_factory):
    path = tmp_path_factory.mktemp("browser") / "app <b>&.perfetto-trace"
    subprocess.run([sys.executable, HERE / "program.py", path], check=True, timeout=60)
    return path


@pytest.fixture(scope="session")
def served(trace):
    view = View(trace)
    yield view
    view.end()


@pytest.fixture(scope="session")
def chromium():
    with browser() as launched:
        yield launched


class Ear:
    """What a page says, and whom it talks to."""

    def __init__(self, context):
        self.errors = []
        self.forgotten = []
        self.outside = []
        context.on("request", self.request)
        context.on("console", self.console)
        context.on("weberror", lambda error: self.errors.append(str(error.error)))
        context.on("dialog", self.dialog)

    def request(self, request):
        parts = urlsplit(request.url)
        here = parts.hostname == "127.0.0.1" or parts.scheme in ("data", "blob", "file")
        if not here:
            self.outside.append(request.url)

    def console(self, message):
        if message.type in ("error", "warning"):
            self.errors.append(message.text)

    def forget(self, text):
        """Errors that a test has caused."""
        self.forgotten.append(text)

    def left(self):
        return [error for error in self.errors if not any(text in error for text in self.forgotten)]

    def dialog(self, dialog):
        self.errors.append(f"dialog: {dialog.message}")
        dialog.dismiss()


@pytest.fixture
def picture():
    """Keeps a picture of a page, for people: picture(page, name)."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    return lambda page, name: page.screenshot(path=PICTURES / f"{name}.png")


@pytest.fixture
def open_page(chromium, request):
    """Opens an address as such a browser would; checks at the end that all was well."""
    opened = []

    def open_one(url, width=1280, height=800, theme="light", scale=1):
        context = chromium.new_context(
            viewport={"width": width, "height": height},
            color_scheme=theme,
            device_scale_factor=scale,
        )
        context.set_default_timeout(PATIENCE_MS)
        ear = Ear(context)
        page = context.new_page()
        page.ear = ear
        opened.append((context, page))
        page.goto(url)
        return page

    yield open_one
    PICTURES.mkdir(parents=True, exist_ok=True)
    for number, (context, page) in enumerate(opened):
        name = re.sub(r"\W+", "-", request.node.name).strip("-")
        page.screenshot(path=PICTURES / f"{name}{f'-{number}' if number else ''}.png")
        context.close()
        assert page.ear.left() == []
        assert page.ear.outside == []


@pytest.fixture
def view(open_page, served):
    """Opens a view of the trace: view("timeline")."""
    return lambda name, **more: open_page(f"{served.url}#view={name}", **more)
