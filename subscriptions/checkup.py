"""Is what stands at this moment as it should be? From the figures of `health`; for the desk and `manage.py doctor`."""

from collections.abc import Iterator
from datetime import UTC, datetime

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from ansim.lib.health import Finding, Level, Owed, bad, by_age, ok, span, warn
from subscriptions.health import Bells, Books, Standing

SENT_WITHIN = (10.0, 60.0)  # seconds late: somebody should look; it does not work
HEARD_WITHIN = (60.0, 600.0)
ENDED_WITHIN = (10.0, 60.0)
TICKS_WITHIN = (10.0, 30.0)
ACCEPTED_WITHIN = (3_600.0, 86_400.0)
LOOKED_AT_WITHIN = 86_400.0
SWEPT_WITHIN = 2 * 86_400.0
WORKER = _("작업자와 시계를 보십시오: manage.py doctor --only worker ticks")


def of(found: Standing) -> Iterator[tuple[str, Finding]]:
    """By the names that `manage.py doctor --only` knows."""
    yield "ticks", ticks(found.bells)
    yield "messages", messages(found.messages)
    yield "webhooks", webhooks(found.webhooks)
    yield "verifications", overdue(found.open.overdue, sum(found.open.by_state.values()))
    yield "events", events(found.books.stuck)
    yield "postings", postings(found.books.postings)
    yield "month", month(found.books)
    yield "sweep", sweep(found.books)


NAMES = ("ticks", "messages", "webhooks", "verifications", "events", "postings", "month", "sweep")


def ticks(bells: Bells | None) -> Finding:
    """The clock ticks, and a worker does what it asks for."""
    if bells is None:
        return bad(_("Redis가 답하지 않습니다."), _("REDIS_URL의 서버를 되살리십시오. 보내던 것은 모두 남아 있습니다."))
    if bells.tick is None:
        return bad(_("시계가 움직인 흔적이 없습니다."), _("시계(celery beat)와 작업자를 시작하십시오."))
    level = by_age(bells.tick, warn=TICKS_WITHIN[0], bad=TICKS_WITHIN[1])
    said = format_lazy(_("시계가 마지막으로 움직인 지 {age}"), age=span(bells.tick))
    advice = _("시계(celery beat)가 하나 돌고 있는지, 작업자가 clock 대기열을 듣는지 보십시오.")
    return Finding(level, said, "" if level is Level.OK else advice)


def messages(owed: dict[str, Owed]) -> Finding:
    """What is owed to phones leaves."""
    late = max(owed, key=lambda channel: owed[channel].late)
    level = by_age(owed[late].late, warn=SENT_WITHIN[0], bad=SENT_WITHIN[1])
    count = sum(one.count for one in owed.values())
    if level is Level.OK:
        return ok(format_lazy(_("보낼 것 {count}건, 밀리지 않음"), count=count))
    said = format_lazy(
        _("보낼 것 {count}건, {age} 밀림: {channel}"), count=count, channel=late, age=span(owed[late].late)
    )
    return Finding(level, said, WORKER)


def webhooks(owed: Owed) -> Finding:
    """What partners are owed is taken up when it is due. That a partner does not answer is the partner's."""
    level = by_age(owed.late, warn=HEARD_WITHIN[0], bad=HEARD_WITHIN[1])
    if level is Level.OK:
        return ok(format_lazy(_("전달할 웹훅 {count}건, 밀리지 않음"), count=owed.count))
    said = format_lazy(_("전달할 웹훅 {count}건, {age} 밀림"), count=owed.count, age=span(owed.late))
    return Finding(level, said, WORKER)


def overdue(seconds: float, count: int) -> Finding:
    """No verification stays open past its time."""
    level = by_age(seconds, warn=ENDED_WITHIN[0], bad=ENDED_WITHIN[1])
    if level is Level.OK:
        return ok(format_lazy(_("열린 인증 {count}건, 시간이 지난 것 없음"), count=count))
    said = format_lazy(_("열린 인증 {count}건, 시간이 {age} 지난 것이 있음"), count=count, age=span(seconds))
    return Finding(level, said, WORKER)


def events(stuck: Owed) -> Finding:
    """What the carrier reported and nobody could apply is looked at within a day."""
    if not stuck.count:
        return ok(_("막힌 통신사 이벤트 없음"))
    said = format_lazy(
        _("막힌 통신사 이벤트 {count}건, 가장 오래된 것 {age}"), count=stuck.count, age=span(stuck.oldest)
    )
    advice = _("데스크의 처리할 일에서 하나씩 보고 답하십시오.")
    return Finding(Level.BAD if stuck.oldest > LOOKED_AT_WITHIN else Level.WARN, said, advice)


def postings(owed: Owed) -> Finding:
    """The carrier accepts the charges."""
    level = by_age(owed.late, warn=ACCEPTED_WITHIN[0], bad=ACCEPTED_WITHIN[1])
    if level is Level.OK:
        return ok(format_lazy(_("통신사가 받지 않은 청구 묶음 {count}개"), count=owed.count))
    said = format_lazy(_("통신사가 청구 묶음 {count}개를 {age} 동안 받지 않음"), count=owed.count, age=span(owed.late))
    return Finding(level, said, _("로그에서 charges_not_accepted의 까닭을 보고 통신사에 물으십시오."))


def month(books: Books) -> Finding:
    """The last month is closed. On its first day the close may still be at work."""
    if books.month_due:
        return warn(
            _("지난달이 아직 마감되지 않았습니다."), _("manage.py close_month로 마감하십시오. 하던 데서 이어집니다.")
        )
    return ok(_("마감할 달이 없습니다."))


def sweep(books: Books) -> Finding:
    """All lines are compared with the carrier every night."""
    if books.sweep is None:
        return ok(_("통신사와 맞춰 보기는 오늘 밤 처음 합니다."))
    age = (datetime.now(UTC) - books.sweep.began_at).total_seconds()
    checked, reported = books.sweep.checked, books.sweep.reported
    if age > SWEPT_WITHIN:
        said = format_lazy(_("통신사와 맞춰 본 지 {age}"), age=span(age))
        return warn(said, _("manage.py reconcile을 실행해 보십시오."))
    said = format_lazy(
        _("통신사와 맞춰 봄: {checked}건, 데스크에 넘긴 것 {reported}건"), checked=checked, reported=reported
    )
    return ok(said)
