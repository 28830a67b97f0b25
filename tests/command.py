"""Where the command `marey` is, for tests."""

import os
import shutil
import subprocess
import sys
from pathlib import Path


def find_marey():
    """Installed beside this Python, else of the build in $MAREY_BUILD, else of the PATH."""
    build = os.environ.get("MAREY_BUILD")
    places = [Path(sys.executable).parent / "marey"]
    if build:
        places.append(Path(build) / "bin" / "marey")
    found = next((str(place) for place in places if place.exists()), shutil.which("marey"))
    assert found, "the command 'marey' is not installed"
    return found


def peak_memory(*words):
    """The most memory, in bytes, that `marey WORDS` took; it has to succeed."""
    program = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True);"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)"
    )
    command = [sys.executable, "-c", program, find_marey(), *map(str, words)]
    return int(subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=120).stdout)


UNRECORDED = {name: value for name, value in os.environ.items() if name != "MAREY_TRACE"}


def run_program(*words, cwd, status=0, **environment):
    """The standard output of a program that ends with `status`, outside any recording."""
    done = subprocess.run(
        [str(word) for word in words],
        cwd=cwd,
        env={**UNRECORDED, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == status, f"{words}: {done.stdout}\n{done.stderr}"
    return done.stdout


def run_pytest(folder, *words):
    """(exit status, output) of a pytest of its own on the tests in a folder."""
    (folder / "pytest.ini").write_text("[pytest]\n")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "MAREY"))}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done.returncode, done.stdout + done.stderr
