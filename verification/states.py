"""The table of a verification's states, reasons and moves (api.md section 1): the only one there is.

The model moves by it, the database's constraints are built from it, `docs/states.md` is drawn from it.
"""

from django.db.models import TextChoices


class State(TextChoices):
    CREATED = "created"
    AWAITING_APP = "awaiting_app"
    AWAITING_CODE = "awaiting_code"
    VERIFIED = "verified"
    FAILED = "failed"
    EXPIRED = "expired"
    DENIED = "denied"
    CANCELLED = "cancelled"


class Channel(TextChoices):
    APP = "app"
    SMS = "sms"


_ENDS = frozenset({State.FAILED, State.EXPIRED, State.DENIED, State.CANCELLED})
MOVES: dict[State, frozenset[State]] = {
    State.CREATED: _ENDS | {State.AWAITING_APP, State.AWAITING_CODE},
    State.AWAITING_APP: _ENDS | {State.AWAITING_CODE},
    State.AWAITING_CODE: _ENDS | {State.VERIFIED},
}
OPEN = tuple(MOVES)
REASONS: dict[State, tuple[str, ...]] = {
    State.FAILED: (
        "identity_mismatch",
        "too_many_wrong_codes",
        "app_not_registered",
        "app_locked",
        "line_blocked",
        "line_changed",
        "undeliverable",
    ),
    State.EXPIRED: ("identity_not_entered", "app_not_opened", "code_not_entered"),
    State.DENIED: ("not_me",),
    State.CANCELLED: ("cancelled_by_customer", "cancelled_by_partner", "superseded"),
}
