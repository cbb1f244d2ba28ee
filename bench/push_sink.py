"""A vendor that takes every push at once, in a process of its own: nginx, HTTP/2 and HTTP/1.1 over TLS.

The simulated world checks and writes down each push and would be slower than what is measured here.
"""

import contextlib
import os
import subprocess
import tempfile
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from ansim.demo.stack import ports
from tests.deployment import nginx

CONF = """
{user}
daemon off;
pid {folder}/pid;
error_log stderr crit;
worker_processes 1;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    keepalive_requests 10000000;
    http2_max_concurrent_streams 1000;
    server {{
        listen 127.0.0.1:{port} ssl http2;
        ssl_certificate {keys}/apns-server.pem;
        ssl_certificate_key {keys}/apns-server.key;
        location /3/ {{ add_header apns-id 6F1A3C52-0000-4000-8000-123456789ABC; return 200; }}
        location /v1/ {{
            default_type application/json;
            return 200 '{{"name": "projects/ansim/messages/0:1700000000000000%0123456789abcdef"}}';
        }}
    }}
}}
"""


@dataclass(frozen=True)
class Sink:
    port: int
    ca_file: str

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"


@contextlib.contextmanager
def running(keys: Path) -> Generator[Sink]:
    """With the certificate that the demo made for its APNs, found in `keys`."""
    port = ports.kept_or_free(None, taken=set())
    with tempfile.TemporaryDirectory(prefix="ansim-bench-") as folder:
        user = "user root;" if os.geteuid() == 0 else ""
        conf = Path(folder) / "nginx.conf"
        conf.write_text(CONF.format(user=user, folder=folder, port=port, keys=keys))
        process = subprocess.Popen([nginx.program(), "-p", folder, "-c", str(conf), "-e", "stderr"])
        try:
            while ports.is_free(port):
                assert process.poll() is None, "nginx did not start"
                time.sleep(0.05)
            yield Sink(port, str(keys / "apns-ca.pem"))
        finally:
            process.terminate()
            process.wait()
