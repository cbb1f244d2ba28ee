"""The states of our rows: what api.md says, what the code moves by, what the database accepts and what docs/states.md
shows are the same. `WRITE_STATES=1 make test ARGS="-k states"` writes the page anew.
"""

import os
import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from pushes.models import Message
from subscriptions.models import Subscription
from tests import make
from verification import states
from verification.models import Verification, WebhookDelivery

PAGE = Path(__file__).resolve().parents[2] / "docs" / "states.md"

# api.md section 1, typed off by hand: the contract that the code's own table is held against.
REASONS = {
    "failed": {
        "identity_mismatch", "too_many_wrong_codes", "app_not_registered", "app_locked", "line_blocked", "line_changed",
        "undeliverable",
    },
    "expired": {"identity_not_entered", "app_not_opened", "code_not_entered"},
    "denied": {"not_me"},
    "cancelled": {"cancelled_by_customer", "cancelled_by_partner", "superseded"},
}  # fmt: skip
OPEN = ("created", "awaiting_app", "awaiting_code")
ENDS = ("verified", *REASONS)
MOVES = {
    ("created", "awaiting_app"), ("created", "awaiting_code"), ("awaiting_app", "awaiting_code"),
    ("awaiting_code", "verified"), *((here, end) for here in OPEN for end in REASONS),
}  # fmt: skip

DRAWN = (
    ("인증 · Verification", Verification, states.MOVES, states.State.CREATED),
    ("보낼 것 · Message", Message, Message.MOVES, Message.State.OWED),
    ("웹훅 · WebhookDelivery", WebhookDelivery, WebhookDelivery.MOVES, WebhookDelivery.State.OWED),
    ("가입 · Subscription", Subscription, Subscription.MOVES, Subscription.State.ACTIVE),
)


# --- The page ---------------------------------------------------------------------------------------------------------


def page():
    """docs/states.md, drawn from the tables that the code moves by."""
    parts = [
        "# 상태 · States\n",
        "코드의 표에서 그린 그림입니다. 고치지 마세요: `tests/verification/test_states.py`가 다시 씁니다.  ",
        "Drawn from the code's own tables. Do not edit: `tests/verification/test_states.py` writes it.\n",
    ]
    for title, model, moves, first in DRAWN:
        parts.append(f"## {title}\n\n{diagram(model.State, moves, first)}")
    rows = [f"| `{end}` | {', '.join(f'`{reason}`' for reason in states.REASONS[end])} |" for end in states.REASONS]
    parts.append("\n".join(["## 인증이 끝나는 까닭 · Reasons\n", "| state | reasons |", "|---|---|", *rows, ""]))
    return "\n".join(parts)


def diagram(every, moves, first):
    arrows = [f"    [*] --> {first}"]
    arrows += [f"    {here} --> {there}" for here in every for there in every if there in moves.get(here, ())]
    arrows += [f"    {state} --> [*]" for state in every if state not in moves]
    return "\n".join(["```mermaid", "stateDiagram-v2", *arrows, "```\n"])


def test_the_page_shows_the_states_as_the_code_has_them():
    if os.environ.get("WRITE_STATES"):
        PAGE.write_text(page())
    assert PAGE.read_text() == page()


@pytest.mark.parametrize(("model", "moves"), [(model, moves) for _, model, moves, _ in DRAWN])
def test_every_state_is_reached_and_either_moves_on_or_is_an_end(model, moves):
    reached = {there for targets in moves.values() for there in targets}
    assert set(model.State) == set(moves) | reached
    assert all(moves.values())


# --- The contract -----------------------------------------------------------------------------------------------------


def test_the_codes_table_is_the_contracts():
    assert {end: set(reasons) for end, reasons in states.REASONS.items()} == REASONS
    assert set(states.OPEN) == set(OPEN)
    assert {(str(here), str(there)) for here, targets in states.MOVES.items() for there in targets} == MOVES


@pytest.mark.parametrize("here", [*OPEN, *ENDS])
@pytest.mark.parametrize("there", [*OPEN, *ENDS])
def test_a_verification_moves_only_as_the_contract_says(here, there):
    verification = Verification(state=here, holder={"name": "김민아"})
    if (here, there) in MOVES:
        verification.move(states.State(there), now=timezone.now())
        assert (verification.state, verification.is_open) == (there, there in OPEN)
        assert (verification.ended_at is None, verification.holder is None) == (there in OPEN, there in REASONS)
    else:
        with pytest.raises(ValueError, match=f"from {here} to {there}"):
            verification.move(states.State(there), now=timezone.now())


# --- The database -----------------------------------------------------------------------------------------------------


def verification_row(state, matched, **differing):
    """A row of that state which breaks no other rule."""
    now = timezone.now()
    channel = {"created": None, "awaiting_app": "app"}.get(state, "sms")
    return Verification(
        **{
            "partner": differing.pop("partner"), "reference": uuid.uuid4().hex, "purpose": "login", "site": {},
            "tries_left": 5, "resends_left": 3, "created_at": now, "expires_at": now + timedelta(seconds=180),
            "window_fingerprint": uuid.uuid4().hex, "state": state, "channel": channel,
            "line": matched if channel else None, "match_number": "42" if channel == "app" else None,
            "code_fingerprint": "f" * 64 if state == "awaiting_code" else None,
            "code_expires_at": now if state == "awaiting_code" else None,
            "ended_at": None if state in OPEN else now, **differing,
        }
    )  # fmt: skip


def accepted(row):
    try:
        with transaction.atomic():
            row.save(force_insert=True)
            transaction.set_rollback(True)
    except IntegrityError:
        return False
    return True


@pytest.mark.django_db
def test_the_database_accepts_every_state_with_its_own_reasons_and_no_other():
    line, bookshop = make.verification(make.person(), at=make.partner()).line, make.partner()
    every_reason = [None, "", "nonsense", *(reason for reasons in REASONS.values() for reason in reasons)]
    tried = {
        (state, reason): accepted(verification_row(state, line, partner=bookshop, reason=reason))
        for state in (*OPEN, *ENDS, "nonsense")
        for reason in every_reason
    }
    right = {(state, None) for state in (*OPEN, "verified")}
    right |= {(state, reason) for state, reasons in REASONS.items() for reason in reasons}
    assert {pair for pair, passed in tried.items() if passed} == right


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("state", "wrong"),
    [
        ("created", {"ended_at": timezone.now()}),
        ("verified", {"ended_at": None}),
        ("failed", {"ended_at": None, "reason": "line_changed"}),
        ("created", {"channel": "app", "match_number": "42"}),
        ("created", {"match_number": "42"}),
        ("awaiting_app", {"line": None}),
        ("awaiting_app", {"channel": None, "match_number": None}),
        ("awaiting_app", {"match_number": None}),
        ("awaiting_code", {"match_number": "42"}),
        ("awaiting_code", {"code_fingerprint": None}),
        ("awaiting_code", {"code_expires_at": None}),
        ("verified", {"line": None}),
    ],
)
def test_the_database_refuses_half_a_state(state, wrong):
    line, bookshop = make.verification(make.person(), at=make.partner()).line, make.partner()
    reason = wrong.get("reason")
    assert accepted(verification_row(state, line, partner=bookshop, reason=reason))
    assert not accepted(verification_row(state, line, partner=bookshop, **wrong))


@pytest.mark.django_db
def test_a_partner_has_one_open_verification_on_a_line_and_one_webhook_of_an_event():
    asked = make.verification(make.person())
    assert not accepted(verification_row("awaiting_code", asked.line, partner=asked.partner))
    heard = WebhookDelivery.objects.get(verification=asked)
    heard.pk = uuid.uuid4()
    assert not accepted(heard)


@pytest.mark.django_db
@pytest.mark.parametrize(("state", "ended"), [("active", True), ("ended", False), ("gone", True), ("gone", False)])
def test_a_subscription_has_an_end_when_it_has_ended(state, ended):
    joined = Subscription.objects.get(line__contract_fingerprint=make.Member().line.contract_fingerprint)
    now = timezone.now() if ended else None
    assert not accepted_change(joined, state=state, ended_at=now)
    assert accepted_change(joined, state="ended", ended_at=timezone.now())


@pytest.mark.django_db
@pytest.mark.parametrize(("state", "sent"), [("sent", False), ("owed", True), ("failed", True), ("void", True)])
def test_a_message_has_a_time_when_it_was_sent(state, sent):
    make.verification(make.person())
    message = Message.objects.get()
    assert not accepted_change(message, state=state, sent_at=timezone.now() if sent else None)
    assert accepted_change(message, state="sent", sent_at=timezone.now())


def accepted_change(row, **change):
    try:
        with transaction.atomic():
            type(row).objects.filter(pk=row.pk).update(**change)
            transaction.set_rollback(True)
    except IntegrityError:
        return False
    return True
