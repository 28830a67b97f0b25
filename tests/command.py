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
