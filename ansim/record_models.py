import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import UTC
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from ansim.lib import keyed, sealed


class Action(models.TextChoices):
    """What staff did. The column takes any word: rows outlive the code that wrote them."""

    LOOK = "look", _("정보 열람")
    SEARCH = "search", _("검색")
    REVEAL = "reveal", _("가린 정보 보기")
    EXPORT = "export", _("내려받기")
    CHANGE = "change", _("정보 변경")
    CANCEL = "cancel", _("해지 접수")
    RESET = "reset", _("앱 다시 등록 접수")
    APPROVE = "approve", _("승인")
    SIGN_IN = "sign_in", _("들어옴")
    SIGN_OUT = "sign_out", _("나감")
    REVIEW = "review", _("접속기록 점검")
    GRANT = "grant", _("권한 변경")
    CUT = "cut", _("오래된 접속기록 지움")
    REKEY = "rekey", _("접속기록의 열쇠 바꿈")
    REFUSED = "refused", _("거절된 시도")


class Role(models.TextChoices):
    AGENT = "agent", _("상담원")
    SUPERVISOR = "supervisor", _("상담 책임자")
    AUDITOR = "auditor", _("감사 담당자")
    PARTNER_MANAGER = "partner_manager", _("이용 사이트 담당자")
    OPERATOR = "operator", _("시스템 운영자")


class AccessRecord(models.Model):
    """One look at, or change of, what we hold: who, when, from where, whose data, what, why (PIPC 2026-9).

    Append-only: a trigger refuses everything but INSERT, and each row's `mac` covers the row before it. `ansim.audit`
    is the only writer. No foreign keys: the record outlives whom it names.
    """

    CONTENT = ("number", "at", "actor", "agent", "role", "address", "subject", "action", "what", "sealed_reason")

    number = models.BigIntegerField(primary_key=True)
    """1, 2, 3 … without a gap."""
    at = models.DateTimeField()
    actor = models.CharField(max_length=150)
    """The agent's user name; "command" for somebody at a shell of ours."""
    agent = models.BigIntegerField(null=True)
    role = models.CharField(max_length=64)
    address = models.CharField(max_length=45, blank=True)
    subject = models.CharField(max_length=64, blank=True)
    """Whose data: the keyed fingerprint of a contract ("contract"), partner or agent; empty: nobody's in particular."""
    action = models.CharField(max_length=16)
    what = models.CharField(max_length=64, blank=True)
    """Which thing, as a code ("cancellation", "name"); never a value."""
    sealed_reason = models.BinaryField(default=b"")
    """Why, in the agent's own words: they may name somebody, so they are sealed."""
    key = models.CharField(max_length=16, default="", db_default="")
    """The id of the key of AUDIT_KEY that `mac` was made with (docs/adr/0031)."""
    mac = models.BinaryField(max_length=32)

    class Meta:
        indexes = [
            models.Index(name="accessrecord_of_subject", fields=["subject", "-number"]),
            models.Index(name="accessrecord_of_actor", fields=["actor", "-number"]),
            models.Index(name="accessrecord_at", fields=["at"]),
        ]

    @property
    def reason(self) -> str:
        """Raises `sealed.Unreadable`."""
        return str(sealed.unseal(bytes(self.sealed_reason), place=self._place())) if self.sealed_reason else ""

    def chain(self, before: bytes, *, reason: str) -> None:
        """Seal the reason and bind the row to the one before it, whose mac this is (empty for the first)."""
        self.sealed_reason = sealed.seal(reason, place=self._place()) if reason else b""
        self.mac = mac(before, [getattr(self, name) for name in self.CONTENT], self.key)

    def _place(self) -> str:
        return f"ansim_accessrecord.sealed_reason.{self.number}"


class MonthReview(models.Model):
    """That somebody went through a month of the record, and what they found (PIPC 2026-9: at least once a month)."""

    month = models.DateField(primary_key=True)
    """Its first day (Asia/Seoul)."""
    signed_by = models.CharField(max_length=150)
    signed_at = models.DateTimeField()
    note = models.CharField(max_length=500)
    needs_second = models.BooleanField(default=False, db_default=False)
    """Who signed is in the month themselves: it is done when somebody else signed it too."""
    second_by = models.CharField(max_length=150, default="", db_default="", blank=True)
    second_at = models.DateTimeField(null=True)
    second_note = models.CharField(max_length=500, default="", db_default="", blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="monthreview_second_is_another",
                condition=Q(second_by="", second_at=None)
                | (Q(second_at__isnull=False) & ~Q(second_by="") & ~Q(second_by=F("signed_by"))),
            )
        ]

    @property
    def is_done(self) -> bool:
        return not self.needs_second or self.second_at is not None


def mac(before: bytes, content: Sequence[Any], key_id: str) -> bytes:
    """HMAC-SHA256 over the row before, this row's content (the values of `AccessRecord.CONTENT`) and the key's id, by
    that key. Raises `keyed.Missing`.
    """
    number, at, *words, sealed_reason = content
    plain = [number, at.astimezone(UTC).isoformat(timespec="microseconds"), *words, bytes(sealed_reason).hex()]
    plain += [key_id] if key_id else []  # the first key has no id, and rows from before there were others none either
    said = json.dumps(plain, ensure_ascii=False, separators=(",", ":")).encode()
    whole = b"\0".join((b"ansim/access-record/v1", bytes(before).hex().encode(), said))
    return hmac.new(keyed.by_id(settings.AUDIT_KEY, key_id), whole, hashlib.sha256).digest()
