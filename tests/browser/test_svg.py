"""Flame graphs in a browser: a click zooms, search finds, texts fit, and no name is run."""

import subprocess

import pytest
from browsing import open_file
from command import find_marey
from sampled_traces import START, Sample, SampledTrace

MS = 1_000_000
WIDTH = 1300


def graph(path, stacks):
    """stacks: {(name, ...): milliseconds}"""
    maker = SampledTrace()
    maker.process(1, "app", ["app"])
    maker.thread(1, 1, "main")
    for number, (names, ms) in enumerate(stacks.items()):
        frames = tuple((name, f"/app/{name[:1]}.py", 1) for name in names)
        maker.sample(Sample(START + number * MS, 1, 1, frames, ms * MS))
    trace = path.with_suffix(".perfetto-trace")
    trace.write_bytes(maker.data())
    subprocess.run([find_marey(), "convert", str(trace), "-o", str(path)], check=True, timeout=60)
    return path


STACKS = {
    ("main", "load", "parse"): 30,
    ("main", "load", "read"): 10,
    ("main", "load"): 10,
    ("main", "wait"): 40,
    ("main", "a_function_with_a_name_that_is_rather_long"): 7,
    ("main", "🎉日本語🎉日本語🎉日本語🎉日本語"): 3,
}


@pytest.fixture
def page(chromium, tmp_path):
    with open_file(chromium, graph(tmp_path / "g.svg", STACKS)) as shown:
        yield shown


SHOWN = """() => Object.fromEntries(
    [...document.querySelectorAll(".frames > g:not(.away)")].map(g => {
        const box = g.querySelector("rect").getBoundingClientRect();
        const text = g.querySelector("text"), label = text ? text.textContent : "";
        return [g.querySelector("title").textContent.split("\\n")[0], {
            x: box.x, y: box.y, width: box.width, text: label,
            right: label ? text.getBoundingClientRect().right : box.x}];
    }))"""


def frames(page):
    """Of the frames that are shown: name -> box, and the text in it."""
    return page.evaluate(SHOWN)


def click(page, name):
    page.locator(".frames > g").filter(has_text=name).last.locator("rect").click()


def test_it_is_as_wide_as_the_window(page):
    shown = frames(page)
    assert shown["all"]["width"] == pytest.approx(WIDTH, abs=1)
    assert shown["wait"]["width"] == pytest.approx(WIDTH * 0.4, abs=1)
    assert shown["all"]["y"] < shown["main"]["y"] < shown["load"]["y"] < shown["parse"]["y"]
    page.set_viewport_size({"width": 800, "height": 600})
    page.wait_for_function("document.querySelector('.frames rect').getAttribute('width') < 801")
    assert frames(page)["wait"]["width"] == pytest.approx(800 * 0.4, abs=1)


def test_a_click_zooms(page):
    click(page, "load")
    shown = frames(page)
    assert shown.keys() == {"all", "main", "load", "parse", "read"}
    for name, share in (("all", 1), ("main", 1), ("load", 1), ("parse", 0.6), ("read", 0.2)):
        assert shown[name]["width"] == pytest.approx(WIDTH * share, abs=1)
    click(page, "parse")
    assert frames(page).keys() == {"all", "main", "load", "parse"}
    page.get_by_role("button", name="Whole").click()
    assert len(frames(page)) == 8
    click(page, "wait")
    page.keyboard.press("Escape")
    assert len(frames(page)) == 8


def test_search_marks_and_adds_up(page):
    page.keyboard.press("Control+f")
    page.keyboard.type("LOAD")
    found = page.locator(".frames > g.hit title").all_text_contents()
    assert [title.split("\n")[0] for title in found] == ["load"]
    colour = page.locator(".frames > g.hit rect").evaluate("e => getComputedStyle(e).fill")
    assert colour == "rgb(214, 92, 255)"
    assert page.locator("output").text_content() == "1 found, 50.0%"
    page.get_by_role("searchbox").fill("a")  # also of files, and within what is found
    assert page.locator("output").text_content().endswith("100.0%")
    page.keyboard.press("Escape")
    assert page.locator(".frames > g.hit").count() == 0


def test_texts_fit(page):
    for _ in range(2):
        for name, frame in frames(page).items():
            assert frame["right"] <= frame["x"] + frame["width"] + 0.5, name
            assert frame["text"] == name or not frame["text"] or frame["text"].endswith("…")
        click(page, "a_function")
    assert frames(page)["a_function_with_a_name_that_is_rather_long"]["text"].endswith("long")


def test_it_turns_over(page):
    page.get_by_role("button", name="Turn over").click()
    shown = frames(page)
    assert shown["all"]["y"] > shown["main"]["y"] > shown["load"]["y"] > shown["parse"]["y"]


def test_what_the_pointer_is_on_is_said(page):
    page.locator(".frames > g").filter(has_text="parse").last.hover()
    assert page.locator(".details").text_content() == (
        "parse  /app/p.py  30.0ms, 30.0%; itself 30.0ms, 30.0%; 1 sample"
    )


@pytest.mark.parametrize(
    ("scheme", "paper"), [("light", "rgb(255, 255, 255)"), ("dark", "rgb(28, 30, 34)")]
)
def test_dark_and_light(chromium, tmp_path, scheme, paper):
    with open_file(chromium, graph(tmp_path / "g.svg", STACKS), color_scheme=scheme) as page:
        fill = "getComputedStyle(document.querySelector('.paper')).fill"
        assert page.evaluate(fill) == paper
        page.get_by_role("button", name="Dark / light").click()
        assert page.evaluate(fill) != paper


def test_no_name_is_run(chromium, tmp_path):
    names = (
        "</title><script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "]]></script><script>alert(1)</script>",
        "&lt;script&gt;",
        '" onload="alert(1)',
    )
    with open_file(chromium, graph(tmp_path / "g.svg", {names: 5})) as page:
        page.get_by_role("searchbox").fill("<script>")
        click(page, "onload")
        page.wait_for_timeout(100)
        assert page.locator("script").count() == 1
        assert {"all", *names} == set(frames(page))


def test_many_frames_are_shown_and_zoomed(chromium, tmp_path):
    stacks = {("main", f"f{i % 97}", f"g{i}", f"h{i}"): 1 for i in range(6000)}
    with open_file(chromium, graph(tmp_path / "g.svg", stacks)) as page:
        assert len(frames(page)) > 6000
        click(page, "f96")
        assert frames(page)["f96"]["width"] == pytest.approx(WIDTH, abs=1)


def test_a_difference_shows_both(chromium, tmp_path):
    for name, stacks in (
        ("before", {("main", "same"): 40, ("main", "gone"): 60}),
        ("after", {("main", "same"): 40, ("main", "new"): 10}),
    ):
        graph(tmp_path / f"{name}.svg", stacks)
    traces = [str(tmp_path / f"{name}.perfetto-trace") for name in ("before", "after")]
    picture = tmp_path / "d.svg"
    command = [find_marey(), "diff", *traces, "-o", str(picture)]
    subprocess.run(command, check=False, timeout=60, stdout=subprocess.DEVNULL)
    with open_file(chromium, picture) as page:
        shown = frames(page)
        assert shown.keys() == {"all", "main", "same", "new"}
        assert shown["same"]["width"] == pytest.approx(WIDTH * 0.8, abs=1)
        page.get_by_role("button", name="As before").click()
        shown = frames(page)
        assert shown.keys() == {"all", "main", "same", "gone"}
        assert shown["gone"]["width"] == pytest.approx(WIDTH * 0.6, abs=1)
        click(page, "gone")
        page.get_by_role("button", name="As after").click()
        assert frames(page).keys() == {"all", "main", "same", "new"}
