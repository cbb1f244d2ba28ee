"""What the owner of a line is told, in the transaction of what happened: on the phone, and by e-mail where given."""

from pushes import delivery
from pushes.models import Device, Message
from verification import owner_mail
from verification.models import Line


def owed(line: Line, what: str, *, phone: Device | None) -> list[Message]:
    """The rows for that notice (`pushes.notices`), not saved: the caller writes them with what they follow from."""
    push = [delivery.notice(phone, what)] if phone else []
    return [*push, *owner_mail.owed(line, what)]


def tell(line: Line, what: str, *, phone: Device | None = None) -> None:
    """For a line that the caller holds. `phone`: another than its present one, such as the one it just lost."""
    for message in owed(line, what, phone=phone or line.device):
        message.save(force_insert=True)
        delivery.ring(message)
