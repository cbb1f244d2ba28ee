"""The words the virtual phone's script chooses from; what never changes stands in templates/demo/phone.html."""

from django.utils.translation import gettext as _

from pushes.notices import NOTICES


def words() -> dict[str, str]:
    """By key, in the active language. `{name}` is a gap the script fills."""
    return {**_screens(), **_controls(), **_notices(), **_refusals(), **_purposes(), **_endings()}


def _screens() -> dict[str, str]:
    return {
        "app": _("안심"),
        "sms": _("문자"),
        "region": _("{region}에서 요청"),
        "sees_match": _("{match} 숫자가 보여요, 계속하기"),
        "typed": _("6자리 가운데 {length}자리 입력"),
        "number_over": _("시간이 지났어요. 사이트에서 다시 시작해 주세요."),
        "copied": _("숫자를 복사했어요."),
        "registered": _("등록했어요. 이제 인증번호는 이 휴대폰에만 와요."),
        "changed": _("앱 비밀번호를 바꿨어요."),
        "removed": _("앱 등록을 지웠어요. 보호는 계속돼요."),
        "renewed": _("알림 주소를 새로 받았어요."),
        "six_digits": _("앱 비밀번호는 숫자 6자리예요. 다시 입력해 주세요."),
        "not_alike": _("두 비밀번호가 달라요. 같은 숫자를 두 번 입력해 주세요."),
    }


def _controls() -> dict[str, str]:
    return {
        "on": _("켜짐"),
        "off": _("꺼짐"),
        "stopped_all": _("모두 막기를 켰어요."),
        "stops_none": _("모두 막기를 껐어요."),
        "blocked": _("차단했어요. 이 사이트는 이제 인증할 수 없어요."),
        "unblocked": _("차단을 풀었어요."),
        "slowed": _("이 사이트의 요청은 {at}까지 받지 않아요. 또 막으면 더 오래 받지 않아요."),
        "released": _("일시 해제했어요. 이 사이트의 다음 인증번호 하나가 문자로 와요."),
        "withdrawn": _("일시 해제를 끝냈어요. 번호는 다시 앱으로만 와요."),
        "released_used": _("{at}에 문자로 썼어요"),
        "minutes_left": _("{minutes}분 남음"),
        "find.block": _("어느 사이트를 차단할까요?"),
        "find.release": _("어느 사이트를 일시 해제할까요?"),
        "found_recent": _("최근에 요청한 사이트"),
        "found_words": _("‘{words}’ 찾은 결과"),
        "choose.block": _("차단하기"),
        "choose.release": _("고르기"),
        "pending.cancellation": _("서비스 해지"),
        "pending.reset": _("앱 비밀번호 없이 앱 다시 등록하기"),
        "pending_at": _("{at}에 이루어져요."),
        "pending_stopped": _("신청을 멈췄어요. 보호는 그대로예요."),
        "way.released": _("일시 해제로 문자로 받음"),
    }


def _notices() -> dict[str, str]:
    """As an app says them, in the language of its phone."""
    return {f"notice.{kind}": f"{notice.text} {notice.advice}" for kind, notice in NOTICES.items()}


def _refusals() -> dict[str, str]:
    return {
        "offline": _("연결이 끊겼어요. 연결을 확인하고 다시 눌러 주세요."),
        "unavailable": _("지금은 처리할 수 없어요. 잠시 뒤에 다시 눌러 주세요."),
        "too_many_requests": _("요청이 많았어요. 잠시 뒤에 다시 해 주세요."),
        "wrong_password": _("비밀번호가 달라요. {tries}번 더 입력할 수 있어요."),
        "locked": _("5번 틀려서 비밀번호가 잠겼어요. 푸는 방법은 1566-4380에서 알려드려요."),
        "weak": _("쓸 수 없는 비밀번호예요. 생일, 전화번호, 쉬운 숫자가 아닌 6자리를 입력해 주세요."),
        "untrusted": _("믿을 수 없는 알림이라 열지 않았어요."),
        "closed": _("이미 끝난 요청이에요."),
        "wrong_state": _("지금은 할 수 없는 일이에요. 요청을 새로 확인해 주세요."),
        "not_found": _("이제 없는 요청이에요."),
        "unauthenticated": _("이 휴대폰의 등록이 풀렸어요. 새 등록 코드로 다시 등록해 주세요."),
        "register.not_found": _("등록 코드가 맞지 않거나 시간이 지났어요. 웹에서 새 코드를 받아 주세요."),
        "register.invalid": _("이 휴대폰은 등록할 수 없어요. 등록 코드를 다시 확인해 주세요."),
        "refused": _("받아들여지지 않았어요. 다시 확인해 주세요."),
    }


def _purposes() -> dict[str, str]:
    return {
        "purpose.join": _("회원 가입"),
        "purpose.login": _("로그인"),
        "purpose.find_id": _("아이디 찾기"),
        "purpose.find_password": _("비밀번호 찾기"),
        "purpose.change": _("정보 변경"),
        "purpose.payment": _("결제"),
        "purpose.adult_check": _("성인 확인"),
        "purpose.other": _("기타"),
    }


def _endings() -> dict[str, str]:
    return {
        "end.created": _("진행 중"),
        "end.awaiting_app": _("진행 중"),
        "end.awaiting_code": _("진행 중"),
        "end.verified": _("인증 완료"),
        "end.denied": _("내가 거부"),
        "end.expired": _("시간 지남"),
        "end.cancelled": _("그만둠"),
        "end.failed": _("끝내지 못함"),
        "end.failed.too_many_wrong_codes": _("번호 불일치"),
        "end.failed.line_blocked": _("막힘"),
        "end.failed.app_locked": _("비밀번호 잠김"),
    }
