"""What must not wait for the first SMS to be noticed: Celery workers and `manage.py` refuse to start with it."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from pushes.gateways import sms


@register
def sms_gateway_can_send(app_configs: Any, **_: Any) -> list[CheckMessage]:
    reason = sms.wrong_choice(settings.SMS_GATEWAY, settings.BASE_URL, settings.SMS_URL)
    return [Error(f"These settings cannot send an SMS: {reason}.", id="pushes.E001")] if reason else []
