"""The course of a subscription follows from its facts, whatever the order they came in (mission.md S6, S8)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscriptions.timeline import Event, Membership, Span, course

NINE = datetime(2026, 11, 10, 9, 0, tzinfo=UTC)
IPHONE = {"model": "iPhone17,1", "os": "ios", "os_version": "19.1", "form": "phone"}
IPAD = {**IPHONE, "model": "iPad16,3", "form": "tablet"}
TYPES = {
    "suspended": {}, "resumed": {}, "terminated": {}, "ported_out": {"to": "KT"}, "owner_changed": {},
    "number_changed": {"phone": "+821011112222"}, "sim_changed": {}, "not_individual": {}, "not_own_name": {},
}  # fmt: skip
ENDS = {"terminated", "ported_out", "owner_changed", "not_individual", "not_own_name"}


def at(minutes):
    return NINE + timedelta(minutes=minutes)


def event(type_, minutes, *, id_="e", **data):
    return Event(at(minutes), id_, type_, data)


JOINED = Membership(NINE)


def test_without_events_it_is_one_span_that_lasts():
    assert course(JOINED, []).spans == (Span(True, NINE, "joined"),)


def test_a_suspension_and_its_end_are_spans_of_their_own():
    told = course(JOINED, [event("resumed", 20, id_="b"), event("suspended", 10, id_="a")])
    assert told.spans == (
        Span(True, NINE, "joined", at(10), "a"),
        Span(False, at(10), "a", at(20), "b"),
        Span(True, at(20), "b"),
    )
    assert (told.suspended_at, told.ended_at, told.end_reason) == (None, None, "")


def test_who_is_suspended_twice_is_suspended_since_the_first_time():
    assert course(JOINED, [event("suspended", 10), event("suspended", 20)]).suspended_at == at(10)


@pytest.mark.parametrize("type_", sorted(ENDS))
def test_these_end_it_and_nothing_counts_afterwards(type_):
    told = course(JOINED, [event(type_, 10), event("suspended", 20), event("terminated", 30)])
    assert (told.ended_at, told.end_reason, len(told.events)) == (at(10), type_, 1)


@pytest.mark.parametrize("plan", ["prepaid", "m2m", "special"])
def test_a_plan_that_may_not_join_ends_it(plan):
    assert course(JOINED, [event("plan_changed", 10, plan_type=plan)]).end_reason == "plan_changed"
    assert course(JOINED, [event("plan_changed", 10, plan_type="postpaid")]).ended_at is None


def test_an_unsupported_phone_ends_it_and_another_one_does_not():
    assert course(JOINED, [event("device_changed", 10, handset=IPHONE)]).ended_at is None
    assert course(JOINED, [event("device_changed", 10, handset=IPAD)]).end_reason == "device_changed"
    assert course(JOINED, [event("device_changed", 10, handset={**IPHONE, "os_version": "5.9"})]).ended_at == at(10)


def test_what_was_before_the_joining_and_after_the_leaving_does_not_count():
    left = replace(JOINED, cancelled_at=at(30), cancel_reason="customer")
    told = course(left, [event("terminated", -1), event("suspended", 31)])
    assert (told.ended_at, told.end_reason, told.events) == (at(30), "customer", ())


def test_a_late_report_of_an_earlier_end_wins_over_the_leaving():
    left = replace(JOINED, cancelled_at=at(30), cancel_reason="customer")
    assert course(left, [event("ported_out", 20, to="KT")]).end_reason == "ported_out"


def test_at_the_same_instant_the_ids_decide():
    one, other = event("suspended", 10, id_="1"), event("resumed", 10, id_="2")
    for told in ([one, other], [other, one]):
        assert course(JOINED, told).suspended_at is None
    one, other = event("suspended", 10, id_="2"), event("resumed", 10, id_="1")
    for told in ([one, other], [other, one]):
        assert course(JOINED, told).suspended_at == at(10)


def test_at_the_same_instant_and_with_the_same_id_the_sources_decide():
    one = replace(event("suspended", 10), source="a")
    other = replace(event("resumed", 10), source="b")
    assert course(JOINED, [one, other]) == course(JOINED, [other, one])


def test_a_clock_that_runs_ahead_does_not_end_what_began_after_we_were_told():
    """It was told at 9:02, dated 9:05; at 9:03 the customer joined again, and the carrier was asked about the line."""
    ahead = replace(event("terminated", 5), received_at=at(2))
    assert course(Membership(at(3)), [ahead]).ended_at is None
    assert course(Membership(at(1)), [ahead]).ended_at == at(5)


def test_a_whole_second_may_be_any_instant_within_it():
    joined = Membership(NINE + timedelta(milliseconds=400))
    same_second = Event(NINE, "e", "terminated", {}, received_at=NINE + timedelta(milliseconds=700))
    told = course(joined, [same_second])
    assert (told.end_reason, told.ended_at) == ("terminated", joined.joined_at)
    assert course(joined, [replace(same_second, time=NINE - timedelta(seconds=1))]).ended_at is None
    exact = replace(same_second, time=NINE + timedelta(milliseconds=399))
    assert course(joined, [exact]).ended_at is None


MINUTES = st.integers(-5, 60)
EVENTS = st.one_of(
    st.builds(
        lambda type_, minutes, id_: Event(at(minutes), id_, type_, TYPES[type_]),
        st.sampled_from(sorted(TYPES)), MINUTES, st.sampled_from("abcdefgh"),
    ),
    st.builds(
        lambda plan, minutes: event("plan_changed", minutes, id_=f"p{plan}", plan_type=plan),
        st.sampled_from(["postpaid", "prepaid"]), MINUTES,
    ),
    st.builds(
        lambda handset, minutes: event("device_changed", minutes, id_=handset["model"], handset=handset),
        st.sampled_from([IPHONE, IPAD]), MINUTES,
    ),
)  # fmt: skip
# One name, one event: a repeat is kept once (the database's part).
FACTS = st.lists(EVENTS, max_size=12, unique_by=lambda event: (event.time, event.id))
LEFT = st.one_of(st.none(), st.integers(0, 60))


@given(FACTS, LEFT, st.randoms())
def test_the_order_of_arrival_and_repeats_change_nothing(events, left, random):
    facts = Membership(NINE) if left is None else Membership(NINE, at(left), "customer")
    shuffled = [*events, *random.sample(events, len(events) // 2)]
    random.shuffle(shuffled)
    assert course(facts, list(dict.fromkeys(shuffled))) == course(facts, events)


@given(FACTS, LEFT)
def test_the_spans_lie_end_to_end_from_the_joining_to_the_end(events, left):
    facts = Membership(NINE) if left is None else Membership(NINE, at(left), "customer")
    told = course(facts, events)
    assert (told.spans[0].began_at, told.spans[0].active) == (NINE, True)
    for one, following in zip(told.spans, told.spans[1:], strict=False):
        assert (one.ended_at, one.ended_because) == (following.began_at, following.because)
        assert one.active != following.active
    for span in told.spans:
        assert span.ended_at is None or span.ended_at >= span.began_at
    assert bool(told.end_reason) == (told.ended_at is not None)
    assert all(event.time >= NINE for event in told.events)


@given(FACTS, EVENTS)
def test_one_more_report_never_brings_back_what_has_ended(events, late):
    before, after = course(JOINED, events), course(JOINED, {*events, late} - ({late} & set(events)) | set(events))
    assert before.ended_at is None or (after.ended_at is not None and after.ended_at <= before.ended_at)
