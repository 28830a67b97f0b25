"""Interpreters to be looked into, the programs that do it, and how they are run."""

import functools
import itertools
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

import pytest
import sampled
import stack_oracle

HERE = pathlib.Path(__file__).parent
MINORS = range(9, 20)
NOT_PYTHON, NOT_YET = -18, -20


def installed():
    """{'3.9': argv, ...}: the interpreters on PATH and of pyenv, those without a GIL as '3.13t',
    and those in another root ($MAREY_TEST_ROOT)."""
    found = {}
    versions = pathlib.Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser() / "versions"
    for minor, kind in itertools.product(MINORS, ("", "t")):
        name = f"python3.{minor}{kind}"
        own = [
            path
            for path in sorted(versions.glob(f"3.{minor}.*/bin/{name}"))
            if path.parent.parent.name.endswith("t") == bool(kind)
        ]
        path = str(own[-1]) if own else shutil.which(name)
        # pyenv's shim is there for versions that are not chosen, and says so only when it runs
        if (
            path
            and subprocess.run([path, "-c", ""], capture_output=True, check=False).returncode == 0
        ):
            found[f"3.{minor}{kind}"] = [path]
    system = pathlib.Path("/usr/bin/python3").resolve()  # its interpreter is part of the program
    if system.exists() and [str(system)] not in found.values():
        found[f"{system.name[6:]}-system"] = [str(system)]
    root = os.environ.get("MAREY_TEST_ROOT")
    if root and os.geteuid() == 0:
        for path in sorted(pathlib.Path(root, "usr/bin").glob("python3.[0-9]*")):
            if re.fullmatch(r"python3\.\d+(t|-dbg)?", path.name):
                found[f"{path.name[6:]}-root"] = ["chroot", root, f"/usr/bin/{path.name}"]
    return found


INTERPRETERS = installed()


@pytest.fixture(
    params=INTERPRETERS or [pytest.param(None, marks=pytest.mark.skip(reason="no interpreter"))]
)
def interpreter(request):
    return INTERPRETERS[request.param]


@pytest.fixture
def has_gil(interpreter):
    """Free-threaded builds have none."""
    code = "import sys; sys.exit(not getattr(sys, '_is_gil_enabled', lambda: True)())"
    return subprocess.run([*interpreter, "-c", code], check=False).returncode == 0


@pytest.fixture(scope="session")
def build():
    path = (
        pathlib.Path(os.environ.get("MAREY_BUILD", HERE.parent.parent / "build/dev"))
        / "tests/stack"
    )
    if not (path / "outside").exists():
        pytest.skip("needs the C test programs: make dev")
    return path


def in_root(argv, path, name):
    """A program's path as the interpreter sees it; copied into its root where that is another."""
    if argv[0] != "chroot":
        return path
    target = pathlib.Path(argv[1], "tmp", name)
    shutil.copy(path, target)
    return pathlib.Path("/tmp", name)


class Running:
    """A program that runs in an interpreter until the end of the test."""

    def __init__(self, argv, program, *arguments):
        self.seen_path = in_root(argv, program, f"marey-{os.getpid()}-{program.name}")
        command = [*argv, str(self.seen_path), *map(str, arguments)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        self.pid = self.process.pid
        sampled.settle(self.pid)
        assert self.process.poll() is None

    def stop(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(timeout=60)


@pytest.fixture
def run(interpreter):
    running = []

    def start(name, *arguments):
        running.append(Running(interpreter, HERE / "programs" / name, *arguments))
        return running[-1]

    yield start
    for one in running:
        one.stop()


@pytest.fixture
def outside(build):
    """outside(pid, rounds): what is seen of a process from outside."""

    def read(pid, rounds):
        done = subprocess.run(
            [str(build / "outside"), str(pid), str(rounds)],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode in (0, 1), done
        return stack_oracle.parse(done.stdout)

    return read


@pytest.fixture
def sample(build):
    """sample(pid, seconds, hz, *options): what the sampler hands over; `sample.start` does not
    wait for it."""

    def take(*arguments):
        for _ in range(5):
            seen = take.start(*arguments).result()
            if seen.counts["error"] not in (NOT_PYTHON, NOT_YET):
                break
            time.sleep(sampled.SETTLE_SECONDS)  # a busy machine takes its time to start it
        return seen

    take.start = functools.partial(sampled.Sampler, build / "sampler")
    return take
