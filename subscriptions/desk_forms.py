"""The desk's forms about customers: finding one, opening their page, revealing a field, a deed."""

from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from ansim.lib import phone
from subscriptions.customer_search import Wanted, Way
from subscriptions.desk_words import FIELDS

INQUIRIES = {
    "cancel": _("해지"), "lost": _("분실·도난"), "failing": _("인증이 안 됨"), "bill": _("요금"),
    "not_me": _("내가 요청하지 않은 인증"), "other": _("기타"),
}  # fmt: skip
SHORTEST = 5  # letters of an explanation for "other"


class Why(forms.Form):
    """What the customer called about: without it nobody's data is opened. `reason` is what goes on record."""

    inquiry = forms.ChoiceField(label=_("문의 유형"), choices=list(INQUIRIES.items()))
    ticket = forms.RegexField(
        label=_("상담 번호"), regex=r"\A[A-Za-z0-9-]{1,20}\Z", max_length=20,
        error_messages={"invalid": _("상담 번호는 영문, 숫자, 하이픈으로 20자까지입니다.")},
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )  # fmt: skip

    @property
    def reason(self) -> str:
        given = self.cleaned_data
        return f"{INQUIRIES[given['inquiry']]} ({given['ticket']})"


class Search(Why):
    """By one of three ways, exactly; other ways are not offered because there is nothing to browse."""

    phone = forms.CharField(
        label=_("휴대폰 번호"), max_length=24, required=False,
        widget=forms.TextInput(attrs={"autofocus": True, "inputmode": "tel", "autocomplete": "off"}),
    )  # fmt: skip
    contract = forms.CharField(
        label=_("계약 번호"), max_length=64, required=False, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    name = forms.CharField(
        label=_("이름"), max_length=60, required=False, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    birthdate = forms.CharField(
        label=_("생년월일 8자리"), max_length=12, required=False,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )  # fmt: skip
    field_order = ("phone", "contract", "name", "birthdate", "inquiry", "ticket")

    def clean_phone(self) -> str:
        typed = self.cleaned_data["phone"].strip()
        try:
            return phone.parse(typed) if typed else ""
        except ValueError as error:
            raise ValidationError(_("010으로 시작하는 11자리를 입력하십시오.")) from error

    def clean_birthdate(self) -> str:
        digits = "".join(letter for letter in self.cleaned_data["birthdate"] if letter.isdecimal())
        if not digits:
            return ""
        try:
            return date.fromisoformat(f"{digits[:4]}-{digits[4:6]}-{digits[6:]}").isoformat()
        except ValueError as error:
            raise ValidationError(_("1990년 1월 1일은 19900101로 입력하십시오.")) from error

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        person = bool(given.get("name") or given.get("birthdate"))
        if [bool(given.get("phone")), bool(given.get("contract")), person].count(True) != 1 and not self.errors:
            raise ValidationError(_("번호, 계약 번호, 이름과 생년월일 가운데 하나로만 찾으십시오."))
        if person and not (given.get("name") and given.get("birthdate")) and not self.errors:
            raise ValidationError(_("이름과 생년월일을 함께 입력하십시오."))
        return given

    @property
    def wanted(self) -> Wanted:
        given = self.cleaned_data
        if given["phone"]:
            return Wanted(Way.NUMBER, given["phone"])
        if given["contract"]:
            return Wanted(Way.CONTRACT, given["contract"].strip())
        return Wanted(Way.PERSON, f"{given['name'].strip()}|{given['birthdate']}")


class Reveal(forms.Form):
    """One masked field, for one reason."""

    REASONS = {
        "identify": _("전화한 사람이 본인인지 확인"), "reach": _("고객에게 다시 연락"),
        "carrier": _("통신사에 문의"), "other": _("기타 (아래에 적음)"),
    }  # fmt: skip
    field = forms.ChoiceField(choices=list(FIELDS.items()), widget=forms.HiddenInput)
    why = forms.ChoiceField(label=_("보는 까닭"), choices=list(REASONS.items()))
    detail = forms.CharField(
        label=_("기타이면 자세히"), max_length=200, required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if given.get("why") == "other" and len(given.get("detail", "").strip()) < SHORTEST:
            self.add_error("detail", _("까닭을 다섯 글자 넘게 적으십시오."))
        return given

    @property
    def reason(self) -> str:
        given = self.cleaned_data
        return given["detail"].strip() if given["why"] == "other" else str(self.REASONS[given["why"]])


class Deed(forms.Form):
    """What must be ticked before a deed, why, and for a dangerous one a fresh one-time code."""

    def __init__(self, *args: Any, checks: tuple[Any, ...], dangerous: bool, **given: Any) -> None:
        super().__init__(*args, **given)
        for number, check in enumerate(checks):
            self.fields[f"check{number}"] = forms.BooleanField(
                label=check, error_messages={"required": _("확인하고 표시하십시오.")}
            )
        self.fields["detail"] = forms.CharField(
            label=_("고객이 말한 까닭"), min_length=SHORTEST, max_length=200,
            widget=forms.TextInput(attrs={"autocomplete": "off"}),
            help_text=_("접속기록에 남고 고객도 봅니다. 이름이나 번호는 적지 않습니다."),
        )  # fmt: skip
        if dangerous:
            self.fields["otp_token"] = forms.CharField(
                label=_("일회용 코드"), max_length=12, help_text=_("인증 앱에 지금 보이는 6자리입니다."),
                widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
            )  # fmt: skip
