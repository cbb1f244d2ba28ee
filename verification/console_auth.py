"""The console's session: which of a partner's people this browser is. Idle for half an hour, it is nobody's."""

import time
import uuid
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.middleware.csrf import rotate_token
from django.urls import reverse
from django.utils.cache import patch_cache_control

from verification.models import PartnerUser

KEY = "partner_console"
IDLE = 30 * 60  # seconds
Rest = ParamSpec("Rest")


def begin(request: HttpRequest, user: PartnerUser) -> None:
    """Under a new session key and a new form token: what was planted before is worth nothing."""
    request.session.cycle_key()
    rotate_token(request)
    request.session[KEY] = {"user": str(user.pk), "seen": time.time()}


def end(request: HttpRequest) -> None:
    """Everything this browser's session held goes, also a staff member's."""
    request.session.flush()


def current(request: HttpRequest) -> PartnerUser | None:
    """Who is signed in, asked afresh each time; None after IDLE seconds, and for somebody who was disabled."""
    held = request.session.get(KEY)
    if not held:
        return None
    now = time.time()
    user = PartnerUser.objects.select_related("partner").filter(pk=uuid.UUID(held["user"]), disabled_at=None).first()
    if user is None or now - held["seen"] > IDLE:
        del request.session[KEY]
        return None
    request.session[KEY] = {**held, "seen": now}
    return user


def signed_in(
    view: Callable[Concatenate[HttpRequest, PartnerUser, Rest], HttpResponse],
) -> Callable[Concatenate[HttpRequest, Rest], HttpResponse]:
    """The view's second argument is the person, and through it the only partner there is. Nobody: 303 to sign in."""

    @wraps(view)
    def asked(request: HttpRequest, *args: Rest.args, **given: Rest.kwargs) -> HttpResponse:
        user = current(request)
        answer = view(request, user, *args, **given) if user else see_other(reverse("partner-console-sign-in"))
        patch_cache_control(answer, no_store=True)
        return answer

    return asked  # type: ignore[return-value] # `wraps` tells mypy less than it knows


def see_other(url: str) -> HttpResponse:
    """303: after a POST the browser asks with GET."""
    return HttpResponseRedirect(url, status=303)
