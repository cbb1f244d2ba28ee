"""What each row of those years looks like: the tables that `bench.growth_rows` fills.

What is sealed in life is noise of the same length here: nobody opens these rows, they only stand in the way.
"""

from collections.abc import Callable
from dataclasses import dataclass

PER_LINE = 10  # verifications
DAYS = 400  # of verifications, spread evenly
PARTNERS = 50


@dataclass(frozen=True)
class Table:
    """`per_line`: rows for one line. `columns`: the SQL of each for row `n` (1 …); `l` is its line's number."""

    name: str
    per_line: float
    columns: dict[str, str]


def noise(times: int) -> str:
    """So many times sixteen bytes."""
    return f"decode(repeat(md5(n::text), {times}), 'hex')"


def mark(letter: str, of: str) -> str:
    """What a keyed fingerprint looks like."""
    return f"md5('{letter}' || {of}) || md5({of} || '{letter}')"


def _id(kind: str) -> Callable[[str], str]:
    """Ids that other tables can name without looking them up, as scattered as random ones."""
    return lambda of: f"md5('{kind}' || {of})::uuid"


line, device, member, partner, asked, hook = map(_id, ("line", "device", "member", "partner", "asked", "hook"))
TABLES = (
    Table(
        "pushes_device",
        1,
        {
            "id": device("n"),
            "platform": "'android'",
            "os_version": "'15'",
            "model": "'SM-S921N'",
            "app_version": "'1.0'",
            "signing_key": "jsonb_build_object('kty','EC','crv','P-256','x',md5(n::text),'y',md5(n::text))",
            "sealing_key": "jsonb_build_object('kty','EC','crv','P-256','x',md5(n::text),'y',md5(n::text))",
            "registered_at": "now()",
            "seen_at": "now()",
        },
    ),
    Table(
        "verification_line",
        1,
        {
            "id": line("n"),
            "contract": noise(3),
            "contract_fingerprint": mark("c", "n"),
            "phone": noise(3),
            "phone_fingerprint": mark("p", "n"),
            "serial": f"{PER_LINE + 1}",
            "protection": "'on'",
            "password": "repeat('x', 97)",
            "wrong_passwords": "0",
            "wrong_numbers_at": "'{}'",
            "stop_all": "false",
            "blocked_partners": "'{}'",
            "device_id": device("n"),
            "birthdate": noise(3),
        },
    ),
    Table(
        "subscriptions_subscription",
        1,
        {
            "id": member("n"),
            "line_id": line("n"),
            "holder": noise(13),
            "holder_fingerprint": mark("h", "n"),
            "joined_at": f"now() - interval '{DAYS + 1} days'",
            "cancel_reason": "''",
            "state": "'active'",
            "end_reason": "''",
        },
    ),
    Table(
        "ansim_foundby",
        1,
        {
            "fingerprint": mark("f", "n / 2"),
            "customer": member("n"),
        },
    ),
    Table(
        "subscriptions_consent",
        3,
        {
            "id": "gen_random_uuid()",
            "agreed": "true",
            "at": f"now() - interval '{DAYS + 1} days'",
            "channel": "'web'",
            "subscription_id": member("l"),
            "document_id": "(SELECT id FROM subscriptions_consentdocument ORDER BY id LIMIT 1)",
        },
    ),
    Table(
        "subscriptions_charge",
        3,
        {
            "id": "gen_random_uuid()",
            "line_id": line("l"),
            "month": "date '2020-01-01' + interval '1 month' * (n / %(lines)s)",
            "amount": "1100",
            "days": "30",
            "day_bits": "1073741823",
            "because": "'[]'",
            "posting_id": "(SELECT id FROM subscriptions_posting LIMIT 1)",
            "made_at": "now() - interval '100 days'",
        },
    ),
    Table(
        "subscriptions_carrierevent",
        1,
        {
            "id": "gen_random_uuid()",
            "source": "'bench'",
            "event_id": "'ev-' || n",
            "type": "'sim_changed'",
            "contract": noise(3),
            "contract_fingerprint": mark("c", "n"),
            "time": "now() - interval '200 days'",
            "received_at": "now() - interval '200 days'",
            "standing": "'applied'",
        },
    ),
    Table(
        "ansim_accessrecord",
        1,
        {
            "number": "n",
            "at": "now() - interval '300 days'",
            "actor": "'kim-' || n %% 200",
            "role": "'agent'",
            "address": "'10.0.0.1'",
            "subject": mark("c", "n"),
            "action": "'look'",
            "what": "'customer'",
            "sealed_reason": noise(4),
            "mac": noise(2),
        },
    ),
    Table(
        "verification_verification",
        PER_LINE,
        {
            "id": asked("n"),
            "partner_id": partner(f"n %% {PARTNERS}"),
            "reference": "'order-' || n",
            "purpose": "'login'",
            "site": """'{"name": "책방", "domain": "bookshop.example"}'""",
            "return_url": "''",
            "region": "'서울'",
            "livemode": "false",
            "state": "CASE WHEN n %% 20 = 0 THEN 'expired' ELSE 'verified' END",
            "reason": "CASE WHEN n %% 20 = 0 THEN 'app_not_opened' END",
            "channel": "'app'",
            "released": "false",
            "line_id": line("l"),
            "line_serial": "(n - 1) / %(lines)s + 1",
            "match_number": "'42'",
            "tries_left": "5",
            "resends_left": "3",
            "identity_tries_left": "3",
            "created_at": "t.at",
            "matched_at": "t.at",
            "expires_at": "t.at + interval '3 minutes'",
            "sent_at": "t.at",
            "opened_at": "t.at",
            "ended_at": "t.at + interval '1 minute'",
            "receipt": noise(36),
            "window_fingerprint": mark("w", "n"),
            "browser_fingerprint": mark("b", "n"),
        },
    ),
    Table(
        "pushes_message",
        PER_LINE * 2 * 30 / DAYS,
        {
            "id": "gen_random_uuid()",
            "channel": "'fcm'",
            "kind": "'wake'",
            "device_id": device("l"),
            "about": asked("n"),
            "state": "CASE WHEN n %% 50 = 0 THEN 'failed' ELSE 'sent' END",
            "due_at": "t.at",
            "expires_at": "t.at",
            "attempts": "1",
            "created_at": "t.at",
            "sent_at": "CASE WHEN n %% 50 = 0 THEN NULL ELSE t.at END",
            "provider_id": "md5(n::text)",
            "last_error": "''",
        },
    ),
    Table(
        "verification_webhookdelivery",
        PER_LINE * 90 / DAYS,
        {
            "id": hook("n"),
            "partner_id": partner(f"n %% {PARTNERS}"),
            "verification_id": asked("n"),
            "type": "'verification.verified'",
            "body": "repeat(md5(n::text), 6)",
            "state": "'delivered'",
            "due_at": "t.at",
            "in_the_air": "false",
            "attempts": "1",
            "ladder_from": "0",
            "created_at": "t.at",
            "delivered_at": "t.at",
            "last_error": "''",
        },
    ),
    Table(
        "verification_webhookattempt",
        PER_LINE * 30 / DAYS,
        {
            "delivery_id": hook("n"),
            "at": "t.at",
            "status": "200",
            "error": "''",
            "ms": "12",
        },
    ),
)
NEWEST = frozenset({"pushes_message", "verification_webhookdelivery", "verification_webhookattempt"})
"""Of these only the last days are there: their rows belong to the newest verifications."""
