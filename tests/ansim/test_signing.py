"""Our signatures: anybody can check them with the published keys alone (RFC 7515, RFC 7517)."""

import base64

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from ansim.lib import signing


@pytest.fixture(autouse=True)
def forgotten_keys():
    signing._keys.cache_clear()
    yield
    signing._keys.cache_clear()


def entry(kid, private=None):
    der = (private or ec.generate_private_key(ec.SECP256R1())).private_bytes(
        Encoding.DER, PrivateFormat.PKCS8, NoEncryption()
    )
    return f"{kid}:{base64.b64encode(der).decode()}"


def checked(token):
    """As a stranger does it: the key set, the kid, the signature."""
    keys = jwt.PyJWKSet.from_dict(signing.key_set())
    return jwt.decode(token, keys[jwt.get_unverified_header(token)["kid"]].key, algorithms=["ES256"])


@pytest.mark.parametrize("use", ["number", "receipt"])
def test_a_signature_is_checked_with_the_published_keys(use):
    token = signing.sign({"sub": "v1"}, use=use, typ=f"ansim-{use}+jwt")

    assert checked(token) == {"sub": "v1"}
    assert jwt.get_unverified_header(token) == {
        "typ": f"ansim-{use}+jwt",
        "alg": "ES256",
        "kid": jwt.get_unverified_header(token)["kid"],
    }


def test_numbers_and_receipts_have_keys_of_their_own():
    kids = [jwt.get_unverified_header(signing.sign({}, use=use, typ="t"))["kid"] for use in ("number", "receipt")]

    assert len(set(kids)) == 2


def test_only_public_halves_are_published():
    for key in signing.key_set()["keys"]:
        assert key.keys() == {"kty", "crv", "x", "y", "kid", "use", "alg"}
        assert (key["kty"], key["crv"], key["use"], key["alg"]) == ("EC", "P-256", "sig", "ES256")


def test_after_a_rotation_old_signatures_still_hold(settings):
    old, new = entry("old"), entry("new")
    settings.RECEIPT_SIGNING_KEYS = [old]
    before = signing.sign({"sub": "v1"}, use="receipt", typ="t")

    settings.RECEIPT_SIGNING_KEYS = [new, old]
    signing._keys.cache_clear()

    assert checked(before) == {"sub": "v1"}
    assert jwt.get_unverified_header(signing.sign({}, use="receipt", typ="t"))["kid"] == "new"


def test_a_key_of_another_kind_is_refused(settings):
    settings.NUMBER_SIGNING_KEYS = [entry("rsa", rsa.generate_private_key(65537, 2048))]

    with pytest.raises(TypeError, match="rsa"):
        signing.sign({}, use="number", typ="t")
