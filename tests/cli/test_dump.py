"""`marey dump`: the stacks of processes whose stacks are known, and what it says of others."""

import fcntl
import json
import os
import pty
import pwd
import re
import signal
import struct
import subprocess
import sysconfig
import termios
import time
from pathlib import Path

import pytest
import targets
from command import find_marey
from targets import marey, python

PROGRAM = """\
import threading, time

lock = threading.Lock()
lock.acquire()

def sleeps():
    time.sleep(600)

def waits():
    lock.acquire()

def deep(n):
    if n:
        deep(n - 1)
    else:
        sleeps()

threading.Thread(target=waits, daemon=True).start()
print("ready", flush=True)
deep(3)
"""

COMPUTES = """\
import threading

def computes():
    n = 0
    while True:
        n += 1

threading.Thread(target=computes, daemon=True).start()
threading.Thread(target=computes, daemon=True).start()
print("ready", flush=True)
threading.Event().wait()
"""

HOSTILE = """\
import time
def f(): time.sleep(600)
name = "\\x1b[31mred\\u202e\\n"
names = {key: name for key in ("co_name", "co_qualname") if hasattr(f.__code__, key)}
f.__code__ = f.__code__.replace(**names)
print("ready", flush=True)
f()
"""


TASKS = """\
import asyncio

async def job(number, password="hunter2"):
    rows = {"number": number, "token": "abc"}
    await asyncio.sleep(600)

async def waits(task):
    await task

async def main():
    jobs = [asyncio.create_task(job(n), name=f"job {n}") for n in range(12)]
    waiting = asyncio.create_task(waits(jobs[3]), name="waiting")
    await asyncio.sleep(0.01)
    print("ready", flush=True)
    await waiting

asyncio.run(main())
"""

NAMED = """\
import threading, time

def sleeps():
    time.sleep(600)

threading.Thread(target=sleeps, name="the reader of the \u00e9vents", daemon=True).start()
print("ready", flush=True)
sleeps()
"""


def dumped(*words):
    done = marey("dump", "--json", *words)
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.stdout.splitlines()]


def shape(thread, file):
    return [
        (frame["function"], frame["line"]) for frame in thread["frames"] if frame["file"] == file
    ]


def test_each_threads_stack(tmp_path):
    with python(tmp_path, PROGRAM, "a b") as process:
        (one,) = dumped(process.pid)
    file = str(tmp_path / "app.py")
    main, other = one["threads"]
    assert one["pid"] == process.pid
    assert one["command"][1:] == [file, "a b"]
    assert one["python"] == "{}.{}".format(*sysconfig.get_python_version().split("."))
    assert (main["tid"], main["main"], other["main"]) == (process.pid, True, False)
    calls = [("deep", 14)] * 3
    assert shape(main, file) == [("sleeps", 7), ("deep", 16), *calls, ("<module>", 20)]
    assert shape(other, file) == [("waits", 10)]
    assert [frame["first_line"] for frame in main["frames"][:2]] == [6, 12]
    assert [thread["state"] for thread in one["threads"]] == ["idle", "idle"]
    assert not any(thread["has_gil"] or thread["waits_for_gil"] for thread in one["threads"])
    assert (one["gil_is_held"], one["gil_holder"]) == (False, None)


def test_the_text_has_the_most_recent_call_first(tmp_path):
    with python(tmp_path, PROGRAM) as process:
        done = marey("dump", process.pid)
    file = tmp_path / "app.py"
    head, main, other = done.stdout.split("\n\n")
    assert head.splitlines()[0] == f"Process {process.pid}: {' '.join(process.args)}"
    assert re.fullmatch(r"Python 3\.\d+, 2 threads", head.splitlines()[1])
    assert main.splitlines() == [
        f"Thread {process.pid} (main): idle",
        f"    sleeps ({file}:7)",
        f"    deep ({file}:16)",
        *[f"    deep ({file}:14)"] * 3,
        f"    <module> ({file}:20)",
    ]
    assert re.match(r"Thread \d+ \(Thread-1.*\): idle\n    waits \(", other)
    assert (done.returncode, done.stderr) == (0, "")


def test_who_has_the_gil_and_who_waits(tmp_path):
    """Of two that compute, one has it nearly always, and the other waits for it."""
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        pytest.skip("there is no GIL")
    with python(tmp_path, COMPUTES) as process:
        seen = [dumped(process.pid)[0] for _ in range(20)]
    held = [one for one in seen if one["gil_holder"]]
    assert len(held) >= 5
    for one in held:
        (holder,) = [thread for thread in one["threads"] if thread["has_gil"]]
        assert holder["tid"] == one["gil_holder"]
        assert not holder["waits_for_gil"]
        assert shape(holder, str(tmp_path / "app.py"))[0][0] == "computes"
    waiting = [thread["waits_for_gil"] for one in held for thread in one["threads"]]
    assert sum(waiting) >= 1


def test_blocking_shows_one_moment_and_lets_go(tmp_path):
    with python(tmp_path, COMPUTES) as process:
        unstopped = 0
        for _ in range(30):
            (one,) = dumped("--blocking", process.pid)
            unstopped += "unstopped_threads" in one  # a busy machine: it said so
            assert [thread for thread in one["threads"] if thread.get("error")] == []
            assert "stopped" not in {thread["state"] for thread in one["threads"]}
            assert sum(thread["has_gil"] for thread in one["threads"]) <= 1
        assert unstopped < 20
        for task in os.listdir(f"/proc/{process.pid}/task"):
            with open(f"/proc/{process.pid}/task/{task}/stat") as stat:
                assert stat.read().rpartition(")")[2].split()[0] in "RS"


def test_a_stopped_process(tmp_path):
    with python(tmp_path, COMPUTES) as process:
        process.send_signal(signal.SIGSTOP)
        time.sleep(0.1)
        (one,) = dumped(process.pid)
        process.send_signal(signal.SIGCONT)
    assert {thread["state"] for thread in one["threads"]} == {"stopped"}
    assert one["threads"][1]["frames"][0]["function"] == "computes"


def test_threads_have_the_names_that_the_program_gave(tmp_path):
    with python(tmp_path, NAMED) as process:
        (one,) = dumped(process.pid)
        text = marey("dump", process.pid).stdout
    assert [thread["name"] for thread in one["threads"]] == [
        "MainThread",
        "the reader of the \u00e9vents",
    ]
    assert "(the reader of the \u00e9vents): idle" in text


def test_asyncio_tasks_and_what_they_await(tmp_path):
    with python(tmp_path, TASKS) as process:
        (one,) = dumped(process.pid)
        text = marey("dump", process.pid).stdout
    file = str(tmp_path / "app.py")
    tasks = {task["name"]: task for task in one["tasks"]}
    assert len(tasks) == 14
    ids = {task["id"]: name for name, task in tasks.items()}
    assert {task["state"] for task in tasks.values()} == {"waiting"}
    assert shape(tasks["job 3"], file) == [("job", 5)]
    assert tasks["job 3"]["frames"][0]["function"] == "sleep"
    assert [ids[task] for task in tasks["job 3"]["awaited_by"]] == ["waiting"]
    assert tasks["job 4"]["awaited_by"] == []
    assert shape(tasks["waiting"], file) == [("waits", 8)]
    assert [ids[task] for task in tasks["waiting"]["awaited_by"]] == ["Task-1"]
    assert "\n14 asyncio tasks\n" in text
    assert re.search(r"Task job 0 and 11 more like it: waits\n    sleep \(.*\n    job \(", text)
    assert "Task waiting: waits; awaited by Task-1\n    waits (" in text


def test_locals(tmp_path):
    with python(tmp_path, TASKS) as process:
        (one,) = dumped("--locals", process.pid)
        text = marey("dump", "--locals", process.pid).stdout
        assert "locals" not in dumped(process.pid)[0]["tasks"][0]["frames"][0]
    (job,) = [task for task in one["tasks"] if task["name"] == "job 7"]
    found = {each["name"]: (each["value"], each["kind"]) for each in job["frames"][-1]["locals"]}
    assert found == {
        "number": ("7", "argument"),
        "password": ("***", "argument"),
        "rows": ("{'number': 7, 'token': ***}", "local"),
    }
    assert "        number = 7\n        password = ***\n        rows = {'number': 7, " in text
    assert "hunter2" not in text


def test_several_processes(tmp_path):
    with python(tmp_path, PROGRAM) as one, python(tmp_path, PROGRAM) as two:
        assert [seen["pid"] for seen in dumped(one.pid, two.pid)] == [one.pid, two.pid]
        gone = targets.ended_pid()
        done = marey("dump", one.pid, gone, two.pid)
    assert done.returncode == 2
    assert done.stdout.count("Process ") == 2
    assert done.stderr == f"marey dump: {gone}: there is no such process\n"


def test_a_hostile_name_is_harmless(tmp_path):
    with python(tmp_path, HOSTILE) as process:
        done = marey("dump", process.pid)
    assert "    ?[31mred\\u202e? (" in done.stdout


def on_terminal(columns, *words):
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    env = {**os.environ, "TERM": "xterm"}
    env.pop("NO_COLOR", None)
    env.pop("COLUMNS", None)
    subprocess.run([find_marey(), *map(str, words)], stdout=slave, env=env, check=True, timeout=60)
    os.close(slave)
    shown = b""
    while True:
        try:
            part = os.read(master, 65536)
        except OSError:
            break
        shown += part
    os.close(master)
    return shown.decode().replace("\r\n", "\n")


def test_a_terminal_gets_colours_and_lines_that_fit(tmp_path):
    folder = tmp_path / ("long-" * 20)
    folder.mkdir()
    with python(folder, PROGRAM) as process:
        shown = on_terminal(80, "dump", process.pid)
    assert shown.startswith("\x1b[1mProcess")
    lines = re.sub(r"\x1b\[\d*m", "", shown).splitlines()
    assert max(map(len, lines)) <= 80
    assert "    sleeps (.../app.py:7)" in lines


# ---- what cannot be looked into


def refused(pid, status=2):
    done = marey("dump", pid)
    assert (done.returncode, done.stdout) == (status, "")
    return done.stderr


def test_no_such_process():
    pid = targets.ended_pid()
    assert refused(pid) == f"marey dump: {pid}: there is no such process\n"


def test_one_that_has_ended():
    process = subprocess.Popen(["true"])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert "(true): it has ended; its parent has not noticed yet" in refused(process.pid)
    process.wait()


def test_a_thread_is_no_process(tmp_path):
    with python(tmp_path, PROGRAM) as process:
        (tid,) = {int(task) for task in os.listdir(f"/proc/{process.pid}/task")} - {process.pid}
        said = refused(tid)
        attach = marey("attach", tid)
    assert re.fullmatch(
        rf"marey dump: {tid} \(.*\): this is a thread of process {process.pid}: name the process\n",
        said,
    )
    assert (attach.returncode, attach.stderr) == (2, said.replace("dump", "attach"))


def test_one_of_the_kernels():
    if Path("/proc/2/comm").read_text() != "kthreadd\n":
        pytest.skip("there are none in this namespace")
    assert "2 (kthreadd): it has no memory: it is one of the kernel's" in refused(2)


@pytest.mark.parametrize("word", ["0", "-3", "app.py", "99999999999", "12x", ""])
def test_no_number(word):
    done = marey("dump", "--", word)
    assert done.returncode == 2
    assert f"'{word}' is no process number" in done.stderr


def test_not_python():
    with targets.started(["sh", "-c", "echo ready; sleep 600; true"]) as process:
        try:
            said = refused(process.pid)
        finally:
            subprocess.run(["pkill", "-P", str(process.pid)], check=True)
    assert said == f"marey dump: {process.pid} (sh): there is no Python in it\n"


def test_not_python_but_its_child_is(tmp_path):
    (tmp_path / "app.py").write_text(PROGRAM)
    shell = f"'{targets.sys.executable}' '{tmp_path}/app.py'; true"
    with targets.started(["sh", "-c", shell]) as process:
        try:
            lines = refused(process.pid).splitlines()
        finally:
            subprocess.run(["pkill", "-P", str(process.pid)], check=True)
    assert lines[0] == f"marey dump: {process.pid} (sh): there is no Python in it"
    assert re.fullmatch(r"hint: its child \d+ \(.*python.*\) runs Python", lines[1])


def test_python_that_has_not_started():
    """A library of Python in a process that does not run it."""
    library = os.path.join(*sysconfig.get_config_vars("LIBDIR", "INSTSONAME"))
    if not (library.endswith(".1.0") and os.path.exists(library)):
        pytest.skip("this Python has no shared library")
    env = {**os.environ, "LD_PRELOAD": library}
    with subprocess.Popen(["sleep", "600"], env=env) as process:
        try:
            time.sleep(0.3)
            said = refused(process.pid)
        finally:
            process.kill()
    assert "(sleep): its Python has not started yet, or is ending; try again" in said


def test_a_python_that_is_too_new(tmp_path):
    with targets.later_python(tmp_path, 42) as process:
        said = refused(process.pid)
    assert said == (
        f"marey dump: {process.pid} (later): Python 3.42, which is too new: 3.9 to 3.15 are known\n"
    )


def test_another_users_process(tmp_path):
    with targets.as_nobody() as (command, options), python(tmp_path, PROGRAM) as process:
        done = subprocess.run(
            [command, "dump", str(process.pid)], capture_output=True, text=True, **options
        )
    assert (done.returncode, done.stdout) == (2, "")
    assert "belongs to another user (uid 0, this one is" in done.stderr
    assert "run as that user, or as root" in done.stderr


def test_root_without_the_right_to_trace():
    """As in a container: to be root is no way out then."""
    if os.geteuid() != 0:
        pytest.skip("has to be root")
    nobody = pwd.getpwnam("nobody")
    with subprocess.Popen(["sleep", "600"], user=nobody.pw_uid, extra_groups=[]) as process:
        try:
            done = marey("dump", process.pid, preexec_fn=targets.without_right_to_trace)
        finally:
            process.kill()
    assert (done.returncode, done.stdout) == (2, "")
    assert f"belongs to another user (uid {nobody.pw_uid}, this one is 0): run as" in done.stderr
    assert "--cap-add=SYS_PTRACE" in done.stderr
    assert "as root" not in done.stderr


@pytest.mark.parametrize(
    ("scope", "words"),
    [
        (0, "may not be read: it has more rights than this one, or this is a container without"),
        (1, "read by its parents or by root only (kernel.yama.ptrace_scope is 1): run as root, st"),
        (3, "other processes until it is restarted (kernel.yama.ptrace_scope is 3)"),
    ],
)
def test_the_kernels_scope_of_tracing(scope, words):
    """A process of the same user may not be read, for it has a right that the reader lacks; why
    it may not is told by the scope, which a mount of our own says."""
    nobody = "setpriv --reuid=nobody --regid=nogroup --clear-groups --inh-caps"
    other = f"{nobody} +net_raw --ambient-caps=+net_raw sh -c".split()
    with (
        targets.as_nobody() as (command, _),
        targets.started([*other, "echo ready; exec sleep 600"]) as process,
    ):
        look = f"""
            mount -t tmpfs none /proc/sys/kernel && mkdir /proc/sys/kernel/yama &&
            echo {scope} >/proc/sys/kernel/yama/ptrace_scope &&
            exec {nobody}=-all --bounding-set=-all {command} dump {process.pid}
        """
        namespace = ["unshare", "--mount", "--propagation=private", "sh", "-c", look]
        done = subprocess.run(namespace, capture_output=True, text=True, timeout=60)
    if "permission denied" in done.stderr:
        pytest.skip("may not mount")
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr


def test_options():
    assert "which process?" in refused_words("dump")
    assert "Did you mean '--json'?" in refused_words("dump", "--jsn", "1")
    assert "dump [OPTIONS] PID" in marey("dump", "--help").stdout


def refused_words(*words):
    done = marey(*words)
    assert (done.returncode, done.stdout) == (2, "")
    return done.stderr
