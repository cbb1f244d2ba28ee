"""The public pages: what the service is, how it is used, questions, notices, what is agreed on (S3; api.md section 6).

Every fixed page answers with and without a final slash; the address without is the canonical one.
"""

import uuid
from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import path, re_path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from ansim.lib import birth
from subscriptions.models import Announcement, ConsentDocument, Price, Question
from subscriptions.public_pages import announcements, changes, found, html, revalidated, text, wanted

NOTICES_A_PAGE = 20
Kind = ConsentDocument.Kind


def _page(request: HttpRequest, name: str, *, title: str, description: str, **more: Any) -> HttpResponse:
    return render(request, f"site/{name}.html", {"title": title, "description": description, **more})


# --- What it is and how it is used ------------------------------------------------------------------


@require_safe
@revalidated
def home(request: HttpRequest) -> HttpResponse:
    return _page(
        request,
        "home",
        title=_("인증번호를 문자로 받지 마세요"),
        description=_("문자는 훔쳐볼 수 있어요. 안심은 내 휴대폰 앱에만, 비밀번호를 아는 나에게만 인증번호를 보내요."),
        won=_prices()[0]["won"],
        latest=[_listed(one) for one in announcements()[:3]],
    )


@require_safe
@revalidated
def service(request: HttpRequest) -> HttpResponse:
    return _page(
        request,
        "service",
        title=_("서비스 소개"),
        description=_(
            "왜 문자 인증번호가 위험한지, 안심은 무엇을 다르게 하고 무엇은 막지 못하는지, 요금은 얼마인지 알려드려요."
        ),
        prices=_prices(),
    )


@require_safe
@revalidated
def how_to(request: HttpRequest) -> HttpResponse:
    return _page(
        request,
        "how_to",
        title=_("이용방법"),
        description=_(
            "인증창에서 인증 완료까지 여섯 단계를 그림으로 보여드려요. 앱 등록, 기기 변경, 일시 해제 방법도 있어요."
        ),
    )


@require_safe
@revalidated
def partners(request: HttpRequest) -> HttpResponse:
    return _page(
        request,
        "partners",
        title=_("이용 사이트 안내"),
        description=_("사이트에 휴대폰 본인확인을 붙이는 방법이에요. API 하나로 문자 인증과 앱 인증을 모두 받아요."),
    )


def _prices() -> list[dict[str, Any]]:
    """The price that holds and those before it, newest first."""
    begun = Price.objects.filter(starts_on__lte=birth.today()).order_by("-starts_on")
    return [{"starts_on": price.starts_on, "won": f"{price.won:,}"} for price in begun]


# --- Questions --------------------------------------------------------------------------------------


@require_safe
@revalidated
def faq(request: HttpRequest) -> HttpResponse:
    """`?q=` searches questions and answers for every word of it."""
    words = wanted(request)
    asked = found(Question.objects.filter(shown=True), words)
    groups = [
        {"name": label, "id": group.value, "questions": [_answered(one) for one in asked if one.group == group]}
        for group, label in _groups().items()
    ]
    return _page(
        request,
        "faq",
        title=_("자주 묻는 질문"),
        description=_("가입할 수 있는 휴대폰, 이용 절차, 기기와 번호 변경, 요금, 해지까지 자주 묻는 질문에 답해요."),
        groups=[group for group in groups if group["questions"]],
        words=words,
        count=len(asked),
        noindex=bool(words),
    )


@require_safe
@revalidated
def question(request: HttpRequest, slug: str) -> HttpResponse:
    one = get_object_or_404(Question, slug=slug, shown=True)
    others = Question.objects.filter(group=one.group, shown=True).exclude(pk=one.pk)
    return _page(
        request,
        "question",
        title=text(one, "question"),
        description=_summary(text(one, "answer")),
        question=_answered(one),
        others=[{"slug": other.slug, "question": text(other, "question")} for other in others],
    )


def _groups() -> dict[Question.Group, str]:
    group = Question.Group
    return {
        group.USING: _("이용"), group.JOINING: _("가입"), group.CHANGES: _("변경"), group.FEE: _("요금"),
        group.LEAVING: _("해지"),
    }  # fmt: skip


def _answered(one: Question) -> dict[str, Any]:
    return {"slug": one.slug, "question": text(one, "question"), "answer": html(text(one, "answer"))}


def _summary(markdown: str) -> str:
    """The first paragraph, for search engines."""
    return str(markdown).partition("\n\n")[0].replace("*", "")[:160]


# --- Notices ----------------------------------------------------------------------------------------


@require_safe
@revalidated
def notices(request: HttpRequest) -> HttpResponse:
    page = Paginator(announcements(), NOTICES_A_PAGE).get_page(request.GET.get("page"))
    return _page(
        request,
        "notices",
        title=_("공지"),
        description=_("안심 서비스의 새 소식과 점검 안내예요."),
        page=page,
        notices=[_listed(one) for one in page],
    )


@require_safe
@revalidated
def notice(request: HttpRequest, announcement_id: uuid.UUID) -> HttpResponse:
    one = get_object_or_404(announcements(), pk=announcement_id)
    body = text(one, "body")
    return _page(
        request,
        "notice",
        title=text(one, "title"),
        description=_summary(body),
        at=one.published_at,
        body=html(body),
    )


def _listed(one: Announcement) -> dict[str, Any]:
    return {"id": one.pk, "title": text(one, "title"), "at": one.published_at}


# --- What is agreed on ------------------------------------------------------------------------------


@require_safe
@revalidated
def terms(request: HttpRequest) -> HttpResponse:
    return _document(
        request, Kind.TERMS, description=_("안심 휴대폰인증보호 서비스의 이용약관이에요. 지난 판도 볼 수 있어요.")
    )


@require_safe
@revalidated
def privacy(request: HttpRequest) -> HttpResponse:
    return _document(
        request,
        Kind.PRIVACY,
        description=_("안심이 어떤 개인정보를 왜 다루고 언제 지우는지, 어떻게 지키는지 알려드려요."),
    )


@require_safe
@revalidated
def consent(request: HttpRequest, kind: str, version: str) -> HttpResponse:
    """One version of any document in full: what joining links to."""
    one = get_object_or_404(ConsentDocument, kind=kind, version=version, starts_at__lte=timezone.now())
    return _page(
        request,
        "consent",
        title=text(one, "title"),
        description=" ".join(text(one, "summary"))[:160],
        document=one,
        summary=text(one, "summary"),
        body=html(text(one, "body")),
    )


def _document(request: HttpRequest, kind: str, *, description: str) -> HttpResponse:
    """The version that holds, or the one of `?version=`, with all versions and what this one changed."""
    versions = list(ConsentDocument.objects.filter(kind=kind, starts_at__lte=timezone.now()).order_by("-starts_at"))
    asked = request.GET.get("version", versions[0].version if versions else "")
    at = next((place for place, one in enumerate(versions) if one.version == asked), None)
    if at is None:
        raise Http404
    shown, before = versions[at], versions[at + 1] if at + 1 < len(versions) else None
    return _page(
        request,
        "document",
        title=text(shown, "title"),
        description=description,
        document=shown,
        summary=text(shown, "summary"),
        versions=versions,
        body=html(text(shown, "body")),
        changes=[(what, html(paragraph)) for what, paragraph in changes(before, shown)] if before else [],
        noindex=at > 0,
    )


urlpatterns = [
    path("", home, name="home"),
    re_path(r"^service/?$", service, name="service"),
    re_path(r"^how-to/?$", how_to, name="how-to"),
    re_path(r"^faq/?$", faq, name="faq"),
    path("faq/<slug:slug>", question, name="faq-question"),
    re_path(r"^notices/?$", notices, name="notices"),
    path("notices/<uuid:announcement_id>", notice, name="notice"),
    re_path(r"^terms/?$", terms, name="terms"),
    re_path(r"^privacy/?$", privacy, name="privacy"),
    re_path(r"^consents/(?P<kind>[a-z]{1,9})/(?P<version>[0-9]{4}-[0-9]{2}-[0-9]{2})$", consent, name="consent-text"),
    re_path(r"^partners/?$", partners, name="partners"),
]
