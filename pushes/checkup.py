"""Would a message leave? Each gateway is reached with our credentials, and nothing is sent. For `manage.py doctor`."""

import smtplib
from collections.abc import Callable
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.mail import get_connection
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from ansim.lib.health import Finding, bad, ok, warn
from pushes.gateways import Failure, apns, fcm, sms

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

ASK_VENDOR = _("주소와 자격 증명 설정을 보십시오. 맞으면 상대 서비스의 장애 안내를 보십시오.")


def google() -> Finding:
    """Google gives our service account an access token."""
    return _told("FCM", fcm.probe)


def apple() -> Finding:
    """Apple takes our provider token."""
    return _told("APNs", apns.probe)


def sms_gateway() -> Finding:
    """The gateway lets us in."""
    reason = sms.wrong_choice(settings.SMS_GATEWAY, settings.BASE_URL, settings.SMS_URL)
    if reason:
        return bad(format_lazy(_("문자 설정으로는 보낼 수 없습니다: {why}"), why=reason), ASK_VENDOR)
    if settings.SMS_GATEWAY == "console":
        return warn(_("문자는 터미널에 적기만 합니다."), _("운영에서는 SMS_GATEWAY=http를 쓰십시오."))
    return _told(_("문자 게이트웨이"), sms.probe)


def mail_server() -> Finding:
    """The mail server lets us in; without one notices by e-mail are not offered."""
    if not settings.EMAIL_OFFERED:
        return ok(_("메일 서버를 쓰지 않습니다. 이메일 알림은 제안하지 않습니다."))
    try:
        with get_connection():
            return ok(_("메일 서버가 받아 줍니다."))
    except (smtplib.SMTPException, OSError) as error:
        said = format_lazy(_("메일 서버가 받아 주지 않습니다({why})."), why=type(error).__name__)
        return bad(said, _("EMAIL_URL을 보십시오."))


def _told(vendor: "StrOrPromise", probe: Callable[[], None]) -> Finding:
    try:
        probe()
    except Failure as failure:
        said = format_lazy(_("{vendor}: 답이 다릅니다({why})."), vendor=vendor, why=failure.code)
        return bad(said, ASK_VENDOR)
    return ok(format_lazy(_("{vendor}: 우리를 받아 줍니다."), vendor=vendor))
