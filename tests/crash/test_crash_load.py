"""The library, loaded and let go of by a program that is not linked to it."""

import subprocess
import sys

import pytest
from crash.look import BUILD, environment, look, sanitized

PROGRAM = """
import _ctypes, ctypes, sys, threading
library = ctypes.CDLL(sys.argv[1])
assert library.marey_open(sys.argv[2].encode(), None) == 0
recorded, closed = threading.Event(), threading.Event()

def record():
    library.marey_attribute_number(b"number", ctypes.c_int64(7))
    recorded.set()
    closed.wait()

thread = threading.Thread(target=record)
thread.start()
recorded.wait()
assert library.marey_close() == 0
_ctypes.dlclose(library._handle)
closed.set()
thread.join()
"""


@pytest.mark.skipif(sanitized(), reason="a sanitizer must be loaded first")
def test_a_thread_that_recorded_ends_after_the_library_was_let_go_of(tmp_path):
    trace = tmp_path / "t.perfetto-trace"
    command = [sys.executable, "-c", PROGRAM, BUILD / "lib" / "libmarey.so", trace]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done
    assert look(trace).attributes["number"] == 7
