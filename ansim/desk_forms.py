"""The forms of getting in at the desk: signing in, enrolling, new recovery codes."""

from datetime import date
from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from ansim import staff_sign_in
from ansim.models import Agent
from ansim.retention_models import LONGEST

WRONG_TOKEN = _("일회용 코드가 맞지 않습니다. 쓴 코드는 다시 쓸 수 없으니 다음 코드를 기다리십시오.")
TOKEN = {"autocomplete": "one-time-code", "spellcheck": "false"}


class DeskDoor(AuthenticationForm):
    """Name, password and one-time code in one form: whatever of it is wrong, the answer is one."""

    otp_token = forms.CharField(
        label=_("일회용 코드"), max_length=40, widget=forms.TextInput(attrs={**TOKEN, "inputmode": "text"})
    )
    error_messages = {
        **AuthenticationForm.error_messages,
        "invalid_login": _(
            "아이디, 비밀번호, 일회용 코드 가운데 맞지 않는 것이 있습니다. 다섯 번 틀리면 15분 동안 잠깁니다."
        ),
    }

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        if self.request is not None and {"username", "password", "otp_token"} <= given.keys():
            self.user_cache = staff_sign_in.sign_in(
                given["username"], given["password"], given["otp_token"], address=self.request.META["REMOTE_ADDR"]
            )
            if self.user_cache is None:
                raise self.get_invalid_login_error()
        return given


class Invited(forms.Form):
    """The first step of enrolling: who, and the code that was handed over."""

    username = forms.CharField(
        label=_("아이디"), max_length=150, widget=forms.TextInput(attrs={"autofocus": True, "autocomplete": "username"})
    )
    code = forms.CharField(
        label=_("등록 코드"), max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )  # fmt: skip


class Enrolment(forms.Form):
    """The second: a password of their own, and a code from the app that took over the key."""

    otp_token = forms.CharField(
        label=_("앱에 보이는 6자리 코드"), max_length=12,
        widget=forms.TextInput(attrs={**TOKEN, "inputmode": "numeric"}),
    )  # fmt: skip
    password = forms.CharField(
        label=_("새 비밀번호"), max_length=128, strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )  # fmt: skip
    again = forms.CharField(
        label=_("새 비밀번호 다시"), max_length=128, strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )  # fmt: skip

    def __init__(self, *args: Any, agent: Agent, **given: Any) -> None:
        super().__init__(*args, **given)
        self.agent = agent

    def clean_password(self) -> str:
        validate_password(self.cleaned_data["password"], self.agent)
        return str(self.cleaned_data["password"])

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if "password" in given and given.get("again") != given["password"]:
            self.add_error("again", ValidationError(_("두 비밀번호가 다릅니다. 같은 것을 두 번 입력하십시오.")))
        return given


class Confirmed(forms.Form):
    """A fresh one-time code before something that matters."""

    otp_token = forms.CharField(
        label=_("일회용 코드"), max_length=12, widget=forms.TextInput(attrs={**TOKEN, "inputmode": "numeric"})
    )


class SignOff(forms.Form):
    """What somebody found who went through a month of the record of access."""

    note = forms.CharField(
        label=_("점검한 결과"), min_length=5, max_length=500,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=_("이상한 점과 확인한 일을 적습니다. 고객의 이름이나 번호는 적지 않습니다."),
    )  # fmt: skip


class Period(Confirmed):
    """For how many days something is kept, and why that changes. `least`: what the law or our own pages need."""

    days = forms.IntegerField(
        label=_("보관하는 날"), max_value=LONGEST,
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "numeric"}),
        error_messages={"max_value": _("10년(3660일)보다 길게 둘 수 없습니다.")},
    )  # fmt: skip
    reason = forms.CharField(
        label=_("바꾸는 까닭"), min_length=5, max_length=200, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    field_order = ("days", "reason", "otp_token")

    def __init__(self, *args: Any, least: int, **given: Any) -> None:
        super().__init__(*args, **given)
        self.least = least

    def clean_days(self) -> int:
        days = int(self.cleaned_data["days"])
        if days < self.least:
            raise ValidationError(_("%(least)d일보다 짧게 둘 수 없습니다."), params={"least": self.least})
        return days


class Export(Confirmed):
    """Which month of the record, and what for."""

    month = forms.RegexField(
        label=_("달 (예: 2026-10)"), regex=r"\A20[0-9]{2}-(0[1-9]|1[0-2])\Z", max_length=7,
        error_messages={"invalid": _("2026-10처럼 입력하십시오.")},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip
    reason = forms.CharField(
        label=_("내려받는 까닭"), min_length=5, max_length=200, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    field_order = ("month", "reason", "otp_token")

    def clean_month(self) -> date:
        return date.fromisoformat(f"{self.cleaned_data['month']}-01")
