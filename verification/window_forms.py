"""What people type into the hosted window, read kindly: pasted blanks, hyphens and full-width digits are fine."""

import unicodedata
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from ansim.lib import birth, phone
from verification.identity import CARRIERS, Identity


def _digits(typed: str) -> str:
    """What people paste: full-width digits, blanks and hyphens are fine."""
    return "".join(letter for letter in unicodedata.normalize("NFKC", typed) if letter not in " -\u00a0")


class Digits(forms.CharField):
    def to_python(self, value: Any) -> str:
        return _digits(super().to_python(value) or "")


class IdentityForm(forms.Form):
    """W1. `name` and `carrier` are checked when given."""

    name = forms.CharField(max_length=100, required=False)
    carrier = forms.ChoiceField(choices=[("", ""), *((one, one) for one in CARRIERS)], required=False)
    birthdate = Digits(max_length=20, required=False)
    gender_digit = Digits(max_length=8, required=False)
    phone = Digits(max_length=40, required=False)
    consent_collect = forms.BooleanField(required=False)
    consent_share = forms.BooleanField(required=False)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        born, digit = given.get("birthdate", ""), given.get("gender_digit", "")
        if not (born.isascii() and born.isdecimal() and len(born) == 6):
            self.add_error("birthdate", _("생년월일 6자리를 입력해 주세요. 예: 900101"))
        if digit not in birth.CENTURIES:
            self.add_error("gender_digit", _("뒤 첫째 자리는 숫자 1개예요."))
        if not self.errors:
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
        for consent in ("consent_collect", "consent_share"):
            if not given.get(consent):
                self.add_error(consent, _("필수 동의가 남아 있어요."))
        return given

    def identity(self) -> Identity:
        given = self.cleaned_data
        return Identity(
            birthdate=given["birthdate"], gender_digit=given["gender_digit"], phone=given["phone"],
            carrier=given["carrier"] or None, name=given["name"] or None,
        )  # fmt: skip


class CodeForm(forms.Form):
    """W3. What is not six digits is no try."""

    code = Digits(max_length=40, required=False)

    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"]
        if not (code.isascii() and code.isdecimal() and len(code) == 6):
            raise forms.ValidationError(_("숫자 6자리를 입력해 주세요."))
        return code
