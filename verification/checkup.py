"""Does the carrier answer us, and do we find whom we look for? For `manage.py doctor`."""

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from ansim import rewrapping
from ansim.lib import fingerprint
from ansim.lib.health import Finding, bad, ok, warn
from verification import carrier
from verification.models import Line

SAMPLE = 20  # lines
SKEW = 5.0  # seconds; the carrier tells whole ones


def look_ups() -> Finding:
    """One look-up, of a number that nobody has."""
    why = carrier.probe()
    if why:
        said = format_lazy(_("통신사 조회에 답이 없거나 다릅니다({why})."), why=why)
        return bad(said, _("CARRIER_URL과 CARRIER_TOKEN을 보십시오. 그동안 새 인증은 503입니다. 우회하지 마십시오."))
    ahead = carrier.clock_ahead()
    if ahead is None:
        said = _("통신사 조회는 되지만 통신사가 시각(Date)을 말하지 않습니다.")
        return warn(said, _("시각을 견주지 못하면 밤 정리, 월 마감, 예약된 해지가 멈춥니다. 통신사에 요청하십시오."))
    if abs(ahead) > SKEW:
        said = format_lazy(_("통신사와 이 호스트의 시계가 {seconds}초 다릅니다."), seconds=round(ahead, 1))
        return bad(said, _("이 호스트와 데이터베이스 호스트의 시간 동기화(NTP)를 함께 고치십시오."))
    return ok(_("통신사 조회가 되고 시각이 맞습니다."))


def chain_is_ours() -> bool:
    """A sample of lines stands under fingerprints that FINGERPRINT_KEY made, be it under a former length of it."""
    return all(
        line.contract_fingerprint in fingerprint.ever("contract", line.contract) for line in Line.objects.all()[:SAMPLE]
    )


def fingerprints() -> Finding:
    """Who is looked for is found, and nobody is made a second time (docs/adr/0030)."""
    if not chain_is_ours():
        advice = _("FINGERPRINT_KEY에 전에 쓰던 값을 되돌리십시오. 그대로 두면 회원을 찾지 못합니다.")
        return bad(_("회선의 지문이 FINGERPRINT_KEY로 만든 것이 아닙니다."), advice)
    if not rewrapping.is_through():
        advice = _("웹, 작업자, 시계를 멈추고 소유자 계정으로 manage.py rewrap을 끝까지 실행하십시오.")
        return bad(_("FINGERPRINT_KEY를 바꾸는 일이 끝나지 않았습니다."), advice)
    return ok(_("지문이 FINGERPRINT_KEY와 맞습니다."))
