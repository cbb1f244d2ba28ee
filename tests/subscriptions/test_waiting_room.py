"""When everybody wants to join at once: the order of coming is kept, and nobody waits for somebody who is not there."""

import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.utils import translation

from ansim import once, rates
from subscriptions import waiting_door, waiting_room
from tests.ansim.test_once import no_redis  # noqa: F401 # a fixture
from tests.verification.crowd import at_once

CONSENTS = "/join/consents"


@pytest.fixture(autouse=True)
def empty_room(settings):
    """Two places and a hundred newcomers a minute; nobody is here yet."""
    settings.JOIN_PLACES, settings.JOIN_PER_MINUTE = 2, 100
    once.store().delete(*waiting_room._keys())
    waiting_room._script.cache_clear()
    yield
    waiting_room._script.cache_clear()


def come(*names):
    return [waiting_room.visit(name) for name in names]


def pass_by(*, seconds, who=None):
    """As if everybody's (or that one's) last visit had been so much earlier."""
    for key in waiting_room._keys()[:1] + waiting_room._keys()[2:4]:
        for name, at in once.store().zrange(key, 0, -1, withscores=True):
            if who in (None, name.decode()):
                once.store().zadd(key, {name: at - seconds * 1000})


def inside(*names):
    return [turn.inside for turn in come(*names)]


# --- The order ------------------------------------------------------------------------------------


def test_as_long_as_there_is_room_everybody_comes_in():
    assert inside("mina", "juno") == [True, True]


def test_who_comes_later_waits_in_the_order_of_coming():
    come("mina", "juno")
    assert [turn.before for turn in come("third", "fourth", "fifth")] == [0, 1, 2]
    assert [turn.before for turn in come("fifth", "third", "fourth")] == [2, 0, 1], "asking again changes no place"


def test_a_free_place_goes_to_the_first_in_the_queue_whoever_asks_first():
    come("mina", "juno", "third", "fourth")
    waiting_room.leave("mina")
    assert inside("newcomer", "fourth", "third") == [False, False, True]


def test_nobody_keeps_a_place_for_forty_days_because_the_clock_was_set_back():
    come("mina", "juno", "third")
    pass_by(seconds=-40 * 86_400)
    assert inside("third") == [False], "they may still be there"
    pass_by(seconds=601)
    assert inside("third") == [True]


def test_who_is_inside_stays_so_with_every_step():
    come("mina", "juno", "third")
    for _ in range(3):
        pass_by(seconds=400, who="mina")
        assert inside("mina") == [True]


def test_who_does_nothing_inside_for_ten_minutes_gives_the_place_on():
    come("mina", "juno", "third")
    pass_by(seconds=waiting_room.STAY + 1, who="mina")
    assert inside("third", "mina") == [True, False]


def test_so_many_newcomers_a_minute_and_no_more(settings):
    settings.JOIN_PLACES, settings.JOIN_PER_MINUTE = 100, 2
    assert inside("mina", "juno", "third") == [True, True, False]
    pass_by(seconds=61, who="mina")
    assert inside("fourth", "third") == [False, True]


# --- Who went away --------------------------------------------------------------------------------


def test_who_is_away_does_not_hold_up_those_behind():
    come("mina", "juno", "third", "fourth")
    pass_by(seconds=waiting_room.PRESENT + 1, who="third")
    waiting_room.leave("mina")
    assert inside("fourth") == [True]


def test_who_is_back_within_five_minutes_has_kept_the_place():
    come("mina", "juno", "third", "fourth")
    pass_by(seconds=waiting_room.KEPT - 10, who="third")
    assert come("third")[0].before == 0
    waiting_room.leave("mina")
    assert inside("fourth", "third") == [False, True]


def test_who_is_back_later_stands_at_the_end():
    come("mina", "juno", "third", "fourth", "fifth")
    pass_by(seconds=waiting_room.KEPT + 1, who="third")
    assert come("fifth")[0].before == 1
    assert come("third")[0].before == 2


def test_a_queue_of_people_who_all_left_does_not_stop_anybody():
    come("mina", "juno", *(f"gone-{n}" for n in range(50)))
    pass_by(seconds=waiting_room.PRESENT + 1)
    come("mina", "juno")
    waiting_room.leave("mina")
    assert inside("newcomer") == [True]


# --- How long -------------------------------------------------------------------------------------


def test_the_time_follows_the_pace_of_the_last_minute():
    come("mina", "juno", *(f"waiting-{n}" for n in range(9)))
    assert come("waiting-8")[0] == waiting_room.Turn(inside=False, before=8, minutes=5), "two came in within a minute"


def test_while_nobody_comes_in_the_time_is_counted_as_if_everybody_inside_took_all_of_theirs(settings):
    settings.JOIN_PLACES = 20
    come(*(f"inside-{n}" for n in range(20)), *(f"waiting-{n}" for n in range(9)))
    pass_by(seconds=61)
    assert come("waiting-8")[0] == waiting_room.Turn(inside=False, before=8, minutes=5), "two a minute"


# --- Many at once, Redis away ---------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_of_many_at_the_same_instant_as_many_come_in_as_there_are_places(settings):
    settings.JOIN_PLACES = 7
    turns = at_once(*((lambda n=n: waiting_room.visit(f"somebody-{n}")) for n in range(40)))
    assert sum(turn.inside for turn in turns) == 7
    places = sorted(turn.before for turn in come(*(f"somebody-{n}" for n in range(40))) if not turn.inside)
    assert places == list(range(33))


def test_with_redis_away_everybody_comes_in(no_redis):  # noqa: F811
    assert inside("mina", "juno", "third") == [True, True, True]
    waiting_room.leave("mina")


# --- The page -------------------------------------------------------------------------------------


@pytest.fixture
def full(settings, db):
    settings.JOIN_PLACES = 0


def test_who_has_to_wait_is_told_where_they_stand(full):
    come("mina", "juno")
    mina = Client()
    page = mina.get(CONSENTS)
    assert page.status_code == 503
    assert page["Retry-After"] == "10"
    assert "앞에 2명이 있어요" in page.content.decode()
    assert "Before you in the queue: 3" in Client().get(f"/en{CONSENTS}").content.decode()


def test_the_cookie_keeps_the_place_and_its_words_change(full, settings):
    mina, juno = Client(), Client()
    mina.get(CONSENTS)
    juno.get(CONSENTS)
    assert "다음 차례" in mina.get(CONSENTS).content.decode()
    assert "앞에 1명" in juno.get(CONSENTS).content.decode()
    settings.JOIN_PLACES = 1
    assert (juno.get(CONSENTS).status_code, mina.get(CONSENTS).status_code) == (503, 200)


def test_the_pages_own_script_asks_without_coming_in(full, settings):
    mina = Client()
    mina.get(CONSENTS)
    asked = mina.get(CONSENTS, headers={"Accept": "application/json"}).json()
    assert asked == {"inside": False, "words": "다음 차례예요. 자리가 나면 바로 들어가요."}
    settings.JOIN_PLACES = 1
    assert mina.get(CONSENTS, headers={"Accept": "application/json"}).json()["inside"] is True


@pytest.mark.parametrize("forged", ["first", "", "a" * 4000, "k1\0" + "x" * 40])
def test_a_forged_ticket_is_none(full, forged):
    come("mina")
    thief = Client()
    thief.cookies["join-place-ko"] = forged
    assert "앞에 1명" in thief.get(CONSENTS).content.decode()


def test_somebody_elses_ticket_is_not_found_in_the_page_or_the_cookie(full):
    page = Client().get(CONSENTS)
    (name,) = [key.decode() for key in once.store().zrange(waiting_room._keys()[1], 0, -1)]
    assert name not in page.content.decode()
    assert name not in str(page.cookies)


def test_one_address_cannot_fill_the_room_alone(full):
    address, many = f"203.0.113.{uuid.uuid4().int % 250}", waiting_door.NEWCOMERS_PER_MINUTE
    for _ in range(many):
        rates.take(rates.Rule(f"join-room:{address}", many))
    assert Client(REMOTE_ADDR=address).get(CONSENTS).status_code == 429
    assert not once.store().exists(waiting_room._keys()[1]), "nobody stands in the queue"


def test_who_joined_leaves_the_place_to_the_next(settings, db):
    settings.JOIN_PLACES = 1
    mina, juno = Client(), Client()
    assert (mina.get(CONSENTS).status_code, juno.get(CONSENTS).status_code) == (200, 503)
    mina.get("/join/app")
    assert juno.get(CONSENTS).status_code == 200


def test_so_few_threads_wait_for_the_carrier_that_the_others_are_free(settings):
    settings.SITE_SLOTS = 2
    waiting_door._slots.cache_clear()
    went_in = []

    @waiting_door.few_at_once
    def slow(request):
        went_in.append(1)
        time.sleep(1)
        return HttpResponse("done")

    def ask(_):
        with translation.override("ko"):
            return slow(RequestFactory().get("/join/confirm")).status_code

    began = time.monotonic()
    with ThreadPoolExecutor(8) as crowd:
        statuses = sorted(crowd.map(ask, range(8)))
    waiting_door._slots.cache_clear()
    assert statuses == [200, 200, 503, 503, 503, 503, 503, 503]
    assert len(went_in) == 2
    assert time.monotonic() - began < 6
