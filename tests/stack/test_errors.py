"""What is said of processes that cannot be looked into."""

import os
import pathlib
import pwd
import shutil
import subprocess
import sys
import time

import pytest

ENOPROCESS, EPTRACE, ENOTPYTHON, EVERSION = -15, -16, -18, -19


def ended_pid():
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


@pytest.fixture
def sleeper():
    process = subprocess.Popen(["sleep", "60"])  # returns when it is no Python any more
    yield process
    process.kill()
    process.wait()


def code(seen):
    return int(seen.error.split()[0])


def test_no_such_process(outside):
    assert code(outside(ended_pid(), 1)) == ENOPROCESS
    assert code(outside(0, 1)) == ENOPROCESS


def test_one_that_ended_but_was_not_waited_for(outside):
    process = subprocess.Popen(["true"])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert code(outside(process.pid, 1)) == ENOPROCESS
    process.wait()


def test_not_python(outside, sleeper):
    assert code(outside(sleeper.pid, 1)) == ENOTPYTHON


def test_too_old_says_which(outside):
    versions = pathlib.Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser() / "versions"
    old = sorted(versions.glob("3.[678].*/bin/python3.[678]"))
    if not old:
        pytest.skip("no Python older than 3.9")
    for path in old:
        process = subprocess.Popen([str(path), "-c", "import time; time.sleep(60)"])
        try:
            time.sleep(0.3)
            seen = outside(process.pid, 1)
        finally:
            process.kill()
            process.wait()
        assert code(seen) == EVERSION
        assert seen.error.split()[1] == path.name[6:]


def test_another_users_process(build, run):
    """As a user without rights: refused, and told why."""
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        pytest.skip("no user 'nobody'")
    if os.geteuid() != 0:
        pytest.skip("has to become another user")
    running = run("recursion.py")
    done = subprocess.run(
        [str(build / "outside"), str(running.pid), "1"],
        user=nobody.pw_uid,
        group=nobody.pw_gid,
        extra_groups=[],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in (0, 1):
        pytest.skip("that user cannot reach the program")
    assert done.stdout.startswith(f"E {EPTRACE} ")
    assert "belongs to another user (uid 0" in done.stdout


def test_killed_in_the_middle(build, run):
    running = run("recursion.py")
    reader = subprocess.Popen(
        [str(build / "outside"), str(running.pid), "1000000"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    time.sleep(0.5)
    running.stop()
    output, errors = reader.communicate(timeout=60)
    assert (reader.returncode, errors) == (0, "")
    assert "\nN " in output


def test_a_stripped_copy(interpreter, build, outside, tmp_path):
    """Without any symbol or section: found by what is in memory."""
    if not (shutil.which("objcopy") and shutil.which("ldd")) or interpreter[0] == "chroot":
        pytest.skip("needs objcopy")
    listed = subprocess.run(
        ["ldd", interpreter[0]], capture_output=True, text=True, check=False
    ).stdout
    shared = [line.split()[2] for line in listed.splitlines() if "libpython" in line]
    if not shared:
        pytest.skip("no shared libpython")
    library = tmp_path / pathlib.Path(shared[0]).name
    shutil.copy(os.path.realpath(shared[0]), library)
    hide_sections(library)
    process = subprocess.Popen(
        [interpreter[0], str(pathlib.Path(__file__).parent / "programs/recursion.py")],
        env={**os.environ, "LD_LIBRARY_PATH": str(tmp_path)},
    )
    try:
        time.sleep(0.5)
        maps = pathlib.Path(f"/proc/{process.pid}/maps").read_text()
        seen = outside(process.pid, 5000)
    finally:
        process.kill()
        process.wait()
    if str(library) not in maps:
        pytest.skip("the interpreter takes its own library")
    assert not seen.error
    assert {"main", "fib"} <= seen.names


def hide_sections(path):
    """Takes the section table away, as sstrip does: e_shoff, e_shnum, e_shstrndx of the ELF
    head."""
    data = bytearray(path.read_bytes())
    assert data[:4] == b"\x7fELF"
    assert sys.byteorder == "little"
    data[0x28:0x30] = bytes(8)
    data[0x3C:0x40] = bytes(4)
    path.write_bytes(data)
