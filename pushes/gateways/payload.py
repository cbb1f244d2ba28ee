"""What every push says, whichever provider carries it (api.md section 2, push payloads): nothing secret, nothing
personal, no partner's name on a lock screen."""

from pushes.gateways import Never
from pushes.models import Message

TITLE = "안심"
WORDS = {Message.Kind.WAKE: "앱을 열어 주세요", Message.Kind.NOTICE: "앱에서 알림을 확인해 주세요"}
"""The fixed words of the kinds that a person sees; the number goes to the app alone."""


def words(message: Message) -> str | None:
    return WORDS.get(Message.Kind(message.kind))


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
