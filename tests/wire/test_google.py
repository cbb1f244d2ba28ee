"""Google's token endpoint, checked with Google's own credentials class and with assertions made by hand."""

import json
import time
from pathlib import Path

import google.auth.transport.requests
import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings
from google.oauth2 import service_account

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
SCOPE = "https://www.googleapis.com/auth/firebase.messaging"


@pytest.fixture
def account():
    return json.loads(Path(settings.FCM_CREDENTIALS).read_text())


@pytest.fixture
def ask(account):
    def ask(key=None, grant_type=GRANT, **claims):
        now = int(time.time())
        claims = {
            "iss": account["client_email"],
            "aud": account["token_uri"],
            "scope": SCOPE,
            "iat": now,
            "exp": now + 3600,
        } | claims
        assertion = jwt.encode(claims, key or account["private_key"], "RS256")
        return httpx.post(account["token_uri"], data={"grant_type": grant_type, "assertion": assertion})

    return ask


def test_googles_own_credentials_get_a_token(world):
    credentials = service_account.Credentials.from_service_account_file(settings.FCM_CREDENTIALS, scopes=[SCOPE])

    credentials.refresh(google.auth.transport.requests.Request())

    assert credentials.valid
    assert credentials.token.startswith("ya29.")


def test_the_answer_has_googles_three_members(ask):
    answer = ask()

    assert answer.status_code == 200
    assert answer.json() == {
        "access_token": answer.json()["access_token"],
        "expires_in": 3599,
        "token_type": "Bearer",
    }


def test_a_stranger_s_key_is_refused(ask):
    answer = ask(key=rsa.generate_private_key(65537, 2048))

    assert answer.status_code == 400
    assert answer.json() == {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}


@pytest.mark.parametrize(
    ("claims", "error", "description"),
    [
        ({"iss": "thief@example.com"}, "invalid_grant", "Invalid grant: account not found"),
        ({"aud": "https://elsewhere.example"}, "invalid_grant", "Invalid JWT: Failed audience check."),
        ({"scope": ""}, "invalid_scope", "Invalid OAuth scope or ID token audience provided."),
        ({"exp": 1}, "invalid_grant", None),
        ({"exp": 9_999_999_999}, "invalid_grant", None),
        ({"iat": "now"}, "invalid_grant", None),
    ],
)
def test_a_wrong_claim_is_refused_in_googles_words(ask, claims, error, description):
    answer = ask(**claims)

    assert answer.status_code == 400
    assert answer.json() == {
        "error": error,
        "error_description": description
        or "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. "
        "Check your iat and exp values in the JWT claim.",
    }


def test_another_grant_is_refused(ask):
    answer = ask(grant_type="password")

    assert answer.status_code == 400
    assert answer.json() == {"error": "unsupported_grant_type", "error_description": "Invalid grant_type: password"}
