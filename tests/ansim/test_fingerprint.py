"""Looking up what we do not store readably."""

import base64
import re

from ansim.lib import fingerprint


def test_the_same_value_has_the_same_fingerprint_and_another_kind_another():
    assert fingerprint.of("phone", "+821012345678") == fingerprint.of("phone", "+821012345678")
    assert fingerprint.of("phone", "+821012345678") != fingerprint.of("contract", "+821012345678")
    assert fingerprint.of("phone", "+821012345678") != fingerprint.of("phone", "+821012345679")


def test_kind_and_value_cannot_be_shifted_into_each_other():
    assert fingerprint.of("a", "bc") != fingerprint.of("ab", "c")


def test_it_tells_nothing_without_the_key(settings):
    before = fingerprint.of("phone", "+821012345678")
    settings.FINGERPRINT_KEY = base64.b64encode(b"x" * 32).decode()

    assert re.fullmatch("[0-9a-f]{64}", before)
    assert fingerprint.of("phone", "+821012345678") != before
