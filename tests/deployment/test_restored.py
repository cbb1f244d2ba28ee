"""Back-up and restore (docs/backup.md), tried: the restored database works, with the keys that were kept apart."""

import os
import subprocess

import pytest

from tests.client.partner import PartnerClient
from tests.client.phone import PhoneClient
from tests.deployment.servers import ROOT, program
from tests.deployment.web import Web


@pytest.fixture
def web(restored, town, tmp_path):
    with Web(tmp_path, town.handles(), DATABASE_URL=restored.url("application")) as started:
        yield started


def at(address, mina):
    """The same phone, whose app asks there."""
    phone = PhoneClient(address)
    phone.signing, phone.sealing, phone.device_id, phone.jwks = mina.signing, mina.sealing, mina.device_id, mina.jwks
    return phone


def test_a_customer_of_before_is_verified_after_the_restore(web, town, bookshop, mina):
    shop, phone = town.kept(PartnerClient(web.address, bookshop.entry["key"])), town.kept(at(web.address, mina))

    asked = shop.ask(mina.person)  # her line is found by its fingerprint, her phone by what was sealed
    told = shop.confirm(asked["id"], phone.number(asked["id"]))

    assert (told.status_code, told.json()["state"]) == (200, "verified")
    assert told.json()["result"]["phone"] == mina.person["phone"]
    assert len(phone.call("GET", "/app/v1/history").json()["items"]) >= 2


def test_the_record_of_access_is_whole(restored):
    assert restored.manage("audit", "verify", role="auditor")


def test_every_row_came_back(restored, town):
    counts = "SELECT count(*) FROM verification_line"
    assert restored.rows(counts) <= town.rows(counts)
    assert restored.rows(counts)[0][0] > 0


def test_without_the_keys_the_back_up_says_nothing_about_anybody(restored, mina):
    dump = next(restored.folder.glob("ansim-*.dump"))
    plain = subprocess.run([program("pg_restore"), "-f", "-", str(dump)], capture_output=True, check=True).stdout
    person = mina.person
    for secret in (person["phone"], person["phone"].removeprefix("+82"), person["name"], person["contract"]):
        assert secret.encode() not in plain
    assert dump.stat().st_mode & 0o777 == 0o600


def test_an_address_that_is_wrong_leaves_no_half_a_back_up(tmp_path):
    (tmp_path / "url").write_text("postgres://nobody@127.0.0.1:1/nothing")
    ended = subprocess.run(
        ["deploy/backup.sh", str(tmp_path / "url"), str(tmp_path)],
        cwd=ROOT, env={"PATH": os.environ["PATH"], "PG_DUMP": program("pg_dump")}, capture_output=True, check=False,
    )  # fmt: skip
    assert ended.returncode != 0
    assert [path.name for path in tmp_path.iterdir()] == ["url"]
