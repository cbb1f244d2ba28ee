"""What the web server calls."""

import io
import os
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.core.cache import close_caches
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import reset_queries

from ansim.lib.proxies import Proxied

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ansim.settings")

LONGEST_READ = 65_537  # bytes; one more than any door takes, so that it is refused as too large


class Measured:
    """Gives a body that came in chunks its length: Django takes one without Content-Length for empty."""

    def __init__(self, application: Callable[..., Iterable[bytes]]) -> None:
        self.application = application

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if "HTTP_TRANSFER_ENCODING" in environ and environ.get("wsgi.input_terminated"):
            body = environ["wsgi.input"].read(LONGEST_READ)
            environ["wsgi.input"], environ["CONTENT_LENGTH"] = io.BytesIO(body), str(len(body))
        return self.application(environ, start_response)


# Django goes through its connections and caches for these at each request, and neither has anything to do here.
request_started.disconnect(reset_queries)  # what DEBUG keeps
request_finished.disconnect(close_caches)  # we have none
_django = get_wsgi_application()  # it reads the settings
application = Proxied(Measured(_django), proxies=settings.TRUSTED_PROXIES)
