"""Tasks of Celery as spans, and kept: run eagerly, and by a real worker with processes."""

import contextlib
import os
import signal
import subprocess
import sys
import time

import pytest
import traces

import marey
from marey import _keeper
from marey.integrations import failed

celery = pytest.importorskip("celery")
with contextlib.suppress(ImportError):
    __import__("six")  # an older dateutil imports it later, and it changes sys.meta_path

from marey.integrations.celery import Marey  # noqa: E402 Celery is there

SECONDS = 60


@pytest.fixture
def app():
    app = celery.Celery("shop", broker="memory://", set_as_current=False)
    app.conf.update(task_always_eager=True, task_eager_propagates=False)

    @app.task(name="shop.price")
    def price(item):
        with marey.span("look up", item=item):
            return len(item)

    @app.task(name="shop.order")
    def order(item):
        return price.apply(args=[item]).get(disable_sync_subtasks=False)

    @app.task(name="shop.broken")
    def broken():
        raise KeyError("cart")

    @app.task(name="shop.again", bind=True, max_retries=2)
    def again(self):
        if self.request.retries < 2:
            raise self.retry(countdown=0)

    return app


@pytest.fixture
def watch(app, tmp_path):
    """watch(**options): the tasks of the application are seen, to the test's end."""
    made = []

    def watch(given=app, **options):
        made.append(Marey(given, **options))
        return made[-1]

    yield watch
    for each in made:
        each.disconnect()
        if each.flight is not None:
            each.flight.close()


def test_tasks_are_spans(app, watch, recorded):
    tasks = watch(attributes=lambda task: {"app": task.app.main})
    with recorded() as box:
        done = app.tasks["shop.order"].delay("tea")
        app.tasks["shop.broken"].delay()
        app.tasks["shop.again"].delay()
    span = box.trace.span("shop.order")
    assert span.tree() == ("shop.order", [("shop.price", [("look up", [])])])
    assert span.args.pop("queue") is not None
    assert span.args == {
        "id": done.id,
        "retries": 0,
        "app": "shop",
        "failed": False,
        "state": "SUCCESS",
    }
    assert span.category == "task"
    broken = box.trace.span("shop.broken").args
    assert (
        broken["failed"] is True and broken["state"] == "FAILURE" and "cart" in broken["exception"]
    )
    states = {span.args["retries"]: span.args["state"] for span in box.trace.named("shop.again")}
    assert states == {0: "RETRY", 1: "RETRY", 2: "SUCCESS"}
    rows = {row.name: row[1:3] for row in tasks.stats()}
    assert rows == {
        "shop.order": (1, 0),
        "shop.price": (1, 0),
        "shop.broken": (1, 1),
        "shop.again": (3, 0),
    }


def test_tasks_are_kept_and_those_of_other_applications_are_not_seen(app, watch, tmp_path):
    tasks = watch(keep=failed(), folder=tmp_path / "kept", record="calls")
    other = watch(celery.Celery("other", set_as_current=False))
    app.tasks["shop.price"].delay("tea")
    app.tasks["shop.broken"].delay()
    deadline = time.monotonic() + SECONDS
    while _keeper.waiting() and time.monotonic() < deadline:
        time.sleep(0.01)
    (row,) = tasks.flight.kept()
    assert "_TASK_shop.broken_" in row["name"] and row["request"] == "shop.broken"
    trace = traces.load(tasks.flight.open(row["name"]))
    assert "cart" in trace.span("shop.broken").args["exception"]
    assert other.stats() == []


WORKER = """
import sys
from celery import Celery
import marey
from marey.integrations import celery as integration, failed

app = Celery("shop", broker="filesystem://")
app.conf.update(
    broker_transport_options={
        "data_folder_in": "queue", "data_folder_out": "queue", "control_folder": "control",
    },
    worker_hijack_root_logger=False,
)
integration.Marey(app, keep=failed(), folder="kept")

@app.task(name="shop.good")
def good():
    with open("good", "a") as file:
        file.write("x")

@app.task(name="shop.broken")
def broken(number):
    with marey.span(f"number {number}"):
        raise KeyError("cart")
"""


def test_a_real_worker(tmp_path):
    (tmp_path / "shop.py").write_text(WORKER)
    for folder in ("queue", "control"):
        (tmp_path / folder).mkdir()
    ask = "import shop; [shop.broken.delay(n) for n in range(4)]; shop.good.delay()"
    subprocess.run([sys.executable, "-c", ask], cwd=tmp_path, check=True, timeout=SECONDS)
    command = ["-m", "celery", "-A", "shop", "worker", "-P", "prefork", "-c", "2"]
    command += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    with open(tmp_path / "log", "wb") as log:
        worker = subprocess.Popen(
            [sys.executable, *command], cwd=tmp_path, stdout=log, stderr=log, start_new_session=True
        )
    try:
        deadline = time.monotonic() + SECONDS
        kept = tmp_path / "kept"
        while len([*kept.glob("*-trace")]) < 4 or not (tmp_path / "good").exists():
            log = (tmp_path / "log").read_text()
            assert worker.poll() is None and time.monotonic() < deadline, log
            time.sleep(0.05)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(SECONDS) == 0
    finally:
        if worker.poll() is None:
            os.killpg(worker.pid, signal.SIGKILL)
            worker.wait()
    spans = [traces.load(file).span("shop.broken") for file in kept.iterdir()]
    names = {child.name for span in spans for child in span.children}
    assert names - {"gc"} == {f"number {n}" for n in range(4)}
    assert {span.args["queue"] for span in spans} == {"celery"}
    assert all(span.args["state"] == "FAILURE" for span in spans)
