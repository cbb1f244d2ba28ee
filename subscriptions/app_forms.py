"""What is typed to register the app again, read kindly."""

from django import forms
from django.utils.translation import gettext as _

from verification import codes
from verification.window_forms import Digits


class LettersForm(forms.Form):
    """The letters of the SMS. What is not eight letters is no try."""

    letters = forms.CharField(max_length=40, required=False)

    def clean_letters(self) -> str:
        typed = codes.letters_as_typed(self.cleaned_data["letters"])
        if not (typed.isascii() and typed.isalpha() and len(typed) == codes.LETTERS_LENGTH):
            raise forms.ValidationError(_("문자로 받은 글자 8개를 입력해 주세요. 예: KRTN-WQXB"))
        return typed


class PasswordForm(forms.Form):
    """The old app password. What is not six digits is no try."""

    password = Digits(max_length=40, required=False)

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        if not (password.isascii() and password.isdecimal() and len(password) == 6):
            raise forms.ValidationError(_("숫자 6자리를 입력해 주세요."))
        return password
