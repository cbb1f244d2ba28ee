"""What a log line says, and what it never does."""

import json
import logging
import uuid

import pytest

from ansim import work
from ansim.celery import app
from ansim.lib import correlator

ID = uuid.UUID("8f14e45f-ceea-467f-9a3b-2d1c0b5a7e61")


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/partner/v1/verifications", "/partner/v1/verifications"),
        (f"/partner/v1/verifications/{ID}/confirm", f"/partner/v1/verifications/{ID}/confirm"),
        (f"/window/at/{ID}", f"/window/at/{ID}"),
        (f"/partner/v1/webhook-deliveries/msg_{ID.hex}/replay", f"/partner/v1/webhook-deliveries/msg_{ID.hex}/replay"),
        ("/my/bills/2026-10", "/my/bills/2026-10"),
        ("/window/c2VjcmV0LXNlY3JldA", "/window/[secret]"),
        ("/x/01012345678", "/x/[…]"),
        ("/x/010-1234-5678/y", "/x/[…]/y"),
        ("/x/010 1234 5678", "/x/[…]"),
        ("/x/900101", "/x/[…]"),
        ("/my/홍길동", "/my/[…]"),
        ("/x\n{}", "/[…]"),
        (f"/x/{ID}01012345678", "/x/[…]"),
    ],
    ids=lambda value: None if str(ID)[:8] in value else ascii(value),
)
def test_a_path_is_shown_with_our_ids_and_without_what_people_put_there(path, shown):
    assert correlator._shown(path) == shown


def said(error):
    """The log's line about an error that was caught."""
    record = logging.LogRecord("x", logging.ERROR, __file__, 1, "unforeseen", None, (type(error), error, None))
    try:
        raise error
    except type(error) as caught:
        record.exc_info = (type(caught), caught, caught.__traceback__)
    return correlator.LogLine().format(record)


def test_an_error_is_told_with_its_kind_its_place_and_its_causes_but_not_with_its_words():
    cause = KeyError("홍길동")
    error = ValueError("010-1234-5678 is no number")
    error.__cause__ = cause
    line = said(error)
    told = json.loads(line)["traceback"]
    assert told[0] == "builtins.KeyError"
    assert told[-1] == "builtins.ValueError"
    assert "test_correlator.py" in line
    assert "1234" not in line
    assert "길동" not in line


def test_of_a_database_error_the_sqlstate_is_told():
    class Refused(Exception):
        sqlstate = "23505"

    assert "Refused 23505" in said(Refused("Key (phone)=(+821012345678) already exists."))


def test_a_task_that_breaks_in_a_worker_is_told_without_its_words_and_ends(caplog):
    @app.task(name="tests.breaks", base=work.Task)
    def breaks():
        raise ValueError("010-1234-5678")

    with pytest.raises(ValueError, match="010"):
        breaks()
    caplog.clear()
    try:
        assert breaks.apply(headers={correlator.HEADER: "of-the-request"}).state == "SUCCESS"
    finally:
        app.tasks.pop("tests.breaks")
    (record,) = [record for record in caplog.records if record.getMessage() == "task_broke"]
    assert "1234" not in correlator.LogLine().format(record)


@pytest.mark.parametrize(
    ("given", "kept"),
    [("order-1", "order-1"), ("01012345678", "[…]"), ("tel:010-1234-5678", "tel:[…]"), ("20261123-01", "20261123-01")],
)
def test_a_correlator_that_is_a_phone_number_goes_back_and_is_not_logged(client, given, kept):
    lines = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(json.loads(correlator.LogLine().format(record)))
    logging.getLogger("ansim.requests").addHandler(handler)
    try:
        answer = client.get("/livez", headers={"x-correlator": given})
    finally:
        logging.getLogger("ansim.requests").removeHandler(handler)
    assert answer.headers["x-correlator"] == given
    assert [line["correlator"] for line in lines] == [kept]
