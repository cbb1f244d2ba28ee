"""The table of doors."""

from django.contrib import admin
from django.urls import include, path

from ansim import views
from subscriptions import app_api as subscription_app_api
from verification import app_api, partner_api, partner_site, webhook_api, window
from verification.partner_docs import pages as partner_docs

handler400 = views.bad_request
handler404 = views.not_found
urlpatterns = [
    path("", views.start, name="start"),
    path("livez", views.livez),
    path("readyz", views.readyz),
    path("partner/v1/", include(partner_api.urlpatterns)),
    path("partner/v1/", include(webhook_api.urlpatterns)),
    path("partner/v1/", include(partner_docs.urlpatterns)),
    path("partners/console/", include(partner_site.urlpatterns)),
    path("app/v1/", include(app_api.urlpatterns)),
    path("app/v1/", include(subscription_app_api.urlpatterns)),
    path(".well-known/jwks.json", partner_api.KeySet.as_view(), name="jwks"),
    path("window/", include(window.urlpatterns)),
    path("admin/", admin.site.urls),
]
