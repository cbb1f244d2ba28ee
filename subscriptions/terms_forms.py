"""The desk's forms for what is agreed and paid: new versions and new prices, from a day to come on."""

from datetime import datetime, time
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ansim.lib import birth
from subscriptions.consents import REQUIRED
from subscriptions.models import ConsentDocument, Price
from subscriptions.page_forms import MARKDOWN

NOT_YET = _("내일이나 그 뒤의 날을 입력하십시오. 시작한 것은 바꾸지 않습니다.")
SUMMARY_LINES = 3


class PriceForm(forms.ModelForm):  # type: ignore[type-arg] # not subscriptable when it runs
    class Meta:
        model = Price
        fields = ("starts_on", "won")

    def clean_starts_on(self) -> Any:
        if self.cleaned_data["starts_on"] <= birth.today():
            raise ValidationError(NOT_YET)
        return self.cleaned_data["starts_on"]


class Summary(forms.CharField):
    """Three lines of text: what is handled, what for, how long."""

    def __init__(self, **given: Any) -> None:
        super().__init__(widget=forms.Textarea(attrs={"rows": SUMMARY_LINES}), max_length=600, **given)

    def to_python(self, value: Any) -> Any:
        lines = [line.strip() for line in (super().to_python(value) or "").splitlines() if line.strip()]
        if len(lines) > SUMMARY_LINES:
            raise ValidationError(_("세 줄까지 적으십시오."))
        return lines


class ConsentDocumentForm(forms.ModelForm):  # type: ignore[type-arg]
    """A new version. Its name is the day it begins; whether it is required follows from its kind."""

    starts_on = forms.DateField(label=_("시작하는 날"), widget=forms.DateInput(attrs={"placeholder": "2026-12-01"}))
    summary_ko = Summary(label=_("요약 세 줄"), required=False)
    summary_en = Summary(label=_("영어 요약 세 줄"), required=False)

    class Meta:
        model = ConsentDocument
        fields = ("kind", "title_ko", "summary_ko", "body_ko", "title_en", "summary_en", "body_en")
        help_texts: dict[str, Any] = {"body_ko": MARKDOWN, "body_en": MARKDOWN}

    field_order = ("kind", "starts_on")

    def clean_starts_on(self) -> Any:
        if self.cleaned_data["starts_on"] <= birth.today():
            raise ValidationError(NOT_YET)
        return self.cleaned_data["starts_on"]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if "kind" in given and "starts_on" in given:
            document, kind, day = self.instance, given["kind"], given["starts_on"]
            document.version, document.required = f"{day:%Y-%m-%d}", kind in REQUIRED
            document.starts_at = timezone.make_aware(datetime.combine(day, time()))
            if ConsentDocument.objects.filter(kind=kind, version=document.version).exists():
                self.add_error("starts_on", _("그날 시작하는 판이 이미 있습니다."))
        return given
