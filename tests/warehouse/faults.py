"""A server between a store and its storage that fails as it is told to."""

import http.client
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

# What becomes of a request, by its method and path: "pass"; "503" and such; "lost" (done, but nobody is told); "hang".
Plan = Callable[[str, str], str]


@contextmanager
def failing(address: str, plan: Plan) -> Iterator[str]:
    """The address of a server that passes on to another what the plan lets pass."""
    target = urlsplit(address)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            fate = plan(self.command, self.path)
            if fate == "hang":
                time.sleep(3)
            if fate in ("pass", "lost"):
                connection = http.client.HTTPConnection(str(target.hostname), target.port)
                connection.request(self.command, self.path, body, dict(self.headers))
                found = connection.getresponse()
                content, status, headers = found.read(), found.status, found.getheaders()
                connection.close()
            else:
                content, status, headers = b"", int(fate) if fate.isdigit() else 504, []
            if fate == "lost":
                self.close_connection = True
                return
            self.send_response_only(status)
            for name, value in headers:
                if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                    self.send_header(name, value)
            length = dict(headers).get("Content-Length") if self.command == "HEAD" else None
            self.send_header("Content-Length", length or str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = answer

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
