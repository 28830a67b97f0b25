"""A web server that says what it spends its time on.

    python hot_server.py             # serves on port 8000
    curl localhost:8000/primes/50000 # work
    curl localhost:8000/words/3000   # other work
    curl localhost:8000/hot          # the functions that it was in
    curl localhost:8000/tree         # and who called them
    curl localhost:8000/folded | flamegraph.pl > flame.svg
    kill -USR1 PID                   # all stacks, on standard error

The sampler is on as long as the server lives: it costs little, and its memory has a limit. It is no
thread of Python's, and takes no lock of Python's: so it sees a server that is stuck, too.
"""

import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import marey

sampler = marey.Sampler(hz=100, lines=True)


def primes(limit):
    """How many there are below a limit, by trial division: slow on purpose."""
    return sum(all(n % d for d in range(2, int(n**0.5) + 1)) for n in range(2, limit))


def words(count):
    """A text that grows by copying, and the words in it."""
    text = ""
    for number in range(count):
        text = text + f"word{number} "
    return len(set(text.split()))


def stats():
    s = sampler.stats()
    return (
        f"{s.samples} samples of {s.threads} threads in {s.duration:.1f} s, "
        f"{s.achieved_hz:.0f} a second of {s.hz:.0f}; late {s.jitter * 1e6:.0f} us, "
        f"missed {s.missed}, torn {s.torn}; {s.cost:.2%} of a core"
    )


PAGES = {
    "hot": lambda: sampler.hot(20),
    "tree": sampler.tree,
    "folded": sampler.folded,
    "stats": stats,
}
WORK = {"primes": primes, "words": words}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        name, _, argument = self.path[1:].partition("/")
        if name in PAGES and not argument:
            self.answer(200, PAGES[name]())
        elif name in WORK and argument.isdecimal() and len(argument) < 7:
            self.answer(200, WORK[name](int(argument)))
        else:
            known = [f"/{page}" for page in PAGES] + [f"/{work}/NUMBER" for work in WORK]
            self.answer(404, "there is " + ", ".join(known))

    def answer(self, status, content):
        body = f"{content}\n".encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


def main():
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8000
    marey.dump_on(signal.SIGUSR1)
    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    with sampler:
        print(f"http://127.0.0.1:{server.server_port}/hot", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
