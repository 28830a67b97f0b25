"""marey.on_failure: a trace is kept where an exception leaves the block, and nowhere else."""

import asyncio
import contextlib
import logging
import os
import re
import threading
from pathlib import Path

import pytest
import traces

import marey
from marey import _background


def divide(a, b):
    with marey.span("dividing", a=a):
        return a / b


def files(folder):
    return sorted(folder.iterdir()) if folder.exists() else []


def fail(block, error, before=lambda: None):
    """Leave the block by the error, after `before`."""

    def body():
        before()
        raise error

    with pytest.raises(type(error)) as caught, block:
        body()
    assert caught.value is error


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "failures"


def test_nothing_is_written_of_what_ends_well(folder):
    block = marey.on_failure(folder)
    with block:
        divide(1, 2)
    assert not folder.exists() and block.kept is None


def test_a_failure_is_kept_with_its_calls_and_spans(folder):
    with pytest.raises(ZeroDivisionError), marey.on_failure(folder, name="a/b c") as block:
        divide(4, 0)
    (file,) = files(folder)
    pattern = r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d_a-b-c_ZeroDivisionError\.perfetto-trace"
    assert re.fullmatch(pattern, file.name) and block.kept == str(file)
    assert file.stat().st_mode & 0o777 == 0o600
    trace = traces.load(file)
    (top,) = trace.tree("MainThread")
    assert top[0] == "a/b c" and "dividing" in str(top)
    assert trace.span("dividing").args["a"] == 4
    assert "division by zero" in str(trace.span("a/b c").args["exception"])
    (call,) = [span for span in trace.spans if span.name.endswith("divide")]
    assert call.args["a"] == 4 and call.args["b"] == 0, call.args


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, GeneratorExit, OSError])
def test_every_exception_counts_and_goes_on_unchanged(folder, kind):
    fail(marey.on_failure(folder, calls=False), kind("why"))
    assert files(folder)[0].name.endswith(f"_{kind.__name__}.perfetto-trace")


def test_always(folder):
    with marey.on_failure(folder, name="x", always=True):
        divide(1, 2)
    (file,) = files(folder)
    assert file.name.endswith("_x_ok.perfetto-trace")
    assert traces.load(file).span("dividing")


def test_functions_are_named_by_themselves(folder):
    @marey.on_failure(folder)
    def broken(a, *, b):
        "text"
        return divide(a, b)

    @marey.on_failure(folder)
    async def later(a):
        await asyncio.sleep(0)
        return divide(a, 0 if a else 1)

    class Thing:
        @marey.on_failure(folder)
        @staticmethod
        def method():
            raise KeyError(1)

    assert broken(4, b=2) == 2 and broken.__doc__ == "text"
    assert asyncio.run(later(0)) == 0 and not files(folder)
    for call in (lambda: broken(1, b=0), lambda: asyncio.run(later(1))):
        with pytest.raises(ZeroDivisionError):
            call()
    with pytest.raises(KeyError):
        Thing.method()
    assert {file.name.split("_", 1)[1].split(".locals.")[-1] for file in files(folder)} == {
        f"test_functions_are_named_by_themselves.-locals-.{end}.perfetto-trace"
        for end in (
            "broken_ZeroDivisionError",
            "later_ZeroDivisionError",
            "Thing.method_KeyError",
        )
    }


def test_an_exception_is_kept_once_by_the_innermost_block(folder):
    inner = marey.on_failure(folder, name="inner")
    with pytest.raises(ValueError, match="x"), marey.on_failure(folder, name="outer"), inner:
        raise ValueError("x")
    (file,) = files(folder)
    assert "_inner_" in file.name


def test_an_exception_that_is_raised_again_later_is_kept_again(folder):
    error = ValueError("x")
    for _ in range(2):
        fail(marey.on_failure(folder), error)
    assert len(files(folder)) == 2


def test_one_object_is_used_by_many_at_a_time(folder):
    keep = marey.on_failure(folder, name="many", calls=False)
    gate = threading.Barrier(4)

    def thread(number):
        try:
            with keep:
                gate.wait()
                with keep, marey.span(f"thread {number}"):
                    gate.wait()
                    if number % 2:
                        raise LookupError(number)
        except LookupError:
            pass

    async def task(number):
        async with keep:
            await asyncio.sleep(0.01 * (number + 1))
            if number == 1:
                raise OSError

    async def tasks():
        return await asyncio.gather(*map(task, range(3)), return_exceptions=True)

    threads = [threading.Thread(target=thread, args=(n,)) for n in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert [file.name.split("_")[2].split(".")[0] for file in files(folder)] == ["LookupError"] * 2
    for file in files(folder):
        traces.load(file)
    assert [type(result) for result in asyncio.run(tasks())] == [type(None), OSError, type(None)]
    assert len(files(folder)) == 3 and not keep._blocks


def test_the_oldest_go_first_and_what_is_not_ours_stays(folder):
    folder.mkdir()
    (folder / "notes.perfetto-trace").write_text("mine")
    for number in range(5):
        fail(marey.on_failure(folder, name=f"n{number}", files=3, calls=False), ValueError())
        os.utime(max(files(folder), key=lambda file: file.stat().st_ctime_ns), (number, number))
    assert [file.name.split("_")[1] for file in files(folder)[:-1]] == ["n2", "n3", "n4"]
    fail(marey.on_failure(folder, name="last", size=1, calls=False), ValueError())
    assert [file.name.split("_")[1:2] for file in files(folder)] == [["last"], []]


def test_what_cannot_be_written_is_logged_and_masks_nothing(tmp_path, caplog):
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    with caplog.at_level(logging.WARNING, "marey"):
        fail(marey.on_failure(in_the_way / "folder"), KeyError("own"))
    assert "no trace was kept" in caplog.text and "file/folder" in caplog.text


def test_what_cannot_be_recorded_is_logged_and_the_block_runs(folder, caplog, monkeypatch):
    monkeypatch.setattr("marey._background.memory_folder", lambda: "/nonexistent")
    done = []
    fail(marey.on_failure(folder, calls=False), KeyError("own"), lambda: done.append(1))
    assert done and "nothing is recorded" in caplog.text and not files(folder)


def test_a_recording_that_is_on_stays_on_and_its_part_is_copied(folder, path):
    with marey.record(path):
        with marey.span("around"):
            with marey.span("before"):
                pass
            fail(marey.on_failure(folder), KeyError(), lambda: divide(1, 1))
        assert marey.recording()
    (file,) = files(folder)
    names = {span.name for span in traces.load(file).spans}
    assert {"around", "dividing"} <= names and "before" not in names
    assert traces.load(path).span("before") and traces.load(path).span("dividing")


def test_a_recording_that_the_block_begins_takes_over(folder, path, caplog):
    def own():
        with marey.record(path), marey.span("own"):
            pass

    fail(marey.on_failure(folder), KeyError(), own)
    assert traces.load(path).span("own")
    assert not files(folder) and "no trace was kept" in caplog.text


def test_a_forked_child_keeps_a_trace_too_and_the_parent_goes_on(folder):
    with marey.on_failure(folder, name="child", calls=False) as block:
        child = os.fork()
        if not child:
            try:
                block.__exit__(ValueError, ValueError(1), None)
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        assert marey.recording()
    (file,) = files(folder)
    assert "_child_ValueError" in file.name and traces.load(file)


def test_nothing_is_left_behind(folder, tmp_path, monkeypatch):
    """The ring has no name while it is in use, and goes with the last block."""
    memory = tmp_path / "memory"
    memory.mkdir()
    monkeypatch.setattr(_background, "memory_folder", lambda: str(memory))

    def unnamed():
        assert open_files(memory) and not files(memory)

    for _ in range(3):
        fail(marey.on_failure(folder), KeyError(), unnamed)
    assert all(file.suffix == ".perfetto-trace" for file in files(folder))
    assert not open_files(tmp_path) and not files(memory)


def open_files(folder):
    """Those of a folder that this process has open or mapped."""
    maps = Path("/proc/self/maps").read_text().splitlines()
    names = [line.split(maxsplit=5)[-1] for line in maps]
    for number in os.listdir("/proc/self/fd"):
        with contextlib.suppress(FileNotFoundError):
            names.append(os.readlink(f"/proc/self/fd/{number}"))
    return [name for name in names if name.startswith(f"{folder}/")]


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"files": 0}, ValueError),
        ({"files": "3"}, TypeError),
        ({"size": "many"}, ValueError),
        ({"ring": 5}, ValueError),
        ({"name": 3}, TypeError),
        ({"max_depth": 0}, ValueError),
        ({"include": 3}, TypeError),
    ],
)
def test_wrong_options_are_named(folder, options, error):
    with pytest.raises(error, match=next(iter(options))):
        marey.on_failure(folder, **options)


def test_what_cannot_be_decorated(folder):
    def generator():
        yield

    async def asynchronous():
        yield

    for wrong in (generator, asynchronous, int, 3):
        with pytest.raises(TypeError):
            marey.on_failure(folder)(wrong)
