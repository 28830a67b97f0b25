"""A proxy that has an application below a prefix, as nginx does:
`location /shop/ { proxy_pass http://it/; }`, or, where it takes nothing away,
`proxy_pass http://it;`.
"""

import contextlib
import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

PREFIX = "/shop/"
OWN = {"connection", "transfer-encoding", "keep-alive", "date", "server"}  # of one connection


class Proxy:
    """At .address, until close(). takes_away: the prefix, of what the application is asked for."""

    def __init__(self, to, takes_away):
        self.to, self.takes_away = urlsplit(to).netloc, takes_away
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        self.address = f"http://127.0.0.1:{self.server.server_port}{PREFIX}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def handler(proxy):
        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def hand_on(self):
                if not self.path.startswith(PREFIX):
                    return self.send_error(404)
                path = f"/{self.path.removeprefix(PREFIX)}" if proxy.takes_away else self.path
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = {n: v for n, v in self.headers.items() if n.lower() not in OWN}
                headers.update({"X-Forwarded-Prefix": PREFIX.rstrip("/"), "Connection": "close"})
                asked = http.client.HTTPConnection(proxy.to, timeout=60)
                with contextlib.closing(asked), contextlib.suppress(OSError):
                    asked.request(self.command, path, body, headers)
                    self.answer(asked.getresponse())
                return None

            def answer(self, said):
                self.send_response_only(said.status)
                for name, value in said.getheaders():
                    if name.lower() not in OWN:
                        self.send_header(name, value)
                self.end_headers()  # HTTP/1.0: the answer ends with the connection
                while piece := said.read1(1 << 16):
                    self.wfile.write(piece)

            do_GET = do_POST = do_HEAD = hand_on

        return Handler
