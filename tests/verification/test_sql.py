"""The hot path is short (design.md section 4.6): SQL of a request with its BEGIN and COMMIT, calls to Redis."""

import pytest
import redis
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ansim import once
from tests import make
from tests.verification import callers
from tests.verification.test_flow import sms_number
from verification.models import Verification

pytestmark = pytest.mark.django_db(transaction=True)
OVER = "that was all"


class Cost:
    """What one request costs: `sql`, and `redis`: every call that reached the server from this process (MONITOR tells).

    `bells` are those calls that wake a worker, after the commit. They are no part of the answer and may fail.
    """

    def __enter__(self):
        self._monitor = redis.Redis.from_url(settings.REDIS_URL).monitor()
        self._monitor.__enter__()
        self._queries = CaptureQueriesContext(connection)
        self._queries.__enter__()
        return self

    def __exit__(self, *error):
        self._queries.__exit__(*error)
        once.store().echo(OVER)
        database = once.store().connection_pool.connection_kwargs["db"]  # the system's own programs use another one
        calls = [one["command"] for one in self._seen() if one["db"] == database and one["client_type"] != "lua"]
        self._monitor.__exit__(*error)
        self.bells = [call for call in calls if " bell:" in call]
        self.redis = [call for call in calls if call not in self.bells]
        self.sql = [query["sql"] for query in self._queries.captured_queries]

    def _seen(self):
        while OVER not in (seen := self._monitor.next_command())["command"]:
            yield seen


@pytest.fixture
def bookshop():
    """A partner whose process is warm: connections are open, scripts known, queues declared."""
    shop = callers.Partner()
    for mina in (make.person(), make.Member().person):
        asked = Verification.objects.get(pk=shop.create(mina).json()["id"])
        if asked.channel == "sms":
            assert shop.confirm(asked.pk, sms_number(asked)).status_code == 200
    return shop


def within(cost, *, statements):
    assert (cost.sql.count("BEGIN"), cost.sql[-1]) == (1, "COMMIT")
    assert len(cost.sql) <= statements, "\n".join(cost.sql)
    assert len(cost.redis) == 1, cost.redis
    assert len(cost.bells) <= 1


def test_to_create_by_sms_takes_five_statements_and_one_call_to_redis(bookshop):
    mina = make.person()
    with Cost() as cost:
        assert bookshop.create(mina).json()["channel"] == "sms"
    within(cost, statements=5)


def test_to_create_again_by_sms_takes_five_as_well(bookshop):
    mina = make.person()
    other = callers.Partner()
    assert other.create(mina).json()["channel"] == "sms"
    asked = Verification.objects.latest("created_at")
    other.confirm(asked.pk, sms_number(asked))
    with Cost() as cost:
        assert bookshop.create(mina).json()["channel"] == "sms"
    within(cost, statements=5)


def test_to_create_by_app_takes_five_statements_and_one_call_to_redis(bookshop):
    mina = make.Member()
    callers.unlock(mina, bookshop.create(mina.person).json()["id"])
    bookshop.post(f"/{Verification.objects.latest('created_at').pk}/cancel")
    with Cost() as cost:
        assert bookshop.create(mina.person).json()["channel"] == "app"
    within(cost, statements=5)


def test_to_unlock_takes_seven_statements_and_one_call_to_redis(bookshop):
    mina = make.Member()
    asked = bookshop.create(mina.person).json()["id"]
    with Cost() as cost:
        assert callers.unlock(mina, asked).status_code == 200
    within(cost, statements=7)


@pytest.mark.parametrize("channel", ["app", "sms"])
def test_to_confirm_takes_five_statements_and_one_call_to_redis(channel, bookshop):
    mina = make.Member() if channel == "app" else None
    asked = bookshop.create(mina.person if mina else make.person()).json()["id"]
    number = mina.number(Verification.objects.get(pk=asked)) if mina else sms_number(Verification.objects.get(pk=asked))
    with Cost() as cost:
        assert bookshop.confirm(asked, number).json()["state"] == "verified"
    within(cost, statements=5)
