"""Each view of the page of `marey view`: what it shows, by pointer and by keys."""

import re

import pytest
from playwright.sync_api import expect

VIEWS = ["summary", "timeline", "flame", "functions", "spans", "tree"]


def look(page):
    """The part of the time that the timeline shows, from the address."""
    found = re.search(r"look=(-?\d+)-(\d+)", page.url)
    return (int(found[1]), int(found[2])) if found else None


def wait_for_look(page):
    """The address is written when the view has come to rest."""
    expect(page).to_have_url(re.compile("look="))
    page.wait_for_timeout(400)
    return look(page)


def timeline(page):
    canvas = page.locator(".timeline .pane canvas")
    expect(canvas).to_have_attribute("aria-busy", "false")
    return canvas


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_view_in_both_themes(view, picture, theme):
    page = view("summary", theme=theme)
    for number, name in enumerate(VIEWS, 1):
        page.locator("nav a").nth(number - 1).click()
        expect(page.locator("main")).to_have_attribute("data-view", name)
        page.wait_for_load_state("networkidle")
        expect(page.locator(".message.error")).to_have_count(0)
        picture(page, f"{name}-{theme}")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    light = sum(map(int, re.findall(r"\d+", ground)[:3])) > 384
    assert light == (theme == "light")


def test_the_summary_says_what_the_trace_is(view):
    page = view("summary")
    threads = page.locator(".summary table")
    expect(threads).to_contain_text("MainThread")
    expect(threads).to_contain_text("worker-1 <i>")
    expect(page.locator(".facts")).to_contain_text("Duration")
    expect(page.locator(".hot.spans")).to_contain_text("feed")


def test_functions_sort_and_search(view):
    page = view("functions")
    table = page.locator(".functions table")
    expect(table).to_contain_text("work")
    head = table.get_by_role("columnheader", name="Total", exact=True)
    head.get_by_role("button").click()
    expect(head).to_have_attribute("aria-sort", "descending")
    head.get_by_role("button").click()
    expect(head).to_have_attribute("aria-sort", "ascending")
    page.get_by_label("Search functions").fill("program.py handle")
    expect(table.locator("tbody tr")).to_have_count(1)
    expect(table.locator("tbody tr.own")).to_contain_text("program.py:")
    page.get_by_label("Search functions").fill("there is no such function")
    expect(page.locator(".functions")).to_contain_text("Nothing here matches")


def test_a_row_of_functions_leads_to_its_frames(view):
    page = view("functions")
    page.get_by_label("Search functions").fill("program.py work")
    row = page.locator(".functions tbody tr").first
    row.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".flame .head")).to_contain_text("% matched")


def test_single_spans_lead_into_the_timeline(view):
    page = view("spans")
    page.get_by_role("row").filter(has_text="handle").first.click()
    single = page.locator(".single")
    expect(single).to_contain_text("120 spans")
    single.locator("tbody tr").first.click()
    details = page.locator(".details")
    expect(details.locator("h3")).to_contain_text("handle")
    expect(details).to_contain_text("/users/<b>")
    assert look(page)


def test_flame_graph_by_keys(view):
    page = view("flame")
    page.get_by_label("Search flame graph").fill("worker")
    expect(page.locator(".flame .head")).to_contain_text("% matched")
    canvas = page.locator(".flame canvas")
    canvas.focus()
    page.keyboard.press("ArrowDown")
    status = page.locator(".flame .status-line")
    expect(status).to_contain_text("self")
    out = page.get_by_role("button", name="Zoom out")
    expect(out).to_be_disabled()
    page.keyboard.press("Enter")
    expect(out).to_be_enabled()
    page.keyboard.press("Escape")
    expect(out).to_be_disabled()
    page.get_by_role("button", name="Root at the bottom").click()
    expect(page.get_by_role("button", name="Root at the top")).to_be_visible()


def test_flame_graph_by_pointer_of_spans(view):
    page = view("flame")
    page.get_by_label("Made of").select_option("spans")
    canvas = page.locator(".flame canvas")
    page.wait_for_load_state("networkidle")
    canvas.hover(position={"x": 100, "y": 30})
    expect(page.locator(".flame .tooltip")).to_be_visible()
    canvas.click(position={"x": 100, "y": 30})
    expect(page.get_by_role("button", name="Zoom out")).to_be_enabled()


def test_weights_of_samples_differ(view):
    page = view("functions")
    cell = page.locator(".functions tbody tr td").first
    expect(cell).to_contain_text("ms")
    page.get_by_label("Weighted by").select_option("count")
    expect(cell).not_to_contain_text("ms")
    expect(page).to_have_url(re.compile("weight=count"))


def test_call_tree_by_keys(view):
    page = view("tree")
    page.get_by_label("Made of").select_option("spans")
    tree = page.get_by_role("treegrid")
    first = tree.locator("tbody tr").first
    expect(first).to_contain_text("MainThread")
    first.focus()
    page.keyboard.press("ArrowRight")
    expect(tree.locator("tr[aria-level='2']").filter(has_text="feed")).to_contain_text("of=120")
    page.keyboard.press("ArrowRight")
    expect(tree.locator("tr[aria-level='2']").first).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(first).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(tree.locator("tr[aria-level='2']").first).to_be_hidden()


def test_call_tree_shows_arguments_and_results(view):
    page = view("tree")
    page.get_by_label("Made of").select_option("spans")
    tree = page.get_by_role("treegrid")
    expect(tree.locator("tbody td.call").first).to_have_text("MainThread")
    tree.locator("tbody tr").filter(has_text="MainThread").click()
    fib = tree.locator("tr[aria-level='2']").filter(has_text="fib")
    expect(fib).to_contain_text("n=7")
    expect(fib).to_contain_text("-> 13")
    fib.click()
    expect(tree.locator("tr[aria-level='3']").filter(has_text="n=6")).to_contain_text("-> 8")


def test_timeline_by_keys(view):
    page = view("timeline")
    canvas = timeline(page)
    canvas.focus()
    page.keyboard.press("w", delay=200)
    near = wait_for_look(page)
    page.keyboard.press("d", delay=200)
    moved = wait_for_look(page)
    assert moved[0] > near[0]
    assert abs((moved[1] - moved[0]) - (near[1] - near[0])) <= 4
    page.keyboard.press("0")
    page.wait_for_timeout(800)
    assert look(page)[0] < 0, "all of it, with a margin"
    page.keyboard.press(".")
    expect(page.locator(".details h3")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".details")).to_be_hidden()


def test_timeline_by_wheel_and_drag(view):
    page = view("timeline")
    canvas = timeline(page)
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + 300, box["y"] + 100)
    for _ in range(6):
        page.mouse.wheel(0, -200)
    near = wait_for_look(page)
    page.mouse.down()
    page.mouse.move(box["x"] + 200, box["y"] + 100, steps=5)
    page.mouse.up()
    moved = wait_for_look(page)
    shift = (near[1] - near[0]) * 100 / box["width"]
    assert moved[0] - near[0] == pytest.approx(shift, rel=0.02)


def test_a_range_that_is_drawn_holds_for_all_views(view):
    page = view("timeline")
    canvas = timeline(page)
    box = canvas.bounding_box()
    page.keyboard.down("Shift")
    page.mouse.move(box["x"] + 300, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 500, box["y"] + 100, steps=5)
    page.mouse.up()
    page.keyboard.up("Shift")
    chip = page.locator(".chip")
    expect(chip).to_be_visible()
    page.keyboard.press("5")
    expect(page.locator(".spans.page tbody tr").filter(has_text="put").first).to_be_visible()
    cells = page.locator(".spans.page tbody tr").filter(has_text="put").first.locator("td")
    assert int(cells.nth(1).inner_text()) < 120
    chip.get_by_role("button").click()
    expect(cells.nth(1)).to_have_text("120")


def test_search_jumps_from_span_to_span(view):
    page = view("timeline")
    timeline(page)
    find = page.get_by_label("Find spans by name")
    find.fill("validate")
    head = page.locator(".timeline > .head")
    expect(head).to_contain_text("validate 8")
    find.press("Enter")
    expect(head).to_contain_text("1 of 8")
    details = page.locator(".details")
    expect(details.locator("h3")).to_contain_text("validate")
    expect(details).to_contain_text("no <b>such</b> user")
    find.press("Enter")
    expect(head).to_contain_text("2 of 8")
    find.press("Shift+Enter")
    find.press("Shift+Enter")
    expect(head).to_contain_text("8 of 8")
    details.get_by_role("button", name="Parent").click()
    expect(details.locator("h3")).to_contain_text("handle")


def test_flows_lead_from_a_span_to_the_other(view):
    page = view("timeline")
    timeline(page)
    find = page.get_by_label("Find spans by name")
    find.fill("put")
    expect(page.locator(".timeline > .head")).to_contain_text("put 120")
    find.press("Enter")
    details = page.locator(".details")
    expect(details).to_contain_text("Leads to")
    details.locator(".flows button").first.click()
    expect(details.locator("h3")).to_contain_text("handle")
    expect(details).to_contain_text("Comes from")


def test_threads_are_chosen(view):
    page = view("timeline")
    timeline(page)
    names = page.locator(".track-names")
    expect(names).to_contain_text("worker-0")
    page.locator(".filter summary").click()
    row = page.locator(".filter .row").filter(has_text="MainThread")
    row.get_by_role("button", name="only").click()
    expect(names).not_to_contain_text("worker-0")
    expect(names).to_contain_text("MainThread")


def test_tracks_fold(view):
    page = view("timeline")
    timeline(page)
    process = page.locator(".track-row.process button")
    expect(process).to_have_attribute("aria-expanded", "true")
    tracks = page.locator(".track-row.thread")
    shown = tracks.count()
    assert shown >= 3
    process.focus()
    page.keyboard.press("Enter")
    expect(process).to_have_attribute("aria-expanded", "false")
    expect(tracks).to_have_count(0)
    expect(process).to_be_focused()


def test_the_search_over_all(view):
    page = view("summary")
    expect(page.locator(".facts")).to_be_visible()
    page.keyboard.press("/")
    box = page.get_by_role("combobox", name="Search the trace")
    expect(box).to_be_focused()
    page.keyboard.type("parse")
    option = page.get_by_role("option").filter(has_text="span").first
    expect(option).to_be_visible()
    option.click()
    expect(page.get_by_label("Find spans by name")).to_have_value("parse")
