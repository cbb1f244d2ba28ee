"""The table of doors."""

from django.conf import settings
from django.conf.urls.i18n import i18n_patterns
from django.contrib import admin
from django.urls import include, path

from ansim import desk_site, retention_site, review_site, views
from subscriptions import app_api as subscription_app_api
from subscriptions import (
    app_site,
    cancel_site,
    carrier_api,
    crawler_site,
    desk,
    join_site,
    metrics_api,
    my_mail_site,
    my_records_site,
    my_site,
    public_site,
    status_site,
)
from verification import app_api, controls_api, partner_api, partner_desk_site, partner_site, webhook_api, window
from verification.partner_docs import pages as partner_docs

handler400 = views.bad_request
handler404 = views.not_found
# The customers' pages: in Korean as they stand here, in English below /en/ (ansim.lib.languages).
site = [
    *public_site.urlpatterns,
    *join_site.urlpatterns,
    *app_site.urlpatterns,
    *cancel_site.urlpatterns,
    *my_site.urlpatterns,
    *my_records_site.urlpatterns,
    *my_mail_site.urlpatterns,
]
urlpatterns = [
    path("livez", views.livez),
    path("readyz", views.readyz),
    path("", include(metrics_api.urlpatterns)),
    path("partner/v1/", include(partner_api.urlpatterns)),
    path("partner/v1/", include(webhook_api.urlpatterns)),
    path("partner/v1/", include(partner_docs.urlpatterns)),
    path("partners/console/", include(partner_site.urlpatterns)),
    path("app/v1/", include(app_api.urlpatterns)),
    path("app/v1/", include(controls_api.urlpatterns)),
    path("app/v1/", include(subscription_app_api.urlpatterns)),
    path("carrier/v1/", include(carrier_api.urlpatterns)),
    path(".well-known/jwks.json", partner_api.KeySet.as_view(), name="jwks"),
    path("window/", include(window.urlpatterns)),
    path("admin/", include(desk.urlpatterns)),
    path("admin/", include(desk_site.urlpatterns)),
    path("admin/", include(review_site.urlpatterns)),
    path("admin/", include(retention_site.urlpatterns)),
    path("admin/", include(status_site.urlpatterns)),
    path("admin/", include(partner_desk_site.urlpatterns)),
    path("admin/", admin.site.urls),
    *crawler_site.urlpatterns,
    *i18n_patterns(*site, prefix_default_language=False),
]
if settings.DEMO:
    from ansim.demo import start_page

    urlpatterns.append(path("demo", start_page.start, name="demo"))
