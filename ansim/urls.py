"""The table of doors."""

from django.contrib import admin
from django.urls import include, path

from ansim import views
from subscriptions import app_api as subscription_app_api
from verification import app_api, partner_api, window

urlpatterns = [
    path("", views.start, name="start"),
    path("livez", views.livez),
    path("readyz", views.readyz),
    path("partner/v1/", include(partner_api.urlpatterns)),
    path("app/v1/", include(app_api.urlpatterns)),
    path("app/v1/", include(subscription_app_api.urlpatterns)),
    path(".well-known/jwks.json", partner_api.KeySet.as_view(), name="jwks"),
    path("window/", include(window.urlpatterns)),
    path("admin/", admin.site.urls),
]
