"""What the applications have to do."""

import time

SLOW_S = 0.3
KEEP_S = 0.25  # slower requests are kept
NO_ICON = '<link rel="icon" href="data:,">'  # else the browser asks for one
LOGIN = (
    f'{NO_ICON}<form method="post">'
    '<input name="name" aria-label="Name"><button>Log in</button></form>'
)
WELCOME = f"{NO_ICON}<p>welcome</p>"
TOKEN = "a token of the tests, for all"


def crunch(seconds):
    ends = time.perf_counter() + seconds
    while time.perf_counter() < ends:
        sum(range(1000))
