"""The desk's forms for what the site shows (합니다체, as the desk speaks)."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from subscriptions.models import Announcement, Question

MARKDOWN = _("마크다운으로 씁니다. HTML 태그와 그림은 쓸 수 없습니다.")


class AnnouncementForm(forms.ModelForm):  # type: ignore[type-arg] # not subscriptable when it runs
    class Meta:
        model = Announcement
        fields = ("published_at", "title_ko", "body_ko", "title_en", "body_en")
        labels = {
            "published_at": _("보이기 시작하는 시각"),
            "title_ko": _("제목"), "body_ko": _("내용"),
            "title_en": _("영어 제목"), "body_en": _("영어 내용"),
        }  # fmt: skip
        help_texts: dict[str, Any] = {"body_ko": MARKDOWN, "body_en": MARKDOWN}


class QuestionForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Question
        fields = ("slug", "group", "position", "shown", "question_ko", "answer_ko", "question_en", "answer_en")
        labels = {
            "slug": _("주소"), "group": _("묶음"), "position": _("차례"), "shown": _("사이트에 보임"),
            "question_ko": _("질문"), "answer_ko": _("답"),
            "question_en": _("영어 질문"), "answer_en": _("영어 답"),
        }  # fmt: skip
        help_texts: dict[str, Any] = {"answer_ko": MARKDOWN, "answer_en": MARKDOWN}
