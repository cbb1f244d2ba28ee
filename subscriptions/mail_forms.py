"""The owner's e-mail address, and the letters that confirm it, as typed on my page."""

from django import forms
from django.utils.translation import gettext_lazy as _

UNREADABLE = _("이메일 주소로 읽을 수 없어요. name@example.com처럼 입력해 주세요.")
NOT_EIGHT = _("메일에 있는 글자 8개를 입력해 주세요.")


class AddressForm(forms.Form):
    address = forms.EmailField(
        max_length=254, error_messages={"required": UNREADABLE, "invalid": UNREADABLE, "max_length": UNREADABLE}
    )


class LettersForm(forms.Form):
    """Wrong or too late: the view says so of the same field."""

    letters = forms.CharField(max_length=40, error_messages={"required": NOT_EIGHT, "max_length": NOT_EIGHT})
