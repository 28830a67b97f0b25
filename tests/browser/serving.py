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
        self.url = self.process.stdout.readline().strip()
        if not re.fullmatch(r"http://127\.0\.0\.1:\d+/\w+/", self.url):
            self.end()
            raise AssertionError(self.url)

    def end(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
