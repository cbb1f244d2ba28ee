"""My page, what was: every verification asked of the line, the bills, and who of the staff looked (ui.md 5, /my)."""

import uuid

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path, re_path, reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.http import require_http_methods, require_safe

from ansim import audit
from subscriptions import bills, owner_history, proving
from subscriptions import my_history_pages as history_pages
from subscriptions import my_pages as pages
from subscriptions.models import CustomerSession
from subscriptions.my_auth import see_other, signed_in
from verification import not_me
from verification.models import Case, Verification

# --- History ----------------------------------------------------------------------------------------


@require_safe
@signed_in
def history(request: HttpRequest, session: CustomerSession) -> HttpResponse:
    line = session.subscription.line
    wanted = history_pages.wanted(request.GET)
    found = owner_history.page(line, wanted, before=history_pages.before(request.GET))
    chosen = request.GET.copy()
    chosen.pop("before", None)
    return pages.page(
        request,
        "history",
        session,
        rows=[history_pages.row(one) for one in found.rows],
        older=found.older,
        newest="before" not in request.GET,
        chosen=chosen.urlencode(),
        wanted=wanted,
        month=f"{wanted.month:%Y-%m}" if wanted.month else "",
        choices=history_pages.choices(owner_history.partners(line), owner_history.months(line)),
    )


@require_safe
@signed_in
def export(request: HttpRequest, session: CustomerSession) -> HttpResponse:
    """What the filter shows, all of it, as CSV."""
    rows = owner_history.exported(session.subscription.line, history_pages.wanted(request.GET))
    answer = StreamingHttpResponse(
        history_pages.table(rows, language=str(get_language())), content_type="text/csv; charset=utf-8"
    )
    answer["Content-Disposition"] = f'attachment; filename="ansim-history-{timezone.localdate():%Y-%m-%d}.csv"'
    return answer  # type: ignore[return-value] # as good as an HttpResponse to Django


@require_safe
@signed_in
def verification(request: HttpRequest, session: CustomerSession, verification_id: uuid.UUID) -> HttpResponse:
    one = _mine(session, verification_id)
    return pages.page(request, "verification", session, **_controls(session, one), **history_pages.full(one))


@require_safe
@signed_in
def receipt(request: HttpRequest, session: CustomerSession, verification_id: uuid.UUID) -> HttpResponse:
    """The signed receipt, to keep or to show: anybody can check it with our published keys."""
    one = _mine(session, verification_id)
    if not one.receipt:
        raise Http404
    answer = HttpResponse(one.receipt, content_type="application/jose")
    answer["Content-Disposition"] = f'attachment; filename="ansim-receipt-{timezone.localdate(one.ended_at)}.jws"'
    return answer


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def report(request: HttpRequest, session: CustomerSession, verification_id: uuid.UUID) -> HttpResponse:
    """ "I did not do this": GET asks once more, POST takes it down at the desk and slows that site for this line."""
    one = _mine(session, verification_id)
    if request.method == "POST":
        not_me.report(one.pk, line=session.subscription.line)
        return see_other(reverse("my-report", args=[one.pk]))
    case = one.cases.filter(kind=Case.Kind.NOT_ME).first()
    return pages.page(request, "report", session, case=case, **_controls(session, one), **history_pages.full(one))


def _controls(session: CustomerSession, one: Verification) -> dict[str, bool]:
    """Whether its site is blocked already, and whether it is our own, which nobody needs to block."""
    blocked = session.subscription.line.blocked_partners
    return {"blocked": one.partner_id in blocked, "ours": one.partner_id == proving.SITE}


def _mine(session: CustomerSession, verification_id: uuid.UUID) -> Verification:
    """404 for what is somebody else's, or nobody's."""
    one = owner_history.one(session.subscription.line, verification_id)
    if one is None:
        raise Http404
    return one


# --- Bills, and who looked ---------------------------------------------------------------------------


@require_safe
@signed_in
def all_bills(request: HttpRequest, session: CustomerSession) -> HttpResponse:
    subscription = session.subscription
    return pages.page(
        request, "bills", session, months=bills.months(subscription.line, subscription.holder_fingerprint)
    )


@require_safe
@signed_in
def bill(request: HttpRequest, session: CustomerSession, year: str, month: str) -> HttpResponse:
    """One month; 404 for one that is in no list of this customer's."""
    subscription = session.subscription
    known = bills.months(subscription.line, subscription.holder_fingerprint)
    wanted = next((one.month for one in known if f"{one.month:%Y-%m}" == f"{year}-{month}"), None)
    if wanted is None:
        raise Http404
    shown = bills.of(subscription.line, wanted, subscription.holder_fingerprint)
    return pages.page(request, "bill", session, bill=shown)


@require_safe
@signed_in
def looks(request: HttpRequest, session: CustomerSession) -> HttpResponse:
    return pages.page(request, "looks", session, looks=audit.looks_at(session.subscription.line.contract))


urlpatterns = [
    path("my/history", history, name="my-history"),
    path("my/history.csv", export, name="my-history-csv"),
    path("my/history/<uuid:verification_id>", verification, name="my-verification"),
    path("my/history/<uuid:verification_id>/receipt.jws", receipt, name="my-receipt"),
    path("my/history/<uuid:verification_id>/not-me", report, name="my-report"),
    path("my/bill", all_bills, name="my-bills"),
    re_path(r"^my/bill/(?P<year>20[0-9]{2})-(?P<month>0[1-9]|1[0-2])$", bill, name="my-bill"),
    path("my/looks", looks, name="my-looks"),
]
