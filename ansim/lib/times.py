"""Times as APIs show them, and how far clocks may differ."""

from datetime import UTC, datetime, timedelta

APART = timedelta(minutes=1)
"""Two clocks of ours may differ so far, as an app's may (api.md section 2). What lies further in the future than it can
was dated by a wrong clock (docs/adr/0034).
"""


def instant(at: datetime | None) -> str | None:
    """RFC 3339 in UTC, to the millisecond."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z") if at else None
