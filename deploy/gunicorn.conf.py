"""gunicorn in production: `gunicorn -c deploy/gunicorn.conf.py --bind 127.0.0.1:8001 ansim.wsgi` (docs/deployment.md).

Most of a request is waiting (PostgreSQL, the carrier), so threads; argon2 and TLS release the interpreter's lock.
"""

import os

worker_class = "gthread"
workers = 2
threads = 8  # SITE_SLOTS counts on it
# The next request of a caller may be for another process: nginx keeps the connections to people, not to us.
keepalive = 0
timeout = 30  # seconds a process may stay silent
graceful_timeout = 25  # seconds for what is at work when it is told to end; nginx gives up after 20
max_requests = 20_000  # a leak ends there
max_requests_jitter = 2_000
limit_request_line = 0  # the application says 414 itself, over 8,192 bytes
limit_request_field_size = 16_384
accesslog = None  # the application logs requests, without query strings and window secrets
loglevel = "warning"
control_socket_disable = True
forwarded_allow_ips = ""  # TRUSTED_PROXIES decides (ansim.lib.proxies)
if os.access("/dev/shm", os.W_OK):
    worker_tmp_dir = "/dev/shm"
