"""Each error code in words: what happened, and what to do. One page a code; a problem's `type` is its address."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = str | Promise


@dataclass(frozen=True)
class Explained:
    """`again`: whether the same request, unchanged, can succeed later."""

    title: Text
    cause: Text
    cure: Text
    again: bool = False


ERRORS: dict[str, Explained] = {
    "invalid": Explained(
        _("받을 수 없는 값이 있어요"),
        _(
            "필드가 빠졌거나, 모르는 필드가 있거나, 값이 정해진 꼴이 아니에요. "
            "같은 이름이 두 번 나오거나 없는 날짜여도 그래요. "
            "등록하지 않은 출처의 `return_url`, 꼴이 다른 `x-correlator`도 이 오류예요."
        ),
        _(
            "`errors`의 `field`가 고칠 곳을, `message`가 까닭을 알려 줘요. "
            "고쳐서 같은 Idempotency-Key로 다시 보내도 돼요."
        ),
    ),
    "malformed": Explained(
        _("본문이 JSON 객체가 아니에요"),
        _("본문이 UTF-8 JSON이 아니거나, 배열·문자열처럼 객체가 아니에요."),
        _("`{`로 시작하는 JSON 객체를 보내세요. 라이브러리의 JSON 기능(`json=…`, `JSON.stringify`)을 쓰면 안전해요."),
    ),
    "idempotency_key_missing": Explained(
        _("Idempotency-Key가 없어요"),
        _(
            "인증을 시작하는 요청에는 이 헤더가 꼭 있어야 해요. 비었거나, "
            "255자를 넘거나, 보이지 않는 글자가 있어도 그래요."
        ),
        _("요청마다 새 값(UUID 등)을 만들어 보내고, 같은 요청을 다시 보낼 때만 같은 값을 쓰세요."),
    ),
    "unauthenticated": Explained(
        _("열쇠를 알 수 없어요"),
        _(
            "`Authorization: Bearer sk_…`가 없거나, 틀렸거나, 없앤 열쇠거나, 허용하지 않은 IP 주소에서 왔어요. "
            "어느 쪽인지는 일부러 알려 주지 않아요."
        ),
        _("열쇠와 보내는 서버의 주소를 확인하세요. 열쇠를 잃었으면 새로 만들어야 해요: 우리는 해시만 가지고 있어요."),
    ),
    "forbidden": Explained(
        _("이 열쇠로는 할 수 없어요"),
        _("열쇠는 맞지만 이 일은 허락되지 않았어요."),
        _("다른 열쇠로 보내거나 계약을 확인하세요."),
    ),
    "not_found": Explained(
        _("여기에는 아무것도 없어요"),
        _("주소가 틀렸거나, 그런 인증이 없거나, 다른 사이트의 인증이에요. 셋의 답은 같아요."),
        _("`id`와 주소를 확인하세요. 시험용과 실제 열쇠를 섞어 쓰지 않았는지도 보세요."),
    ),
    "method_not_allowed": Explained(
        _("이 주소는 그 메서드를 받지 않아요"),
        _("예를 들어 GET만 받는 주소에 POST를 보냈어요."),
        _("`Allow` 헤더가 받는 메서드를 알려 줘요."),
    ),
    "closed": Explained(
        _("이미 끝난 인증이에요"),
        _("인증은 한 번만 끝나요. 시간이 지났거나, 사람이 그만뒀거나, 번호를 너무 여러 번 틀렸어요."),
        _("답의 `state`와 `reason`을 보고, 필요하면 새 인증을 시작하세요. 같은 요청을 다시 보내도 달라지지 않아요."),
    ),
    "wrong_state": Explained(
        _("지금은 할 수 없는 일이에요"),
        _("아직 번호를 기다리지 않는데 확인하려 했거나, 보낸 것이 없는데 다시 보내려 했어요."),
        _("인증을 읽어 `state`를 보세요. 번호 확인은 `awaiting_code`에서만 돼요."),
    ),
    "reference_taken": Explained(
        _("이미 쓴 `reference`예요"),
        _("`reference`는 사이트마다 한 번만 쓸 수 있어요."),
        _(
            "다시 보내는 것이라면 처음과 같은 Idempotency-Key를 쓰세요. 새 인증이면 새 이름을 붙이세요. "
            "먼저 것은 `?reference=`로 찾을 수 있어요."
        ),
    ),
    "idempotency_in_flight": Explained(
        _("첫 요청을 아직 처리하고 있어요"),
        _("같은 Idempotency-Key의 요청이 동시에 왔고, 먼저 온 것이 끝나지 않았어요."),
        _("`Retry-After`만큼 기다렸다가 그대로 다시 보내세요. 첫 요청의 답을 받게 돼요."),
        again=True,
    ),
    "too_large": Explained(
        _("본문이 너무 커요"),
        _("본문은 65,536바이트까지예요."),
        _("이 API의 본문은 1KB를 넘을 일이 없어요. 보내는 것을 확인하세요."),
    ),
    "uri_too_long": Explained(
        _("주소가 너무 길어요"),
        _("경로와 질의를 합쳐 8,192바이트까지예요."),
        _("질의에 `reference`, `limit`, `cursor`만 있는지 보세요."),
    ),
    "unsupported_media_type": Explained(
        _("본문의 형식이 JSON이 아니에요"),
        _("`Content-Type`이 `application/json`이 아니에요."),
        _("본문이 있으면 `Content-Type: application/json`을 함께 보내세요."),
    ),
    "wrong_code": Explained(
        _("인증번호가 달라요"),
        _("사람이 다른 숫자를 입력했어요. `tries_left`가 0이면 이 인증은 끝났어요."),
        _(
            "남은 횟수를 보여 주고 다시 입력하게 하세요. 0이면 새 인증을 "
            "시작하게 하세요. 프로그램이 스스로 다시 보내면 안 돼요."
        ),
    ),
    "idempotency_mismatch": Explained(
        _("같은 Idempotency-Key로 다른 요청을 보냈어요"),
        _("24시간 안에 이 값으로 다른 본문을 보낸 적이 있어요."),
        _("새 요청에는 새 값을 쓰세요. 다시 보낼 때는 본문도 처음과 같아야 해요."),
    ),
    "too_many_requests": Explained(
        _("요청이 너무 많아요"),
        _("열쇠나 주소마다 정해진 만큼만 받아요. 어느 회선에 대한 제한은 이 오류로 알려 주지 않아요."),
        _("`Retry-After`만큼 기다리고, 조금씩 더 길게 쉬며 다시 보내세요."),
        again=True,
    ),
    "resend_too_soon": Explained(
        _("조금 전에 보냈어요"),
        _("다시 보내기는 30초에 한 번만 돼요."),
        _("`Retry-After`를 남은 시간으로 보여 주고, 그 뒤에 단추를 누를 수 있게 하세요."),
        again=True,
    ),
    "resends_used_up": Explained(
        _("더 보낼 수 없어요"),
        _("한 인증에서 세 번까지 다시 보낼 수 있어요."),
        _("온 번호를 입력하게 하거나 새 인증을 시작하게 하세요. 앱이라면 직접 열어도 돼요."),
    ),
    "internal": Explained(
        _("우리 쪽에서 잘못됐어요"),
        _("있어서는 안 되는 일이 일어났고, 기록이 남았어요."),
        _("같은 Idempotency-Key로 한 번 더 보내 보고, 그래도 같으면 `x-correlator` 값과 함께 알려 주세요."),
        again=True,
    ),
    "unavailable": Explained(
        _("지금은 답할 수 없어요"),
        _("통신사나 우리 시스템의 일부가 답하지 않아요. 아무것도 바뀌지 않았고, 모르는 채로 통과시키지 않아요."),
        _("`Retry-After`만큼 기다렸다가 같은 Idempotency-Key로 다시 보내세요."),
        again=True,
    ),
    "wrong_password": Explained(
        _("앱 비밀번호가 달라요"),
        _("휴대폰 앱의 API에만 있는 오류예요. `tries_left`가 0이면 잠겼어요."),
        _("남은 횟수를 보여 주고 다시 입력하게 하세요."),
    ),
    "locked": Explained(
        _("앱 비밀번호가 잠겼어요"),
        _("휴대폰 앱의 API에만 있는 오류예요. 비밀번호를 다섯 번 틀렸어요."),
        _("앱을 다시 등록하면 풀려요."),
    ),
}
