"""Pythons of every kind: how they were built, started, and where they are seen from."""

import contextlib
import os
import pathlib
import re
import shutil
import subprocess
import time

import pytest
import sampled

PROGRAMS = pathlib.Path(__file__).parent / "programs"
RECURSION = PROGRAMS / "recursion.py"
EVERSION = -19
ROUNDS = 5000


@contextlib.contextmanager
def started(command, **options):
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, **options)
    try:
        sampled.settle(process.pid)
        assert process.poll() is None, process.returncode
        yield process
    finally:
        process.kill()
        process.wait()


def ask(interpreter, code):
    return subprocess.run(
        [*interpreter, "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()


def minor(interpreter):
    return int(ask(interpreter, "import sys; print(sys.version_info[1])"))


def own_root(interpreter):
    if interpreter[0] == "chroot":
        pytest.skip("has a root of its own")


def shared_library(interpreter):
    own_root(interpreter)
    listed = subprocess.run(["ldd", interpreter[0]], capture_output=True, text=True, check=True)
    found = [line.split()[2] for line in listed.stdout.splitlines() if "libpython" in line]
    if not found:
        pytest.skip("the interpreter is not a shared library")
    return pathlib.Path(os.path.realpath(found[0])), pathlib.Path(found[0]).name


def descendants(pid):
    found = []
    with contextlib.suppress(FileNotFoundError):
        for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            found += [int(child), *descendants(child)]
    return found


def check_recursion(seen):
    assert not seen.error
    assert "main" in seen.names
    assert {"fib", "even"} & seen.names
    assert all(frames[0].name == "<module>" for _, _, frames in seen.stacks if frames)


def test_a_virtual_environment(interpreter, outside, tmp_path):
    own_root(interpreter)
    venv = [*interpreter, "-m", "venv", "--without-pip", str(tmp_path / "venv")]
    if subprocess.run(venv, capture_output=True, check=False).returncode:
        pytest.skip("has no venv")
    with started([tmp_path / "venv/bin/python", str(RECURSION)]) as process:
        check_recursion(outside(process.pid, ROUNDS))


def test_files_that_were_removed(interpreter, outside, tmp_path):
    """What an upgrade does to a program that runs on."""
    program = tmp_path / "python"
    if interpreter[0] == "chroot":
        pytest.skip("has a root of its own")
    shutil.copy(os.path.realpath(interpreter[0]), program)
    home = ask(interpreter, "import sys; print(sys.base_prefix)")
    environment = {**os.environ, "PYTHONHOME": home, "LD_LIBRARY_PATH": str(tmp_path)}
    listed = subprocess.run(["ldd", interpreter[0]], capture_output=True, text=True, check=True)
    for path in re.findall(r"=> (\S*libpython\S*)", listed.stdout):
        shutil.copy(os.path.realpath(path), tmp_path / pathlib.Path(path).name)
    with started([program, str(RECURSION)], env=environment) as process:
        for path in tmp_path.iterdir():
            if path.is_file():
                path.unlink()
        check_recursion(outside(process.pid, ROUNDS))


def test_files_that_were_replaced(interpreter, outside, tmp_path):
    """By others, whose symbols are elsewhere."""
    library, name = shared_library(interpreter)
    shutil.copy(library, tmp_path / name)
    environment = {**os.environ, "LD_LIBRARY_PATH": str(tmp_path)}
    with started([*interpreter, str(RECURSION)], env=environment) as process:
        if str(tmp_path) not in pathlib.Path(f"/proc/{process.pid}/maps").read_text():
            pytest.skip("the interpreter takes its own library")
        (tmp_path / name).unlink()
        shutil.copy("/bin/true", tmp_path / name)
        check_recursion(outside(process.pid, ROUNDS))


def test_another_pid_namespace(interpreter, outside):
    if os.geteuid() != 0 or not shutil.which("unshare"):
        pytest.skip("needs root and unshare")
    command = ["unshare", "--mount", "--pid", "--fork", *interpreter]
    program = RECURSION
    if interpreter[0] == "chroot":
        program = pathlib.Path("/tmp", f"marey-{os.getpid()}-kinds.py")
        shutil.copy(RECURSION, interpreter[1] + str(program))
    with started([*command, str(program)]) as process:
        inside = descendants(process.pid)
        try:
            sampled.settle(inside[-1])
            seen = outside(inside[-1], ROUNDS)
        finally:
            for pid in inside:
                os.kill(pid, 9)
    check_recursion(seen)
    assert {tid for tid, _, _ in seen.stacks} == {inside[-1]}


def test_embedded_in_a_c_program(interpreter, outside, tmp_path):
    own_root(interpreter)
    config = pathlib.Path(interpreter[0] + "-config")
    if not config.exists() or not shutil.which("cc"):
        pytest.skip("no headers of this Python, or no compiler")
    flags = subprocess.run(
        [config, "--embed", "--cflags", "--ldflags"], capture_output=True, text=True, check=True
    ).stdout.split()
    program = tmp_path / "app"
    build = ["cc", "-w", PROGRAMS / "embedded.c", "-o", program, *flags]
    library = ask(interpreter, "import sysconfig; print(sysconfig.get_config_var('LIBDIR'))")
    if subprocess.run([*build, f"-Wl,-rpath,{library}"], check=False).returncode:
        pytest.skip("cannot be linked to")
    with started([program, str(RECURSION)]) as process:
        check_recursion(outside(process.pid, ROUNDS))


def test_interpreters_within_the_process(interpreter, outside, run):
    if minor(interpreter) < 12:
        pytest.skip("before 3.12 they share the GIL and change in the middle of a thread")
    running, wanted, names = run("subinterpreters.py"), {"main", "leaf", "other_work"}, set()
    end = time.monotonic() + 60  # without a GIL others let it begin late
    while not wanted <= names and time.monotonic() < end:
        seen = outside(running.pid, ROUNDS)
        assert not seen.error
        for _, _, frames in seen.stacks:
            own = {frame.name for frame in frames}
            assert not {"main", "other_work"} <= own
            assert "deeper" not in own or "other_work" in own
        names |= seen.names
    assert wanted <= names


def cookie_of(pid):
    """Where the process's _Py_DebugOffsets is."""
    with open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines():
            area, rights = line.split()[:2]
            start, end = (int(part, 16) for part in area.split("-"))
            if rights.startswith("rw") and ("python" in line or "app" in line):
                memory.seek(start)
                at = memory.read(end - start).find(b"xdebugpy")
                if at >= 0:
                    return start + at
    return None


def set_version(pid, version):
    with open(f"/proc/{pid}/mem", "r+b", 0) as memory:
        memory.seek(cookie_of(pid) + 8)
        memory.write(version.to_bytes(8, "little"))


def test_a_version_that_is_not_known_yet(interpreter, outside, run):
    """It says where it keeps things, as the newest that is known does."""
    if minor(interpreter) < 15:
        pytest.skip("says less of itself than the newest version that is known")
    running = run("recursion.py")
    set_version(running.pid, 0x03100000)
    seen = outside(running.pid, ROUNDS)
    assert seen.version == "3.16"
    check_recursion(seen)


def test_one_that_keeps_things_otherwise_is_refused(interpreter, outside, run):
    """Offsets that mean something else do not pass for a stack."""
    if minor(interpreter) != 13:
        pytest.skip("needs one whose offsets are another's")
    running = run("recursion.py")
    set_version(running.pid, 0x03110000)
    seen = outside(running.pid, 100)
    assert seen.error or not seen.stacks


@pytest.mark.parametrize("server", ["gunicorn", "uwsgi"])
def test_workers_of_a_server(outside, tmp_path, server):
    if not shutil.which(server):
        pytest.skip(f"needs {server} on PATH")
    (tmp_path / "served.py").write_text(
        "import threading, time\n"
        "def spin():\n    while True:\n        sum(range(100))\n"
        "def application(environ, start_response):\n    pass\n"
        "threading.Thread(target=spin, daemon=True).start()\n"
    )
    command = {
        "gunicorn": ["gunicorn", "-w", "2", "-b", "127.0.0.1:0", "served:application"],
        "uwsgi": [
            *["uwsgi", "--http-socket", "127.0.0.1:0", "--master", "-p", "2", "--enable-threads"],
            *["--lazy-apps", "--need-app", "--die-on-term", "-w", "served"],
        ],
    }[server]
    with started(command, cwd=tmp_path, stderr=subprocess.DEVNULL) as process:
        time.sleep(2)
        workers = descendants(process.pid)
        assert workers
        for pid in workers:
            seen = outside(pid, ROUNDS)
            assert not seen.error
            assert "spin" in seen.names
        for pid in workers:
            os.kill(pid, 9)
