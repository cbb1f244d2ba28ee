"""What the app can do about the subscription itself (api.md section 2, `pending/stop`)."""

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from ansim.lib.problem import Refused
from subscriptions import pending
from verification.app_auth import PhoneDoor


class StopPending(PhoneDoor):
    """POST: stops what waits at the desk's word with one tap, without the password: it turns protection up."""

    def post(self, request: Request) -> Response:
        self.no_body()
        if not pending.stop(self.line):
            raise Refused("wrong_state")
        return Response({"stopped": True})


urlpatterns = [path("pending/stop", StopPending.as_view(), name="app-pending-stop")]
