"""My page, notices by e-mail: an address is given, confirmed by letters sent to it, changed, removed (mission.md 3.6).

Signed in by the app as all of my page; every change is told to the address that was confirmed before.
"""

from django.conf import settings
from django.contrib import messages
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from ansim import rates
from subscriptions import my_pages as pages
from subscriptions.mail_forms import AddressForm, LettersForm
from subscriptions.models import CustomerSession
from subscriptions.my_auth import see_other, signed_in
from verification import owner_mail

LETTERS_PER_HOUR = 5  # of one line: nobody's mailbox is filled from here


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def mail(request: HttpRequest, session: CustomerSession) -> HttpResponse:
    """The page, and its three forms; what was typed wrong comes back under the same address."""
    if not settings.EMAIL_OFFERED:
        raise Http404
    if request.method != "POST":
        return _page(request, session)
    deed = {"ask": _ask, "confirm": _confirm, "remove": _remove}.get(request.POST.get("do", ""))
    if deed is None:
        raise Http404
    return deed(request, session)


def _page(
    request: HttpRequest, session: CustomerSession, form: Form | None = None, *, status: int = 200
) -> HttpResponse:
    """`form`: what was typed and is not right."""
    shown = {"asking": form if isinstance(form, AddressForm) else AddressForm(), "wrong": form is not None}
    shown["confirming"] = form if isinstance(form, LettersForm) else LettersForm()
    answer = pages.page(request, "mail", session, **shown, **pages.mail(session.subscription.line))
    answer.status_code = status
    return answer


def _ask(request: HttpRequest, session: CustomerSession) -> HttpResponse:
    """Letters go to that address; it is written to only after they came back."""
    form, line = AddressForm(request.POST), session.subscription.line_id
    if not form.is_valid():
        return _page(request, session, form, status=400)
    if not rates.take(rates.Rule(f"mail:{line}", LETTERS_PER_HOUR, 3600)).allowed:
        form.add_error("address", _("확인 메일을 여러 번 보냈어요. 1시간 뒤 다시 해 주세요."))
        return _page(request, session, form, status=429)
    owner_mail.ask(line, address=form.cleaned_data["address"], language=get_language() or "ko")
    messages.info(request, _("확인 메일을 보냈어요. 메일에 있는 글자 8개를 30분 안에 입력해 주세요."))
    return see_other(reverse("my-mail"))


def _confirm(request: HttpRequest, session: CustomerSession) -> HttpResponse:
    form = LettersForm(request.POST)
    if not form.is_valid():
        return _page(request, session, form, status=400)
    if not owner_mail.confirm(session.subscription.line_id, form.cleaned_data["letters"]):
        form.add_error("letters", _("글자가 다르거나 시간이 지났어요. 다시 입력하거나 확인 메일을 다시 받아 주세요."))
        return _page(request, session, form, status=400)
    messages.success(request, _("이제 이 주소로도 알려드려요."))
    return see_other(reverse("my-mail"))


def _remove(request: HttpRequest, session: CustomerSession) -> HttpResponse:
    if owner_mail.remove(session.subscription.line_id):
        messages.success(request, _("이메일 주소를 지웠어요. 알림은 휴대폰으로만 보내요."))
    return see_other(reverse("my-mail"))


urlpatterns = [path("my/mail", mail, name="my-mail")]
