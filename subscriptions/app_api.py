"""What the app can do about the subscription itself (api.md section 2, `pending`)."""

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from ansim.lib.problem import Refused
from ansim.lib.times import instant
from subscriptions import pending
from verification.app_auth import PhoneDoor


class Pending(PhoneDoor):
    """GET: what waits at the desk's word, and when it takes effect."""

    def get(self, request: Request) -> Response:
        items = [{"kind": change.kind, "due_at": instant(change.due_at)} for change in pending.waiting(self.line)]
        return Response({"items": items, "next_cursor": None})


class StopPending(PhoneDoor):
    """POST: stops what waits at the desk's word with one tap, without the password: it turns protection up."""

    def post(self, request: Request) -> Response:
        self.no_body()
        if not pending.stop(self.line):
            raise Refused("wrong_state")
        return Response({"stopped": True})


urlpatterns = [
    path("pending", Pending.as_view(), name="app-pending"),
    path("pending/stop", StopPending.as_view(), name="app-pending-stop"),
]
