"""Who may join (mission.md S4, S7): every failing reason at once, as codes. Pure: facts in, reasons out."""

from datetime import date

from ansim.lib import birth
from verification.carrier import Handset, LineFacts

OLDEST = {"android": (2, 3), "ios": (6, 0)}
PLANS = {"prepaid": "prepaid", "m2m": "m2m", "special": "special_plan"}


def why_not(facts: LineFacts, *, today: date, joined: bool = False) -> list[str]:
    """The reasons why this line may not join, none when it may; in the order of api.md section 6."""
    handset = facts.handset
    reasons = {
        "not_skt": facts.carrier != "SKT",
        "not_individual": facts.owner_type != "individual",
        "not_own_name": not facts.user_is_owner,
        "minor": birth.adult_on(facts.holder.birthdate) > today,
        PLANS.get(facts.plan_type, ""): facts.plan_type in PLANS,
        "unsupported_os": handset.os not in OLDEST,
        "old_os": handset.os in OLDEST and _version(handset) < OLDEST[handset.os],
        "tablet": handset.form == "tablet",
        "line_not_active": facts.status != "active",
        "already_joined": joined,
    }
    return [reason for reason, failing in reasons.items() if failing]


def supported(handset: dict[str, str]) -> bool:
    """Whether the app runs on a handset as the carrier words it: {"model", "os", "os_version", "form"}."""
    told = Handset(**{name: handset[name] for name in ("model", "os", "os_version", "form")})
    return told.os in OLDEST and told.form == "phone" and _version(told) >= OLDEST[told.os]


def _version(handset: Handset) -> tuple[int, ...]:
    """ "4.4.2" is (4, 4); what is no number counts as oldest: an unknown phone is not promised to work."""
    parts = f"{handset.os_version}.0".split(".")[:2]
    return tuple(int(part) for part in parts) if all(part.isdecimal() for part in parts) else (0, 0)
