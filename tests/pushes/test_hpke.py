"""Sealing for one phone, opened here by hand as RFC 9180 describes it, and by the published test vectors."""

import os

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from jwt.algorithms import ECAlgorithm

from pushes import hpke

CURVE = ec.SECP256R1()
KEM, KDF, AES_128_GCM, AES_256_GCM = 0x0010, 0x0001, 0x0001, 0x0002
ENC = 65  # bytes of an uncompressed point of P-256


def mac(key, data):
    signing = hmac.HMAC(key, hashes.SHA256())
    signing.update(data)
    return signing.finalize()


def labeled_extract(suite, salt, label, ikm):
    return mac(salt, b"HPKE-v1" + suite + label + ikm)


def labeled_expand(suite, prk, label, info, length):
    labeled = length.to_bytes(2) + b"HPKE-v1" + suite + label + info
    return mac(prk, labeled + b"\x01")[:length]  # one block: never more than 32 bytes are asked for


def point(public):
    numbers = public.public_numbers()
    return b"\x04" + numbers.x.to_bytes(32) + numbers.y.to_bytes(32)


def opened(private, sealed, info, *, aad=b"", aead=AES_256_GCM):
    """RFC 9180: Decap (4.1), KeySchedule in base mode (5.1), Open of the first message (5.2)."""
    enc, ciphertext = sealed[:ENC], sealed[ENC:]
    shared = private.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(CURVE, enc))
    kem = b"KEM" + KEM.to_bytes(2)
    eae_prk = labeled_extract(kem, b"", b"eae_prk", shared)
    secret = labeled_expand(kem, eae_prk, b"shared_secret", enc + point(private.public_key()), 32)
    suite = b"HPKE" + KEM.to_bytes(2) + KDF.to_bytes(2) + aead.to_bytes(2)
    context = (
        b"\x00" + labeled_extract(suite, b"", b"psk_id_hash", b"") + labeled_extract(suite, b"", b"info_hash", info)
    )
    prk = labeled_extract(suite, secret, b"secret", b"")
    key = labeled_expand(suite, prk, b"key", context, 16 if aead == AES_128_GCM else 32)
    nonce = labeled_expand(suite, prk, b"base_nonce", context, 12)
    return AESGCM(key).decrypt(nonce, ciphertext, aad)


VECTORS = [
    pytest.param(
        AES_128_GCM,
        "f3ce7fdae57e1a310d87f1ebbde6f328be0a99cdbcadf4d6589cf29de4b8ffd2",
        "04a92719c6195d5085104f469a8b9814d5838ff72b60501e2c4466e5e67b325ac98536d7b61a1af4b78e5b7f951c0900be863c403ce65c9"
        "bfcb9382657222d18c4",
        "5ad590bb8baa577f8619db35a36311226a896e7342a6d836d8b7bcd2f20b6c7f9076ac232e3ab2523f39513434",
        id="RFC 9180 A.3.1",
    ),
    pytest.param(
        AES_256_GCM,
        "317f915db7bc629c48fe765587897e01e282d3e8445f79f27f65d031a88082b2",
        "04c06b4f6bebc7bb495cb797ab753f911aff80aefb86fd8b6fcc35525f3ab5f03e0b21bd31a86c6048af3cb2d98e0d3bf01da5cc4c39ff5"
        "370d331a4f1f7d5a4e0",
        "58c61a45059d0c5704560e9d88b564a8b63f1364b8d1fcb3c4c6ddc1d291742465e902cd216f8908da49f8f96f",
        id="CFRG test vectors, our suite",
    ),
]


@pytest.mark.parametrize(("aead", "recipient", "enc", "ciphertext"), VECTORS)
def test_the_opening_by_hand_is_the_standards(aead, recipient, enc, ciphertext):
    private = ec.derive_private_key(int(recipient, 16), CURVE)
    sealed = bytes.fromhex(enc + ciphertext)

    text = opened(private, sealed, b"Ode on a Grecian Urn", aad=b"Count-0", aead=aead)

    assert text == b"Beauty is truth, truth beauty"


def test_what_we_seal_the_standard_opens():
    private = ec.generate_private_key(CURVE)
    jwk = ECAlgorithm.to_jwk(private.public_key(), as_dict=True)
    text = os.urandom(512)

    sealed = hpke.seal(jwk, text, b"ansim/number/v1|device|verification")

    assert len(sealed) == ENC + len(text) + 16
    assert opened(private, sealed, b"ansim/number/v1|device|verification") == text
    assert hpke.seal(jwk, text, b"")[:ENC] != sealed[:ENC], "each sealing has a key of its own"


def test_it_opens_for_no_other_purpose_and_no_other_phone():
    private, thief = ec.generate_private_key(CURVE), ec.generate_private_key(CURVE)
    sealed = hpke.seal(ECAlgorithm.to_jwk(private.public_key(), as_dict=True), b"123456", b"this verification")

    with pytest.raises(InvalidTag):
        opened(private, sealed, b"another verification")
    with pytest.raises(InvalidTag):
        opened(thief, sealed, b"this verification")


def test_a_key_off_the_curve_is_refused():
    jwk = ECAlgorithm.to_jwk(ec.generate_private_key(CURVE).public_key(), as_dict=True)

    with pytest.raises(ValueError, match=r"(?i)curve|point"):
        hpke.seal(jwk | {"y": jwk["x"]}, b"123456", b"")
