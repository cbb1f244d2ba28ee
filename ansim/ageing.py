"""What of this layer is kept long enough: Django's own log of changes, sessions at the desk, what counted once."""

from ansim import retention
from ansim.retention_models import Kind

SORTS = (
    retention.at_once("admin_log", Kind.STAFF, "django_admin_log", "row.action_time < %(cutoff)s"),
    retention.at_once("desk_sessions", None, "django_session", "row.expire_date < %(cutoff)s"),
    retention.at_once("spent", None, "ansim_spent", "row.until < %(cutoff)s"),
    retention.at_once("rates", None, "ansim_rate", "to_timestamp(row.starts_at) < %(cutoff)s - interval '1 day'"),
    retention.at_once("purges", None, "ansim_purge", "row.ended_at < %(cutoff)s - interval '1 year'"),
)
