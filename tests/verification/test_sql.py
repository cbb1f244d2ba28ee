"""The hot path is short (design.md section 4.6): SQL statements of a request with its BEGIN and COMMIT, calls to Redis."""

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

OVER = "this was all"


class Cost:
    """What one request costs: `sql`, and `redis`: what that server was sent by this process (MONITOR tells).

    `bells` are apart: they are rung after the commit, over the broker's own connection, and nobody waits for what they
    wake.
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
        database = once.store().connection_pool.connection_kwargs["db"]
        seen = list(self._until_over())
        self._monitor.__exit__(*error)
        mine = [one["command"] for one in seen if one["db"] == database and one["client_type"] != "lua"]
        self.bells = [command for command in mine if "LPUSH" in command]
        self.redis = mine
        self.sql = [query["sql"] for query in self._queries.captured_queries]

    def _until_over(self):
        while OVER not in (command := self._monitor.next_command())["command"]:
            yield command


def test_x():
    bookshop, mina, han = callers.Partner(), make.person(), make.Member()
    bookshop.create(make.person())
    for deed in (lambda: bookshop.create(mina), lambda: bookshop.create(han.person)):
        with Cost() as cost:
            answer = deed()
        print(answer.status_code, len(cost.sql)); print("\n".join(q[:150] for q in cost.sql)); print("\n".join(q[:150] for q in cost.redis))
    pk = Verification.objects.get(state="awaiting_app").pk
    with Cost() as cost:
        answer = callers.unlock(han, pk)
    print(answer.status_code, len(cost.sql)); print("\n".join(q[:150] for q in cost.sql)); print("\n".join(q[:150] for q in cost.redis))
    code = han.phone.open(str(pk), answer.json()["envelope"])["code"]
    with Cost() as cost:
        answer = bookshop.confirm(pk, code)
    print(answer.status_code, len(cost.sql)); print("\n".join(q[:150] for q in cost.sql)); print("\n".join(q[:150] for q in cost.redis))
