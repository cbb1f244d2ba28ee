"""Default deny. Kept apart from `ansim.lib.api` because DRF's settings import it while DRF's views are being loaded."""

from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request


class NoAuthentication(BaseAuthentication):
    """The default: nobody is let in by a view that forgot to say who may come."""

    def authenticate(self, request: Request) -> None:
        raise exceptions.NotAuthenticated


class Known(BasePermission):
    """Whoever the door's authentication let in. There are no users behind API keys and phones, only `request.auth`."""

    def has_permission(self, request: Request, view: object) -> bool:
        return request.auth is not None
