"""The live page alone, before a program that only seems to run: what it shows, what it sends, and
what it says when things go wrong."""

import contextlib
import json
import re
from urllib.parse import quote

import pytest
from browsing import as_perfetto
from live_fake import HOSTILE, KEPT, FakeLive
from playwright.sync_api import expect

VIEWS = ["flame", "functions", "threads", "requests", "kept", "workers"]


@pytest.fixture
def fake():
    with contextlib.closing(FakeLive()) as server:
        yield server


@pytest.fixture
def live(fake, open_page):
    """Opens a view of the live page: live("flame")."""
    return lambda view="flame", **more: open_page(f"{fake.url}#view={view}", **more)


def fact(page, title):
    return page.locator(".bar-live .facts > div").filter(has_text=title).locator("dd")


def button(page, name):
    return page.locator(".bar-live").get_by_role("button", name=name)


def test_only_what_the_state_allows(live, fake):
    page = live()
    expect(fact(page, "State")).to_have_text("off")
    expect(page.locator(".flame")).to_contain_text("Nothing is sampled")
    expect(button(page, "Pause")).to_be_hidden()
    expect(button(page, "Reset")).to_be_disabled()
    button(page, "Start").click()
    expect(fact(page, "State")).to_have_text("sampling")
    expect(fact(page, "Rate")).to_have_text("99.7 of 100 Hz")
    expect(button(page, "Start")).to_be_hidden()
    button(page, "Pause").click()
    expect(fact(page, "State")).to_have_text("paused")
    button(page, "Resume").click()
    expect(fact(page, "State")).to_have_text("sampling")
    expect(button(page, "Resume")).to_be_hidden()
    button(page, "Stop").click()
    expect(fact(page, "State")).to_have_text("off")
    expect(button(page, "Stop")).to_be_hidden()
    expect(button(page, "Start")).to_be_visible()
    assert fake.posted == [{"action": a} for a in ("start", "pause", "resume", "stop")]


def test_rate_mode_worker_and_reset(live, fake):
    page = live()
    button(page, "Start").click()
    rate = page.get_by_label("Rate")
    rate.fill("250")
    rate.press("Enter")
    expect(fact(page, "Rate")).to_contain_text("of 250 Hz")
    rate.fill("5000")
    rate.press("Enter")
    expect(page.locator(".bar-live .said")).to_have_text("value: seconds from 0.001 on wanted")
    page.ear.forget("400")
    page.get_by_label("Worker").select_option("4712")
    expect(fact(page, "Worker")).to_have_text("4712")
    page.get_by_label("Mode").select_option("gil")
    expect(page.locator(".bar-live .said")).to_be_hidden()
    expect(fact(page, "Samples")).to_have_count(0)
    page.get_by_label("Worker").select_option("")
    expect(fact(page, "Samples")).not_to_have_text("0")
    fake.samples_a_question = 0
    button(page, "Reset").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    button(page, "Reset").click()
    page.get_by_role("dialog").get_by_role("button", name="Forget").click()
    expect(fact(page, "Samples")).to_have_text("0")
    assert fake.posted == [
        {"action": "start"},
        {"action": "interval", "value": 1 / 250},
        {"action": "interval", "value": 1 / 5000},
        {"action": "mode", "value": "gil", "worker": 4712},
        {"action": "reset"},
    ]


def test_the_flame_graph_grows_and_keeps_zoom_and_search(live):
    page = live()
    button(page, "Start").click()
    canvas = page.locator(".flame canvas")
    status = page.locator(".flame .status-line")
    page.get_by_label("Search flame graph").fill("query")
    expect(page.locator(".flame .head")).to_contain_text("60.0 % matched")
    canvas.focus()
    for key in ["ArrowDown", "ArrowDown", "ArrowDown"]:
        canvas.press(key)
    expect(status).to_contain_text("query")
    canvas.press("Enter")
    zoom_out = page.get_by_role("button", name="Zoom out")
    expect(zoom_out).to_be_enabled()
    before = status.inner_text()
    expect(status).not_to_have_text(before)
    expect(status).to_contain_text("query")  # the same frame, with more samples
    expect(zoom_out).to_be_enabled()
    expect(page.locator(".flame .head")).to_contain_text("60.0 % matched")


def test_functions_keep_their_order_while_they_change(live):
    page = live()
    button(page, "Start").click()
    page.keyboard.press("2")
    table = page.locator(".functions table")
    head = table.get_by_role("columnheader", name="Function")
    head.get_by_role("button").click()
    row = table.locator("tbody tr.own").first
    row.focus()
    before = row.inner_text()
    expect(row).not_to_have_text(re.compile(re.escape(before.split("\t")[0])))
    expect(head).to_have_attribute("aria-sort", "ascending")
    expect(row).to_be_focused()


def test_windows_and_what_can_be_taken_away(live, fake):
    page = live()
    page.get_by_label("Last hour").check()
    page.get_by_label("Worker").select_option("4711")
    page.get_by_text("Download", exact=True).click()
    links = page.locator(".export .list a")
    expect(links).to_have_count(3)
    for name, link in zip(["folded", "speedscope", "pprof"], links.all()):
        assert link.get_attribute("href") == f"profile/hour/convert?format={name}&worker=4711"
    with page.expect_download() as got:
        links.first.click()
    assert got.value.suggested_filename == "profile.folded"
    assert any("profile/hour/api/flame" in path and "worker=4711" in path for path in fake.asked)


def test_threads_unfold_and_stay_so(live):
    page = live("threads")
    threads = page.locator("details.running")
    expect(threads).to_have_count(4)
    expect(threads.first.locator(".stack")).to_be_hidden()
    threads.first.locator("summary").click()
    with page.expect_response("**/live/dump"):
        pass  # asked for again
    expect(threads.first.locator(".stack")).to_contain_text("render <i>")
    expect(threads.first.locator("summary .top")).to_have_text(re.compile("^wait .+:320 ← .main "))
    own = threads.first.locator("ol li").filter(has=page.get_by_role("img", name="own code"))
    expect(own).to_have_count(4)
    expect(page.locator(".threads")).to_contain_text("worker-<1>")
    expect(page.locator(".threads")).to_contain_text("7 more are not shown.")
    page.get_by_label("Search threads and tasks").fill("waiting")
    expect(threads).to_have_count(2)
    page.get_by_role("button", name="Fold all", exact=True).click()
    expect(threads.first.locator(".stack")).to_be_hidden()


def test_routes_sort_and_search(live):
    page = live("requests")
    table = page.get_by_role("table", name="Routes")
    expect(table.locator("tbody tr").first).to_contain_text("GET /users/{id}")
    expect(table).to_contain_text(HOSTILE)
    table.get_by_role("button", name="99 %").click()
    expect(table.locator("tbody tr").first).to_contain_text("1.300 s")
    page.get_by_label("Search requests").fill("img")
    expect(table.locator("tbody tr")).to_have_count(1)
    assert page.locator("main img, main i").count() == 0


def test_a_kept_request_opens_and_is_taken_away(live, fake):
    page = live("kept")
    row = page.get_by_role("table", name="Kept requests").locator("tbody tr").first
    expect(row).to_contain_text("slower than 0.5 s")
    with page.context.expect_page() as opened:
        row.get_by_role("link", name="GET /users/{id}").click()
    expect(opened.value).to_have_title("the page of a trace")
    with page.expect_download() as got:
        row.get_by_role("link", name="Download").click()
    assert got.value.suggested_filename.endswith(".perfetto-trace")
    assert fake.asked[-1] == f"kept/{quote(KEPT)}/trace"
    with as_perfetto(page), page.context.expect_page() as opened:
        row.get_by_role("button", name="Open in Perfetto").click()
        expect(page.locator(".kept")).to_contain_text("is with Perfetto")
    assert json.loads(opened.value.title())[:2] == [len(b"trace"), KEPT]
    expect(page.locator(".recorder")).to_contain_text("Keeps requests: slower than 0.5 s, failed.")


def test_what_is_wrong_is_said(live, fake):
    page = live("workers")
    notes = page.get_by_label("What is wrong")
    expect(notes).to_be_hidden()
    with fake.changing() as status:
        status["problems"] = ["process 4711: another profiler <b>", "process 4713 did not answer"]
        status["recording"]["problem"] = "No space left on device"
    expect(notes.locator("li")).to_have_text(
        [*fake.status["problems"], fake.status["recording"]["problem"]]
    )


def test_a_worker_is_picked_and_ends(live, fake):
    page = live("workers")
    page.get_by_role("row").filter(has_text="4712").click()
    expect(fact(page, "Worker")).to_have_text("4712")
    with fake.changing() as status:
        del status["workers"][1]
    choice = page.locator(".bar-live").get_by_label("Worker")
    expect(choice.locator("option")).to_have_text(["all 1", "4711", "4712 (ended)"])
    choice.select_option("")
    expect(choice).to_be_hidden()


def test_without_a_stream_it_asks(live, fake):
    fake.streams = False
    page = live()
    page.ear.forget("503")
    expect(fact(page, "State")).to_have_text("off")
    button(page, "Start").click()
    expect(fact(page, "State")).to_have_text("sampling")
    with fake.changing() as status:
        status["problems"] = ["Something is wrong."]
    expect(page.get_by_label("What is wrong")).to_contain_text("Something is wrong.")


def test_in_the_background_it_asks_for_nothing(live, fake):
    page = live()
    expect(fact(page, "State")).to_have_text("off")
    hide = """hidden => {
        Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
    }"""
    page.evaluate(hide, True)
    page.wait_for_load_state("networkidle")
    asked = len(fake.asked)
    with fake.changing() as status:
        status["sampling"]["state"] = "paused"
    page.wait_for_timeout(2500)  # longer than from question to question
    assert len(fake.asked) == asked
    expect(fact(page, "State")).to_have_text("off")
    page.evaluate(hide, False)
    expect(fact(page, "State")).to_have_text("paused")


def test_a_right_that_is_lost_is_told_and_found_again(live, fake):
    page = live()
    page.ear.forget("403")
    trouble = page.locator(".trouble")
    expect(fact(page, "State")).to_have_text("off")
    fake.allowed = False
    button(page, "Start").click()
    expect(page.locator(".bar-live .said")).to_contain_text("You may not")
    expect(trouble).to_contain_text("Log in to the application")
    fake.allowed = True
    button(page, "Start").click()
    expect(trouble).to_be_hidden()


def test_an_end_is_told_and_a_new_beginning_too(open_page):
    server = FakeLive()
    page = open_page(server.url)
    page.ear.forget("Failed to load resource")
    expect(fact(page, "State")).to_have_text("off")
    port = server.server.server_port
    server.close()
    trouble = page.locator(".trouble")
    expect(trouble).to_contain_text("The application does not answer")
    with contextlib.closing(FakeLive(port)) as again, again.changing() as status:
        status["sampling"]["state"] = "paused"
        expect(trouble).to_be_hidden(timeout=20_000)
        expect(fact(page, "State")).to_have_text("paused")


@pytest.mark.parametrize(
    ("width", "height", "scale", "theme"),
    [
        (1280, 800, 1, "light"),
        (1280, 800, 1, "dark"),
        (400, 800, 1, "light"),
        (640, 400, 2, "dark"),
    ],
    ids=["light", "dark", "narrow", "200 %"],
)
def test_every_view_at_every_size(live, fake, picture, width, height, scale, theme):
    fake.control({"action": "start"})
    page = live(width=width, height=height, scale=scale, theme=theme)
    for number, view in enumerate(VIEWS, 1):
        page.keyboard.press(str(number))
        expect(page.locator("main")).to_have_attribute("data-view", view)
        expect(page.locator(".message.loading")).to_have_count(0)
        expect(page.locator(".message.error")).to_have_count(0)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, view
        picture(page, f"live-{view}-{theme}-{width}")


def test_all_by_keys(live, fake):
    fake.control({"action": "start"})
    page = live("functions")
    expect(page.locator(".functions tbody tr").first).to_be_visible()
    seen = set()
    for _ in range(26):
        page.keyboard.press("Tab")
        seen.add(page.evaluate("document.activeElement.tagName"))
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none" or (
            page.evaluate("document.activeElement.type") == "radio"
        )
    assert {"A", "BUTTON", "INPUT", "SELECT", "SUMMARY", "TR"} <= seen
    page.locator("main").focus()
    page.keyboard.press("/")
    expect(page.get_by_label("Search functions")).to_be_focused()
