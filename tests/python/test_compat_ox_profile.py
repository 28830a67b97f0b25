"""ox_profile's interface: what programs that used it rely on, and what went wrong there."""

import csv
import io
import os
import re
import sys
import threading
import time

import beside
import pytest

from marey.compat.ox_profile.core import launchers, metrics, recording, sampling
from marey.compat.ox_profile.core.launchers import SimpleLauncher


def half_a_second():
    time.sleep(0.5)


def a_second():
    time.sleep(1)


@pytest.fixture
def launched():
    made = []

    def launch(*args, **kwargs):
        launcher = SimpleLauncher(*args, **kwargs)
        made.append(launcher)
        launcher.start()
        return launcher

    yield launch
    for launcher in made:
        launcher.cancel()
        launcher.join(5)
        assert not launcher.is_alive()


def hits_of(launcher, name):
    records, total = launcher.query(max_records=None)
    found = [record.hits for record in records if record.name == f"{name}({__name__})"]
    assert len(found) <= 1
    assert total > 0 or not records
    return found[0] if found else 0


# ------------------------------------------------------------------------------ launchers


def test_what_runs_longer_has_more_hits(launched):
    launcher = launched(interval=0.001)
    launcher.unpause()
    half_a_second()
    a_second()
    launcher.pause()
    short, long = hits_of(launcher, "half_a_second"), hits_of(launcher, "a_second")
    assert 0 < short < long
    assert short > 25  # of 500, less what a busy machine has no time for


def test_it_starts_paused_and_pausing_keeps_what_was_seen(launched):
    launcher = launched()
    assert launcher.is_paused()
    half_a_second()
    assert hits_of(launcher, "half_a_second") == 0
    launcher.unpause()
    assert not launcher.is_paused()
    half_a_second()
    launcher.pause()
    seen = hits_of(launcher, "half_a_second")
    assert seen > 0
    half_a_second()
    assert hits_of(launcher, "half_a_second") == seen


def test_launch_and_cancel():
    launcher = SimpleLauncher.launch()
    assert (launcher.daemon, launcher.name) == (True, "ox_profiler_SimpleLauncher_Thread")
    assert not launcher.is_paused()
    half_a_second()
    launcher.cancel()
    launcher.join(3)
    assert not launcher.is_alive()
    assert hits_of(launcher, "half_a_second") > 0
    with pytest.raises(RuntimeError):
        launcher.start()


def test_a_paused_one_can_be_cancelled(launched):
    launched()


def test_unpaused_before_it_is_started():
    launcher = SimpleLauncher()
    launcher.unpause()
    launcher.start()
    half_a_second()
    launcher.cancel()
    assert hits_of(launcher, "half_a_second") > 0


@pytest.mark.parametrize("interval", [0, -1, 10, float("nan")])
def test_intervals_that_are_none(launched, interval):
    with pytest.raises(AssertionError):
        SimpleLauncher(interval=interval)
    with pytest.raises(AssertionError):
        launched().set_interval(interval)


def test_a_new_interval(launched):
    launcher = launched(interval=0.1)
    launcher.unpause()
    launcher.set_interval(0.01)
    assert launcher.interval == 0.01
    half_a_second()
    assert 0 < hits_of(launcher, "half_a_second") <= 100  # 50 in half a second, where it is one


def test_how_far_apart_samples_are(launched):
    assert launchers.SamplingTracker().stats() == "No samples taken"
    launcher = launched(interval=0.01)
    launcher.unpause()
    half_a_second()
    stats = launcher.tracker.stats()
    assert 0.005 < stats["mean"] < 1
    assert 0.0001 < stats["stdev"] < 1
    before = launcher.tracker.calls
    launcher.set_interval(5)
    assert launcher.tracker.calls < before
    tracker = launchers.SamplingTracker()
    tracker.snap(time.time() - 1)
    tracker.snap(time.time() - 3)
    assert tracker.stats() == pytest.approx({"mean": 2, "stdev": 1}, abs=0.1)


def test_a_sampler_of_ones_own(launched):
    class Lines(sampling.Sampler):
        def get_measure_tool(self):
            class Line(metrics.Measurement):
                def snap(self, frame):
                    return f"line {frame.f_lineno}"

            return Line

    launcher = launched(Lines(recording.CountingRecorder()), interval=0.01)
    launcher.unpause()
    half_a_second()
    launcher.pause()
    records, _ = launcher.query()
    assert records
    assert all(record.name.startswith("line ") for record in records)
    assert launcher.tracker.stats()["mean"] > 0


def test_a_forked_child_has_no_profiler_and_the_parent_still_has(launched):
    launcher = launched()
    launcher.unpause()
    half_a_second()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            launcher.query()
            code = 2 if launcher.is_alive() else 0
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    before = hits_of(launcher, "half_a_second")
    half_a_second()
    assert hits_of(launcher, "half_a_second") > before > 0


def test_a_recursion_is_one_hit_a_sample(launched):
    def deep(n):
        return deep(n - 1) if n else half_a_second()

    launcher = launched()
    launcher.unpause()
    deep(50)
    launcher.pause()
    assert 0 < hits_of(launcher, "deep") < 40 * hits_of(launcher, "half_a_second")
    ours = [record.name for record in launcher.query("ox_profile", max_records=None)[0]]
    assert not [name for name in ours if name.startswith("run(")]  # nor the profiler's own thread


def test_the_switch_interval_is_left_alone(launched):
    before = sys.getswitchinterval()
    launcher = launched(interval=0.0005)
    launcher.unpause()
    stop = threading.Event()

    def compute():
        while not stop.is_set():
            sum(range(1000))

    with beside.threads(compute, until=stop):
        for _ in range(50):
            launcher.query()
    assert sys.getswitchinterval() == before


# -------------------------------------------------------------------- samples and records


def test_a_sample_by_hand():
    sampler = sampling.Sampler(recording.CountingRecorder())

    def foo():
        sampler.run()
        sampler()

    foo()
    records, stacks = sampler.my_db.query(max_records=None)
    assert f"foo({__name__})" in [record.name for record in records]
    assert stacks >= 1
    path = metrics.Measurement(sys._getframe()).get_path()
    assert path[-1] == f"test_a_sample_by_hand({__name__})"


def counted(**stacks):
    recorder = recording.CountingRecorder()
    recorder.my_db.update({name.replace("_", ";"): hits for name, hits in stacks.items()})
    return recorder


def test_queries():
    recorder = counted(a_b=3, a_c=2, a_b_b=1)
    records, stacks = recorder.query()
    assert stacks == 3
    assert [(r.name, r.hits) for r in records] == [("a", 6), ("b", 4), ("c", 2)]
    assert repr(records[0]) == "ProfileRecord(name=a, hits=6)"
    assert [r.name for r in recorder.query("b|c", max_records=1)[0]] == ["b"]
    assert recording.CountingRecorder().query() == ([], 0)
    with pytest.raises(re.error):
        recorder.query("(")


def test_the_table():
    text = counted(a_b=3).show()
    assert text.startswith("Profiling results: (top 2/2 results)\n\n  ------")
    assert "| a                                        |        3 |  50.0 |" in text
    plain = counted(a=1).show(sep="", col="", limit=None)
    assert "---" not in plain
    assert "|" not in plain
    assert "Function" in recording.CountingRecorder().show()


def test_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(recording, "STACKS_MAX", 5)
    recorder = recording.CountingRecorder()
    for number in range(20):
        measured = metrics.Measurement(None)
        measured.name = str(number)
        recorder.record(measured)
    assert len(recorder.my_db) == 6
    assert recorder.my_db[recording.OTHER] == 15


# ---------------------------------------------------------------------------------- Flask


@pytest.fixture
def site():
    """An application with the blueprint, and a way to be somebody there."""
    flask = pytest.importorskip("flask")
    flask_login = pytest.importorskip("flask_login")
    from marey.compat.ox_profile.ui import flask as ui
    from marey.compat.ox_profile.ui.flask.views import OX_PROF_BP

    app = flask.Flask("shop")
    app.secret_key = "x"
    app.config["OX_PROF_USERS"] = {"admin"}
    users = flask_login.LoginManager(app)

    class User(flask_login.UserMixin):
        def __init__(self, name):
            self.id = self.name = name

    users.user_loader(User)

    @app.route("/be/<name>")
    def be(name):
        flask_login.login_user(User(name))
        return "ok"

    @app.route("/slow")
    def slow():
        time.sleep(0.05)
        return "ok"

    OX_PROF_BP.launcher = SimpleLauncher()
    OX_PROF_BP.req_db.clear()
    app.register_blueprint(OX_PROF_BP)
    client = app.test_client()
    client.blueprint, client.ui, client.app = OX_PROF_BP, ui, app
    yield client
    OX_PROF_BP.launcher.cancel()


def post(client, address, **form):
    page = client.get(address).get_data(as_text=True)
    token = re.search('name="csrf_token" value="([^"]+)"', page).group(1)
    return client.post(address, data={"csrf_token": token, **form})


ALL = ["", "index", "status", "pause", "unpause", "set_interval?interval=1", "show_req_times"]


@pytest.mark.parametrize("page", ALL)
def test_who_may_look(site, page):
    assert site.get(f"/ox_profile/{page}").status_code == 401
    site.get("/be/guest")
    refused = site.get(f"/ox_profile/{page}")
    assert "not among the allowed" in refused.get_data(as_text=True)
    site.get("/be/admin")
    assert site.get(f"/ox_profile/{page}").status_code == 200
    assert "not among" not in site.get(f"/ox_profile/{page}").get_data(as_text=True)


def test_a_field_that_users_do_not_have(site):
    site.app.config["OX_PROF_USERNAME_FIELD"] = "email"
    site.get("/be/admin")
    assert "not among" in site.get("/ox_profile/").get_data(as_text=True)


def test_switching_on_and_off(site):
    launcher = site.blueprint.launcher
    site.get("/be/admin")
    site.get("/ox_profile/unpause")
    assert not launcher.is_alive()  # asking changes nothing
    assert "Started thread" in post(site, "/ox_profile/unpause").get_data(as_text=True)
    assert launcher.is_alive()
    half_a_second()
    shown = site.get("/ox_profile/status?max_records=500").get_data(as_text=True)
    assert f"half_a_second({__name__}): " in shown
    assert post(site, "/ox_profile/pause").status_code == 200
    assert launcher.is_paused()
    assert post(site, "/ox_profile/set_interval?interval=0.5").status_code == 200
    assert launcher.interval == 0.5


@pytest.mark.parametrize("page", ["pause", "unpause", "set_interval?interval=1"])
@pytest.mark.parametrize("form", [{}, {"csrf_token": "guessed"}, {"csrf_token": "\xe9"}])
def test_a_form_without_its_token_changes_nothing(site, page, form):
    site.get("/be/admin")
    assert site.post(f"/ox_profile/{page}", data=form).status_code == 400
    assert not site.blueprint.launcher.is_alive()
    assert site.blueprint.launcher.interval == 0.001


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        *(
            (f"set_interval?interval={x}", "interval")
            for x in ("abc", "-1", "11", "0", "10", "nan")
        ),
        ("set_interval", "interval"),
        ("set_interval?interval=", "interval"),
        *((f"status?max_records={x}", "max_records") for x in ("abc", "0", "-1", "1e9", "99999")),
        ("status?re_filter=(", "no regular expression"),
        ("status?re_filter=" + "a" * 300, "at most 200"),
        ("show_req_times?as_csv=x", "as_csv"),
    ],
)
def test_bad_parameters(site, page, reason):
    site.get("/be/admin")
    answer = site.get(f"/ox_profile/{page}")
    assert answer.status_code == 400
    assert reason in answer.get_data(as_text=True)


def test_a_regular_expression_that_would_never_end(site):
    launcher = site.blueprint.launcher
    launcher.sampler.my_db.my_db["a" * 200 + "(x)"] = 1
    site.get("/be/admin")
    began = time.monotonic()
    answer = site.get("/ox_profile/status?re_filter=(a%2B)%2B%24")
    assert answer.status_code == 400
    assert "takes too long" in answer.get_data(as_text=True)
    assert time.monotonic() - began < 20
    good = site.get("/ox_profile/status?re_filter=(a%2B)%5C(x").get_data(as_text=True)
    assert "a(x)" in good


def test_markup_in_names(site):
    site.blueprint.launcher.sampler.my_db.my_db["<script>alert(1)</script>(x)"] = 1
    site.get("/be/admin")
    page = site.get("/ox_profile/status").get_data(as_text=True)
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_request_times(site):
    for _ in range(3):
        site.get("/slow")
    site.get("/be/admin")
    site.get("/slow")
    page = site.get("/ox_profile/show_req_times").get_data(as_text=True)
    average = re.search(r"<td>slow</td><td>4</td>\s*<td>(\d+\.\d+)", page)
    assert 0.05 <= float(average.group(1)) < 60
    answer = site.get("/ox_profile/show_req_times?as_csv=1")
    assert answer.mimetype == "text/csv"
    rows = list(csv.reader(io.StringIO(answer.get_data(as_text=True))))
    assert rows[0] == ["user", "endpoint", "start_time", "end_time"]
    assert {tuple(row[:2]) for row in rows} >= {("unknown", "slow"), ("admin", "slow")}


def test_request_times_are_bounded(site, monkeypatch):
    monkeypatch.setattr(site.ui, "PLACES_MAX", 3)
    for number in range(10):
        site.blueprint.record_req(str(number), "x", None, None)
    assert len(site.blueprint.get_reqs()) == 3
    for _ in range(site.ui.REQUESTS_MAX + 50):
        site.blueprint.record_req("0", "x", None, None)
    assert len(site.blueprint.get_reqs()["0", "x"]) == site.ui.REQUESTS_MAX
