"""Being at the desk: one session for each agent, over after a quarter of an hour of nothing, from allowed addresses.

What a role may do is asked of its groups (`Roles`). Refusals are on record.
"""

import ipaddress
import secrets
import time
from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth import logout
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import Permission
from django.contrib.sessions.backends.base import SessionBase
from django.db import transaction
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from ansim import audit
from ansim.audit import Actor
from ansim.lib import fingerprint
from ansim.models import Agent
from ansim.record_models import Action

KEY = "desk"
ELSEWHERE = lazy("다른 곳에서 들어와서 이 화면은 끝났습니다. 본인이 아니면 바로 책임자에게 알리십시오.")
NOTED_EVERY = 30  # seconds: not every page writes the session
View = Callable[..., HttpResponse]


class Roles(ModelBackend):
    """Django's permissions, in one question to the database for each request."""

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        if not user_obj.is_active or user_obj.is_anonymous or obj is not None:
            return set()
        if not hasattr(user_obj, "_permissions_at_the_desk"):
            mine = Permission.objects.filter(Q(group__user=user_obj) | Q(user=user_obj)).distinct()
            names = mine.order_by().values_list("content_type__app_label", "codename")
            user_obj._permissions_at_the_desk = {f"{app}.{codename}" for app, codename in names}
        return cast(set[str], user_obj._permissions_at_the_desk)


# --- The session ------------------------------------------------------------------------------------


def begin(session: SessionBase, agent: Agent) -> bool:
    """This session is the agent's only one from now on. True when an older one was never signed out of."""
    token = secrets.token_urlsafe(32)
    session[KEY] = {"token": token, "seen": time.time(), "visits": {}}
    former = Agent.objects.values_list("sitting", flat=True).get(pk=agent.pk)
    Agent.objects.filter(pk=agent.pk).update(sitting=_sitting(token))
    return bool(former)


def end(request: HttpRequest) -> None:
    """Signed out, on record: all that the session held is gone."""
    held = request.session.get(KEY)
    if held and request.user.is_authenticated:
        with transaction.atomic():
            what = "idle" if left(request) <= 0 else ""
            audit.record(actor(request), Action.SIGN_OUT, fingerprint.of("agent", str(request.user.pk)), what=what)
    if held:
        Agent.objects.filter(sitting=_sitting(held["token"])).update(sitting="")
    logout(request)


def refresh(request: HttpRequest) -> None:
    """Before every page of the desk: who sat idle too long, or has a newer session, is signed out and told why."""
    if not request.user.is_authenticated:
        return
    agent, held = request.user, request.session.get(KEY)
    if held is None:
        logout(request)
    elif not secrets.compare_digest(agent.sitting, _sitting(held["token"])):
        logout(request)
        messages.warning(request, ELSEWHERE)
    elif left(request) <= 0:
        end(request)
        messages.warning(request, _("오래 쓰지 않아서 나갔습니다. 다시 들어오십시오."))
    elif time.time() - held["seen"] > NOTED_EVERY:
        request.session[KEY] = {**held, "seen": time.time()}


def left(request: HttpRequest) -> int:
    """Seconds until the session ends if nothing more is done in it."""
    held = request.session.get(KEY)
    return int(held["seen"] + settings.DESK_IDLE - time.time()) if held else 0


def sits(request: HttpRequest) -> bool:
    return KEY in request.session


def _sitting(token: str) -> str:
    return fingerprint.of("desk-sitting", token)


def from_allowed_address(request: HttpRequest) -> None:
    """404 from anywhere else: there is nothing to be seen there (DESK_ALLOWED_IPS; empty: from everywhere)."""
    networks = [ipaddress.ip_network(network) for network in settings.DESK_ALLOWED_IPS]
    if networks and not any(ipaddress.ip_address(request.META["REMOTE_ADDR"]) in network for network in networks):
        raise Http404


# --- Pages ------------------------------------------------------------------------------------------


def actor(request: HttpRequest) -> Actor:
    """Who does it, for the record; the roles are asked for once a request."""
    agent = cast(Agent, request.user)
    roles = agent.roles or (["superuser"] if agent.is_superuser else [])
    return Actor(agent.get_username(), ",".join(roles)[:64], request.META["REMOTE_ADDR"], agent.pk)


def at_the_desk(permission: str = "") -> Callable[[View], View]:
    """The view's second argument is the agent, who has that permission; who has not is refused (403), on record."""

    def decorated(view: View) -> View:
        @wraps(view)
        def asked(request: HttpRequest, *args: Any, **given: Any) -> HttpResponse:
            agent = cast(Agent, request.user)
            # Not has_perm: a superuser, who is there to set up roles, is no agent because of that.
            if permission and permission not in agent.get_all_permissions():
                return refused(request, what="permission", why=_("맡은 역할로는 할 수 없는 일입니다."))
            answer = view(request, agent, *args, **given)
            patch_cache_control(answer, no_store=True)
            return answer

        # The site is there only once every app is loaded: it is asked for when somebody comes.
        return lambda request, *args, **given: admin.site.admin_view(asked)(request, *args, **given)

    return decorated


def page(
    request: HttpRequest, template: str, context: dict[str, Any] | None = None, *, status: int = 200
) -> HttpResponse:
    """A page in the desk's frame."""
    shown = {**admin.site.each_context(request), **(context or {})}
    return render(request, f"admin/{template}.html", shown, status=status)


def refused(
    request: HttpRequest, *subjects: str, what: str, why: str, status: int = 403, reason: str = ""
) -> HttpResponse:
    """Somebody tried what they may not: on record, and told why."""
    with transaction.atomic():
        audit.record(actor(request), Action.REFUSED, *subjects, what=what, reason=reason)
    return page(request, "refused", {"why": why, "title": _("할 수 없습니다")}, status=status)
