"""live-trace's interface: what programs that used it rely on, and what went wrong there."""

import datetime
import functools
import io
import os
import re
import signal
import subprocess
import sys
import textwrap
import threading
import time

import beside
import pytest

from marey.compat.live_trace import main, parser
from marey.compat.live_trace.main import ArgumentParser
from marey.compat.live_trace.tracer import Tracer
from marey.compat.live_trace.tracerusingbackgroundthread import (
    TracerAlreadyRunning,
    TracerUsingBackgroundThread,
)
from marey.compat.live_trace.writer import BaseWriter, WriterToLogTemplate, WriterToStream


@pytest.fixture(autouse=True)
def nobody_is_left():
    yield
    main.stop()
    assert TracerUsingBackgroundThread.could_start()


def sleeps(times, seconds=0.01):
    for _ in range(times):
        time.sleep(seconds)  # the magic line


def counter_of(*lines, **options):
    args = ArgumentParser.Namespace(**{"sum_all_frames": False, "most_common": 30, **options})
    counter = parser.FrameCounter(args)
    counter.read_logs_of_fd(lines)
    return counter


LOG = """

#START date: 2026-11-21 01:08:47.843340
# ProcessId: 12499
# ThreadID: 140020899629952
File: "/home/me/api.py", line 13, in <module>
  busy(0.4); rec(5)
File: "/usr/lib/python3.11/threading.py", line 8, in wait
  waiter.acquire()
#END
"""


# ------------------------------------------------------------------------------- samples


def test_a_sample():
    file = io.StringIO()
    tracer = Tracer(WriterToStream(file))
    tracer.log_stacktraces()
    text = file.getvalue()
    assert text.startswith("\n\n#START date: 20")
    assert text.endswith("#END")
    head = text.splitlines()[2:5]
    assert head[1] == f"# ProcessId: {os.getpid()}"
    assert head[2].startswith("# ThreadID: ")
    place = f'File: "{__file__}", line '
    assert place in text
    assert "  tracer.log_stacktraces()\n" in text
    assert "live_trace/tracer.py" not in text
    assert "/_pytest/" not in text


def stack_of(thread, log):
    """The last stack of a thread that a log has, as lines."""
    return log.rpartition(f"# ThreadID: {thread.ident}\n")[2].partition("#END")[0].splitlines()


@pytest.mark.parametrize("depth", [3, 300])
def test_a_thread_is_seen_where_it_is_now(depth):
    """A stack that was written before is known, but not one that has moved since."""
    here, go_on = [threading.Event() for _ in range(2)], [threading.Event() for _ in range(2)]

    def wait(at):
        here[at].set()
        go_on[at].wait(beside.LIMIT)

    def moves(depth):
        if depth:
            return moves(depth - 1)
        wait(0)
        return wait(1)

    file = io.StringIO()
    tracer = Tracer(WriterToStream(file))
    with beside.threads(functools.partial(moves, depth), until=go_on[1]) as [thread]:
        for at, line in enumerate(["  wait(0)", "  return wait(1)"]):
            assert here[at].wait(beside.LIMIT)
            for _ in range(3):
                tracer.log_stacktraces()
                seen = [line for line in stack_of(thread, file.getvalue()) if "wait(" in line]
                assert seen[0] == line
            go_on[at].set()
    assert file.getvalue().count("  return moves(depth - 1)\n") == 6 * depth


def test_an_interval_of_nothing_lets_others_run():
    file = io.StringIO()
    tracer = TracerUsingBackgroundThread(WriterToStream(file), 0)
    tracer.start()
    try:
        deadline = time.monotonic() + beside.LIMIT
        lines = set()
        while len(lines) < 3 and time.monotonic() < deadline:
            sum(range(1000))
            sorted(range(1000))
            lines = set(re.findall(r"line (\d+), in test_an_interval_of_nothing", file.getvalue()))
    finally:
        tracer.stop()
    assert len(lines) > 1


def test_stacks_come_as_often_as_is_asked_for(tmp_path):
    path = tmp_path / "log"
    tracer = main.start(0.01, str(path))
    sleeps(100)
    tracer.stop()
    counter = parser.read_logs(ArgumentParser().parse_args(["analyze", str(path)]))
    seen = sum(n for frame, n in counter.frames.items() if "# the magic line" in frame.source_code)
    assert 40 < seen < 140


def test_only_one_at_a_time():
    first = main.start(10, os.devnull)
    with pytest.raises(TracerAlreadyRunning, match="test_only_one_at_a_time"):
        main.start()
    main.start_idempotent()
    assert not TracerUsingBackgroundThread.could_start()
    first.stop()
    assert TracerUsingBackgroundThread.could_start()


def test_stopping_is_quick_and_harmless():
    tracer = main.start(30, os.devnull)
    began = time.monotonic()
    tracer.stop()
    tracer.stop()
    main.stop()
    assert time.monotonic() - began < 5
    TracerUsingBackgroundThread(WriterToStream(io.StringIO())).stop()  # never started


def test_it_ends_with_the_thread_that_made_it():
    thread = threading.Thread(target=main.start, args=(0.01, os.devnull))
    thread.start()
    thread.join()
    for _ in range(500):
        if TracerUsingBackgroundThread.could_start():
            break
        time.sleep(0.01)
    assert TracerUsingBackgroundThread.could_start()


def test_a_forked_child_may_start_its_own():
    main.start(10, os.devnull)
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            main.start(10, os.devnull).stop()
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(pid, 0)[1] == 0


def test_its_own_thread_is_not_shown():
    file = io.StringIO()
    tracer = TracerUsingBackgroundThread(WriterToStream(file), 0.01)
    tracer.start()
    sleeps(20)
    tracer.stop()
    assert f"# ThreadID: {tracer.thread.ident}\n" not in file.getvalue()
    assert f"# ThreadID: {threading.get_ident()}\n" in file.getvalue()


def test_writing_that_fails_is_said_once_and_tried_again(caplog):
    class Failing(BaseWriter):
        tries = 0

        def write_traceback(self, lines_as_string):
            Failing.tries += 1
            raise OSError("no space")

    tracer = TracerUsingBackgroundThread(Failing(), 0.005)
    tracer.start()
    for _ in range(1000):
        if Failing.tries > 3:
            break
        time.sleep(0.01)
    tracer.stop()
    assert Failing.tries > 3
    assert [record.getMessage() for record in caplog.records] == [
        "a sample is not written: no space"
    ]


# ------------------------------------------------------------------------------- writers


def test_templates(tmp_path, monkeypatch):
    writer = WriterToLogTemplate(str(tmp_path / "{:%Y/%m/%d}/foo.log"))
    when = datetime.datetime(2014, 3, 26)
    assert writer.get_outfile(when) == str(tmp_path / "2014/03/26/foo.log")
    writer.close_outfile(writer.open_outfile(when))
    assert (tmp_path / "2014/03/26/foo.log").exists()
    monkeypatch.chdir(tmp_path)
    WriterToLogTemplate("bare.log").write_traceback("x")
    assert (tmp_path / "bare.log").read_text() == "x"


def test_a_file_a_day_not_one_a_second(tmp_path):
    writer = WriterToLogTemplate(str(tmp_path / "{:%Y-%m-%d-%H-%M-%S}.log"))
    for hour, second in ((8, 1), (8, 2), (17, 0)):
        writer.close_outfile(writer.open_outfile(datetime.datetime(2017, 7, 31, hour, 0, second)))
    writer.close_outfile(writer.open_outfile(datetime.datetime(2017, 8, 1, 9, 0, 0)))
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "2017-07-31-08-00-01.log",
        "2017-08-01-09-00-00.log",
    ]


def test_the_usual_file():
    when = datetime.datetime(2017, 7, 31, 15, 34)
    path = WriterToLogTemplate(main.outfile).get_outfile(when)
    assert path.endswith(f"/tmp/live_trace/2017-07-31-15-34-00--pid{os.getpid()}.log")


def test_one_sample_into_a_file(tmp_path):
    path = str(tmp_path / "x.log")
    Tracer.log_stracktraces_to_file(path)
    args = ArgumentParser.Namespace()
    args.logfiles.append(path)
    counter = parser.FrameCounter(args)
    counter.read_logs()
    assert any("in test_one_sample_into_a_file" in place for place, _ in counter.frames)
    assert ArgumentParser.Namespace().logfiles == []  # of no other namespace


def test_the_standard_output(capsys):
    Tracer.log_stracktraces_to_file("-")
    assert "#END" in capsys.readouterr().out


# ------------------------------------------------------------------------------- reading


def test_counting():
    lines = (LOG * 3).splitlines(keepends=True)
    counter = counter_of(*lines)
    assert counter.count_stacks == 3
    (line,) = counter.print_counts_to_lines()
    assert line == (
        '    3 100.00% File: "/usr/lib/python3.11/threading.py", line 8, in wait\n'
        "      waiter.acquire()"
    )
    both = list(counter_of(*lines, sum_all_frames=True).print_counts_to_lines())
    assert both[-1].startswith(
        '    3 100.00% File: "/home/me/api.py", line 13, in <module>      <===='
    )


def test_a_recursion_counts_once_and_lines_without_source_count():
    frame = 'File: "<string>", line 1, in f\n'
    counter = counter_of("\n", "#START\n", frame, frame, frame, "#END\n", sum_all_frames=True)
    assert list(counter.frames.values()) == [1]
    assert counter_of("#START\n", frame, "#END\n").frames == {(frame.rstrip(), ""): 1}


def test_a_log_that_was_cut_off():
    cut = LOG.splitlines(keepends=True)[:-2]
    assert counter_of(*cut).count_stacks == 0
    assert counter_of(*cut, *LOG.splitlines(keepends=True)).count_stacks == 1


def test_so_many_lines():
    blocks = [f'#START\nFile: "a.py", line {n}, in f\n  x\n#END\n' for n in range(9)]
    lines = "".join(blocks).splitlines(keepends=True)
    assert len(list(counter_of(*lines, most_common=4).print_counts_to_lines())) == 4
    assert list(counter_of().print_counts_to_lines()) == []


def test_what_is_no_log(tmp_path):
    with pytest.raises(parser.ParseError, match="unparsed: hello"):
        counter_of("hello\n")
    with pytest.raises(OSError, match="No such file"):
        parser.read_logs(ArgumentParser().parse_args(["analyze", str(tmp_path / "none")]))


# --------------------------------------------------------------------------- the command


def run(*args, **options):
    command = [sys.executable, "-m", "marey.compat.live_trace", *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, timeout=150, **options)


@pytest.fixture
def script(tmp_path):
    """One that needs its name, its functions and its modules; it ends with status 3."""
    (tmp_path / "helper.py").write_text("import time\ndef nap():\n    time.sleep(0.5)\n")
    path = tmp_path / "work.py"
    path.write_text(
        textwrap.dedent(
            """
            import sys
            import helper
            def work():
                helper.nap()
            if __name__ == "__main__":
                work()
                print(sys.argv[1:])
                sys.exit(3)
            """
        )
    )
    return path


def test_run_and_analyze(script):
    done = run("run-and-analyze", "--interval", "0.01", "--sum-all-frames", script, "a", "-b")
    assert done.returncode == 3
    assert done.stdout.startswith("['a', '-b']\n")
    assert 'helper.py", line 3, in nap      <====' in done.stdout
    assert f'File: "{script}", line 5, in work      <====' in done.stdout
    assert done.stderr == ""


def test_run_and_then_analyze(script, tmp_path):
    done = run("run", "--out-file", tmp_path / "{:%Y}.log", "--interval", "0.01", script)
    assert done.returncode == 3
    (log,) = tmp_path.glob("2*.log")
    done = run("analyze", "-m", "1", log)
    assert done.returncode == 0
    assert "helper.py" in done.stdout
    assert len(done.stdout.splitlines()) == 2
    assert "File:" in run("run", "--out-file", "-", "--interval", "0.01", script).stdout


def test_a_log_survives_a_kill(tmp_path):
    script = tmp_path / "x.py"
    script.write_text("import os, time\ntime.sleep(0.5)\nos.kill(os.getpid(), 9)\n")
    done = run("run", "--out-file", tmp_path / "x.log", "--interval", "0.01", script)
    assert done.returncode == -signal.SIGKILL
    assert (tmp_path / "x.log").read_text().endswith("#END")


def test_a_long_interval_delays_nothing(script):
    began = time.monotonic()
    assert run("run-and-analyze", "--interval", "30", script).returncode == 3
    assert time.monotonic() - began < 20


@pytest.mark.parametrize(
    ("args", "status", "message"),
    [
        ([], 2, "usage: live-trace"),
        (["run"], 2, "the following arguments are required"),
        (["run", "no-such-script"], 1, "Command not found: no-such-script"),
        (["analyze", "/no/such/log"], 1, "No such file"),
        (["analyze", __file__], 1, "unparsed:"),
        (["analyze", "/dev/null"], 0, ""),
        (["run", "--interval", "x", "y"], 2, "invalid float value"),
    ],
)
def test_wrong_use(args, status, message):
    done = run(*args)
    assert done.returncode == status
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_reader_that_goes_away_is_no_error(tmp_path):
    log = tmp_path / "x.log"
    log.write_text("".join(LOG.replace("line 8", f"line {n}") for n in range(5000)))
    command = f"'{sys.executable}' -m marey.compat.live_trace analyze -m 5000 '{log}' | head -1"
    done = subprocess.run(
        ["sh", "-c", command], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stdout.startswith("    1 0.02%") and done.stderr == ""


def test_an_error_of_the_script_is_its_own(tmp_path):
    script = tmp_path / "x.py"
    script.write_text("raise ValueError('own')\n")
    done = run("run-and-analyze", script)
    assert done.returncode == 1
    assert "ValueError: own" in done.stderr


def test_the_version():
    assert "live-trace" in run("version").stdout


# -------------------------------------------------------------------------------- Django


@pytest.mark.parametrize(("interval", "starts"), [("0.02", True), ("None", False), ("0", False)])
def test_the_middleware_of_django(tmp_path, interval, starts):
    pytest.importorskip("django")
    program = f"""
        import django, os, sys, time
        from django.conf import settings
        from django.http import HttpResponse
        from django.urls import path
        os.environ["HOME"] = {str(tmp_path)!r}
        settings.configure(
            ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="x",
            LIVE_TRACE_INTERVAL={interval},
            MIDDLEWARE=["marey.compat.live_trace.django_middleware.LiveTraceMiddleware"] * 2,
        )
        django.setup()
        def slow(request):
            time.sleep(0.4)
            return HttpResponse("ok")
        urlpatterns = [path("", slow)]
        from django.test import Client
        assert Client().get("/").content == b"ok"
    """
    env = {**os.environ, "HOME": str(tmp_path)}
    command = [sys.executable, "-W", "error::DeprecationWarning", "-c", textwrap.dedent(program)]
    done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=60)
    assert done.returncode == 0, done.stderr
    logs = list((tmp_path / "tmp/live_trace").glob("*.log"))
    assert len(logs) == starts
    if starts:
        assert "in slow" in logs[0].read_text()
