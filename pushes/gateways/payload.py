"""What every push says, whichever provider carries it (api.md section 2, push payloads): nothing secret, nothing
personal, no partner's name on a lock screen."""

from django.conf import settings
from django.utils.translation import override

from pushes import notices
from pushes.gateways import Never
from pushes.models import Message

TITLE = "안심"
WAKE = "앱을 열어 주세요"


def words(message: Message) -> str | None:
    """The fixed words of the kinds that a person sees, in the service's language; the number goes to the app alone."""
    match message.kind:
        case Message.Kind.WAKE:
            return WAKE
        case Message.Kind.NOTICE:
            said = notices.NOTICES[message.body["notice"]]
            with override(settings.LANGUAGE_CODE):
                return f"{said.text} {said.advice}"
    return None


def data(message: Message) -> dict[str, str]:
    """What the app reads. Ids and envelopes only."""
    match message.kind:
        case Message.Kind.WAKE:
            return {"kind": "wake", "verification": str(message.about)}
        case Message.Kind.NUMBER:
            return {"kind": "number", "verification": str(message.about), "envelope": message.body["envelope"]}
        case Message.Kind.NOTICE:
            return {"kind": "notice", "notice": message.body["notice"]}
    raise ValueError(f"{message.kind} is no push")


def token(message: Message) -> str:
    """Where to. A phone whose address the provider refused: Never, the app can still be opened."""
    if message.device is None or message.device.push_token is None:
        raise Never("no_address")
    return str(message.device.push_token)
