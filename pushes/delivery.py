"""What others may owe to a phone, and the bell. Nothing here sends: `tasks` does, after the commit.

The makers return rows that are not saved: the caller writes them in the same statement as what they follow from
(`ansim.lib.rows.write`), then calls `ring` so that somebody drains the channel after the commit.
"""

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef
from django.utils import timezone

from ansim import bell as bells
from pushes import bell, notices
from pushes.models import Device, Message

NOTICE_LIFE = Message.LONGEST_LIFE


def wake(device: Device, *, verification: uuid.UUID, until: datetime) -> Message:
    """Ask the phone to open the app. Carries an id and no secret (mission.md S2)."""
    return _owed(device, Message.Kind.WAKE, verification, until, None)


def number(device: Device, *, verification: uuid.UUID, envelope: str, until: datetime) -> Message:
    """The number, already sealed for this phone: the push provider never sees it (S2)."""
    return _owed(device, Message.Kind.NUMBER, verification, until, {"envelope": envelope})


def notice(device: Device, what: str) -> Message:
    """Something the owner should know, one of `notices.NOTICES`. Raises ValueError for any other."""
    if what not in notices.NOTICES:
        raise ValueError(f"{what} is no notice that has words")
    return _owed(device, Message.Kind.NOTICE, None, timezone.now() + NOTICE_LIFE, {"notice": what})


def tell(device: Device, what: str) -> None:
    """Owe a notice in the caller's transaction, and ring for it."""
    owed = notice(device, what)
    owed.save(force_insert=True)
    ring(owed)


def text(phone: str, words: str, *, verification: uuid.UUID | None, until: datetime) -> Message:
    """An SMS. The caller answers for it that no protected line's number goes this way (invariant 1)."""
    return Message(
        channel=Message.Channel.SMS, kind=Message.Kind.SMS, about=verification, body={"to": phone, "text": words},
        due_at=timezone.now(), expires_at=until,
    )  # fmt: skip


def mail(to: str, *, subject: str, text: str, life: timedelta = NOTICE_LIFE) -> Message:
    """Words to an address that its owner confirmed, or that is being confirmed. Never a number (invariant 1)."""
    now = timezone.now()
    return Message(
        channel=Message.Channel.MAIL, kind=Message.Kind.MAIL, body={"to": to, "subject": subject, "text": text},
        due_at=now, expires_at=now + life,
    )  # fmt: skip


def _owed(
    device: Device, kind: Message.Kind, about: uuid.UUID | None, until: datetime, body: dict[str, str] | None
) -> Message:
    channel = Message.Channel.FCM if device.platform == Device.Platform.ANDROID else Message.Channel.APNS
    return Message(
        channel=channel, kind=kind, device=device, about=about, body=body, due_at=timezone.now(), expires_at=until
    )


def again(verification: uuid.UUID, *, kind: Message.Kind) -> list[Message]:
    """Another copy of the newest message of that kind: the same words, the same number, the same end. None for none."""
    sent = Message.objects.select_related("device").filter(about=verification, kind=kind)
    return [
        Message(
            channel=last.channel, kind=kind, device=last.device, about=verification, body=last.body,
            due_at=timezone.now(), expires_at=last.expires_at,
        )
        for last in sent.order_by("-created_at")[:1]
    ]  # fmt: skip


def sealed_number(verification: uuid.UUID) -> str | None:
    """The envelope made for this verification, while it lives."""
    alive = Message.objects.filter(about=verification, expires_at__gt=timezone.now(), body__isnull=False)
    made = alive.filter(kind=Message.Kind.NUMBER).order_by("-created_at").first()
    return made.body["envelope"] if made else None


def void(verifications: Iterable[uuid.UUID]) -> None:
    """What was owed for these is no longer wanted."""
    Message.objects.filter(about__in=list(verifications), state=Message.State.OWED).update(state=Message.State.VOID)


def undeliverable() -> list[uuid.UUID]:
    """Verifications of which no SMS reached the gateway and none will: refused for good, or its tries are used up.

    A resend that fails is no end while the first text went out.
    """
    sms = Message.objects.filter(kind=Message.Kind.SMS, expires_at__gt=timezone.now(), body__isnull=False)
    alive = sms.filter(about=OuterRef("about"), state__in=(Message.State.OWED, Message.State.SENT))
    failed = sms.filter(~Exists(alive), state=Message.State.FAILED, about__isnull=False)
    return list({about for about in failed.values_list("about", flat=True) if about is not None})


def never_left(verification: uuid.UUID) -> bool:
    """True when something was to be sent for this verification and not one message reached its provider."""
    states = set(Message.objects.filter(about=verification).values_list("state", flat=True))
    return bool(states) and Message.State.SENT not in states


def ring(*messages: Message) -> None:
    """After the commit, wake somebody to drain these channels. A bell that fails is no loss: the clock rings again."""
    bells.ring(*bell.of(message.channel for message in messages))
