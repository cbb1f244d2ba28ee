"""The owner's e-mail address: given on my page, confirmed by letters sent to it, told of every notice afterwards.

A second road for notices (mission.md, invariant 6), for a phone that is lost or in other hands. Nothing can be done by
e-mail: it holds no number, no link that acts, no name, no partner; of the line the masked number alone.
"""

import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from ansim.lib import masking
from pushes import delivery, notices
from pushes.models import MailAddress, Message
from verification import codes
from verification.models import Line

LETTERS_LIFE = timedelta(minutes=30)
TRIES = 5


def owed(line: Line, what: str) -> list[Message]:
    """The mail that goes with this notice, not saved; none where no address was confirmed."""
    row = MailAddress.objects.filter(line=line.pk).first()
    if row is None or row.address is None:
        return []
    said = notices.NOTICES[what]
    with translation.override(row.language):
        return [_mail(row.address, line, _("[안심] 내 서비스에 바뀐 것이 있어요"), f"{said.text}\n\n{said.advice}")]


def ask(line_id: uuid.UUID, *, address: str, language: str) -> None:
    """Send letters to that address. The one that is confirmed stays until they were typed in."""
    with transaction.atomic():
        line = _hold(line_id)
        row = MailAddress.objects.filter(line=line.pk).first() or MailAddress(line=line.pk)
        letters = codes.letters()
        row.wanted, row.language, row.wrong_letters = address, language, 0
        row.letters_fingerprint = codes.letters_fingerprint(letters, of=row.pk)
        row.letters_expire_at = timezone.now() + LETTERS_LIFE
        row.save()
        with translation.override(language):
            words = _("내 서비스에서 이 글자를 입력하면 안심의 알림을 이 주소로도 보내요: %(letters)s") % {
                "letters": letters
            }
            advice = _("신청한 적이 없으면 이 메일을 지워 주세요. 아무 일도 일어나지 않아요.")
            # It may be a stranger's mailbox: nothing of the line stands in it.
            text = f"{words}\n\n{advice}\n\n{settings.BASE_URL}/my\n"
            _owe(delivery.mail(address, subject=_("[안심] 이메일 주소 확인"), text=text, life=LETTERS_LIFE))


def confirm(line_id: uuid.UUID, typed: str) -> bool:
    """The letters that were sent to the wanted address, five tries. A former address is told that it is no more."""
    with transaction.atomic():
        line = _hold(line_id)
        row = MailAddress.objects.filter(line=line.pk).first()
        if row is None or not _right(row, typed, now=timezone.now()):
            return False
        _say_goodbye(row, line, wanted=row.wanted)
        row.address, row.wanted = row.wanted, None
        row.letters_fingerprint = row.letters_expire_at = None
        row.save()
        return True


def _right(row: MailAddress, typed: str, *, now: datetime) -> bool:
    """A wrong try is counted."""
    if row.letters_expire_at is None or row.letters_expire_at <= now or row.wrong_letters >= TRIES:
        return False
    if codes.same(str(row.letters_fingerprint), codes.letters_fingerprint(typed, of=row.pk)):
        return True
    row.wrong_letters += 1
    row.save(update_fields=["wrong_letters"])
    return False


def remove(line_id: uuid.UUID) -> bool:
    """Nothing goes by e-mail any more; the address is told. False when there was none."""
    with transaction.atomic():
        line = _hold(line_id)
        row = MailAddress.objects.filter(line=line.pk).first()
        if row is None:
            return False
        _say_goodbye(row, line, wanted=None)
        row.delete()
        return True


def forget(line: Line) -> None:
    """The service ended, for a line that the caller holds: what was owed before still goes out."""
    MailAddress.objects.filter(line=line.pk).delete()


def _say_goodbye(row: MailAddress, line: Line, *, wanted: str | None) -> None:
    if row.address is None or row.address == wanted:
        return
    with translation.override(row.language):
        words = _("이제 안심의 알림을 이 주소로 보내지 않아요. 내 서비스에서 이메일 주소를 바꾸거나 지웠어요.")
        _owe(_mail(row.address, line, _("[안심] 알림을 받는 주소가 바뀌었어요"), f"{words}\n\n{notices.CALL_US}"))


def _mail(to: str, line: Line, subject: str, words: str) -> Message:
    at = timezone.localtime()
    about = f"{masking.phone(line.phone)} · {at:%Y-%m-%d %H:%M} (KST)\n{settings.BASE_URL}/my"
    close = _("안심은 메일로 인증번호나 비밀번호를 묻지 않아요. 이 메일에는 답장할 수 없어요.")
    return delivery.mail(to, subject=subject, text=f"{words}\n\n{about}\n\n{close}\n")


def _owe(mail: Message) -> None:
    mail.save(force_insert=True)
    delivery.ring(mail)


def _hold(line_id: uuid.UUID) -> Line:
    return Line.objects.select_for_update(of=("self",)).get(pk=line_id)
