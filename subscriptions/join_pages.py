"""The words of a verdict: every reason at once, each with what would change it (S4, S7)."""

from dataclasses import dataclass

from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from ansim.lib import birth
from verification.carrier import LineFacts
from verification.window_forms import CARRIER_NAMES

Text = str | Promise


@dataclass(frozen=True)
class Reason:
    """Why a line may not join, and what would change that."""

    what: Text
    cure: Text


_OTHER_PHONE = _lazy("안드로이드 2.3 이상 휴대폰이나 iOS 6.0 이상 아이폰으로 바꾸면 가입할 수 있어요.")
_OTHER_PLAN = _lazy("후불 일반 요금제로 바꾸면 가입할 수 있어요.")
_OWN_NAME = _lazy("본인 명의로 바꾸면 가입할 수 있어요.")
REASONS: dict[str, Reason] = {
    "not_individual": Reason(_lazy("법인 명의 회선이에요."), _OWN_NAME),
    "not_own_name": Reason(_lazy("다른 사람 명의 회선이에요."), _OWN_NAME),
    "prepaid": Reason(_lazy("선불 요금제예요."), _OTHER_PLAN),
    "m2m": Reason(_lazy("사물인터넷(M2M) 요금제예요."), _OTHER_PLAN),
    "special_plan": Reason(_lazy("특수 요금제예요."), _OTHER_PLAN),
    "line_not_active": Reason(_lazy("회선이 정지되어 있어요."), _lazy("통신사에서 정지를 풀면 가입할 수 있어요.")),
    "already_joined": Reason(_lazy("이미 가입한 번호예요."), _lazy("내 서비스에서 상태를 볼 수 있어요.")),
}


def reasons(codes: list[str], facts: LineFacts) -> list[Reason]:
    """In the order of api.md; what depends on the line is said in its own words."""
    return [REASONS.get(code) or _of_the_line(code, facts) for code in codes]


def _of_the_line(code: str, facts: LineFacts) -> Reason:
    if code == "not_skt":
        carrier = {"carrier": CARRIER_NAMES[facts.carrier]}
        return Reason(_("%(carrier)s 회선이에요.") % carrier, _("SKT로 번호를 옮기면 가입할 수 있어요."))
    if code == "minor":
        born = facts.holder.birthdate
        adult = {"day": date_format(birth.adult_on(born), "DATE_FORMAT")}
        return Reason(_("아직 만 19세가 아니에요."), _("만 19세가 되는 %(day)s부터 가입할 수 있어요.") % adult)
    handset = facts.handset
    told = {"model": handset.model, "version": handset.os_version}
    if code == "old_os":
        return Reason(_("휴대폰(%(model)s)의 운영체제가 %(version)s 버전이에요.") % told, _OTHER_PHONE)
    if code == "tablet":
        return Reason(_("태블릿(%(model)s)에서는 안심 앱을 쓸 수 없어요.") % told, _OTHER_PHONE)
    return Reason(_("이 휴대폰(%(model)s)에서는 안심 앱을 쓸 수 없어요.") % told, _OTHER_PHONE)
