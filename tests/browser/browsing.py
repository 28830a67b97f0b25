"""Debian's chromium without a window, for tests of pages."""

import contextlib
import os
import shutil

import pytest

CHROMIUM = shutil.which("chromium")
PATIENCE_MS = 60_000  # how long what is expected may take: machines are busy


class Watched:
    """A page, and what it did that a page of ours must not."""

    def __init__(self, page):
        self.page, self.wrong = page, []
        page.on("console", lambda message: self.wrong.append(message.text))
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("dialog", lambda dialog: (self.wrong.append(dialog.message), dialog.dismiss()))
        page.on("request", self.requested)

    def requested(self, request):
        if not request.url.startswith("file:"):
            self.wrong.append(request.url)


@contextlib.contextmanager
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    if not CHROMIUM:
        pytest.skip("no chromium here")
    playwright.expect.set_options(timeout=PATIENCE_MS)
    with playwright.sync_playwright() as tool:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        launched = tool.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield launched
        launched.close()


@contextlib.contextmanager
def open_file(launched, path, width=1300, height=700, **options):
    """The page of a file. Afterwards it has asked for nothing else, and complained of nothing."""
    with contextlib.closing(
        launched.new_context(viewport={"width": width, "height": height}, **options)
    ) as context:
        watched = Watched(context.new_page())
        watched.page.goto(path.resolve().as_uri())
        yield watched.page
        assert watched.wrong == []


PERFETTO = """<script>
addEventListener("message", (event) => {
    if (event.data === "PING") event.source.postMessage("PONG", event.origin);
    else if (event.data.perfetto) {
        const { buffer, title } = event.data.perfetto;
        document.title = JSON.stringify([buffer.byteLength, title, event.origin]);
    }
});
</script>"""


@contextlib.contextmanager
def as_perfetto(page):
    """In the block, a page in the place of ui.perfetto.dev takes traces, and has as its title what
    it got: [bytes, title, origin]. The page may ask for that one, and for nothing else outside."""
    page.context.route(
        "https://ui.perfetto.dev/**",
        lambda route: route.fulfill(body=PERFETTO, content_type="text/html"),
    )
    yield
    assert {url.split("/")[2] for url in page.ear.outside} == {"ui.perfetto.dev"}
    page.ear.outside = []
