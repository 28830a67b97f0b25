"""`python -m marey ...` is the `marey` command of this installation."""

from __future__ import annotations

import os
import sys


def _candidates() -> list[str]:
    """Where the command may be, the likeliest first: what the installation recorded, then the
    scripts' folders.
    """
    import sysconfig
    from importlib.metadata import PackageNotFoundError, files

    found = []
    try:
        for file in files("marey") or ():
            if file.name == "marey" and file.parent.name in ("bin", "scripts"):
                found.append(os.path.realpath(str(file.locate())))
    except PackageNotFoundError:
        pass
    for scheme in (None, "posix_user"):
        folder = sysconfig.get_path("scripts", scheme) if scheme else sysconfig.get_path("scripts")
        found.append(os.path.join(folder, "marey"))
    return found


def main() -> int:
    """Become the command. Returns only where there is none."""
    for path in _candidates():
        if os.access(path, os.X_OK):
            os.execv(path, ["marey", *sys.argv[1:]])
    print("marey: the command is not installed beside this Python package", file=sys.stderr)
    print("hint: install Marey again (pip install --force-reinstall marey)", file=sys.stderr)
    return 127


if __name__ == "__main__":
    sys.exit(main())
