"""Where the command `marey` is, for tests."""

import os
import shutil
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
