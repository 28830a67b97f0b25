"""Stopping a program for the moment of a sample leaves it as it was."""

import os
import signal
import time

import pytest

SECONDS = 2
HZ = 500


def state(pid):
    """State and tracer of each thread."""
    found = set()
    for tid in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{tid}/status") as file:
                lines = dict(line.split(":\t", 1) for line in file if ":\t" in line)
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has just ended
        found.add((lines["State"][0], int(lines["TracerPid"])))
    return found


def is_free(pid):
    """Whether no thread is stopped or traced, soon."""
    for _ in range(100):
        if all(letter not in "tT" and tracer == 0 for letter, tracer in state(pid)):
            return True
        time.sleep(0.01)
    return False


def test_shares(run, sample):
    running = run("shares.py", 4)
    seen = sample(running.pid, SECONDS, HZ, "blocking")
    assert seen.share("seventy") == pytest.approx(0.7, abs=seen.within(0.7, 0.1))
    assert seen.counts["torn"] <= 0.01 * seen.counts["samples"]
    assert is_free(running.pid)


def test_a_sampler_that_is_killed(run, sample):
    running = run("shares.py", 4)
    for wait in (0.5, 0.51, 0.503, 0.507):
        sampler = sample.start(running.pid, 20, 0, "blocking")
        time.sleep(wait)
        sampler.process.kill()
        sampler.process.communicate()
        assert is_free(running.pid)


def test_signals_arrive_once(run, sample, interpreter, tmp_path):
    if interpreter[0] == "chroot":
        pytest.skip("the file is not in that root")
    counter = tmp_path / "count"
    running = run("signals.py", counter)
    sampler = sample.start(running.pid, 5, HZ, "blocking")
    sent = 0
    while sampler.process.poll() is None and sent < 300:
        os.kill(running.pid, signal.SIGUSR1)
        sent += 1
        for _ in range(1000):  # so that none is merged with the one before
            if int(counter.read_bytes()) == sent:
                break
            time.sleep(0.001)
    assert int(counter.read_bytes()) == sent
    sampler.result()
    assert is_free(running.pid)


def test_many_signals(run, sample, interpreter, tmp_path):
    if interpreter[0] == "chroot":
        pytest.skip("the file is not in that root")
    running = run("signals.py", tmp_path / "count", "timer")
    seen = sample(running.pid, SECONDS, HZ, "blocking")
    assert seen.samples
    assert int((tmp_path / "count").read_bytes()) > 100
    assert running.process.poll() is None
    assert is_free(running.pid)


def test_a_process_that_is_stopped_stays_so(run, sample):
    running = run("shares.py", 3)
    sampler = sample.start(running.pid, SECONDS + 1, HZ, "blocking")
    time.sleep(0.7)
    os.kill(running.pid, signal.SIGSTOP)
    time.sleep(0.5)
    assert {letter for letter, _ in state(running.pid)} == {"T"}
    time.sleep(0.3)
    assert {letter for letter, _ in state(running.pid)} == {"T"}
    os.kill(running.pid, signal.SIGCONT)
    time.sleep(0.2)
    assert "T" not in {letter for letter, _ in state(running.pid)}
    assert sampler.result().samples
    assert is_free(running.pid)


@pytest.mark.parametrize("what", ["threads", "processes"])
def test_what_comes_and_goes(run, sample, what):
    running = run("churn.py", what)
    seen = sample(running.pid, SECONDS, HZ, "blocking", "children")
    assert seen.status == 0
    assert running.process.poll() is None
    assert is_free(running.pid)


def test_children_that_exec(run, sample):
    running = run("family.py")
    seen = sample(running.pid, 20, HZ, "blocking", "children")
    assert running.process.wait(timeout=10) == 0
    for name in ("forked", "grandchild", "after_exec", "by_shell"):
        assert seen.having(name)


def test_a_process_that_is_killed(run, sample):
    running = run("shares.py", 4)
    sampler = sample.start(running.pid, 20, HZ, "blocking")
    time.sleep(0.7)
    running.process.kill()
    assert running.process.wait(timeout=5) == -signal.SIGKILL
    assert sampler.result().ended == [running.pid]
