"""What a Prometheus server may ask (docs/adr/0023): the figures of this host's processes and of the database.

Only with METRICS_TOKEN; without that setting there is no such address. Nothing personal is in it.
"""

import secrets

from django.conf import settings
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.http import require_safe

from ansim.lib import metrics
from ansim.lib.metrics import Gauge
from subscriptions import health

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@require_safe
def scrape(request: HttpRequest) -> HttpResponse:
    """The database away: what the processes counted, and that it is away."""
    if not settings.METRICS_TOKEN:
        raise Http404
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    known = secrets.compare_digest(given.strip().encode(), settings.METRICS_TOKEN.encode())
    if scheme.lower() != "bearer" or not known:
        return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer", "Cache-Control": "no-store"})
    up = Gauge("database_up", "1 while the database answers.")
    try:
        gauges = [*health.gauges(health.standing()), up.add(1)]
    except DatabaseError:
        gauges = [up.add(0)]
    told = metrics.exposition(gauges)
    return HttpResponse(told, content_type=MEDIA_TYPE, headers={"Cache-Control": "no-store"})


urlpatterns = [path("metrics", scrape, name="metrics")]
