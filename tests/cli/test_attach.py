"""`marey attach`: what is in the trace of programs of which it is known what they do, and what
becomes of both sides when one of them ends, execs, or is killed."""

import contextlib
import json
import os
import signal
import subprocess
import time

import pytest
import targets
import trace_samples as sampled
from command import find_marey
from targets import marey, python

SHARES = """\
import time

def spin(seconds):
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass

def seventy(): spin(0.07)
def twenty(): spin(0.02)
def ten(): spin(0.01)

print("ready", flush=True)
while True:
    seventy()
    twenty()
    ten()
"""

SLEEPS = """\
import time

def sleeps():
    time.sleep(600)

print("ready", flush=True)
sleeps()
"""

BEATS = """\
import sys

def beats():
    n = 0
    while True:
        n += 1
        if n % 2_000_000 == 0:
            print(n, flush=True)

print("ready", flush=True)
beats()
"""

PARENT = """\
import multiprocessing, time

def grandchild_works():
    while True:
        pass

def child_works():
    multiprocessing.get_context("spawn").Process(target=grandchild_works, daemon=False).start()
    while True:
        pass

if __name__ == "__main__":
    print("ready", flush=True)
    time.sleep(0.5)
    child = multiprocessing.get_context("fork").Process(target=child_works)
    child.start()
    child.join()
"""

EXECS = """\
import os, sys, time

def before():
    end = time.monotonic() + 0.7
    while time.monotonic() < end:
        pass

if len(sys.argv) == 1:
    print("ready", flush=True)
    before()
    os.execv(sys.executable, [sys.executable, __file__, "again"])

def after():
    while True:
        pass

after()
"""

TRACE = "t.perfetto-trace"


def attach(folder, *words):
    return marey("attach", "-o", TRACE, *words, cwd=folder)


@contextlib.contextmanager
def attached(folder, *words):
    """A sampler that has begun; killed at the end."""
    command = [find_marey(), "attach", "-o", TRACE, *map(str, words)]
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            deadline = time.monotonic() + 20
            while not (folder / TRACE).exists():
                assert time.monotonic() < deadline and process.poll() is None
                time.sleep(0.01)
            yield process
        finally:
            process.kill()


def kill_family(process):
    """A process and its children, which would outlive the test."""
    subprocess.run(["pkill", "-KILL", "-P", str(process.pid)], check=False)
    process.kill()


def is_whole(path):
    return marey("check", path).returncode == 0


def wait_for_sample(folder, function):
    deadline = time.monotonic() + 60
    while function not in sampled.names(folder / TRACE):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_shares_are_as_known(tmp_path):
    expected = pytest.approx({"seventy": 0.7, "twenty": 0.2, "ten": 0.1}, abs=0.08)
    with python(tmp_path, SHARES) as process:
        for _ in range(10):  # a busy machine stops it where it likes
            done = attach(tmp_path, "--function", "-d", 3, process.pid)
            assert (done.returncode, done.stderr) == (0, "")
            stacks = sampled.stacks(tmp_path / TRACE)
            total = sum(weight for weight, _ in stacks)
            shares = {
                name: sum(weight for weight, names in stacks if name in names) / total
                for name in ("seventy", "twenty", "ten")
            }
            if shares == expected:
                break
    assert shares == expected
    assert {"<module>", "spin"} <= sampled.names(tmp_path / TRACE)


GREENLETS = """\
import greenlet, time

def lets_go():
    hub.switch()

def works():
    while True:
        end = time.thread_time() + 0.002
        while time.thread_time() < end:
            pass
        lets_go()

def takes_turns():
    workers = [greenlet.greenlet(works) for _ in range(20)]
    print("ready", flush=True)
    while True:
        for worker in workers:
            worker.switch()

hub = greenlet.greenlet(takes_turns)
hub.switch()
"""


def test_of_greenlets_the_one_that_runs_is_seen(tmp_path):
    """They take turns on the C stack; those that let go wait in another function."""
    pytest.importorskip("greenlet")
    with python(tmp_path, GREENLETS) as process:
        attach(tmp_path, "-d", 2, "--function", process.pid)
    seconds = sampled.self_seconds(tmp_path / TRACE)
    assert seconds["works"] > 0.8 * sum(seconds.values())


def test_it_lasts_as_long_as_asked(tmp_path):
    with python(tmp_path, BEATS) as process:
        started = time.monotonic()
        done = attach(tmp_path, "-d", "700ms", "--hz", 200, process.pid)
        lasted = time.monotonic() - started
        assert process.poll() is None
    assert done.returncode == 0
    assert 0.7 <= lasted < 10
    assert is_whole(tmp_path / TRACE)
    counts = sampled.counts(tmp_path / TRACE)
    assert 0 < counts["taken"] + counts["torn"] <= 141


def test_the_file_is_named_by_the_process(tmp_path):
    with python(tmp_path, BEATS) as process:
        done = marey("attach", "-d", "100ms", process.pid, cwd=tmp_path)
    assert done.returncode == 0
    assert [path.name for path in tmp_path.glob("*.perfetto-trace")] == [
        f"attach-{process.pid}.perfetto-trace"
    ]
    assert (tmp_path / f"attach-{process.pid}.perfetto-trace").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_with_a_report(tmp_path, number):
    with python(tmp_path, BEATS) as process, attached(tmp_path, process.pid) as sampler:
        wait_for_sample(tmp_path, "beats")
        sampler.send_signal(number)
        output, errors = sampler.communicate(timeout=20)
        assert process.poll() is None
    assert (sampler.returncode, errors) == (0, "")
    assert output.startswith(f"marey: {TRACE}: ")
    assert "beats" in sampled.names(tmp_path / TRACE)
    assert is_whole(tmp_path / TRACE)


def test_it_ends_with_its_target(tmp_path):
    with python(tmp_path, BEATS) as process, attached(tmp_path, process.pid) as sampler:
        wait_for_sample(tmp_path, "beats")
        process.kill()
        process.wait()
        _, errors = sampler.communicate(timeout=20)
    assert (sampler.returncode, errors) == (0, "")
    assert "beats" in sampled.names(tmp_path / TRACE)


@pytest.mark.parametrize("option", ["--idle", "--blocking"])
def test_killed_it_leaves_a_whole_file_and_an_unharmed_target(tmp_path, option):
    """kill -9 in the middle, twenty times: the target is never left stopped."""
    with python(tmp_path, BEATS) as process:
        for _ in range(20):
            (tmp_path / TRACE).unlink(missing_ok=True)
            with attached(tmp_path, option, "--hz", 2000, process.pid) as sampler:
                time.sleep(0.1)
                sampler.kill()
                sampler.wait()
            assert is_whole(tmp_path / TRACE)
        said = [int(process.stdout.readline()) for _ in range(20)]  # it goes on
        assert said == sorted(said)


def test_two_samplers_of_one_process(tmp_path):
    folders = [tmp_path / "one", tmp_path / "two"]
    with python(tmp_path, BEATS) as process, contextlib.ExitStack() as stack:
        for folder in folders:
            folder.mkdir()
        samplers = [
            stack.enter_context(attached(folder, "-d", 1, process.pid)) for folder in folders
        ]
        assert [sampler.wait(20) for sampler in samplers] == [0, 0]
    for folder in folders:
        assert "beats" in sampled.names(folder / TRACE)


def test_several_processes(tmp_path):
    with python(tmp_path, BEATS) as one, python(tmp_path, SHARES, name="two.py") as two:
        done = attach(tmp_path, "-d", 0.5, one.pid, two.pid)
    assert done.returncode == 0
    assert {"beats", "spin"} <= sampled.names(tmp_path / TRACE)


def test_children_and_grandchildren_are_followed(tmp_path):
    with python(tmp_path, PARENT, start_new_session=True) as process:
        attach(tmp_path, "-d", 3, process.pid)
        followed = sampled.names(tmp_path / TRACE)
        attach(tmp_path, "-d", 0.3, "--no-children", "--idle", process.pid)
        alone = sampled.names(tmp_path / TRACE)
        os.killpg(process.pid, signal.SIGKILL)
    assert {"child_works", "grandchild_works"} <= followed
    assert not {"child_works", "grandchild_works"} & alone


def test_a_program_that_execs(tmp_path):
    with python(tmp_path, EXECS) as process:
        done = attach(tmp_path, "-d", 3, process.pid)
    assert done.returncode == 0
    assert {"before", "after"} <= sampled.names(tmp_path / TRACE)


def test_idle_threads_only_where_asked(tmp_path):
    with python(tmp_path, SLEEPS) as process:
        attach(tmp_path, "-d", 0.3, process.pid)
        usual = sampled.self_seconds(tmp_path / TRACE)
        attach(tmp_path, "-d", 2, "--idle", process.pid)
        idle = sampled.self_seconds(tmp_path / TRACE)
    assert usual["sleeps"] < 0.1
    assert 0.5 < idle["sleeps"] < 4


TWO_THREADS = """\
import threading, time

def computes():
    while True:
        pass

def sleeps():
    time.sleep(600)

threading.Thread(target=sleeps, daemon=True).start()
threading.Thread(target=computes, daemon=True).start()
print("ready", flush=True)
computes()
"""


@pytest.mark.parametrize("mode", ["cpu", "gil"])
def test_modes(tmp_path, mode):
    """Who sleeps is in neither; of two that compute, one at a time has the GIL."""
    if mode == "gil" and not targets.has_gil():
        pytest.skip("there is no GIL")
    with python(tmp_path, TWO_THREADS) as process:
        attach(tmp_path, "-d", 1, "--mode", mode, "--function", process.pid)
    seconds = sampled.self_seconds(tmp_path / TRACE)
    assert seconds["sleeps"] == 0
    assert 0.1 < seconds["computes"] < (1.3 if mode == "gil" else 2.3)


@pytest.mark.skipif(targets.has_gil(), reason="needs a Python without a GIL")
def test_mode_gil_without_a_gil(tmp_path):
    with python(tmp_path, BEATS) as process:
        done = attach(tmp_path, "-d", 1, "--mode", "gil", process.pid)
    assert (done.returncode, done.stdout) == (2, "")
    assert "its Python runs without a GIL" in done.stderr and "use --mode cpu" in done.stderr
    assert not (tmp_path / TRACE).exists()


def test_what_sleeps_all_the_time_is_told_so(tmp_path):
    with python(tmp_path, SLEEPS) as process:
        done = attach(
            tmp_path, "-d", 0.5, "--mode", "gil" if targets.has_gil() else "cpu", process.pid
        )
    assert (done.returncode, done.stderr) == (0, "")
    assert "\nno samples: no thread was seen that did what is sampled; --idle takes" in done.stdout


def test_counts_begin_with_the_sampling(tmp_path):
    """Not with the first sample, which a program that sleeps has late."""
    import tracecheck

    text = BEATS.replace("def beats():", "def beats():\n    time.sleep(1.5)").replace(
        "import sys", "import time"
    )
    with python(tmp_path, text) as process:
        attach(tmp_path, "-d", 3, process.pid)
    counters = tracecheck.load(str(tmp_path / TRACE)).counters
    for name in ("marey samples", "marey samples missed", "marey sampling CPU time"):
        values = [(one["ts"], one["value"]) for one in counters if one["name"] == name]
        assert len(values) > 1
        assert values[0][1] == 0
        assert [value for _, value in values] == sorted(value for _, value in values)
        assert values[-1][0] - values[0][0] > 1_500_000_000


def test_threads_have_the_names_that_the_program_gave(tmp_path):
    text = TWO_THREADS.replace("target=sleeps,", 'target=sleeps, name="the sleeper",')
    with python(tmp_path, text) as process:
        done = attach(tmp_path, "-d", 1, "--idle", "--json", process.pid)
    names = {row["name"] for row in json.loads(done.stdout)["thread_table"]}
    assert {"the sleeper", "MainThread"} <= names


def test_functions_without_lines(tmp_path):
    import tracecheck

    with python(tmp_path, SHARES) as process:
        attach(tmp_path, "-d", 0.3, "--function", process.pid)
        functions = tracecheck.load(str(tmp_path / TRACE)).samples
        attach(tmp_path, "-d", 0.3, process.pid)
        lines = tracecheck.load(str(tmp_path / TRACE)).samples
    assert not any(frame["line"] for one in functions for frame in one["stack"])
    assert {5, 6} & {frame["line"] for one in lines for frame in one["stack"]}


def test_native_marker(tmp_path):
    with python(tmp_path, SLEEPS) as process:
        attach(tmp_path, "-d", 0.3, "--idle", "--native-marker", process.pid)
    assert ["<module>", "sleeps", "<native>"] in [
        names for _, names in sampled.stacks(tmp_path / TRACE)
    ]


def test_blocking_tears_nothing(tmp_path):
    with python(tmp_path, SHARES) as process:
        done = attach(tmp_path, "-d", 0.5, "--blocking", process.pid)
        assert process.poll() is None
    assert done.returncode == 0
    counts = sampled.counts(tmp_path / TRACE)
    assert counts["torn"] == 0
    assert 10 <= counts["taken"] <= 55  # at 100 Hz


def test_older_viewers_get_the_older_packets(tmp_path):
    from perfetto.protos.perfetto.trace import perfetto_trace_pb2 as protos

    with python(tmp_path, SHARES) as process:
        attach(tmp_path, "-d", 1, "--old-viewers", process.pid)
    packets = protos.Trace.FromString((tmp_path / TRACE).read_bytes()).packet
    assert sum(packet.HasField("perf_sample") for packet in packets) >= 3
    assert "spin" in sampled.names(tmp_path / TRACE)


def test_a_ring_keeps_the_last(tmp_path):
    with python(tmp_path, SHARES) as process:
        done = attach(tmp_path, "-d", 0.5, "--ring", "256K", "--hz", "max", process.pid)
    assert done.returncode == 0
    assert (tmp_path / TRACE).stat().st_size <= (256 << 10) + 65536
    assert is_whole(tmp_path / TRACE)


def test_the_report_as_json(tmp_path):
    with python(tmp_path, SHARES) as process:
        done = attach(tmp_path, "-d", 0.5, "--json", process.pid)
    report = json.loads(done.stdout)
    assert report["file"] == TRACE
    assert report["samples"] > 0
    assert report["damage"] == []
    assert "exit_status" not in report


def test_the_report_by_thread(tmp_path):
    with python(tmp_path, BEATS) as process:
        done = attach(tmp_path, "-d", 1, "--threads", process.pid)
    assert " THREAD " in done.stdout
    assert "FUNCTION" not in done.stdout


def test_quiet(tmp_path):
    with python(tmp_path, BEATS) as process:
        done = attach(tmp_path, "-q", "-d", 0.1, process.pid)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


# ---- what cannot be sampled


def test_none_of_them(tmp_path):
    pid = targets.ended_pid()
    done = attach(tmp_path, pid)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"marey attach: {pid}: there is no such process\n"
    assert not (tmp_path / TRACE).exists()


def test_some_of_them(tmp_path):
    with (
        python(tmp_path, BEATS) as process,
        targets.started(["sh", "-c", "echo ready; sleep 60; true"]) as shell,
    ):
        try:
            done = attach(tmp_path, "-d", 0.3, process.pid, shell.pid)
        finally:
            kill_family(shell)
    assert done.returncode == 1
    assert done.stderr == f"marey attach: {shell.pid} (sh): there is no Python in it\n"
    assert "beats" in sampled.names(tmp_path / TRACE)


def test_another_users_process(tmp_path):
    with targets.as_nobody() as (command, options), python(tmp_path, BEATS) as process:
        done = subprocess.run(
            [command, "attach", "-o", "/tmp/never.perfetto-trace", str(process.pid)],
            capture_output=True,
            text=True,
            check=False,
            **options,
        )
    assert (done.returncode, done.stdout) == (2, "")
    assert "belongs to another user (uid 0, this one is" in done.stderr
    assert not os.path.exists("/tmp/never.perfetto-trace")


def test_no_place_for_the_file(tmp_path):
    with python(tmp_path, BEATS) as process:
        done = marey("attach", "-o", "/nowhere/t", process.pid)
    assert done.returncode == 2
    assert done.stderr.startswith(
        "marey attach: /nowhere/t: no such file or directory; nothing was recorded\nhint: "
    )


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "which process?"),
        (["x1"], "'x1' is no process number"),
        (["--hz", "0", "1"], "--hz: '0' is not from 0.1 to 100000, nor 'max'"),
        (["--hz", "fast", "1"], "--hz: 'fast' is not from"),
        (["--hz", "1000001", "1"], "--hz: '1000001' is not from"),
        (["--mode", "real", "1"], "--mode: 'real' is none of wall, cpu and gil"),
        (["-d", "soon", "1"], "--duration: 'soon' is no time"),
        (["-d", "0", "1"], "--duration: '0' is no time"),
        (["--ring", "1K", "1"], "--ring: at least 256K"),
        (["--rows", "x", "1"], "--rows: 'x' is no number"),
        (["--blokcing", "1"], "Did you mean '--blocking'?"),
        (["--idle=1", "1"], "option '--idle' takes no value"),
        (["-o"], "option '-o' needs a value"),
    ],
)
def test_wrong_words(words, says):
    done = marey("attach", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
