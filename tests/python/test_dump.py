"""marey.dump, dump_on and dump_off: what all threads do now, whatever hangs."""

import asyncio
import functools
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import beside
import pytest

import marey
from marey import _marey


def shown():
    """What marey.dump writes."""
    file = io.StringIO()
    marey.dump(file)
    return file.getvalue()


def wait_here(ready, go):
    ready.set()
    go.wait(beside.LIMIT)


def test_all_threads_are_shown():
    ready, go = threading.Event(), threading.Event()
    with beside.threads(functools.partial(wait_here, ready, go), until=go) as [thread]:
        assert ready.wait(beside.LIMIT)
        time.sleep(0.2)
        text = shown()
    lines = text.splitlines()
    assert lines[0].startswith(f"Process {os.getpid()}, 20")
    version = ".".join(map(str, sys.version_info[:2]))
    assert lines[1].startswith(f"Python {version}") and "threads" in lines[1]
    here = test_all_threads_are_shown.__code__.co_firstlineno
    [own] = [line for line in lines if "test_all_threads_are_shown" in line]
    assert f"({__file__}:{here + 6})" in own or f"({__file__}:" in own
    first = wait_here.__code__.co_firstlineno
    assert any(f"wait_here ({__file__}:{first + 2})" in line for line in lines)
    assert f"Thread {thread.native_id}" in text and f"Thread {os.getpid()} (main)" in text
    if getattr(sys, "_is_gil_enabled", lambda: True)():
        assert "running, has the GIL" in text


def test_the_function_that_asks_is_the_innermost():
    lines = shown().splitlines()
    at = lines.index(next(line for line in lines if "(main)" in line))
    assert lines[at + 1].strip().startswith("shown ")
    assert Path(__file__).name in lines[at + 1]


def test_deep_stacks_are_shown_each_time():
    """Of many functions that were never seen before."""
    source = "\n".join(f"def f{n}(): return f{n + 1}()" for n in range(70))
    for depth in range(0, 70, 7):
        scope = {"f70": shown}
        exec(source, scope)
        text = scope[f"f{depth}"]()
        assert text.count(" f") >= 70 - depth and "changed each time" not in text


def test_tasks_are_shown_with_what_they_await():
    async def inner():
        await asyncio.sleep(60)

    async def outer():
        await inner()

    async def main():
        task = asyncio.ensure_future(outer())
        await asyncio.sleep(0.05)
        text = shown()
        task.cancel()
        return text

    text = asyncio.run(main())
    lines = [line.strip().partition(" (")[0].rpartition(".")[2] for line in text.splitlines()]
    assert "outer" in lines[lines.index("inner") :] and "waits" in text.lower()


def test_variables_are_shown_where_they_are_asked_for():
    def work(number, password):
        assert number and password
        file = io.StringIO()
        marey.dump(file, locals=True)
        return file.getvalue()

    text = work(1729, "swordfish")
    assert "number = 1729" in text and "swordfish" not in text and "password = " in text
    assert "number = 1729" not in shown()


def test_standard_error_is_the_usual_place(capsys):
    marey.dump()
    assert "test_standard_error_is_the_usual_place" in capsys.readouterr().err
    stderr, sys.stderr = sys.stderr, None
    try:
        marey.dump()
    finally:
        sys.stderr = stderr


def test_files_that_are_none():
    with pytest.raises(AttributeError, match="write"):
        marey.dump(17)
    with pytest.raises(TypeError):
        marey.dump(file=sys.stderr, depth=3)
    with pytest.raises(io.UnsupportedOperation), open(__file__) as file:
        marey.dump(file)


# ----------------------------------------------------------------------- signals


def wait_for(read, what, seconds=60):
    """Until read() has the text; returns it."""
    end = time.monotonic() + seconds
    while what not in read():
        assert time.monotonic() < end, read()
        time.sleep(0.02)
    return read()


@pytest.fixture
def log(tmp_path):
    """A file for a signal; dump_off at the end."""
    with open(tmp_path / "log", "w") as file:
        yield file
    for number in (signal.SIGUSR1, signal.SIGUSR2):
        marey.dump_off(number)


def content(log):
    return lambda: open(log.name).read()


def test_a_signal_dumps(log):
    marey.dump_on(signal.SIGUSR1, log)
    os.kill(os.getpid(), signal.SIGUSR1)
    text = wait_for(content(log), "test_a_signal_dumps")
    assert text.splitlines()[0].startswith(f"Process {os.getpid()}, 20")
    assert "signal 10" in text.splitlines()[0]
    before = len(content(log)())
    marey.dump_on(signal.SIGUSR1, log)  # again: no second one
    os.kill(os.getpid(), signal.SIGUSR1)
    wait_for(lambda: content(log)()[before:], "\n\n")
    assert marey.dump_off(signal.SIGUSR1) is True
    assert marey.dump_off(signal.SIGUSR1) is False
    assert content(log)().count("Process ") == 2


def test_what_was_there_before_is_called_and_comes_back(log):
    seen = []
    old = signal.signal(signal.SIGUSR1, lambda number, frame: seen.append(number))
    try:
        marey.dump_on(signal.SIGUSR1, log)
        os.kill(os.getpid(), signal.SIGUSR1)
        wait_for(content(log), "Process ")
        assert seen == [signal.SIGUSR1]
        marey.dump_off(signal.SIGUSR1)
        os.kill(os.getpid(), signal.SIGUSR1)
        assert seen == [signal.SIGUSR1] * 2
        assert content(log)().count("Process ") == 1
    finally:
        signal.signal(signal.SIGUSR1, old)


def test_ignored_it_stays_ignored_afterwards(log):
    old = signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    try:
        marey.dump_on(signal.SIGUSR1, log)
        os.kill(os.getpid(), signal.SIGUSR1)
        wait_for(content(log), "Process ")
        marey.dump_off(signal.SIGUSR1)
        os.kill(os.getpid(), signal.SIGUSR1)
    finally:
        signal.signal(signal.SIGUSR1, old)


def test_a_handler_that_calls_ours(log):
    """faulthandler chains to what was there: neither calls the other for ever."""
    import faulthandler

    marey.dump_on(signal.SIGUSR1, log)
    with open(os.devnull, "w") as nowhere:
        faulthandler.register(signal.SIGUSR1, nowhere, chain=True)
        try:
            os.kill(os.getpid(), signal.SIGUSR1)
            wait_for(content(log), "Process ")
            marey.dump_off(signal.SIGUSR1)
            marey.dump_on(signal.SIGUSR1, log)
            os.kill(os.getpid(), signal.SIGUSR1)
            wait_for(lambda: "x" * content(log)().count("Process "), "xx")
            marey.dump_off(signal.SIGUSR1)
        finally:
            faulthandler.unregister(signal.SIGUSR1)
    signal.signal(signal.SIGUSR1, signal.SIG_DFL)


def test_two_signals_and_two_files(log, tmp_path):
    with open(tmp_path / "other", "w") as other:
        marey.dump_on(signal.SIGUSR1, log)
        marey.dump_on(signal.SIGUSR2, other.fileno())
        os.kill(os.getpid(), signal.SIGUSR2)
        wait_for(content(other), "signal 12")
        assert content(log)() == ""
        marey.dump_off(signal.SIGUSR2)


@pytest.mark.parametrize("number", [9, 19, 11, 7, 8, 4, 5, 0, -1, 65, 1000, 32])
def test_signals_that_are_none(number):
    with pytest.raises(ValueError, match=f"signum {number} "):
        marey.dump_on(number)
    assert marey.dump_off(number) is False


def test_files_that_are_not_open():
    with pytest.raises(OSError, match="Bad file descriptor"):
        marey.dump_on(signal.SIGUSR1, 12345)
    with pytest.raises(io.UnsupportedOperation):
        marey.dump_on(signal.SIGUSR1, io.StringIO())
    with pytest.raises(AttributeError):
        marey.dump_on(signal.SIGUSR1, "a path")


HANGS = """
import ctypes, os, signal, sys, threading, time
import marey

def in_c_with_the_gil():
    c = ctypes.PyDLL(None)  # that keeps the GIL
    mutex = ctypes.create_string_buffer(64)
    c.pthread_mutex_lock(mutex)
    c.pthread_mutex_lock(mutex)

def another():
    time.sleep(60)

marey.dump_on(signal.SIGUSR1)
threading.Thread(target=another, daemon=True).start()
time.sleep(0.2)
print("ready", flush=True)
in_c_with_the_gil()
"""


def test_it_works_on_a_program_that_hangs_with_the_gil(tmp_path):
    with open(tmp_path / "err", "w+") as err:
        child = subprocess.Popen(
            [sys.executable, "-c", HANGS], stdout=subprocess.PIPE, stderr=err, text=True
        )
        try:
            assert child.stdout.readline() == "ready\n"
            time.sleep(0.3)
            read = (tmp_path / "err").read_text
            for n in range(1, 100):
                child.send_signal(signal.SIGUSR1)
                wait_for(lambda k=n: "x" * read().count("another"), "x" * n)
                if n >= 3 and read().count("in_c_with_the_gil (<string>:") >= 2:
                    break
        finally:
            child.kill()
            child.wait()
            child.stdout.close()
    text = (tmp_path / "err").read_text()
    assert text.count("in_c_with_the_gil (<string>:") >= 2
    if getattr(sys, "_is_gil_enabled", lambda: True)():
        assert "idle, has the GIL" in text


FORKS = """
import os, signal, sys, time
import marey

log = open(sys.argv[1], "a")
marey.dump_on(signal.SIGUSR1, log)

def in_the_child():
    os.kill(os.getpid(), signal.SIGUSR1)
    for _ in range(1000):
        if f"Process {os.getpid()}," in open(sys.argv[1]).read():
            os._exit(0)
        time.sleep(0.02)
    os._exit(1)

pid = os.fork()
if pid == 0:
    in_the_child()
assert os.waitpid(pid, 0)[1] == 0
assert marey.dump_off(signal.SIGUSR1)
pid = os.fork()
if pid == 0:
    os.kill(os.getpid(), signal.SIGUSR1)
    time.sleep(60)
assert os.waitpid(pid, 0)[1] == signal.SIGUSR1, "it ends a process again"
"""


def test_forked_children_dump_too(script, tmp_path):
    script(FORKS, tmp_path / "log")
    assert "in_the_child" in (tmp_path / "log").read_text()


def test_a_pipe_that_nobody_reads_holds_up_nothing_but_the_dump(script):
    script(
        """
import os, signal, time
import marey

read, write = os.pipe()
os.set_blocking(write, False)
marey.dump_on(signal.SIGUSR1, write)
for _ in range(200):
    os.kill(os.getpid(), signal.SIGUSR1)
    time.sleep(0.002)
os.close(read)
os.close(write)
for _ in range(20):
    os.kill(os.getpid(), signal.SIGUSR1)
    time.sleep(0.002)
"""
    )


def test_dumps_and_signals_by_many_threads(log):
    marey.dump_on(signal.SIGUSR1, log)
    failures = []

    def work():
        try:
            for _ in range(20):
                os.kill(os.getpid(), signal.SIGUSR1)
                assert "work" in shown()
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    wait_for(content(log), "Process ")


def test_stacks_for_programs():
    """What the live page shows of threads and tasks."""

    async def sleeper():
        await asyncio.sleep(60)

    async def look():
        task = asyncio.create_task(sleeper(), name="sleeps")
        await asyncio.sleep(0)
        try:
            return json.loads(_marey.dump_json())
        finally:
            task.cancel()

    found = asyncio.run(look())
    (main,) = [thread for thread in found["threads"] if thread["main"]]
    assert main["frames"][0]["function"].endswith("look") and main["has_gil"]
    (task,) = [task for task in found["tasks"] if task["name"] == "sleeps"]
    assert task["state"] == "waiting"
    assert task["frames"][-1]["function"].endswith("sleeper")
    assert "locals" not in main["frames"][0]
