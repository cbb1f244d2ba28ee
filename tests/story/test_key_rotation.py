"""Signing keys are rotated without a gap: published first, then signing, gone at last (docs/key-rotation.md).

A second web program over the same data plays the one that is restarted after each step; its env file is its own.
"""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import jwt
import pytest

from tests.client.partner import PartnerClient
from tests.client.phone import PhoneClient

ROOT = Path(__file__).resolve().parents[2]
RINGS = ("NUMBER_SIGNING_KEYS", "RECEIPT_SIGNING_KEYS")


class Copy:
    """The running system's settings in a folder of their own, and one web program that reads them when it starts."""

    def __init__(self, folder, handles):
        self.folder, self.env = folder, {"PATH": os.environ["PATH"], "RUN_DIR": str(folder)}
        lines = (f"{name}={value}\n" for name, value in {**handles["env"], "RUN_DIR": str(folder)}.items())
        (folder / "env").write_text("".join(lines))
        (folder / "env").chmod(0o600)
        self.web = None

    def keys(self, *command, status=0, **env):
        ended = subprocess.run(
            [sys.executable, "manage.py", "keys", "rotate", *command, "--json"],
            cwd=ROOT, env=self.env | env, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert ended.returncode == status, ended.stderr
        return json.loads(ended.stdout) if not status else ended.stderr

    def restart(self):
        self.stop()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        command = [sys.executable, "-m", "gunicorn", "ansim.wsgi", "--bind", f"127.0.0.1:{port}", "--no-control-socket"]
        with (self.folder / "web.log").open("ab") as log:
            self.web = subprocess.Popen(command, cwd=ROOT, env=self.env, stdout=log, stderr=log)
        address, ends = f"http://127.0.0.1:{port}", time.monotonic() + 30
        while time.monotonic() < ends:
            try:
                if httpx.get(f"{address}/livez").status_code == 200:
                    return address
            except httpx.TransportError:
                time.sleep(0.05)
        raise AssertionError((self.folder / "web.log").read_text())

    def stop(self):
        if self.web:
            self.web.terminate()
            self.web.wait(timeout=15)


@pytest.fixture
def copy(town, tmp_path):
    made = Copy(tmp_path, town.handles())
    yield made
    made.stop()


def published(address):
    return [key["kid"] for key in httpx.get(f"{address}/.well-known/jwks.json").json()["keys"]]


def receipt_of(town, shop, address):
    """A receipt made by the web program at that address."""
    client = town.kept(PartnerClient(address, shop.entry["key"]))
    asked = client.create(identity={"birthdate": "900505", "gender_digit": "1", "phone": "010-0000-0001"}).json()
    return client.confirm(asked["id"], "123456").json()["receipt"]


def kid(token):
    return jwt.get_unverified_header(token)["kid"]


def checked(receipt, *, keys_of, shop, town):
    """Its claims, by the keys published at that address."""
    key = jwt.PyJWKClient(f"{keys_of}/.well-known/jwks.json").get_signing_key_from_jwt(receipt)
    return jwt.decode(receipt, key, algorithms=["ES256"], audience=shop.entry["id"], issuer=town.base_url)


def test_an_old_receipt_verifies_through_a_rotation_until_its_key_is_dropped(town, bookshop, copy):
    old = receipt_of(town, bookshop, town.base_url)
    first = kid(old)

    staged = copy.keys("receipt", "--stage")
    address = copy.restart()
    second = staged["published"][-1]
    assert (staged["signs"], staged["written"]) == (first, str(copy.folder / "env"))
    assert {first, second} <= set(published(address))
    assert kid(receipt_of(town, bookshop, address)) == first

    assert copy.keys("receipt")["signs"] == second
    address = copy.restart()
    new = receipt_of(town, bookshop, address)
    assert kid(new) == second
    for receipt in (old, new):
        assert checked(receipt, keys_of=address, shop=bookshop, town=town)["aud"] == bookshop.entry["id"]

    copy.keys("receipt", "--drop", first)
    address = copy.restart()
    assert first not in published(address)
    with pytest.raises(jwt.PyJWKClientError):
        checked(old, keys_of=address, shop=bookshop, town=town)
    assert checked(new, keys_of=address, shop=bookshop, town=town)["sub"]


def test_an_app_that_does_not_know_the_key_fetches_the_key_set_again(town, bookshop, copy):
    mina = town.member()
    copy.keys("number", "--stage")
    second = copy.keys("number")["signs"]
    address = copy.restart()
    asked = bookshop.ask(mina.person)
    phone = town.kept(PhoneClient(address))
    phone.signing, phone.sealing, phone.device_id, phone.jwks = mina.signing, mina.sealing, mina.device_id, mina.jwks
    envelope = phone.unlock(asked["id"]).json()["envelope"]

    assert second not in [key["kid"] for key in phone.jwks["keys"]]
    with pytest.raises(ValueError, match="not enough values"):
        phone.open(asked["id"], envelope)
    phone.jwks = phone.http.get("/.well-known/jwks.json").json()

    number = phone.open(asked["id"], envelope)["code"]
    assert bookshop.confirm(asked["id"], number).json()["state"] == "verified"


def test_steps_out_of_order_are_refused_and_change_nothing(copy):
    before = (copy.folder / "env").read_text()
    assert "no key is staged" in copy.keys("receipt", status=2)
    assert "rotate first" in copy.keys("receipt", "--drop", "receipt-1", status=2)
    assert "there is no key" in copy.keys("number", "--drop", "number-9", status=2)
    assert (copy.folder / "env").read_text() == before
    copy.keys("receipt", "--stage")
    assert "staged already" in copy.keys("receipt", "--stage", status=2)


def test_the_file_stays_its_owners_and_other_lines_stay_as_they_are(copy):
    before = (copy.folder / "env").read_text()
    copy.keys("number", "--stage")
    after = (copy.folder / "env").read_text()
    assert (copy.folder / "env").stat().st_mode & 0o777 == 0o600
    changed = [line for line in after.splitlines() if line not in before.splitlines()]
    assert [line.partition("=")[0] for line in changed] == ["NUMBER_SIGNING_KEYS"]


def test_where_the_ring_is_in_a_secret_store_the_new_value_is_told(copy):
    ring = next(line for line in (copy.folder / "env").read_text().splitlines() if line.startswith("RECEIPT_"))
    (copy.folder / "env").write_text(
        "".join(
            f"{line}\n" for line in (copy.folder / "env").read_text().splitlines() if not line.startswith("RECEIPT_")
        )
    )
    told = copy.keys("receipt", "--stage", RECEIPT_SIGNING_KEYS=ring.partition("=")[2])
    assert told["set"]["RECEIPT_SIGNING_KEYS"].startswith(ring.partition("=")[2] + ",receipt-2:")
    assert "written" not in told
