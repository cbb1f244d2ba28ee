"""What programs ask a site for, and the addresses it had before: in one language, whatever the page that led here."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import path
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_safe
from django.views.generic import RedirectView

from ansim.lib.languages import path_in
from subscriptions.models import Question
from subscriptions.public_pages import announcements

FIXED = ("/", "/service", "/how-to", "/faq", "/join", "/cancel", "/notices", "/terms", "/privacy", "/partners")
DAY = 86_400  # seconds


@require_safe
def sitemap(request: HttpRequest) -> HttpResponse:
    """Every page that a search engine may know, in both languages."""
    paths = [*FIXED]
    paths += [f"/faq/{slug}" for slug in Question.objects.filter(shown=True).values_list("slug", flat=True)]
    paths += [f"/notices/{pk}" for pk in announcements().values_list("pk", flat=True)]
    pages = [{name: f"{settings.BASE_URL}{path_in(name, one)}" for name in ("ko", "en")} for one in paths]
    return _kept(render(request, "site/sitemap.xml", {"pages": pages}, content_type="application/xml"))


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    """Who crawls stays out of what is personal; each step of joining is, its first page is not."""
    said = {"base_url": settings.BASE_URL}
    return _kept(render(request, "site/robots.txt", said, content_type="text/plain; charset=utf-8"))


def _kept(response: HttpResponse) -> HttpResponse:
    patch_cache_control(response, public=True, max_age=DAY)
    return response


class Icon(RedirectView):
    """Where browsers look for an icon by themselves."""

    def get_redirect_url(self, *args: Any, **kwargs: Any) -> str:
        return static("img/icon-180.png")


urlpatterns = [
    path("sitemap.xml", sitemap),
    path("robots.txt", robots),
    path("favicon.ico", Icon.as_view()),
    path("en", RedirectView.as_view(url="/en/", permanent=True)),
    path("service_info_ds.html", RedirectView.as_view(url="/cancel", permanent=True)),  # S10: the seed's addresses
    path("cs_faq_tk.html", RedirectView.as_view(url="/faq", permanent=True)),
]
