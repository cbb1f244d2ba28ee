"""The desk's forms about partners: their contract, their keys, the people of their console (합니다체)."""

import re
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from ansim.desk_forms import Confirmed
from verification.models import GRANTS, Partner

DOMAIN = re.compile(r"(?=.{4,253}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")
GRANT_WORDS = {
    "name": _("이름"), "birthdate": _("생년월일"), "adult": _("성인 여부"), "gender": _("성별"),
    "foreigner": _("내외국인"), "phone": _("휴대폰 번호"), "carrier": _("통신사"), "ci": "CI", "di": "DI",
}  # fmt: skip


class PartnerForm(forms.ModelForm):  # type: ignore[type-arg] # not subscriptable when it runs
    """Who it is and what its contract gives it; the rest its own people set in their console."""

    grants = forms.MultipleChoiceField(
        label=_("계약으로 받는 정보"), choices=[(grant, GRANT_WORDS[grant]) for grant in GRANTS],
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip

    class Meta:
        model = Partner
        fields = ("name", "domain", "is_agency", "grants")
        labels = {"name": _("이름"), "domain": _("도메인"), "is_agency": _("인증 대행사")}

    def clean_domain(self) -> str:
        domain = str(self.cleaned_data["domain"]).strip().lower()
        if not DOMAIN.fullmatch(domain):
            raise ValidationError(_("shop.example처럼 도메인만 입력하십시오."))
        return domain


class NewKey(Confirmed):
    """A key is shown once."""

    live = forms.ChoiceField(label=_("열쇠의 종류"), choices=[("test", _("시험용")), ("live", _("실제"))])
    field_order = ("live", "otp_token")

    def __init__(self, *args: Any, **given: Any) -> None:
        super().__init__(*args, **given)
        if settings.DEMO:  # beside the simulated world nothing is real
            self.fields["live"].choices = self.fields["live"].choices[:1]  # type: ignore[attr-defined]


class RevokedKey(Confirmed):
    key = forms.ChoiceField(label=_("없앨 열쇠"))
    field_order = ("key", "otp_token")

    def __init__(self, *args: Any, keys: list[tuple[str, str]], **given: Any) -> None:
        super().__init__(*args, **given)
        self.fields["key"].choices = keys  # type: ignore[attr-defined]


class NewUser(Confirmed):
    email = forms.CharField(label=_("이메일"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "off"}))
    name = forms.CharField(label=_("이름"), max_length=60, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    field_order = ("email", "name", "otp_token")


class DisabledUser(Confirmed):
    user = forms.ChoiceField(label=_("들어오지 못하게 할 사람"))
    field_order = ("user", "otp_token")

    def __init__(self, *args: Any, users: list[tuple[str, str]], **given: Any) -> None:
        super().__init__(*args, **given)
        self.fields["user"].choices = users  # type: ignore[attr-defined]
