"""The page of `marey view` as a whole: hostile names, themes, sizes, keys, addresses, what leaves
it, and what it says when the server is gone."""

import gzip
import json
import re
import socket

import pytest
from browsing import as_perfetto
from playwright.sync_api import expect
from serving import View

HOSTILE = ["<img src=x onerror=alert(1)>", "</script><script>alert(2)</script>", "naïve 🚀 emoji"]
FOCUS = """() => {
    const style = getComputedStyle(document.activeElement);
    return [document.activeElement.tagName, style.outlineStyle, parseFloat(style.outlineWidth)];
}"""


def test_names_are_text(view):
    page = view("summary")
    page.wait_for_load_state("networkidle")
    marked = "main img, main script, main b:has-text('such'), main i"
    assert page.locator(marked).count() == 0
    page.get_by_role("link", name="Spans").click()
    table = page.locator(".spans.page table")
    for hostile in HOSTILE:
        expect(table).to_contain_text(hostile)
    expect(table).to_contain_text("left\ufffdright")
    assert page.locator(marked).count() == 0


@pytest.mark.parametrize(
    ("width", "height", "scale"), [(400, 800, 1), (640, 400, 2)], ids=["narrow", "200 %"]
)
def test_readable_when_narrow_and_at_200_percent(view, picture, width, height, scale):
    page = view("summary", width=width, height=height, scale=scale)
    for name in ["summary", "timeline", "flame", "functions", "spans", "tree"]:
        page.keyboard.press("Escape")
        page.evaluate("name => { location.hash = `view=${name}`; }", name)
        expect(page.locator("main")).to_have_attribute("data-view", name)
        expect(page.locator("nav [aria-current=page]")).to_be_visible()
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        if name in ("timeline", "flame"):
            box = page.locator("main canvas").last.bounding_box()
            assert box["width"] > 200
            assert box["height"] > 100
        picture(page, f"{name}-{width}")


def test_all_by_keys_with_a_focus_that_is_seen(view):
    page = view("functions")
    expect(page.locator(".functions tbody tr").first).to_be_visible()
    seen = set()
    for _ in range(25):
        page.keyboard.press("Tab")
        tag, style, width = page.evaluate(FOCUS)
        assert tag != "BODY"
        assert style != "none"
        assert width >= 1
        seen.add(tag)
    assert {"A", "BUTTON", "INPUT", "SUMMARY", "TR"} <= seen
    page.locator(".functions tbody tr").first.focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator(".functions tbody tr").nth(1)).to_be_focused()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("2")
    expect(page.locator("nav [aria-current=page]")).to_have_text("Timeline")


def test_the_theme_is_chosen_and_kept(view):
    page = view("summary", theme="dark")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.get_by_role("button", name="Switch to light").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")


def test_an_address_shows_the_same_again(open_page, served):
    page = open_page(
        f"{served.url}#view=functions&range=1000000-900000000&of=spans&q=handle&threads=0"
    )
    expect(page.get_by_label("Search functions")).to_have_value("handle")
    expect(page.locator(".chip")).to_contain_text("1.0")
    expect(page.get_by_label("Made of")).to_have_value("spans")
    page.get_by_role("link", name="Spans").click()
    expect(page.locator(".spans.page table")).to_be_visible()
    page.go_back()
    expect(page.get_by_label("Search functions")).to_have_value("handle")


def test_what_makes_no_sense_in_an_address_is_left_out(open_page, served):
    page = open_page(f"{served.url}#view=<img>&range=9-1&threads=x&selected=span:99999999999999")
    expect(page.locator("nav [aria-current=page]")).to_have_text("Summary")
    page.get_by_role("link", name="Timeline").click()
    expect(page.locator(".details .message.error")).to_be_visible()
    page.ear.forget("Failed to load resource")  # the browser says so of every error


def test_what_is_downloaded(view, trace, tmp_path):
    page = view("summary")
    page.get_by_text("Open in …").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="trace the file as it is").click()
    saved = tmp_path / "saved"
    download.value.save_as(saved)
    assert saved.read_bytes() == trace.read_bytes()
    with page.expect_download() as download:
        page.get_by_role("link", name="folded").click()
    download.value.save_as(saved)
    text = saved.read_bytes()
    text = gzip.decompress(text) if text[:2] == b"\x1f\x8b" else text
    assert b"work" in text


def test_speedscope_opens_beside(view):
    page = view("summary")
    page.get_by_text("Open in …").click()
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="speedscope").first.click()
    other = opened.value
    expect(other).to_have_title(re.compile("perfetto-trace"))
    assert other.url.startswith(page.url.split("#")[0] + "speedscope/")
    page.ear.forget("WebAssembly")  # which it can do without
    page.ear.forget("GL Driver Message")
    page.ear.forget("WebGL")


def test_perfetto_is_given_the_trace(view, served, trace):
    page = view("summary")
    page.get_by_text("Open in …").click()
    with as_perfetto(page), page.context.expect_page() as opened:
        page.get_by_role("button", name="Perfetto ui.perfetto.dev").click()
        expect(page.locator(".export .status")).to_contain_text("is with Perfetto")
    got = json.loads(opened.value.title())
    assert got == [trace.stat().st_size, trace.name, served.url[: served.url.index("/", 8)]]


PERFETTO_BY_PORT = """<script>
(async () => {
    const url = new URLSearchParams(location.hash.slice(3)).get("url");
    const said = [url];
    for (const asked of [new URL("/", url).href, url, url]) {
        try {
            const answer = await fetch(asked);
            said.push(answer.ok ? (await answer.arrayBuffer()).byteLength : answer.status);
        } catch (error) {
            said.push(error.name);
        }
    }
    document.title = JSON.stringify(said);
})();
</script>"""


def test_perfetto_may_fetch_the_trace_once(view, trace):
    """By the one port that its page may read from: the address that it is given, no other, and
    not again."""
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if one.connect_ex(("127.0.0.1", 9001)) == 0:
            pytest.skip("port 9001 is in use")
    page = view("summary")
    # Newer browsers ask the reader whether that page may.
    page.context.grant_permissions(["local-network-access"], origin="https://ui.perfetto.dev")
    page.context.route(
        "https://ui.perfetto.dev/**",
        lambda route: route.fulfill(body=PERFETTO_BY_PORT, content_type="text/html"),
    )
    page.get_by_text("Open in …").click()
    with page.context.expect_page() as opened:
        page.get_by_role("button", name="Perfetto, by 127.0.0.1:9001").click()
    expect(opened.value).to_have_title(re.compile("^\\["))
    url, *answers = json.loads(opened.value.title())
    assert re.fullmatch(r"http://127\.0\.0\.1:9001/\w{32}", url)
    assert answers == ["TypeError", trace.stat().st_size, "TypeError"]
    assert opened.value.evaluate("window.opener") is None
    page.ear.forget("blocked by CORS policy")
    page.ear.forget("Failed to load resource")
    assert {url.split("/")[2] for url in page.ear.outside} == {"ui.perfetto.dev"}
    page.ear.outside = []


def test_a_server_that_is_gone(open_page, trace):
    view = View(trace)
    page = open_page(view.url)
    expect(page.locator(".facts")).to_be_visible()
    view.end()
    page.get_by_role("link", name="Flame graph").click()
    expect(page.get_by_role("alert")).to_contain_text("does not answer")
    page.ear.forget("Failed to load resource")
