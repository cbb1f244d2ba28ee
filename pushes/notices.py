"""Every notice that a phone may get, and its words (mission.md, invariant 6): what happened, and what to do about it.

One table for the push providers and for the app. Fixed words: no name, no number, no partner, because a lock screen is
read by whoever stands near (api.md section 2). The providers carry them in Korean; an app may say them in the language
of its phone, by `notice`.
"""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

CALL_US = _("내가 한 일이 아니면 바로 1566-4380으로 전화해 주세요.")
STOP_IT = _("내가 신청하지 않았으면 앱에서 한 번 눌러 멈춰 주세요.")
LOOK = _("내가 한 일이 아니면 앱을 열어 되돌리고 앱 비밀번호를 바꿔 주세요.")


@dataclass(frozen=True)
class Notice:
    """`text`: what happened. `advice`: what to do, above all if it was not you."""

    text: str | Promise
    advice: str | Promise


NOTICES: dict[str, Notice] = {
    # The app and its password.
    "replaced": Notice(_("다른 휴대폰에 안심 앱을 등록했어요. 이 휴대폰에는 이제 번호가 오지 않아요."), CALL_US),
    "registered": Notice(_("휴대폰에 안심 앱을 새로 등록했어요. 인증번호는 이제 그 휴대폰의 앱에만 와요."), CALL_US),
    "removed": Notice(_("이 휴대폰의 앱 등록을 지웠어요. 보호는 계속돼요."), CALL_US),
    "re_registration": Notice(_("앱을 다시 등록할 수 있는 코드가 나갔어요."), CALL_US),
    "password_changed": Notice(_("앱 비밀번호를 바꿨어요."), CALL_US),
    "locked": Notice(
        _("앱 비밀번호를 5번 틀려서 잠갔어요."), _("내가 틀린 것이 아니면 휴대폰을 누가 만졌는지 확인해 주세요.")
    ),
    # The owner's controls.
    "release_started": Notice(_("일시 해제를 시작했어요. 고른 사이트 한 곳의 번호가 한 번 문자로 와요."), LOOK),
    "release_used": Notice(
        _("일시 해제를 써서 인증번호를 문자로 보냈어요. 이제 다시 앱으로만 와요."),
        _("내가 요청하지 않았으면 번호를 누구에게도 알려주지 말고 앱의 인증이력에서 막아 주세요."),
    ),
    "release_ended": Notice(_("일시 해제가 끝났어요. 인증번호는 다시 앱으로만 와요."), _("따로 할 일은 없어요.")),
    "stop_all": Notice(_("모두 막기를 켰어요. 끄기 전에는 아무도 인증할 수 없어요."), LOOK),
    "stop_all_ended": Notice(_("모두 막기를 껐어요."), LOOK),
    "blocked": Notice(_("이용 사이트를 차단했어요."), LOOK),
    "unblocked": Notice(_("이용 사이트의 차단을 풀었어요."), LOOK),
    "not_me": Notice(
        _("요청하지 않은 인증을 막고 상담 기록에 남겼어요."),
        _("인증번호를 묻는 사람이 있으면 알려주지 마세요. 또 오면 앱에서 모두 막기를 켜세요. 도움: 1566-4380"),
    ),
    # What was taken down at the desk and waits a day.
    "cancellation_requested": Notice(_("해지가 접수됐어요. 하루 뒤에 해지돼요."), STOP_IT),
    "reset_requested": Notice(_("앱을 비밀번호 없이 다시 등록하는 신청이 접수됐어요. 하루 뒤에 열려요."), STOP_IT),
    "pending_stopped": Notice(_("접수된 신청을 멈췄어요. 보호는 그대로예요."), CALL_US),
    "agent_acted": Notice(_("상담원이 내 서비스를 바꿨어요. 내 서비스에서 무엇이 바뀌었는지 볼 수 있어요."), CALL_US),
    # The service and the line.
    "cancelled": Notice(_("안심을 해지했어요. 이제 인증번호가 문자로 와요."), CALL_US),
    "suspended": Notice(_("통신사에서 회선을 정지해 보호도 멈췄어요. 인증은 할 수 없어요."), CALL_US),
    "resumed": Notice(_("회선 정지가 풀려 다시 보호하고 있어요."), CALL_US),
    "device_changed": Notice(_("통신사에 등록된 휴대폰이 바뀌었어요. 새 휴대폰에 앱을 등록해 주세요."), CALL_US),
    "number_changed": Notice(_("통신사에서 전화번호가 바뀌었다고 알려 왔어요. 보호는 계속돼요."), CALL_US),
    "sim_changed": Notice(_("통신사에서 유심이 바뀌었다고 알려 왔어요. 보호는 계속돼요."), CALL_US),
}
