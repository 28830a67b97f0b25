"""The live page of real servers: log in, start, see the profile grow, see the routes, open the
trace of a slow request, take it away; who has no right gets 403."""

import contextlib
import importlib.util
import tempfile
from urllib.parse import urljoin

import pytest
import traces
from live_proxy import Proxy
from live_servers import MODULES, Server, asked_all_the_time
from playwright.sync_api import expect


@pytest.fixture
def lasting():
    """What ends when the pages are closed."""
    with contextlib.ExitStack() as stack:
        yield stack


@pytest.fixture
def serve(lasting, monkeypatch, tmp_path):
    """Starts a framework's server: serve("flask")."""
    # Its workers meet there; the path is short, as sockets want it.
    folder = lasting.enter_context(tempfile.TemporaryDirectory(prefix="m-", dir="/tmp"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", folder)

    def start(name, **more):
        for module in MODULES[name]:
            if importlib.util.find_spec(module) is None:
                pytest.skip(f"no {module} here")
        return lasting.enter_context(contextlib.closing(Server(name, tmp_path, **more)))

    return start


def log_in(page, address, name):
    page.goto(urljoin(address, "login"))
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Log in").click()
    expect(page.locator("body")).to_have_text("welcome")


def nobody_sees(page, live):
    for path in ("", "live/state", "live/events", "profile/all/api/flame", "kept/x/", "assets/x"):
        refused = page.request.get(live + path)
        assert (refused.status, refused.body()) == (403, b""), path


def samples(page):
    text = page.locator(".bar-live .facts > div").filter(has_text="Samples").locator("dd")
    return int(text.inner_text().replace(",", ""))


def start_and_see_it_grow(page, function):
    """The profile has a function of the application's own, and more and more samples."""
    page.get_by_role("button", name="Start").click()
    expect(page.locator(".bar-live .facts")).to_contain_text("sampling")
    page.get_by_label("Search flame graph").fill(function)
    expect(page.locator(".flame .head")).to_contain_text("% matched")
    expect(page.locator(".flame .head")).not_to_contain_text("0.00 % matched")
    before = samples(page)
    expect(page.locator(".bar-live .facts")).not_to_contain_text(f"Samples{before:,}")
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Functions").click()
    own = page.locator(".functions tr.own").filter(has_text=function).first
    expect(own).to_be_visible()


@pytest.mark.parametrize("framework", ["flask", "django", "fastapi"])
def test_of_a_web_application(serve, open_page, picture, framework):
    server = serve(framework)
    page = open_page("about:blank")
    nobody_sees(page, urljoin(server.address, "marey/"))
    log_in(page, server.address, "bob")
    nobody_sees(page, urljoin(server.address, "marey/"))
    look_at_all(page, server.address, picture, framework)


@pytest.mark.parametrize(
    ("framework", "takes_away", "more"),
    [
        ("flask", True, {}),
        ("flask", False, {"SCRIPT_NAME": "/shop"}),
        ("fastapi", True, {"UVICORN_ROOT_PATH": "/shop"}),
    ],
)
def test_behind_a_proxy(serve, lasting, open_page, picture, framework, takes_away, more):
    server = serve(framework, **more)
    proxy = lasting.enter_context(contextlib.closing(Proxy(server.address, takes_away)))
    look_at_all(open_page("about:blank"), proxy.address, picture, framework)


def look_at_all(page, address, picture, framework):
    """As somebody who may."""
    log_in(page, address, "ann")
    page.goto(urljoin(address, "marey"))
    with asked_all_the_time(urljoin(address, "work/7")):
        start_and_see_it_grow(page, "crunch")
        page.get_by_role("link", name="Requests").click()
        row = page.get_by_role("table", name="Routes").locator("tr").filter(has_text="/work/")
        expect(row).to_contain_text("number")  # the pattern, not the address
        picture(page, f"live-{framework}")
    page.request.get(urljoin(address, "slow"))
    page.get_by_role("link", name="Kept").click()
    kept = page.get_by_role("table", name="Kept requests").locator("tr").filter(has_text="/slow")
    see_the_trace(page, kept.first, picture, framework)
    page.get_by_role("button", name="Stop").click()
    expect(page.locator(".bar-live .facts .state")).to_have_text("off")


def see_the_trace(page, kept, picture, framework):
    """Of a slow request: as a page, and as a file."""
    expect(kept).to_contain_text("slower than")
    with page.context.expect_page() as opened:
        kept.get_by_role("link", name="GET /slow").click()
    tree = opened.value
    tree.get_by_role("link", name="Call tree").click()
    tree.get_by_label("Made of").select_option("spans")
    rows = tree.get_by_role("treegrid").get_by_role("row")
    rows.filter(has_text="GET /slow").click()
    if framework == "flask":  # which records calls
        rows.filter(has_text="flask_app.py").first.click()
        expect(rows.filter(has_text="crunch")).to_have_count(1)
    picture(tree, f"live-{framework}-kept")
    tree.close()
    with page.expect_download() as got:
        kept.get_by_role("link", name="Download").click()
    trace = traces.load(got.value.path())
    (span,) = trace.named("GET /slow")
    assert span.args["status"] == 200
    assert span.end - span.begin >= 250e6


def test_of_a_plain_service(serve, open_page, picture):
    server = serve("plain")
    page = open_page("about:blank")
    nobody_sees(page, server.address.partition("?")[0])
    page.goto(server.address)
    assert "token" not in page.url
    expect(page.locator("h1")).to_contain_text("plain <service>")
    start_and_see_it_grow(page, "crunch")
    page.get_by_role("link", name="Threads").click()
    expect(page.locator("details.running").filter(has_text="service")).to_contain_text("crunch")
    picture(page, "live-plain")
    page.get_by_role("link", name="Flame graph").click()
    page.get_by_text("Download", exact=True).click()
    with page.expect_download() as got:
        page.get_by_role("link", name="folded").click()
    folded = got.value.path().read_text()
    assert "serve" in folded and "crunch" in folded
