"""The window's words that follow from a state, a reason or a grant: one table, so that equal refusals are one row."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from verification.models import Verification

Text = str | Promise

PURPOSES: dict[str, Text] = {
    "join": _("회원 가입"), "login": _("로그인"), "find_id": _("아이디 찾기"), "find_password": _("비밀번호 찾기"),
    "change": _("정보 변경"), "payment": _("결제"), "adult_check": _("성인 확인"), "other": _("본인확인"),
}  # fmt: skip
GRANTS: dict[str, Text] = {
    "name": _("이름"), "birthdate": _("생년월일"), "adult": _("성인 여부"), "gender": _("성별"),
    "foreigner": _("내국인 여부"),
    "phone": _("휴대폰 번호"), "carrier": _("통신사"), "ci": _("연계정보(CI)"), "di": _("중복가입확인정보(DI)"),
}  # fmt: skip


@dataclass(frozen=True)
class End:
    """How one end is told. `more`: the page of the site that says what to do now, and what its link is called."""

    kind: str
    title: Text
    text: Text
    more: tuple[str, Text] | None = None


# One screen for everything a stranger could meet before the match: no word tells which it was (invariant 5).
REFUSED = End(
    "bad",
    _("이 정보로는 지금 본인확인을 할 수 없어요"),
    _(
        "입력한 정보가 통신사에 등록된 것과 다르거나, 본인확인을 할 수 없는 회선이거나, 요청이 많았을 수 있어요. "
        "본인이라면 안심 앱이나 1566-4380에서 확인해 주세요."
    ),
)
CHANGED = End(
    "bad",
    _("지금은 인증을 이어갈 수 없어요"),
    _("이용 사이트에 전달한 정보는 없어요. 본인이라면 안심 앱이나 1566-4380에서 확인해 주세요."),
)
ENDS: dict[tuple[str, str | None], End] = {
    ("verified", None): End("ok", _("본인확인을 마쳤어요"), _("이용 사이트로 돌아가는 중이에요.")),
    ("failed", "identity_mismatch"): REFUSED,
    ("failed", "line_changed"): CHANGED,
    ("failed", "undeliverable"): End(
        "bad",
        _("지금은 인증을 이어갈 수 없어요"),
        _("휴대폰에 인증번호를 보내지 못했어요. 전파가 잡히는지 확인하고 다시 시작해 주세요."),
    ),
    ("failed", "too_many_wrong_codes"): End(
        "bad",
        _("인증번호를 여러 번 틀려 이번 인증을 끝냈어요"),
        _("이용 사이트에서 다시 시작해 주세요. 한 시간에 10번 틀리면 잠시 인증할 수 없어요."),
    ),
    ("failed", "app_not_registered"): End(
        "warn",
        _("안심 앱을 먼저 등록해 주세요"),
        _("이 번호는 보호 중이라 문자로는 보내지 않아요. 앱을 등록한 뒤 다시 시작해 주세요. 도움: 1566-4380"),
        ("/how-to#app", _("등록 방법 보기")),
    ),
    ("failed", "app_locked"): End(
        "warn",
        _("앱 비밀번호가 잠겼어요"),
        _("앱 비밀번호를 5번 틀려서 잠갔어요. 앱을 다시 등록하면 풀려요. 도움: 1566-4380"),
        ("/how-to#locked", _("푸는 방법 보기")),
    ),
    ("denied", "not_me"): End(
        "bad",
        _("휴대폰에서 거부했어요"),
        _("요청하지 않은 인증이라고 알려 왔어요. 이용 사이트에도 알렸어요."),
    ),
    ("expired", "identity_not_entered"): End(
        "warn", _("시간이 지나 인증을 끝냈어요"), _("본인 정보를 10분 안에 입력하지 않았어요.")
    ),
    ("expired", "app_not_opened"): End(
        "warn", _("시간이 지나 인증을 끝냈어요"), _("정해진 시간 안에 앱을 열지 않았어요.")
    ),
    ("expired", "code_not_entered"): End(
        "warn", _("시간이 지나 인증을 끝냈어요"), _("정해진 시간 안에 인증번호를 입력하지 않았어요.")
    ),
    ("cancelled", "cancelled_by_customer"): End(
        "warn", _("인증을 그만뒀어요"), _("이용 사이트에 전달한 정보는 없어요.")
    ),
    ("cancelled", "cancelled_by_partner"): End(
        "warn", _("이용 사이트에서 인증을 멈췄어요"), _("이용 사이트에 전달한 정보는 없어요.")
    ),
    ("cancelled", "superseded"): End("warn", _("더 새로운 인증이 시작됐어요"), _("새 창에서 계속해 주세요.")),
}


def end_of(verification: Verification) -> End:
    """The words of an ended verification. `line_blocked` looks like a mismatch until the person was recognised here."""
    if verification.reason == "line_blocked":
        return CHANGED if verification.channel else REFUSED
    return ENDS[verification.state, verification.reason]
