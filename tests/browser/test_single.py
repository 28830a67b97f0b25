"""`marey convert -o page.html`: the page as one file. It answers what it is asked without a server,
asks nobody for anything, and runs nothing of what is in it."""

import subprocess

import pytest
from command import find_marey
from playwright.sync_api import expect
from tracemaker import TraceMaker


def convert(trace, path, *options):
    done = subprocess.run(
        [find_marey(), "convert", *options, "-o", str(path), str(trace)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return path.as_uri()


@pytest.fixture(scope="module")
def single(trace, tmp_path_factory):
    return convert(trace, tmp_path_factory.mktemp("single") / "page.html")


def go(page, name):
    page.get_by_role("link", name=name, exact=True).click()


def test_every_view_of_a_file(open_page, single):
    page = open_page(single)
    expect(page.locator(".summary table")).to_contain_text("worker-1 <i>")
    for name in ["Timeline", "Flame graph", "Functions", "Spans", "Call tree"]:
        go(page, name)
        expect(page.locator("nav [aria-current=page]")).to_have_text(name)
        expect(page.locator(".message.error")).to_have_count(0)
    expect(page.get_by_role("treegrid")).to_be_visible()
    assert page.locator("main img, main script, main i").count() == 0


def test_spans_in_a_file_have_arguments_and_flows(open_page, single):
    page = open_page(f"{single}#view=timeline")
    find = page.get_by_label("Find spans by name")
    find.fill("handle")
    expect(page.locator(".timeline > .head")).to_contain_text("handle 120")
    find.press("Enter")
    details = page.locator(".details")
    expect(details).to_contain_text("/users/<b>")
    details.get_by_role("button", name="Zoom to it").click()
    expect(details).to_contain_text("Comes from")
    details.locator(".flows button").first.click()
    expect(details.locator("h3")).to_contain_text("put")


def test_the_call_tree_of_a_file_opens(open_page, single):
    page = open_page(f"{single}#view=tree&of=spans")
    tree = page.get_by_role("treegrid")
    tree.locator("tbody tr").filter(has_text="MainThread").click()
    fib = tree.locator("tr[aria-level='2']").filter(has_text="fib")
    expect(fib).to_contain_text("-> 13")
    fib.click()
    expect(tree.locator("tr[aria-level='3']").filter(has_text="n=6")).to_contain_text("-> 8")


def test_threads_and_a_range_filter_a_file(open_page, single):
    page = open_page(f"{single}#view=spans&range=0-100000000&threads=0")
    table = page.locator(".spans.page table").last
    expect(table).to_contain_text("put")
    expect(table).not_to_contain_text("handle")
    go(page, "Functions")
    expect(page.locator(".filter")).to_contain_text("added up over all of the time")
    expect(page.locator(".functions table")).not_to_contain_text("worker")


def test_a_file_of_a_part(open_page, trace, tmp_path):
    page = open_page(convert(trace, tmp_path / "part.html", "--thread", "worker-*"))
    expect(page.locator(".notes")).to_contain_text("a part of the trace")
    go(page, "Spans")
    table = page.locator(".spans.page table")
    expect(table).to_contain_text("handle")
    expect(table).not_to_contain_text("feed")


def test_a_large_file_is_compressed(open_page, tmp_path):
    spans = 20_000
    maker = TraceMaker()
    track = maker.thread(1, 1, "main")
    sequence = maker.sequence()
    for i in range(spans):
        sequence.begin(track, 1000 * i, f"name {i % 500}")
        sequence.end(track, 1000 * i + 500 + i % 400)
    trace = tmp_path / "large.perfetto-trace"
    trace.write_bytes(maker.data())
    url = convert(trace, tmp_path / "large.html")
    assert '"encoding": "gzip"' in (tmp_path / "large.html").read_text()
    assert (tmp_path / "large.html").stat().st_size < 2_000_000
    page = open_page(url)
    expect(page.locator(".facts")).to_contain_text(f"{spans:,}")
