"""`marey view`, for tests of its page."""

import re
import subprocess

from command import find_marey


class View:
    """`marey view` of a file, at .url."""

    def __init__(self, path):
        self.process = subprocess.Popen(
            [find_marey(), "view", "--no-browser", str(path)], stdout=subprocess.PIPE, text=True
        )
        line = self.process.stdout.readline().strip()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\w+/", line), line
        self.url = line

    def end(self):
        self.process.terminate()
        self.process.wait(20)
        self.process.stdout.close()
