"""marey.record: where a recording goes, how it starts and ends, what is said when it cannot."""

import errno
import os
import platform
import sys
import threading
import time

import beside
import pytest
import traces

import marey


def test_a_recording(path):
    record = marey.record(path, tags={"run": "a17", "workers": 8, "big": 1 << 70, "x": None})
    assert record.path == str(path)
    with record as entered:
        assert entered is record
        assert marey.recording()
        assert record.path == str(path)
        assert "recording" in repr(record)
        with marey.span("x"):
            pass
        marey.tag(late=True, text="naïve")
        assert marey.status()["path"] == str(path)
        assert marey.status()["owner"]
        assert os.stat(path).st_mode & 0o777 == 0o600
    assert not marey.recording()
    assert "off" in repr(record)
    about = traces.load(path).attributes
    assert about["run"] == "a17"
    assert about["workers"] == 8
    assert about["big"] == str(1 << 70)
    assert about["x"] == "None"
    assert about["late"] == 1
    assert about["text"] == "naïve"
    assert about["python"] == platform.python_version()
    assert about["executable"] == sys.executable
    assert about["host"] == platform.node()
    assert about["command"]


def test_start_and_stop(path):
    record = marey.record(path)
    assert record.start() is record
    record.stop()
    record.stop()
    assert not marey.recording()


def test_a_stopped_one_can_be_started_again(path):
    record = marey.record(path, gc=False)
    for n in range(2):
        with record, marey.span(f"round {n}"):
            pass
        assert traces.load(path).tree() == [(f"round {n}", [])]


def test_an_exception_goes_through(path):
    with pytest.raises(KeyError), marey.record(path), marey.span("x"):
        raise KeyError("x")
    assert not marey.recording()
    assert "KeyError" in traces.load(path).span("x").args["exception"]


def test_kinds_of_paths(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    strange = os.fsdecode(b"strange \xff name")
    for given in ("text", b"bytes", tmp_path / "path", strange):
        with marey.record(given) as record:
            assert os.path.isabs(record.path)
            assert os.path.samefile(record.path, given)
            assert marey.status()["path"] == record.path


def test_without_a_path_it_is_named_as_the_script(script, tmp_path):
    out = script("import marey\nwith marey.record() as r: print(r.path)")
    assert out.strip() == str(tmp_path / "script.perfetto-trace")
    assert traces.load(out.strip()).attributes["command"].endswith("script.py")


def test_recording_twice_is_an_error_that_names_the_file(path, tmp_path):
    with marey.record(path) as first:
        for other in (marey.record(tmp_path / "other"), first):
            with pytest.raises(marey.Error, match=str(path)):
                other.start()
        assert marey.recording()
    assert not (tmp_path / "other").exists()
    assert issubclass(marey.Error, RuntimeError)


@pytest.mark.parametrize(
    ("place", "error", "number"),
    [
        ("missing/x", FileNotFoundError, errno.ENOENT),
        ("file/x", OSError, None),
        (".", IsADirectoryError, errno.EISDIR),
        ("/proc/nothing/x", FileNotFoundError, errno.ENOENT),
        ("/dev/null", OSError, None),
    ],
)
def test_files_that_cannot_be_made(tmp_path, place, error, number):
    (tmp_path / "file").write_text("kept")
    where = os.path.normpath(tmp_path / place)
    with pytest.raises(error) as caught:
        marey.record(where).start()
    assert caught.value.filename == where
    assert number in (None, caught.value.errno)
    assert where in str(caught.value)
    assert len(caught.value.strerror) > 10
    assert not marey.recording()
    assert (tmp_path / "file").read_text() == "kept"


def test_a_folder_that_may_not_be_written():
    def attempt():
        with pytest.raises(PermissionError) as caught:
            marey.record("/usr/test.perfetto-trace").start()
        assert caught.value.filename == "/usr/test.perfetto-trace"

    if os.geteuid() != 0:
        attempt()
        return
    child = os.fork()
    if child == 0:
        os.setuid(65534)  # root may write everywhere; nobody may not
        try:
            attempt()
        except BaseException:
            os._exit(1)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0


@pytest.mark.parametrize(
    ("given", "size"),
    [
        (1 << 20, 1 << 20),
        ("1048576", 1 << 20),
        ("2M", 2 << 20),
        ("2MiB", 2 << 20),
        ("2 mb", 2 << 20),
        ("3072K", 3 << 20),
    ],
)
def test_sizes(path, given, size):
    with marey.record(path, ring=given):
        assert marey.status()["ring_bytes"] >= size
        assert marey.status()["ring_bytes"] < 2 * size


@pytest.mark.parametrize(
    ("error", "options"),
    [
        (ValueError, {"ring": "much"}),
        (ValueError, {"ring": "255K"}),
        (ValueError, {"ring": "1.5M"}),
        (ValueError, {"ring": "1T"}),
        (ValueError, {"limit": 0}),
        (ValueError, {"limit": -5}),
        (ValueError, {"limit": 1 << 63}),
        (TypeError, {"limit": 1.5}),
        (ValueError, {"stats": 0.001}),
        (ValueError, {"stats": 61}),
        (ValueError, {"categories": "a,,b"}),
        (ValueError, {"categories": ["-"]}),
        (ValueError, {"categories": "a\0b"}),
        (TypeError, {"categories": [5]}),
        (TypeError, {"path": 5}),
        (TypeError, {"color": "red"}),
    ],
)
def test_wrong_options(error, options):
    with pytest.raises(error):
        marey.record(**options)


def test_a_ring_keeps_the_last(path, tmp_path):
    with marey.record(path, ring="256K", gc=False):
        for n in range(60_000):
            with marey.span("turn", n=n):
                pass
        status = marey.status()
        marey.snapshot(tmp_path / "snapshot")
        marey.instant("after the snapshot")
    assert status["losses"]["ring"] > 0
    assert os.stat(path).st_size < 1 << 20
    for file in (path, tmp_path / "snapshot"):
        trace = traces.load(file)
        last = [s.args["n"] for s in trace.named("turn") if s.args][-1]
        assert last == 59_999
        assert 1000 < len(trace.named("turn")) < 59_000
    assert not [
        i for i in traces.load(tmp_path / "snapshot").instants if i.name.startswith("after")
    ]


def test_a_limit_is_kept_and_the_loss_is_counted(path):
    with marey.record(path, limit="1M", gc=False):
        for n in range(200_000):
            with marey.span("turn", n=n):
                pass
        status = marey.status()
    assert status["losses"]["limit"] > 0
    assert os.stat(path).st_size <= 1 << 20
    trace = traces.load(path)
    assert len(trace.named("turn")) > 10_000
    assert [t.name for t in trace.tracks.values() if "limit" in t.name.lower()]


def test_snapshots(path, tmp_path):
    with pytest.raises(marey.Error, match="nothing is being recorded"):
        marey.snapshot(tmp_path / "x")
    with marey.record(path, gc=False) as record:
        with marey.span("first"):
            record.snapshot(tmp_path / "one")
        with marey.span("second"):
            pass
        marey.snapshot(os.fsencode(tmp_path / "two"))
        with pytest.raises(FileNotFoundError) as caught:
            marey.snapshot(tmp_path / "missing" / "x")
        assert caught.value.filename == str(tmp_path / "missing" / "x")
    assert traces.load(tmp_path / "one").span("first").end is None
    assert traces.load(tmp_path / "two").tree() == [("first", []), ("second", [])]
    assert traces.load(path).tree() == [("first", []), ("second", [])]


def test_status(path):
    off = marey.status()
    assert (off["recording"], off["path"], off["file_bytes"]) == (False, None, 0)
    assert set(off["losses"]) == {"disk", "limit", "depth", "reentry", "ring", "arguments"}
    with marey.record(path):
        marey.instant("x")
        on = marey.status()
        assert on["recording"]
        assert on["file_bytes"] > 0
        assert not any(on["losses"].values())


def test_a_thousand_recordings(script, path):
    """Neither memory nor files are lost, in a process where nothing else takes any."""
    script(
        """
import marey, os, sys

def rss():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

def files():
    return len(os.listdir("/proc/self/fd"))

record = marey.record(sys.argv[1], tags={"a": 1})
for n in range(1000):
    with record, marey.span("x", n=n):
        marey.counter("c").set(n)
        marey.track("t").instant("y")
    if n == 100:
        before = rss(), files()
assert files() == before[1], (files(), before)
assert rss() - before[0] < 4 << 20, (rss(), before)
""",
        path,
    )
    assert traces.load(path).span("x").args == {"n": 999}


def test_the_file_is_whole_at_every_instant(path):
    with marey.record(path, gc=False):
        for n in range(50):
            marey.span(f"open {n}").__enter__()
            assert len(traces.load(path).spans) == n + 1


# ------------------------------------------------------------------ categories


def test_categories(recorded):
    quiet = marey.Category("quiet")
    with recorded(categories="loud, own") as box:
        for category in ("loud", "own", quiet, "other", None):
            with marey.span(f"in {getattr(category, 'name', category)}", category):
                pass
        assert not quiet.recording
        quiet.enable()
        assert quiet.recording
        with marey.span("enabled", quiet):
            pass
        marey.categories.disable("loud", "own")
        with marey.span("disabled", category="loud"):
            pass
        marey.categories.set("*,-own")
        assert dict(marey.categories.items())["loud"]
        assert not marey.categories["own"]
        marey.instant("own", "own")
        marey.instant("loud again", "loud")
    assert [s.name for s in box.trace.spans] == ["in loud", "in own", "in None", "enabled"]
    assert [s.category for s in box.trace.spans] == ["loud", "own", "", "quiet"]
    assert [i.name for i in box.trace.instants] == ["loud again"]


def test_categories_may_be_switched_before_they_are_used(recorded):
    marey.categories.disable("not yet")
    with recorded() as box:
        marey.instant("x", "not yet")
        marey.instant("y", "not yet at all")
    assert [i.name for i in box.trace.instants] == ["y"]


def test_the_list_of_categories(recorded):
    marey.Category("listed")
    assert "listed" in marey.categories
    assert "listed" in list(marey.categories)
    assert "never used by anybody" not in marey.categories
    assert len(marey.categories) == len(list(marey.categories)) == len(marey.categories.items())
    with pytest.raises(KeyError):
        marey.categories["never used by anybody"]
    for wrong in ("-", "a,-"):
        with pytest.raises(ValueError, match="categories"):
            marey.categories.set(wrong)
    with pytest.raises(TypeError):
        marey.Category(5)
    assert "listed" in repr(marey.categories)


def test_very_many_categories(script, path):
    script(
        """
import sys, marey
with marey.record(sys.argv[1], gc=False):
    for n in range(2000):
        with marey.span("x", f"category {n}"):
            pass
""",
        path,
    )
    spans = traces.load(path).spans
    assert len(spans) == 2000
    assert spans[5].category == "category 5"
    assert spans[-1].category == "(too many categories)"


# ----------------------------------------------------------------------- hooks


def test_pauses_of_the_garbage_collector(recorded):
    import gc

    with recorded(gc=True) as box:
        with marey.span("around"):
            loop = []
            loop.append(loop)
            del loop
            gc.collect()
        gc.collect(0)
    pauses = box.trace.named("gc")
    full = next(p for p in pauses if p.parent is not None and p.args["generation"] == 2)
    assert full.parent.name == "around"
    assert full.category == "gc"
    assert full.args["collected"] >= 1
    assert full.args["uncollectable"] == 0
    assert pauses[-1].args["generation"] == 0


def test_without_pauses(recorded):
    import gc

    before = list(gc.callbacks)
    with recorded(gc=False) as box:
        assert gc.callbacks == before
        gc.collect()
    with recorded(gc=True, categories="-gc") as quiet:
        assert len(gc.callbacks) == len(before) + 1
        gc.collect()
    assert gc.callbacks == before
    assert box.trace.named("gc") == quiet.trace.named("gc") == []


def test_names_of_threads(recorded):
    go_on = threading.Event()
    renamed = threading.Event()

    def work():
        marey.instant("first")
        go_on.wait(beside.LIMIT)
        renamed.set()
        marey.instant("second")

    def named_by_marey():
        marey.thread_name("chosen")
        marey.instant("x")

    with recorded() as box, beside.threads(work, names=["old name"], until=go_on) as [thread]:
        with beside.threads(named_by_marey, names=["not this"]):
            pass
        marey.instant("main")
        thread.name = "new name"
    names = {track.name for track in box.trace.tracks.values() if track.kind == "thread"}
    assert names == {"MainThread", "new name", "chosen"}
    assert renamed.is_set()
    assert box.trace.instant("first").track is box.trace.instant("second").track


def test_names_given_while_nothing_records(recorded):
    def work(done):
        marey.thread_name("given before")
        with recorded() as box:
            marey.instant("x")
        done.append(box.trace)

    done = []
    thread = threading.Thread(target=work, args=(done,))
    thread.start()
    thread.join()
    assert done[0].instant("x").track.name == "given before"


def test_names_of_the_process(script, path):
    script("import marey, sys\nwith marey.record(sys.argv[1]): marey.instant('x')", path)
    assert [t.name for t in traces.load(path).tracks.values() if t.kind == "process"] == [
        "script.py"
    ]
    script(
        """
import marey, sys
marey.process_name("server")
with marey.record(sys.argv[1]): marey.instant('x')
""",
        path,
    )
    assert [t.name for t in traces.load(path).tracks.values() if t.kind == "process"] == ["server"]


def test_statistics(recorded):
    with recorded(stats=0.01) as box:
        end = time.monotonic() + 0.3
        while time.monotonic() < end:
            pass
    counters = {e.name for e in box.trace.counters}
    assert len(counters) >= 4
    cpu = next(name for name in counters if "cpu" in name.lower())
    memory = next(name for name in counters if "mem" in name.lower())
    assert len(box.trace.values(cpu)) >= 5
    assert max(box.trace.values(cpu)) > 10
    assert min(box.trace.values(memory)) > 1 << 20
    with recorded() as box:
        time.sleep(0.05)
    assert not box.trace.counters
