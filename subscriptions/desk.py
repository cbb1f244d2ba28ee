"""The desk's customers (1566-4380): finding one, their page, one revealed field, and deeds, each on record."""

import uuid
from collections.abc import Callable

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from ansim import audit, rates, staff_sign_in
from ansim.desk_auth import actor, at_the_desk, page, refused
from ansim.desk_forms import WRONG_TOKEN
from ansim.lib.problem import Refused
from ansim.models import Agent
from ansim.record_models import Action
from subscriptions import bills, customer_record, customer_search, desk_pages, desk_words
from subscriptions.customer_record import Customer, Place
from subscriptions.customer_search import OwnLine
from subscriptions.desk_deeds import DEEDS
from subscriptions.desk_forms import Deed, Reveal, Search, Why
from subscriptions.models import Subscription

HOUR = 3600
posts = require_http_methods(["GET", "HEAD", "POST"])
Found = Callable[[HttpRequest, Agent, Customer, str], HttpResponse]


# --- Finding ----------------------------------------------------------------------------------------


@require_safe
@at_the_desk()
def start(request: HttpRequest, agent: Agent) -> HttpResponse:
    """Each role lands where its work is."""
    if agent.has_perm("ansim.find_customer"):
        return _start(request, agent, Search())
    return redirect("desk-record" if agent.has_perm("ansim.view_accessrecord") else "admin:all")


def _start(request: HttpRequest, agent: Agent, form: Search, *, status: int = 200) -> HttpResponse:
    shown = {
        "title": _("번호로 찾기"),
        "form": form,
        "tasks": desk_pages.tasks(agent),
        "recent": desk_pages.recent(agent),
        "today": desk_pages.today(agent),
    }
    return page(request, "desk", shown, status=status)


@sensitive_post_parameters()
@require_POST
@at_the_desk("ansim.find_customer")
def find(request: HttpRequest, agent: Agent) -> HttpResponse:
    """The search is on record before its answer; the number stands in no address and in no log."""
    form = Search(request.POST)
    if not form.is_valid():
        return _start(request, agent, form, status=422)
    rule = rates.Rule(f"desk-search:{agent.pk}", settings.DESK_SEARCHES_PER_HOUR, seconds=HOUR)
    if not rates.take(rule).allowed:
        why = _("한 시간에 찾을 수 있는 횟수를 다 썼습니다. 책임자에게 말하십시오.")
        return refused(request, what="search_limit", why=why, status=429)
    try:
        found = customer_search.search(form.wanted, agent=agent, by=actor(request), reason=form.reason)
    except OwnLine:
        return _own(request)
    for one in found:
        desk_pages.open_visit(request, one.pk, form.reason)
    if len(found) == 1:
        return HttpResponseRedirect(reverse("desk-customer", args=[found[0].pk]), status=303)
    if not found:
        form.add_error(None, _("가입한 회선이 없습니다. 고객과 다시 확인하십시오. 찾은 기록은 남았습니다."))
        return _start(request, agent, form, status=404)
    shown = {"title": _("여러 회선을 찾았습니다"), "found": [desk_pages.listed(one) for one in found[:5]]}
    return page(request, "found", shown)


def _own(request: HttpRequest) -> HttpResponse:
    why = _("본인의 회선은 본인이 열 수 없습니다. 시도한 기록이 남았습니다. 다른 상담원에게 맡기십시오.")
    return page(request, "refused", {"title": _("할 수 없습니다"), "why": why}, status=403)


# --- The customer -----------------------------------------------------------------------------------


def for_customer(permission: str = "ansim.find_customer") -> Callable[[Found], Callable[..., HttpResponse]]:
    """The view's third argument is the customer, its fourth why their page is open. Nobody opens one without a reason:
    who has none yet is asked for it first. An id that is nobody's: 404, on record.
    """

    def decorated(view: Found) -> Callable[..., HttpResponse]:
        @at_the_desk(permission)
        def asked(request: HttpRequest, agent: Agent, customer_id: uuid.UUID, **given: str) -> HttpResponse:
            customer = customer_record.of(customer_id)
            if customer is None:
                return refused(request, what="no_customer", why=_("그런 고객이 없습니다."), status=404)
            if customer_search.is_own(agent, customer.subscription):
                subject = customer.line.contract_fingerprint
                with transaction.atomic():
                    audit.record(actor(request), Action.REFUSED, subject, what="own")
                return _own(request)
            reason = desk_pages.visit(request, customer.subscription.pk)
            if reason is None:
                return HttpResponseRedirect(reverse("desk-open", args=[customer.subscription.pk]), status=303)
            return view(request, agent, customer, reason, **given)

        return asked

    return decorated


@posts
@at_the_desk("ansim.find_customer")
def open_customer(request: HttpRequest, agent: Agent, customer_id: uuid.UUID) -> HttpResponse:
    """From a list of tasks: what is it about? Only then the page. It shows nothing of the customer."""
    if not Subscription.objects.filter(pk=customer_id).exists():
        return refused(request, what="no_customer", why=_("그런 고객이 없습니다."), status=404)
    form = Why(request.POST or None)
    if request.method == "POST" and form.is_valid():
        rule = rates.Rule(f"desk-search:{agent.pk}", settings.DESK_SEARCHES_PER_HOUR, seconds=HOUR)
        if not rates.take(rule).allowed:
            why = _("한 시간에 찾을 수 있는 횟수를 다 썼습니다. 책임자에게 말하십시오.")
            return refused(request, what="search_limit", why=why, status=429)
        desk_pages.open_visit(request, customer_id, form.reason)
        return HttpResponseRedirect(reverse("desk-customer", args=[customer_id]), status=303)
    shown = {"form": form, "title": _("무엇 때문에 엽니까?")}
    return page(request, "open", shown, status=422 if form.errors else 200)


@require_safe
@for_customer()
def customer_page(request: HttpRequest, agent: Agent, customer: Customer, reason: str) -> HttpResponse:
    kind = request.GET.get("kind", "")
    kind = kind if kind in desk_words.KINDS else ""
    after = Place.read(request.GET.get("after", ""))
    customer_search.opened(customer.subscription, agent=agent, by=actor(request), reason=reason, what="customer")
    viewer = "" if agent.has_perm("ansim.view_all_looks") else agent.get_username()
    entries, older = customer_record.timeline(customer, kind=kind, after=after, viewer=viewer)
    look, word = desk_words.standing(customer)
    shown = {
        "customer": customer,
        "masked": desk_pages.masked(customer),
        "look": look,
        "word": word,
        "device": desk_words.device(customer.line),
        "facts": desk_pages.facts(customer),
        "deeds": desk_pages.offered(customer, agent),
        "entries": desk_words.gathered(entries),
        "older": older,
        "kind": kind,
        "kinds": desk_words.KINDS,
        "reason": reason,
        "fields": desk_words.FIELDS if agent.has_perm("ansim.reveal_customer") else {},
    }
    return page(request, "customer", shown)


@sensitive_post_parameters()
@posts
@for_customer("ansim.reveal_customer")
def reveal(request: HttpRequest, agent: Agent, customer: Customer, reason: str, field: str = "") -> HttpResponse:
    """One field, once, for a reason; limited per hour. What is shown is in no address, title or message."""
    if field not in desk_words.FIELDS:
        raise Http404
    form = Reveal({**request.POST.dict(), "field": field}) if request.method == "POST" else Reveal()
    shown = {"customer": customer, "form": form, "what": desk_words.FIELDS[field], "title": _("가린 정보 보기")}
    if request.method != "POST" or not form.is_valid():
        return page(request, "reveal", shown, status=422 if form.errors else 200)
    subject, by = customer.line.contract_fingerprint, actor(request)
    rule = rates.Rule(f"desk-reveal:{agent.pk}", settings.DESK_REVEALS_PER_HOUR, seconds=HOUR)
    if not rates.take(rule).allowed:
        why = _("한 시간에 볼 수 있는 횟수를 다 썼습니다. 책임자에게 말하십시오.")
        return refused(request, subject, what="reveal_limit", why=why, status=429, reason=form.reason)
    with transaction.atomic():
        audit.record(by, Action.REVEAL, subject, what=field, reason=f"{reason}: {form.reason}")
    return page(request, "revealed", {**shown, "value": desk_pages.open_value(customer, field)})


@sensitive_post_parameters()
@posts
@for_customer()
def deed(request: HttpRequest, agent: Agent, customer: Customer, reason: str, code: str = "") -> HttpResponse:
    """What will happen, in words; then it is done through the same story as anywhere else."""
    chosen = DEEDS.get(code)
    if chosen is None:
        raise Http404
    subject, address = customer.line.contract_fingerprint, request.META["REMOTE_ADDR"]
    if chosen.permission not in agent.get_all_permissions():
        return refused(request, subject, what="permission", why=_("맡은 역할로는 할 수 없는 일입니다."))
    why_not = chosen.impossible(customer, agent)
    if why_not:
        return refused(request, subject, what=f"{code}.impossible", why=why_not, status=409)
    form = Deed(request.POST or None, checks=chosen.checks, dangerous=chosen.dangerous)
    shown = {
        "customer": customer, "masked": desk_pages.masked(customer), "deed": chosen, "form": form,
        "facts": chosen.facts(customer), "consequences": chosen.consequences(customer), "title": chosen.title,
    }  # fmt: skip
    if request.method != "POST" or not form.is_valid():
        return page(request, "deed", shown, status=422 if form.errors else 200)
    given = form.cleaned_data
    if chosen.dangerous and not staff_sign_in.confirm(agent, given["otp_token"], address=address):
        form.add_error("otp_token", WRONG_TOKEN)
        return page(request, "deed", shown, status=422)
    try:
        said = chosen.do(customer, agent, actor(request), f"{reason}: {given['detail'].strip()}")
    except (Refused, Subscription.DoesNotExist):
        why = _("그사이 바뀌어서 할 수 없습니다.")
        return refused(request, subject, what=f"{code}.impossible", why=why, status=409)
    messages.success(request, said)
    return HttpResponseRedirect(reverse("desk-customer", args=[customer.subscription.pk]), status=303)


@require_safe
@for_customer()
def bill_list(request: HttpRequest, agent: Agent, customer: Customer, reason: str) -> HttpResponse:
    """What the customer pays, month by month."""
    customer_search.opened(customer.subscription, agent=agent, by=actor(request), reason=reason, what="bills")
    months = bills.months(customer.line, customer.subscription.holder_fingerprint)
    return page(request, "bills", {"customer": customer, "months": months, "title": _("요금")})


@require_safe
@for_customer()
def bill(request: HttpRequest, agent: Agent, customer: Customer, reason: str, month: str = "") -> HttpResponse:
    """One month, each won with its days; 404 for one that is in no list of this customer's."""
    holder = customer.subscription.holder_fingerprint
    months = [one.month for one in bills.months(customer.line, holder) if f"{one.month:%Y-%m}" == month]
    if not months:
        raise Http404
    customer_search.opened(customer.subscription, agent=agent, by=actor(request), reason=reason, what="bill")
    shown = {"customer": customer, "bill": bills.of(customer.line, months[0], holder), "title": _("요금")}
    return page(request, "bill", shown)


# --- Tasks ------------------------------------------------------------------------------------------


@require_safe
@at_the_desk("ansim.find_customer")
def task_list(request: HttpRequest, agent: Agent, kind: str) -> HttpResponse:
    """What waits, the oldest first; nothing in it says who the customer is."""
    if kind not in desk_pages.TASKS:
        raise Http404
    if kind == "approvals" and "ansim.approve_pending" not in agent.get_all_permissions():
        return refused(request, what="permission", why=_("맡은 역할로는 할 수 없는 일입니다."))
    with transaction.atomic():
        audit.record(actor(request), Action.LOOK, what=f"tasks.{kind}")
    shown = {"title": desk_pages.TASKS[kind], "kind": kind, "rows": desk_pages.rows(kind)}
    return page(request, "tasks", shown)


urlpatterns = [
    path("", start, name="desk"),
    path("customers/find/", find, name="desk-find"),
    path("customers/<uuid:customer_id>/", customer_page, name="desk-customer"),
    path("customers/<uuid:customer_id>/open/", open_customer, name="desk-open"),
    path("customers/<uuid:customer_id>/reveal/<slug:field>/", reveal, name="desk-reveal"),
    path("customers/<uuid:customer_id>/bills/", bill_list, name="desk-bills"),
    path("customers/<uuid:customer_id>/bills/<slug:month>/", bill, name="desk-bill"),
    path("customers/<uuid:customer_id>/do/<slug:code>/", deed, name="desk-deed"),
    path("tasks/<slug:kind>/", task_list, name="desk-tasks"),
]
