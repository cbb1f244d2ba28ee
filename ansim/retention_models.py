import hashlib
import hmac
from datetime import UTC

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ansim.lib import keyed

THREE_YEARS, FIVE_YEARS, LONGEST = 1096, 1827, 3660  # days, leap years counted in


class Kind(models.TextChoices):
    """What ages. For how long it is kept is a row of `RetentionRule`; what is removed then: `subscriptions.purging`."""

    MESSAGE = "message", _("휴대폰으로 보낸 알림과 문자의 발송 기록")
    ATTEMPT = "attempt", _("웹훅을 보내 본 기록")
    WEBHOOK = "webhook", _("이용 사이트에 알린 웹훅")
    VERIFICATION = "verification", _("인증이력과 영수증, 쓴 일시 해제")
    DEVICE = "device", _("등록이 끝난 앱")
    EVENT = "event", _("가입하지 않은 회선의 통신사 이벤트")
    CASE = "case", _("끝낸 신고와 상담")
    SUBSCRIPTION = "subscription", _("끝난 가입의 계약, 동의, 요금과 청구")
    STAFF = "staff", _("직원과 이용 사이트 담당자가 바꾼 것의 목록")
    RECORD = "record", _("접속기록과 권한 변경 기록")


FLOORS = {
    Kind.MESSAGE: 7,
    Kind.ATTEMPT: 7,
    Kind.WEBHOOK: 7,
    Kind.VERIFICATION: 90,
    Kind.DEVICE: 7,
    Kind.EVENT: 30,
    Kind.CASE: THREE_YEARS,
    Kind.SUBSCRIPTION: FIVE_YEARS,
    Kind.STAFF: THREE_YEARS,
    Kind.RECORD: THREE_YEARS,
}
"""The fewest days. By law: complaints three years, contracts and payments five (e-commerce consumer protection act);
looks at personal data two years, grants three, and both stand in one chain (PIPC 2026-9). The others: what people are
still shown, and webhooks that are still tried."""


class RetentionRule(models.Model):
    """For how many days one kind of row is kept. Never fewer than the law says: the database refuses it."""

    kind = models.CharField(max_length=12, choices=Kind, primary_key=True)
    days = models.PositiveIntegerField()
    changed_at = models.DateTimeField()
    changed_by = models.CharField(max_length=150)

    class Meta:
        constraints = [
            models.CheckConstraint(name="retentionrule_at_most_ten_years", condition=Q(days__lte=LONGEST)),
            *(
                models.CheckConstraint(
                    name=f"retentionrule_{kind}_long_enough", condition=~Q(kind=str(kind)) | Q(days__gte=days)
                )
                for kind, days in FLOORS.items()
            ),
        ]


class Purge(models.Model):
    """One night's removal of what is kept long enough: how far it is, and how many rows went.

    At most one is at work. Whoever works on it holds it until `taken_until`, so that a process that dies gives it back.
    """

    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    taken_until = models.DateTimeField(null=True)
    done = models.JSONField(default=list)
    """The sorts of rows that it is through with."""
    removed = models.JSONField(default=dict)
    """Rows by their sort."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="purge_one_at_work", fields=["ended_at"], condition=Q(ended_at=None), nulls_distinct=False
            )
        ]
        indexes = [models.Index(name="purge_newest", fields=["-began_at"])]


class RecordCut(models.Model):
    """Where the record of access begins after its oldest rows were kept long enough (`ansim.audit_cut`, ADR 0024).

    `before`: the mac of the last row that went, to which the first one that stays is bound. `mac` is keyed outside the
    database: nobody who can write here moves the beginning.
    """

    number = models.BigIntegerField(primary_key=True)
    """The last row that went."""
    before = models.BinaryField(max_length=32)
    at = models.DateTimeField()
    mac = models.BinaryField(max_length=32)

    def expected_mac(self, key: bytes) -> bytes:
        """HMAC-SHA256 over the other columns, with a key of the record's."""
        said = f"ansim/record-cut/v1|{self.number}|{bytes(self.before).hex()}|{self.at.astimezone(UTC).isoformat()}"
        return hmac.digest(key, said.encode(), hashlib.sha256)

    def is_ours(self) -> bool:
        """Made with a key that we have. That it is no old key in a thief's hand, the chain says: it notes each cut."""
        keys = keyed.ring(settings.AUDIT_KEY).values()
        return any(hmac.compare_digest(bytes(self.mac), self.expected_mac(key)) for key in keys)
