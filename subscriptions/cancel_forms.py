"""Why somebody leaves, if they tell."""

from django import forms
from django.utils.translation import gettext_lazy as _

from subscriptions.models import LeavingReason

Answer = LeavingReason.Answer
WORDS = (
    (Answer.FEE, _("요금이 부담돼요")),
    (Answer.EFFORT, _("인증할 때 번거로워요")),
    (Answer.SITES, _("쓸 수 없는 사이트가 있어요")),
    (Answer.PHONE, _("휴대폰이나 번호를 바꿔요")),
    (Answer.OTHER, _("다른 이유예요")),
)


class LeaveForm(forms.Form):
    """Nothing has to be chosen."""

    answer = forms.ChoiceField(choices=WORDS, required=False)
