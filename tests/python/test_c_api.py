"""What the wheel gives to C: header, library, pkg-config and CMake package files."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from perfetto.protos.perfetto.trace import perfetto_trace_pb2

import marey

PACKAGE = Path(marey.__file__).parent
LIBRARY = PACKAGE / "lib" / "libmarey.so"
EXTENSIONS = [next(PACKAGE.glob(f"{name}*.so")) for name in ("_marey", "_page")]
COMMAND = Path(sys.executable).parent / "marey"

PROGRAM = r"""
#include <marey.h>
#include <stdio.h>

int main(int argc, char **argv) {
    int error = argc == 2 ? marey_open(argv[1], NULL) : MAREY_EINVAL;
    if (error) {
        fprintf(stderr, "%s\n", marey_strerror(error));
        return 1;
    }
    marey_begin("written in C", MAREY_I64("answer", 42));
    marey_end();
    return marey_close() ? 1 : 0;
}
"""

CMAKE_PROJECT = """
cmake_minimum_required(VERSION 3.20)
project(user C)
find_package(Marey 0.1 REQUIRED)
add_executable(user user.c)
target_link_libraries(user PRIVATE Marey::marey)
"""


def run(*command, **options):
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, check=False, **options
    )
    assert done.returncode == 0, f"{command}: {done.stdout}\n{done.stderr}"
    return done.stdout


def needs(*programs):
    missing = [program for program in programs if not shutil.which(program)]
    return pytest.mark.skipif(bool(missing), reason=f"needs {', '.join(missing)}")


def names_recorded_by(program, path):
    """The names of the spans that `program` recorded into the file `path`."""
    run(program, path)
    trace = perfetto_trace_pb2.Trace()
    trace.ParseFromString(path.read_bytes())
    return {name.name for packet in trace.packet for name in packet.interned_data.event_names} | {
        packet.track_event.name for packet in trace.packet if packet.HasField("track_event")
    }


@pytest.fixture(params=["in place", "moved"])
def package(request, tmp_path):
    """The package's folder; once as installed, once copied to where it was not installed."""
    if request.param == "in place":
        return PACKAGE
    return Path(shutil.copytree(PACKAGE, tmp_path / "else where" / "marey"))


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "user.c"
    path.write_text(PROGRAM)
    return path


def test_include_folder_holds_the_header():
    header = Path(marey.get_include()) / "marey.h"
    assert f'#define MAREY_VERSION "{marey.__version__}"' in header.read_text()


@needs("cc", "pkg-config")
def test_a_program_builds_by_pkg_config(package, source, tmp_path):
    env = {**os.environ, "PKG_CONFIG_PATH": str(package / "lib" / "pkgconfig")}
    assert run("pkg-config", "--modversion", "marey", env=env).strip() == marey.__version__
    flags = run("pkg-config", "--cflags", "--libs", "marey", env=env).strip()
    # By a shell, because pkg-config quotes for one.
    run("sh", "-c", f"cc -Wall -Wextra -Werror {source.name} -o user {flags}", cwd=tmp_path)
    assert "written in C" in names_recorded_by(tmp_path / "user", tmp_path / "c.perfetto-trace")


@needs("cc", "cmake")
def test_a_program_builds_by_find_package(package, source, tmp_path):
    (tmp_path / "CMakeLists.txt").write_text(CMAKE_PROJECT)
    run("cmake", "-S", tmp_path, "-B", tmp_path / "build", f"-DCMAKE_PREFIX_PATH={package}")
    run("cmake", "--build", tmp_path / "build")
    user = tmp_path / "build" / "user"
    assert "written in C" in names_recorded_by(user, tmp_path / "c.perfetto-trace")


@needs("readelf")
def test_shared_libraries_needed_are_those_of_the_system():
    of_extensions = r"libmarey\.so|libc\.so|libm\.so|libpthread|ld-linux"
    allowed = {
        LIBRARY: r"libc\.so|libpthread|ld-linux",
        COMMAND: r"libc\.so|libm\.so|libdl|libpthread|ld-linux",
        **dict.fromkeys(EXTENSIONS, of_extensions),
    }
    for path, pattern in allowed.items():
        needed = re.findall(r"\(NEEDED\).*\[(.*)\]", run("readelf", "-d", path))
        assert needed and not [name for name in needed if not re.match(pattern, name)], path


@needs("readelf")
def test_extensions_find_the_library_beside_them_and_nothing_else_is_searched():
    for path in (*EXTENSIONS, LIBRARY, COMMAND):
        expected = ["$ORIGIN/lib"] if path in EXTENSIONS else []
        assert re.findall(r"R(?:UN)?PATH\).*\[(.*)\]", run("readelf", "-d", path)) == expected, path


@needs("nm")
def test_the_library_exports_only_its_own_names():
    symbols = re.findall(r" [A-Z] (\w+)", run("nm", "-D", "--defined-only", LIBRARY))
    assert "marey_open" in symbols
    assert not [name for name in symbols if not name.startswith("marey_")]


@needs("nm")
def test_every_function_of_the_header_is_in_the_library():
    header = (Path(marey.get_include()) / "marey.h").read_text()
    declared = set(re.findall(r"^(?:extern )?MAREY_API [^;(]*?\b(marey_\w+)[(;]", header, re.M))
    exported = set(re.findall(r" [A-Z] (\w+)", run("nm", "-D", "--defined-only", LIBRARY)))
    assert len(declared) > 40
    assert declared <= exported, declared - exported


def test_nothing_installed_names_the_machine_that_built_it():
    root = str(Path(__file__).parents[2]).encode()
    files = [
        path for path in PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts
    ]
    assert not [path for path in [*files, COMMAND] if root in path.read_bytes()]


def test_a_python_and_its_c_code_share_one_library(tmp_path):
    """C code of the process that links libmarey.so records into the session that Python opened."""
    code = (
        "import ctypes, marey\n"
        f"library = ctypes.CDLL({str(LIBRARY)!r})\n"
        f"with marey.record({str(tmp_path / 'one.perfetto-trace')!r}):\n"
        "    info = ctypes.create_string_buffer(8192)\n"
        "    assert library.marey_status(info) == 0, 'the library sees no recording'\n"
    )
    run(sys.executable, "-c", code)


def test_the_autostart_file_is_silent_without_a_session():
    env = {name: value for name, value in os.environ.items() if name != "MAREY_TRACE"}
    code = "import sys; print('marey' in sys.modules)"
    assert run(sys.executable, "-c", code, env=env).strip() == "False"
