"""Partners' endpoints that misbehave: real servers on loopback, each with a behaviour of its own."""

import contextlib
import socket
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Endpoint:
    """What arrived is in `heard`, as (headers in lower case, body); over whose connections in `callers`."""

    url: str
    heard: list = field(default_factory=list)
    callers: set = field(default_factory=set)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # whoever hangs goes with its connection
    request_queue_size = 128

    def handle_error(self, request, client_address):
        """A caller that hung up is what these tests are about."""


@contextlib.contextmanager
def answering(status=204, *, headers=(), body=b"", before=lambda heard: None, tls=None):
    """An endpoint that answers so. `before` runs before it does: it may wait, or return another status."""
    endpoint = Endpoint("")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            content = self.rfile.read(int(self.headers["Content-Length"]))
            heard = ({name.lower(): value for name, value in self.headers.items()}, content)
            endpoint.heard.append(heard)
            endpoint.callers.add(self.client_address)
            self.send_response(before(heard) or status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            """Says nothing."""

    with Server(("127.0.0.1", 0), Handler) as server:
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        scheme = "https" if tls else "http"
        endpoint.url = f"{scheme}://127.0.0.1:{server.server_address[1]}/hooks"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield endpoint
        finally:
            server.shutdown()
            thread.join()


@contextlib.contextmanager
def saying(*parts, every=0.0, then_hang=False):
    """A raw endpoint: takes each call, says these bytes one after the other, and closes, or never does."""
    over = threading.Event()

    def talk(caller):
        with contextlib.suppress(OSError), caller:
            caller.recv(65_536)
            for part in parts:
                caller.sendall(part)
                if over.wait(every):
                    return
            if then_hang:
                over.wait()

    def take(listener):
        while not over.is_set():
            with contextlib.suppress(TimeoutError, OSError):
                caller, _ = listener.accept()
                threading.Thread(target=talk, args=(caller,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        listener.settimeout(0.1)
        thread = threading.Thread(target=take, args=(listener,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/hooks"
        finally:
            over.set()
            thread.join()
