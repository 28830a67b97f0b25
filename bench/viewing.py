"""viewing.py FOLDER LARGE: how the page of `marey view` takes ten million events, in Chromium.
LARGE: the program that writes the trace. Emits one record: how long until the command listens and
until the timeline shows the whole trace, and frames a second while it moves; no record where there
is no browser.
"""

import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from series import QUICK, emit

EVENTS, SAMPLES = 10_000_000, 500_000
SIZE = {"width": 1600, "height": 900}
SECONDS = 1 if QUICK else 4
FIRST = """() => performance.getEntriesByType("mark").find((m) => m.name === "marey-first-picture")
    ?.startTime"""
FRAMES = """(seconds) => new Promise((done) => {
    const times = [];
    const frame = (now) => {
        times.push(now);
        if (now - times[0] < 1000 * seconds) requestAnimationFrame(frame);
        else done(times.slice(1).map((time, i) => time - times[i]));
    };
    requestAnimationFrame(frame);
})"""


def frames(page, key):
    """Frames a second while a key is held, and the longest frame but one in a hundred, in ms."""
    page.locator(".timeline .pane canvas").focus()
    page.keyboard.down(key)
    taken = sorted(page.evaluate(FRAMES, SECONDS))
    page.keyboard.up(key)
    return 1000 * len(taken) / sum(taken), taken[int(0.99 * (len(taken) - 1))]


def measure(page, url):
    page.goto(f"{url}#view=timeline")
    page.wait_for_function(FIRST)
    figures = {"first_ms": page.evaluate(FIRST)}
    # A little nearer at a time; at each step it is panned, with tiles that were not asked for yet.
    for zoom, name in enumerate(["whole", "near", "nearer"]):
        if zoom:
            figures[f"zoom_{name}_fps"], figures[f"zoom_{name}_p99_ms"] = frames(page, "w")
        figures[f"pan_{name}_fps"], figures[f"pan_{name}_p99_ms"] = frames(page, "d")
        figures[f"back_{name}_fps"], _ = frames(page, "a")
    return figures


def main():
    folder, large = Path(sys.argv[1]), sys.argv[2]
    chromium = shutil.which("chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return
    if not chromium:
        return
    trace = folder / "large.perfetto-trace"
    subprocess.run([large, trace, str(EVENTS), str(SAMPLES)], check=True)
    marey = sys.argv[3] if len(sys.argv) > 3 else Path(sys.executable).parent / "marey"
    began = time.perf_counter()
    view = subprocess.Popen(
        [marey, "view", "--no-browser", trace], stdout=subprocess.PIPE, text=True
    )
    try:
        url = re.match(r"http://\S+", view.stdout.readline())[0]
        listening = time.perf_counter() - began
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            page = browser.new_page(viewport=SIZE)
            figures = measure(page, url)
            emit(
                group="viewing",
                events=EVENTS + SAMPLES,
                file_bytes=trace.stat().st_size,
                browser=browser.version,
                listening_ms=listening * 1000,
                **figures,
            )
            browser.close()
    finally:
        view.terminate()
        view.wait()
        trace.unlink()


main()
