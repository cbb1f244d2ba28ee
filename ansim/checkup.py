"""Is what the whole system stands on in order? Settings, keys, database, Redis, the worker and the clock, disks.

For `manage.py doctor`. Each check names one thing; what it raises is told as its finding by who calls it.
"""

import base64
import binascii
import secrets
import shutil
import time
from pathlib import Path
from typing import Any

import redis
from celery import current_app
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_private_key
from django.apps import apps
from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from ansim import audit, bell, heartbeat, once
from ansim.lib import keyed, sealed
from ansim.lib.health import Finding, Level, bad, ok, warn
from ansim.models import AccessRecord, Spent

OLDEST_POSTGRES = 15  # unique constraints with NULLS NOT DISTINCT
OLDEST_REDIS = (6, 2)
SAMPLE = 20  # rows of each sealed column
SKEW = 2.0  # seconds; codes, proofs and leases are measured by clocks
LOW, EMPTY = 0.10, 0.02  # of a disk, free
SECRET = 32  # bytes of a key of ours
SECRETS = ("FINGERPRINT_KEY", "CODE_KEY", "PASSWORD_PEPPER", "AUDIT_KEY")
RINGS = ("NUMBER_SIGNING_KEYS", "RECEIPT_SIGNING_KEYS")


def configuration() -> Finding:
    """What no process refuses to start with and is wrong all the same."""
    wrong = [name for name, is_wrong in _doubts().items() if is_wrong]
    if wrong:
        said = format_lazy(_("설정이 운영에 맞지 않습니다: {names}"), names=", ".join(wrong))
        return bad(said, _("환경 변수를 고치고 다시 시작하십시오. .env.example에 이름마다 설명이 있습니다."))
    if not settings.METRICS_TOKEN:
        return warn(_("METRICS_TOKEN이 없어 지표를 아무도 읽을 수 없습니다."), _("METRICS_TOKEN을 정하십시오."))
    return ok(format_lazy(_("설정 이상 없음{demo}"), demo=" (DEMO=1)" if settings.DEMO else ""))


def _doubts() -> dict[str, bool]:
    public = settings.BASE_URL.startswith("https://")
    return {
        "DEBUG": settings.DEBUG,
        "DEMO": settings.DEMO and public,
        "BASE_URL": not public and not settings.DEMO,
        "SECRET_KEY": len(settings.SECRET_KEY) < 50 or settings.SECRET_KEY.startswith("made-by"),
        "ALLOWED_HOSTS": "*" in settings.ALLOWED_HOSTS,
        "METRICS_TOKEN": bool(settings.METRICS_TOKEN) and len(settings.METRICS_TOKEN) < 20,
    }


def keys() -> Finding:
    """Every key of the settings can be read and is of its kind."""
    wrong = [name for name in SECRETS if not _is_ring(getattr(settings, name))]
    ids = [entry.partition(":")[0] for entry in settings.SEAL_KEYS]
    if len(ids) != len(set(ids)) or not all(_is_key(entry.partition(":")[2]) for entry in settings.SEAL_KEYS):
        wrong.append("SEAL_KEYS")
    wrong += [name for name in RINGS if not all(_signs(entry) for entry in getattr(settings, name))]
    if wrong:
        said = format_lazy(_("읽을 수 없는 열쇠: {names}"), names=", ".join(wrong))
        return bad(said, _("비밀 저장소에 있는 값과 견주십시오. 새로 만들지 마십시오: 지금 자료를 영영 못 엽니다."))
    return ok(format_lazy(_("열쇠를 모두 읽음, 봉하는 열쇠 {first}"), first=ids[0]))


def _is_key(encoded: str) -> bool:
    try:
        return len(base64.b64decode(encoded, validate=True)) == SECRET
    except (binascii.Error, ValueError):
        return False


def _is_ring(setting: str) -> bool:
    try:
        return all(len(key) == SECRET for key in keyed.ring(setting).values())
    except ValueError:  # binascii's too
        return False


def _signs(entry: str) -> bool:
    kid, _sep, encoded = entry.partition(":")
    try:
        key = load_der_private_key(base64.b64decode(encoded, validate=True), password=None)
    except (ValueError, TypeError):
        return False
    return bool(kid) and isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1)


def sealed_rows() -> Finding:
    """A sample of what is sealed can be opened with the keys that we have."""
    opened, closed = 0, []
    for model in apps.get_models():
        for field in model._meta.local_concrete_fields:
            if isinstance(field, sealed.SealedField):
                try:
                    opened += _open(model._meta.db_table, str(field.column))
                except sealed.Unreadable:
                    closed.append(f"{model._meta.db_table}.{field.column}")
    if closed:
        said = format_lazy(_("열리지 않는 자료: {columns}"), columns=", ".join(closed))
        return bad(said, _("SEAL_KEYS에서 옛 열쇠가 빠졌는지 보십시오. 빠진 열쇠를 뒤에 다시 넣으면 열립니다."))
    return ok(format_lazy(_("봉한 자료 {count}건을 열어 봄"), count=opened))


def _open(table: str, column: str) -> int:
    quoted, named = connection.ops.quote_name(column), connection.ops.quote_name(table)
    primary = connection.introspection.get_primary_key_column(connection.cursor(), table)
    with connection.cursor() as cursor:
        cursor.execute(  # names from our own models
            f"SELECT {connection.ops.quote_name(str(primary))}, {quoted} FROM {named} WHERE {quoted} IS NOT NULL "  # noqa: S608
            f"LIMIT {SAMPLE}"
        )
        rows = cursor.fetchall()
    for pk, value in rows:
        sealed.unseal(value, place=f"{table}.{column}.{pk}")
    return len(rows)


def database() -> Finding:
    """Reached, new enough, at our time, with every migration; a row can be written. Only its own host knows how much
    room is left: a small row may still find some.
    """
    version = connection.cursor().connection.info.server_version // 10_000
    if version < OLDEST_POSTGRES:
        said = format_lazy(_("PostgreSQL 판이 너무 오래되었습니다: {version}"), version=version)
        return bad(said, format_lazy(_("PostgreSQL {oldest} 이상을 쓰십시오."), oldest=OLDEST_POSTGRES))
    missing = unapplied()
    if missing:
        said = format_lazy(_("적용하지 않은 마이그레이션 {count}개: {first} …"), count=len(missing), first=missing[0])
        return bad(said, _("소유자 계정의 DATABASE_URL로 manage.py migrate를 실행하십시오."))
    ahead = skew()
    if abs(ahead) > SKEW:
        said = format_lazy(_("데이터베이스와 이 호스트의 시계가 {seconds}초 다릅니다."), seconds=round(ahead, 1))
        return bad(said, _("두 호스트의 시간 동기화(NTP)를 고치십시오."))
    try:
        size = _written()
    except OperationalError as error:
        said = format_lazy(_("데이터베이스에 쓸 수 없습니다({why})."), why=type(error.__cause__).__name__)
        return bad(said, _("PostgreSQL 호스트의 df를 보고 자리를 비우십시오. 비우면 저절로 이어집니다."))
    said = _("PostgreSQL {version}, 마이그레이션 모두 적용, {size}. 남은 자리는 그 호스트의 df로 봅니다")
    return ok(format_lazy(said, version=version, size=size))


def _written() -> str:
    """A row comes and goes; how large the database is."""
    with transaction.atomic():
        name = f"doctor:{secrets.token_hex(8)}"
        Spent.objects.create(name=name, until=timezone.now())
        Spent.objects.filter(name=name).delete()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_size_pretty(pg_database_size(current_database()))")
        return str(cursor.fetchone()[0])


def unapplied() -> list[str]:
    """Migrations of the code that the database does not have."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _back in plan]


def skew() -> float:
    """Seconds that the database is ahead of this host."""
    began = time.time()
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM clock_timestamp())")
        there = float(cursor.fetchone()[0])
    return there - (began + time.time()) / 2


def role() -> Finding:
    """The application owns nothing, and can neither change nor remove a record of access (docs/adr/0014)."""
    table = AccessRecord._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT current_user, rolsuper, (SELECT count(*) FROM pg_tables WHERE tableowner = current_user),
                      has_table_privilege(%s, 'UPDATE') OR has_table_privilege(%s, 'DELETE')
                      OR has_table_privilege(%s, 'TRUNCATE')
                 FROM pg_roles WHERE rolname = current_user""",
            [table] * 3,
        )
        name, superuser, owned, may_change = cursor.fetchone()
    if superuser or owned or may_change:
        said = format_lazy(_("데이터베이스 계정 {name}의 권한이 너무 큽니다: 접속기록을 고칠 수 있습니다."), name=name)
        return bad(said, _("소유자가 아닌 계정을 DATABASE_URL에 쓰고 접속기록의 UPDATE, DELETE 권한을 거두십시오."))
    return ok(format_lazy(_("데이터베이스 계정 {name}: 접속기록에 더하기만 함"), name=name))


def redis_server() -> Finding:
    """Reached, new enough, and does not throw away what it holds when its memory is full; the broker's own too."""
    found = _redis(once.store())
    if found.level is Level.OK and settings.CELERY_BROKER_URL != settings.REDIS_URL:
        return _redis(bell.broker())
    return found


def _redis(server: redis.Redis) -> Finding:
    try:
        told: Any = server.info()
    except redis.RedisError as error:
        said = format_lazy(_("Redis가 답하지 않습니다({why})."), why=type(error).__name__)
        return bad(said, _("REDIS_URL과 서버를 보십시오. 그동안 한도는 데이터베이스가 세고, 보내기는 멈춥니다."))
    version = str(told.get("redis_version", "0"))
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST_REDIS:
        return bad(
            format_lazy(_("Redis 판이 너무 오래되었습니다: {version}"), version=version), _("6.2 이상을 쓰십시오.")
        )
    policy = str(told.get("maxmemory_policy", "noeviction"))
    if policy != "noeviction" and int(told.get("maxmemory", 0)):
        said = format_lazy(_("Redis가 메모리가 차면 자료를 버립니다({policy})."), policy=policy)
        return warn(said, _("maxmemory-policy noeviction으로 바꾸십시오."))
    return ok(format_lazy(_("Redis {version}"), version=version))


def worker() -> Finding:
    """A worker answers, and listens to each queue."""
    told = current_app.control.inspect(timeout=1.5).active_queues() or {}
    answered = {str(queue["name"]) for queues in told.values() for queue in queues}
    missing = [queue for queue in heartbeat.QUEUES if queue not in answered]
    if not answered:
        return bad(_("작업자가 하나도 답하지 않습니다."), _("작업자를 다시 시작하고 그 로그를 보십시오."))
    if missing:
        said = format_lazy(_("아무도 듣지 않는 대기열: {queues}"), queues=", ".join(missing))
        return bad(said, _("작업자의 -Q에 그 이름을 더하십시오."))
    return ok(_("작업자가 모든 대기열을 듣고 있습니다."))


def record() -> Finding:
    """The record of access ends where its note outside the database says. The whole chain: `manage.py audit verify`."""
    fits = audit.fits()
    if fits == "unreadable":
        return bad(_("접속기록의 끝을 적은 파일을 읽을 수 없습니다."), _("AUDIT_CHECKPOINT의 파일을 되살리십시오."))
    if fits == "broken":
        advice = _("manage.py audit verify로 어디가 다른지 찾고, 책임자에게 바로 알리십시오.")
        return bad(_("접속기록이 밖에 적어 둔 끝과 다릅니다. 누가 고친 것일 수 있습니다."), advice)
    if fits == "behind":
        said = _("접속기록의 끝을 밖에 적지 못하고 있습니다.")
        return warn(said, _("AUDIT_CHECKPOINT의 폴더에 쓸 수 있는지 보십시오."))
    return ok(_("접속기록의 끝이 밖에 적어 둔 것과 같습니다."))


def disk() -> Finding:
    """Room where this host writes: its own folder, the counts, the note of the record."""
    worst = min(
        (_free(path), str(path)) for path in (settings.RUN_DIR, settings.METRICS_DIR, settings.AUDIT_CHECKPOINT.parent)
    )
    said = format_lazy(_("디스크 여유 {percent}% ({folder})"), percent=round(worst[0] * 100), folder=worst[1])
    level = Level.BAD if worst[0] < EMPTY else Level.WARN if worst[0] < LOW else Level.OK
    return Finding(level, said, "" if level is Level.OK else _("자리를 비우십시오. 로그가 가장 많이 차지합니다."))


def _free(path: Path) -> float:
    usage = shutil.disk_usage(path)
    return usage.free / usage.total
