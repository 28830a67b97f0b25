"""Where the C library's files are, for programs that are built against it."""

from __future__ import annotations

import os

_HERE = os.path.dirname(os.path.abspath(__file__))


def get_include() -> str:
    """The folder of marey.h."""
    return os.path.join(_HERE, "include")


def get_lib_dir() -> str:
    """The folder of libmarey.so; its pkgconfig folder is below."""
    return os.path.join(_HERE, "lib")


def get_cmake_dir() -> str:
    """The folder for CMAKE_PREFIX_PATH or Marey_DIR."""
    return os.path.join(_HERE, "lib", "cmake", "Marey")
