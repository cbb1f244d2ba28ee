"""The form of a staff member's account at the desk: who, which roles, whether they may come in."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from ansim import roles, staff
from ansim.lib import fingerprint, phone
from ansim.models import Agent
from ansim.record_models import Role

OWN = _("본인의 계정은 바꿀 수 없습니다. 다른 책임자나 운영 담당자에게 말하십시오.")
NOT_YOURS = _("이 역할은 줄 수도, 바꿀 수도 없습니다. 운영 담당자에게 말하십시오.")


class Account(forms.ModelForm):  # type: ignore[type-arg] # not subscriptable when it runs
    """`by` is who fills it in (set by the admin); roles that are not theirs to give are not offered and not taken."""

    by: Agent
    chosen = forms.MultipleChoiceField(
        label=_("역할"), choices=Role.choices, widget=forms.CheckboxSelectMultiple, required=False
    )
    phone = forms.CharField(
        label=_("본인의 휴대폰 번호"), max_length=24, required=False,
        help_text=_("본인의 회선을 열지 못하게 하는 데만 씁니다. 저장하면 다시 볼 수 없습니다."),
    )  # fmt: skip

    class Meta:
        model = Agent
        fields = ("username", "first_name", "is_active")
        labels = {"first_name": _("이름")}

    def __init__(self, *args: Any, **given: Any) -> None:
        super().__init__(*args, **given)
        offered = [str(role) for role in roles.PERMISSIONS] if self.by.is_superuser else roles.manageable(self.by.roles)
        held = self.instance.roles if self.instance.pk else []
        field = self.fields["chosen"]
        field.choices = [(role, Role(role).label) for role in roles.PERMISSIONS if role in {*offered, *held}]  # type: ignore[attr-defined]
        field.initial = held

    def clean_phone(self) -> str:
        typed = self.cleaned_data["phone"].strip()
        if not typed:
            return ""
        try:
            return fingerprint.of("phone", phone.parse(typed))
        except ValueError as error:
            raise ValidationError(_("010으로 시작하는 11자리를 입력하십시오.")) from error

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        refusal = staff.may_manage(self.by, self.instance if self.instance.pk else None, given.get("chosen", ()))
        if refusal:
            raise ValidationError(OWN if refusal.code == "own" else NOT_YOURS, code=refusal.code)
        return given
