"""Where the bench measures: the Pythons, each with Marey and the peers installed, and the C
programs built against the library as users get it."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BENCH = ROOT / "bench"
OWN = ROOT / ".venv-bench"  # made by tools/bench.sh
WANTED = (3, 11)  # beside the newest; the others are measured with what differs most: calls
OLDEST = (3, 9)
PROGRAMS = ("spans", "footprint", "once", "threads", "samples", "large")
FLAGS = ["-std=gnu11", "-O2", "-Wall", "-Wextra"]


@dataclass
class Environment:
    """python: its interpreter. version: (3, 11). build: a folder for what is compiled for it.
    whole: everything is measured in it; else calls alone, and no peers are there."""

    python: str
    version: "tuple[int, ...]"
    build: Path
    whole: bool

    def ask(self, code: str) -> str:
        """What that Python prints."""
        return run([self.python, "-c", code])

    @property
    def name(self) -> str:
        """As in "3.11"."""
        return text_of(self.version)

    def full_version(self) -> str:
        """As in "3.11.7"."""
        return self.ask("import platform; print(platform.python_version(), end='')")


def text_of(version) -> str:
    """(3, 11) as "3.11"."""
    return ".".join(map(str, version))


def run(command, **kwargs) -> str:
    """The command's standard output; ends the program where it fails."""
    done = subprocess.run(
        [str(c) for c in command], stdout=subprocess.PIPE, text=True, cwd=ROOT, **kwargs
    )
    if done.returncode:
        sys.exit(f"bench: {' '.join(map(str, command))} failed with status {done.returncode}")
    return done.stdout


# ---- Pythons


def _version_of(python) -> "tuple[int, ...] | None":
    """None where it is no CPython with a GIL and headers that we can build for."""
    code = (
        "import os, sys, sysconfig\n"
        "assert sys.implementation.name == 'cpython'\n"
        "assert not sysconfig.get_config_var('Py_GIL_DISABLED')\n"
        "assert os.path.exists(sysconfig.get_path('include') + '/Python.h')\n"
        "print(*sys.version_info[:2])"
    )
    done = subprocess.run(
        [python, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    return tuple(map(int, done.stdout.split())) if done.returncode == 0 else None


def _candidates():
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from pyenv.glob("versions/3.*/bin/python")
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        for python in Path(folder).glob("python3.*"):
            if re.fullmatch(r"python3\.\d+", python.name):
                yield python


def _found() -> "dict[tuple[int, ...], Path]":
    """The CPythons of this machine, one of each version."""
    found = {}
    for python in _candidates():
        version = _version_of(python)
        if version and version >= OLDEST:
            found.setdefault(version, python)
    return found


def _prepared(version, python, whole) -> str:
    """The interpreter of an environment of that Python, made as tools/bench.sh makes its own."""
    venv = Path(f"{OWN.name}-{text_of(version)}")
    steps = [
        ["tools/venv.sh", venv],
        ["tools/packages.sh", venv, "tools/requirements-build.txt", venv / "done/build-packages"],
        ["tools/install.sh", venv, venv / "done/install"],
    ]
    if whole:
        steps.insert(2, ["tools/peers.sh", venv, "bench/requirements.txt", venv / "done/peers"])
    for step in steps:
        run(step, env={**os.environ, "PYTHON": str(python)})
    return str(ROOT / venv / "bin/python")


def environments() -> "list[Environment]":
    """This Python's first, then the others that are found. Whole are this, 3.11 and the newest."""
    own = sys.version_info[:2]
    found = _found()
    versions = {own, *found}
    whole = {own, WANTED, max(versions)}
    made = []
    for version in sorted(versions, key=lambda v: (v != own, v)):
        is_whole = version in whole
        python = sys.executable
        if version != own:
            python = _prepared(version, found[version], is_whole)
        made.append(Environment(python, version, OWN / "build" / text_of(version), is_whole))
    return made


# ---- building


def build_floors(environment: Environment) -> None:
    """floor.c and hook_floor.c as extension modules of that Python; the first for spans alone."""
    environment.build.mkdir(parents=True, exist_ok=True)
    include, suffix = environment.ask(
        "from sysconfig import *; print(get_path('include'), get_config_var('EXT_SUFFIX'))"
    ).split()
    for name in ("floor", "hook_floor") if environment.whole else ("hook_floor",):
        target = environment.build / f"{name}{suffix}"
        run(["cc", *FLAGS, "-fPIC", "-shared", f"-I{include}", BENCH / f"{name}.c", "-o", target])


def build_programs(environment: Environment) -> "dict[str, Path]":
    """The C programs, linked to the library inside the installed package."""
    environment.build.mkdir(parents=True, exist_ok=True)
    package = Path(
        environment.ask("import importlib.util as u; print(u.find_spec('marey').origin)").strip()
    ).parent
    library = package / "lib"
    built = {}
    for name in PROGRAMS:
        built[name] = environment.build / name
        paths = [f"-I{package / 'include'}", f"-L{library}", f"-Wl,-rpath,{library}"]
        paths += [f"-I{ROOT / 'src'}"]  # of what programs do not call, but the sampler does
        source = BENCH / f"{name}.c"
        run(["cc", *FLAGS, *paths, source, "-o", built[name], "-lmarey", "-lpthread"])
    return built
