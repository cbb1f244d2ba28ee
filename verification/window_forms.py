"""What people type into the hosted window, read kindly: pasted blanks, hyphens and full-width digits are fine."""

import unicodedata
from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from ansim.lib import birth, phone
from ansim.lib.times import instant
from verification.identity import Identity


def _digits(typed: str) -> str:
    """What people paste: full-width digits, blanks and hyphens are fine."""
    return "".join(letter for letter in unicodedata.normalize("NFKC", typed) if letter not in " -\u00a0")


CONSENT_VERSION = "2026-11-23"  # of what templates/verification/window/identity.html says they cover
CARRIER_NAMES: dict[str, Any] = {
    "SKT": "SKT",
    "KT": "KT",
    "LGU": "LG U+",
    "SKT_MVNO": _lazy("SKT 알뜰폰"),
    "KT_MVNO": _lazy("KT 알뜰폰"),
    "LGU_MVNO": _lazy("LG U+ 알뜰폰"),
}


class Digits(forms.CharField):
    def to_python(self, value: Any) -> str:
        return _digits(super().to_python(value) or "")


class PersonForm(forms.Form):
    """The seed's three inputs: front digits of the birth date, gender digit, phone number."""

    birthdate = Digits(max_length=20, required=False)
    gender_digit = Digits(max_length=8, required=False)
    phone = Digits(max_length=40, required=False)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        born, digit = given.get("birthdate", ""), given.get("gender_digit", "")
        if not (born.isascii() and born.isdecimal() and len(born) == 6):
            self.add_error("birthdate", _("생년월일 6자리를 입력해 주세요. 예: 900101"))
        if digit not in birth.CENTURIES:
            self.add_error("gender_digit", _("뒤 첫째 자리는 숫자 1개예요."))
        if not {"birthdate", "gender_digit"} & set(self.errors):
            try:
                birth.born_on(born, digit)
            except ValueError as error:
                future = "to come" in str(error)
                self.add_error(
                    "birthdate", _("앞으로 올 날짜예요.") if future else _("없는 날짜예요. 다시 확인해 주세요.")
                )
        try:
            given["phone"] = phone.parse(given.get("phone", ""))
        except ValueError:
            self.add_error("phone", _("010으로 시작하는 11자리를 입력해 주세요."))
        return given

    def identity(self) -> Identity:
        given = self.cleaned_data
        return Identity(
            birthdate=given["birthdate"], gender_digit=given["gender_digit"], phone=given["phone"],
            carrier=given.get("carrier") or None, name=given.get("name") or None,
        )  # fmt: skip


class IdentityForm(PersonForm):
    """W1. Shows `name` and `carrier` only where the partner asks for them; given anyhow, they are checked."""

    name = forms.CharField(max_length=100, required=False)
    carrier = forms.ChoiceField(choices=[("", _lazy("고르기")), *CARRIER_NAMES.items()], required=False)
    consent_collect = forms.BooleanField(required=False)
    consent_share = forms.BooleanField(required=False)
    field_order = ("name", "carrier")

    def __init__(self, data: Any = None, *, asks: Sequence[str] = ()) -> None:
        super().__init__(data)
        self.asks = asks

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        if "name" in self.asks and not given.get("name", "").strip():
            self.add_error("name", _("이름을 입력해 주세요."))
        if "carrier" in self.asks and not given.get("carrier") and "carrier" not in self.errors:
            self.add_error("carrier", _("통신사를 골라 주세요."))
        for consent in ("consent_collect", "consent_share"):
            if not given.get(consent):
                self.add_error(consent, _("필수 동의가 남아 있어요."))
        return given

    def typed(self) -> dict[str, str]:
        """As it was typed, to be shown again; blanks beyond a sensible length are left out."""
        return {name: self.data[name][:100] for name in self.fields if name in self.data}

    def consented(self) -> dict[str, Any]:
        """What was ticked, to be kept with the verification (mission.md section 7, consents)."""
        return {"at": instant(timezone.now()), "version": CONSENT_VERSION, "documents": ["collect", "share"]}


class CodeForm(forms.Form):
    """W3. What is not six digits is no try."""

    code = Digits(max_length=40, required=False)

    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"]
        if not (code.isascii() and code.isdecimal() and len(code) == 6):
            raise forms.ValidationError(_("숫자 6자리를 입력해 주세요."))
        return code
